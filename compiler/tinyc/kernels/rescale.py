# SPDX-License-Identifier: Apache-2.0
"""What the generated loops of integer operators share: offsets, accumulators and the way back to 8 or 16 bits."""

from __future__ import annotations

import math

import numpy as np

from tinyc.backend.program import Affine, Apply, Expr, Formula, Literal, Load
from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.kernels.base import Builder
from tinyc.ops.pool import mean_multiplier
from tinyc.ops.registry import quant_of, scale_zero
from tinyc.quantize.numbers import clamp_limits, reduce_multiplier


def number(value: int) -> Literal:
    return Literal(int(value), DType.INT32)


def accumulator(x: TensorType) -> DType:
    """The type in which sums of products of 8-bit or of 16-bit activations are held."""
    return DType.INT64 if x.dtype is DType.INT16 else DType.INT32


def above_zero(type_: TensorType, element: Expr) -> Expr:
    """An element less its zero point."""
    zero = scale_zero(type_)[1]
    return Formula(f"({{0}} - ({zero}))", (element,)) if zero else element


def weight_above_zero(build: Builder, element: Expr, channel: Affine) -> Expr:
    """An element of operand 1 less the zero point, which may differ from channel to channel."""
    zeros = quant_of(build.type(1)).zero_point
    if not any(zeros):
        return element
    if len(set(zeros)) == 1:
        return Formula(f"({{0}} - ({zeros[0]}))", (element,))
    table = build.table("filter_zero", np.array(zeros, np.int32))
    return Formula("({0} - {1})", (element, Load(table.buffer, channel, DType.INT32)))


def mean_of_sum(node: Node, x: TensorType, y: TensorType, total: Expr) -> Expr:
    """The result of an AveragePool of the whole image that has a scale of its own, from the sum of the integers."""
    factors = mean_multiplier(node, x, y)
    assert factors is not None
    above = math.prod(node.attrs.kernel) * scale_zero(x)[1]
    scale, zero = scale_zero(y)
    limits = clamp_limits(node.attrs.clamp, scale, zero, y.dtype.limits)
    return Apply("tinyc_requantize_one", (Formula(f"{{0}} - ({above})", (total,)) if above else total,
                                          *map(number, (*factors, zero, *limits))))


def channel_factors(build: Builder, multiplier: Array, shift: Array, channel: Affine) -> tuple[Expr, Expr]:
    """The output channel's multiplier and shift, from tables."""
    if build.type(0).dtype is DType.INT16:
        multiplier = reduce_multiplier(multiplier).astype(np.int32)
    first, second = (Load(build.table(role, np.asarray(array, np.int32)).buffer, channel, DType.INT32)
                     for role, array in (("multiplier", multiplier), ("shift", shift)))
    return first, second


def rescaled(build: Builder, acc: Expr, factors: tuple[Expr, Expr], clamp: tuple[float, float] | None) -> Expr:
    """The accumulator as an element of the result. `factors`: multiplier (of 16 bits for int16) and shift."""
    y = build.output_type()
    scale, zero = scale_zero(y)
    wide = build.type(0).dtype is DType.INT16
    limits = clamp_limits(clamp, scale, zero, y.dtype.limits)
    function = "tinyc_requantize_wide" if wide else "tinyc_requantize_one"
    return Apply(function, (acc, *factors, number(zero), *map(number, limits)))
