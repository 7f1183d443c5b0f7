# SPDX-License-Identifier: Apache-2.0
"""Convolution as generated loops: any rank, layout, group, element type; weights may be computed."""

from __future__ import annotations

from typing import Any

from tinyc.backend.program import Affine, Expr, For, Formula, Literal, Name, Set, Stmt
from tinyc.ir.evaluate import stored_quant
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import bounded, let, load, store
from tinyc.kernels.rescale import above_zero, accumulator, channel_factors, rescaled, weight_above_zero
from tinyc.kernels.windows import Window, loops_over, window_loops
from tinyc.ops.conv import ConvAttrs, channel_multipliers

CODE = 600  # bytes of a layer's loops, roughly


@KERNELS.add
class ConvLoops(Kernel):
    name = "loops"
    ops = ("Conv",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return "its weights are stored as int8" if stored_quant(graph, node) is not None else None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        w = graph.type(node.inputs[1])
        macs = graph.type(node.outputs[0]).elements * w.elements / w.shape[0]
        return Cost(40.0 * macs, w.elements * w.dtype.size + (12 if node.integer else 4) * w.shape[0] + CODE)

    def lower(self, build: Builder) -> Lowered:
        a: ConvAttrs = build.node.attrs
        x, w, y = build.type(0), build.type(1), build.output_type()
        window = Window.of(x.shape, y.shape, w.shape[1:-1] if a.channels_last else w.shape[2:], a.strides,
                           a.dilations, a.pads, a.channels_last)
        taken = w.shape[-1 if a.channels_last else 1]
        group_outputs = w.shape[0] // a.group
        channel = Affine(0, (("t_g", group_outputs), ("t_o", 1)))
        acc = accumulator(x) if build.node.integer else x.dtype
        start: Expr = Literal(0, acc if acc is not DType.FLOAT16 else DType.FLOAT32)
        if build.has(2):
            start = load(build.input(2).buffer, channel, build.type(2).dtype)
        pixel = window.input_index("t_n", (("t_g", taken), ("t_c", 1)))
        weight = window.weight_index(w.shape, channel, "t_c")
        operands = (load(build.input(0).buffer, pixel, x.dtype), load(weights_buffer(build), weight, w.dtype))
        if build.node.integer:
            operands = (above_zero(x, operands[0]), weight_above_zero(build, operands[1], channel))
        wide = "(int64_t)" if build.node.integer and w.dtype is DType.INT16 else ""
        step = For("t_c", taken, (Set("t_acc", Formula(f"t_acc + {wide}{{0}} * {{1}}", operands)),))
        body: tuple[Stmt, ...] = (
            let("t_acc", acc, start, True),
            *window_loops(window, (step,)),
            *finish(build, window, channel, group_outputs),
        )
        around = [("t_n", x.shape[0]), ("t_g", a.group), ("t_o", group_outputs), *window.output_axes()]
        return Lowered(loops_over(around, body))


def weights_buffer(build: Builder) -> str:
    """The table or buffer of operand 1."""
    if build.graph.value(build.node.inputs[1]).is_const:
        return build.table("filter", build.data(1)).buffer
    return build.input(1).buffer


def finish(build: Builder, window: Window, channel: Affine, group_outputs: int) -> tuple[Stmt, ...]:
    """Scales and bounds t_acc, and writes it."""
    y, a = build.output_type(), build.node.attrs
    place = window.output_index("t_n", (("t_g", group_outputs), ("t_o", 1)))
    target = build.output().buffer
    if not build.node.integer:
        bounds, value = bounded("t_acc", y.dtype, a.clamp)
        return (*bounds, store(target, place, y.dtype, value))
    multiplier, shift = channel_multipliers(build.type(0), build.type(1), y, build.type(1).shape[0])
    value = rescaled(build, Name("t_acc"), channel_factors(build, multiplier, shift, channel), a.clamp)
    return (store(target, place, y.dtype, value),)
