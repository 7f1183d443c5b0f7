# SPDX-License-Identifier: Apache-2.0
"""Pooling as generated loops: any rank, layout, dilation and element type."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyc.backend.program import Affine, Expr, Formula, Let, Literal, Load, Name, Set, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array, DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import bounded, computed, let, load, lowest, store
from tinyc.kernels.rescale import mean_of_sum
from tinyc.kernels.windows import Window, loops_over, window_loops
from tinyc.kernels.writing import put, real
from tinyc.ops.c_text import float_literal
from tinyc.ops.pool import LpPoolAttrs, PoolAttrs, mean_multiplier
from tinyc.ops.registry import scale_zero
from tinyc.quantize.numbers import clamp_limits

CODE = 300  # bytes of a layer's loops, roughly


@KERNELS.add
class PoolLoops(Kernel):
    name = "loops"
    ops = ("AveragePool", "MaxPool")

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(30.0 * math.prod(node.attrs.kernel) * graph.type(node.outputs[0]).elements, CODE)

    def lower(self, build: Builder) -> Lowered:
        a: PoolAttrs = build.node.attrs
        x, y = build.type(0), build.output_type()
        window = Window.of(x.shape, y.shape, a.kernel, a.strides, a.dilations, a.pads, a.channels_last)
        average = build.node.op == "AveragePool"
        acc = DType.INT32 if average and not x.dtype.is_float else x.dtype
        own = computed(acc)
        element = load(build.input(0).buffer, window.input_index("t_n", (("t_c", 1),)), x.dtype)
        take: tuple[Stmt, ...]
        if average:
            take = (Set("t_acc", Formula(f"t_acc + {{0}}{_above(build)}", (element,))),)
        else:
            larger = Formula(f"({own.c_type})(t_x > t_acc ? t_x : t_acc)", ())
            take = (let("t_x", x.dtype, element), Set("t_acc", larger))
        first = Literal(0, own) if average else lowest(x.dtype)
        body = (let("t_acc", acc, first, True), *window_loops(window, take), *_finish(build, window, average))
        channels = x.shape[-1 if a.channels_last else 1]
        return Lowered(loops_over([("t_n", x.shape[0]), ("t_c", channels), *window.output_axes()], body))


def _above(build: Builder) -> str:
    """What the sum leaves out of each element, to add it for all that count: padding is the zero point."""
    counted = build.node.integer and build.node.attrs.count_include_pad
    return f" - ({scale_zero(build.type(0))[1]})" if counted else ""


def _finish(build: Builder, window: Window, average: bool) -> tuple[Stmt, ...]:
    """Divides and bounds t_acc, and writes it."""
    a: PoolAttrs = build.node.attrs
    x, y = build.type(0), build.output_type()
    place = window.output_index("t_n", (("t_c", 1),))
    factors = mean_multiplier(build.node, x, y) if average and build.node.integer else None
    if factors is not None:
        return (store(build.output().buffer, place, y.dtype, mean_of_sum(build.node, x, y, Name("t_acc"))),)
    statements: list[Stmt] = []
    if average:
        own = computed(y.dtype)
        statements.append(Let("t_count", "int32_t", _count(build, window)))
        if _above(build):
            statements.append(Set("t_acc", Formula(f"t_acc + t_count * ({scale_zero(x)[1]})", ())))
        if own.is_float:
            mean = f"t_acc / ({own.c_type})t_count"
        else:
            # Rounded to nearest, halves away from zero; the zero point cancels.
            mean = "(t_acc > 0 ? t_acc + t_count / 2 : t_acc - t_count / 2) / t_count"
        statements.append(let("t_v", y.dtype, Formula(mean, ())))
    clamp = a.clamp
    if build.node.integer:
        low, high = clamp_limits(a.clamp, *scale_zero(y), y.dtype.limits)
        clamp = (float(low), float(high))
    bounds, value = bounded("t_v" if average else "t_acc", y.dtype, clamp)
    return (*statements, *bounds, store(build.output().buffer, place, y.dtype, value))


def _count(build: Builder, window: Window) -> Expr:
    """How many elements the window covers: a product of counts along each axis, from tables where they vary."""
    parts: list[Expr] = []
    constant = 1
    for k in range(window.rank):
        counts = covered(window, k, build.node.attrs.count_include_pad)
        if np.all(counts == counts[0]):
            constant *= int(counts[0])
        else:
            table = build.table(f"counts{k}", counts, "constants")
            parts.append(Load(table.buffer, Affine(0, ((f"t_y{k}", 1),)), DType.INT32))
    text = " * ".join([str(constant), *(f"{{{i}}}" for i in range(len(parts)))])
    return Formula(text, tuple(parts))


def covered(window: Window, axis: int, include_pad: bool) -> Array:
    """Elements of the window along an axis that count, for each place in the output; at least 1, to divide by."""
    extent, pad = window.extents[axis], window.pads[axis]
    low, high = (-pad, extent + window.pads[window.rank + axis]) if include_pad else (0, extent)
    first = np.arange(window.out[axis])[:, None] * window.strides[axis] - pad
    at = first + np.arange(window.kernel[axis])[None, :] * window.dilations[axis]
    return np.asarray(np.maximum(1, ((at >= low) & (at < high)).sum(1)), np.int32)


@KERNELS.add
class LpPoolLoops(Kernel):
    name = "loops"
    ops = ("LpPool",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(40.0 * math.prod(node.attrs.kernel) * graph.type(node.outputs[0]).elements, CODE)

    def lower(self, build: Builder) -> Lowered:
        a: LpPoolAttrs = build.node.attrs
        x, y = build.type(0), build.output_type()
        window = Window.of(x.shape, y.shape, a.kernel, a.strides, a.dilations, a.pads, a.channels_last)
        element = load(build.input(0).buffer, window.input_index("t_n", (("t_c", 1),)), x.dtype)
        power = {1: "fabsf(t_x)", 2: "t_x * t_x"}.get(a.p, f"powf(fabsf(t_x), {a.p}.0f)")
        root = {1: "t_acc", 2: "sqrtf(t_acc)"}.get(a.p, f"powf(t_acc, {float_literal(1.0 / a.p)})")
        take = (let("t_x", x.dtype, element), put("t_acc", f"t_acc + {power}", x.dtype))
        place = window.output_index("t_n", (("t_c", 1),))
        bounds, value = bounded("t_v", y.dtype, a.clamp)
        body = (real("t_acc", x.dtype, "0.0f", mutable=True), *window_loops(window, take),
                real("t_v", x.dtype, root), *bounds, store(build.output().buffer, place, y.dtype, value))
        channels = x.shape[-1 if a.channels_last else 1]
        return Lowered(loops_over([("t_n", x.shape[0]), ("t_c", channels), *window.output_axes()], body))
