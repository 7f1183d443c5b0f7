# SPDX-License-Identifier: Apache-2.0
"""MatMul and Gemm as generated loops: any rank, batches broadcast, any element type, int8's integer form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyc.backend.program import Affine, Apply, Expr, For, Formula, Let, Literal, Load, Name, Set, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import Loops, bounded, computed, let, load, merged_axes, nest, store, strides_of, wrap
from tinyc.ops.conv import channel_multipliers
from tinyc.ops.registry import scale_zero
from tinyc.quantize.numbers import clamp_limits, quantize_multiplier


def product(build: Builder, left: Expr, right: Expr) -> tuple[str, Expr]:
    """(type of the accumulator in C, a product to add to it). Plain integers wrap, as NumPy's do."""
    dtype = build.type(0).dtype
    if build.node.integer:
        zeros = [scale_zero(build.type(k))[1] for k in (0, 1)]
        text = " * ".join(f"({{{k}}} - ({z}))" if z else f"{{{k}}}" for k, z in enumerate(zeros))
        return "int32_t", Formula(text, (left, right))
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
        (s1, _), (s2, _), (s3, _) = ((scale_zero(t) for t in (build.type(0), build.type(1), build.output_type()))
                                     if build.node.integer else ((1.0, 0),) * 3)
        factors = tuple(Literal(v, DType.INT32) for v in quantize_multiplier(s1 * s2 / s3))
        body = _dot(build, depth, first, second, None, place, factors)
        return Lowered(wrap(loops, (For("t_m", m, (For("t_n", n, body),)),)))


@KERNELS.add
class GemmLoops(Kernel):
    """For weights that are computed, and other types than float32 and int8."""

    name = "loops"
    ops = ("Gemm",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        w = graph.type(node.inputs[1])
        return Cost(20.0 * graph.type(node.outputs[0]).elements * w.shape[1], w.bytes)

    def lower(self, build: Builder) -> Lowered:
        x, w = build.type(0), build.type(1)
        outputs, depth = w.shape
        rows: Loops = [(math.prod(x.shape[:-1]), [depth, outputs])]
        channel = Affine(0, (("t_n", 1),))
        factors: tuple[Expr, ...] = ()
        if build.node.integer:
            tables = zip(("multiplier", "shift"), channel_multipliers(x, w, build.output_type(), outputs), strict=True)
            factors = tuple(Load(build.table(role, array).buffer, channel, DType.INT32) for role, array in tables)
        first = nest(rows, 0).plus(Affine(0, (("t_k", 1),)))
        place = nest(rows, 1).plus(channel)
        body = _dot(build, depth, first, Affine(0, (("t_n", depth), ("t_k", 1))), channel, place, factors)
        return Lowered(wrap(rows, (For("t_n", outputs, body),)))


def _dot(
    build: Builder, depth: int, first: Affine, second: Affine, channel: Affine | None, place: Affine,
    factors: tuple[Expr, ...],
) -> tuple[Stmt, ...]:
    """One element: the sum over t_k of products, plus the bias at `channel`, scaled and bounded."""
    y = build.output_type()
    left = load(build.input(0).buffer, first, build.type(0).dtype)
    right = load(build.input(1).buffer, second, build.type(1).dtype)
    c_type, term = product(build, left, right)
    start: Expr = Formula("0", ())
    if channel is not None and build.has(2):
        start = load(build.input(2).buffer, channel, build.type(2).dtype)
    sums: tuple[Stmt, ...] = (
        Let("t_acc", c_type, Formula(f"({c_type}){{0}}", (start,)), True),
        For("t_k", depth, (Set("t_acc", Formula("t_acc + {0}", (term,))),)),
    )
    target = build.output().buffer
    if build.node.integer:
        scale, zero = scale_zero(y)
        numbers = (zero, *clamp_limits(build.node.attrs.clamp, scale, zero, (-128, 127)))
        limits = (Literal(n, DType.INT32) for n in numbers)
        scaled = Apply("tinyc_requantize_one", (Name("t_acc"), *factors, *limits))
        return (*sums, store(target, place, y.dtype, scaled))
    bounds, value = bounded("t_v", y.dtype, build.node.attrs.clamp)
    return (*sums, let("t_v", y.dtype, Formula("t_acc", ())), *bounds, store(target, place, y.dtype, value))
