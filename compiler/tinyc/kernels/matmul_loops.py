# SPDX-License-Identifier: Apache-2.0
"""MatMul and Gemm as generated loops: any rank, batches broadcast, any element type, int8's integer form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyc.backend.program import Affine, Expr, For, Formula, Let, Name, Set, Stmt
from tinyc.ir.evaluate import stored_quant
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import Loops, bounded, computed, let, load, merged_axes, nest, store, strides_of, wrap
from tinyc.kernels.rescale import (
    above_zero,
    accumulator,
    channel_factors,
    number,
    rescaled,
    weight_above_zero,
)
from tinyc.ops.conv import channel_multipliers
from tinyc.ops.registry import scale_zero
from tinyc.quantize.numbers import quantize_multiplier, reduce_multiplier

CODE = 400  # bytes of a dense layer's loops, roughly


def product(build: Builder, left: Expr, right: Expr, channel: Affine | None) -> tuple[str, Expr]:
    """(type of the accumulator in C, a product to add to it). Plain integers wrap, as NumPy's do."""
    dtype = build.type(0).dtype
    if build.node.integer:
        left = above_zero(build.type(0), left)
        right = above_zero(build.type(1), right) if channel is None else weight_above_zero(build, right, channel)
        c_type = accumulator(build.type(0)).c_type
        wide = f"({c_type})" if build.type(1).dtype is DType.INT16 else ""
        return c_type, Formula(f"{wide}{{0}} * {{1}}", (left, right))
    own = computed(dtype)
    if own.is_float:
        return own.c_type, Formula("{0} * {1}", (left, right))
    wide = "uint64_t" if own.size == 8 else "uint32_t"
    return wide, Formula(f"({wide}){{0}} * ({wide}){{1}}", (left, right))


@KERNELS.add
class MatMulLoops(Kernel):
    name = "loops"
    ops = ("MatMul",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(12.0 * graph.type(node.outputs[0]).elements * graph.type(node.inputs[0]).shape[-1])

    def lower(self, build: Builder) -> Lowered:
        a, b = build.type(0).shape, build.type(1).shape
        left = a if len(a) > 1 else (1, *a)
        right = b if len(b) > 1 else (*b, 1)
        batch = np.broadcast_shapes(left[:-2], right[:-2])
        (m, depth), n = left[-2:], right[-1]
        steps = [[size * s for s in strides_of(shape, batch)]
                 for size, shape in ((m * depth, left[:-2]), (depth * n, right[:-2]), (m * n, batch))]
        loops = merged_axes(batch, steps)
        first = nest(loops, 0).plus(Affine(0, (("t_m", depth), ("t_k", 1))))
        second = nest(loops, 1).plus(Affine(0, (("t_k", n), ("t_n", 1))))
        place = nest(loops, 2).plus(Affine(0, (("t_m", n), ("t_n", 1))))
        body = _dot(build, depth, first, second, None, place, _factors(build))
        return Lowered(wrap(loops, (For("t_m", m, (For("t_n", n, body),)),)))


@KERNELS.add
class GemmLoops(Kernel):
    """For weights that are computed, and other types than float32 and int8."""

    name = "loops"
    ops = ("Gemm",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return "its weights are stored as int8" if stored_quant(graph, node) is not None else None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        w = graph.type(node.inputs[1])
        flash = w.elements * w.dtype.size + (12 if node.integer else 4) * w.shape[0] + CODE
        return Cost(20.0 * graph.type(node.outputs[0]).elements * w.shape[1], flash)

    def lower(self, build: Builder) -> Lowered:
        x, w = build.type(0), build.type(1)
        outputs, depth = w.shape
        rows: Loops = [(math.prod(x.shape[:-1]), [depth, outputs])]
        channel = Affine(0, (("t_n", 1),))
        factors = None
        if build.node.integer:
            factors = channel_factors(build, *channel_multipliers(x, w, build.output_type(), outputs), channel)
        first = nest(rows, 0).plus(Affine(0, (("t_k", 1),)))
        place = nest(rows, 1).plus(channel)
        body = _dot(build, depth, first, Affine(0, (("t_n", depth), ("t_k", 1))), channel, place, factors)
        return Lowered(wrap(rows, (For("t_n", outputs, body),)))


def _factors(build: Builder) -> tuple[Expr, Expr] | None:
    """Multiplier and shift of a product of two quantized tensors."""
    if not build.node.integer:
        return None
    (s1, _), (s2, _), (s3, _) = (scale_zero(t) for t in (build.type(0), build.type(1), build.output_type()))
    multiplier, shift = quantize_multiplier(s1 * s2 / s3)
    if build.type(0).dtype is DType.INT16:
        multiplier = int(reduce_multiplier(multiplier))
    return number(multiplier), number(shift)


def _dot(
    build: Builder, depth: int, first: Affine, second: Affine, channel: Affine | None, place: Affine,
    factors: tuple[Expr, Expr] | None,
) -> tuple[Stmt, ...]:
    """One element: the sum over t_k of products, plus the bias at `channel`, scaled and bounded."""
    y = build.output_type()
    left = load(build.input(0).buffer, first, build.type(0).dtype)
    right = load(build.input(1).buffer, second, build.type(1).dtype)
    c_type, term = product(build, left, right, channel)
    start: Expr = Formula("0", ())
    if channel is not None and build.has(2):
        start = load(build.input(2).buffer, channel, build.type(2).dtype)
    sums: tuple[Stmt, ...] = (
        Let("t_acc", c_type, Formula(f"({c_type}){{0}}", (start,)), True),
        For("t_k", depth, (Set("t_acc", Formula("t_acc + {0}", (term,))),)),
    )
    target = build.output().buffer
    if factors is not None:
        scaled = rescaled(build, Name("t_acc"), factors, build.node.attrs.clamp)
        return (*sums, store(target, place, y.dtype, scaled))
    bounds, value = bounded("t_v", y.dtype, build.node.attrs.clamp)
    return (*sums, let("t_v", y.dtype, Formula("t_acc", ())), *bounds, store(target, place, y.dtype, value))
