# SPDX-License-Identifier: Apache-2.0
"""int8 depthwise convolution with 3x3 windows on cores without SIMD, see tinyc_depthwise_rows.h."""

from __future__ import annotations

from typing import Any

from tinyc.backend.program import Call, Pointer, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.conv_lanes_s8 import channels_of
from tinyc.kernels.conv_s8 import convolution_obstacle, is_depthwise
from tinyc.kernels.lanes import target_obstacle
from tinyc.kernels.overlap import above, below
from tinyc.ops.conv import ConvAttrs
from tinyc.ops.registry import scale_zero


def _window_obstacle(x: tuple[int, ...], y: tuple[int, ...], a: ConvAttrs) -> str | None:
    """Rows need a line of the image each; columns at most one of padding, and not on both sides of one pixel."""
    lines = [range(max(0, s), min(x[1], s + 3)) for s in (k * a.strides[0] - a.pads[0] for k in range(y[1]))]
    begins = [k * a.strides[1] - a.pads[1] for k in range(y[2])]
    if not all(lines) or begins[0] < -1 or max(begins) + 3 > x[2] + 1 or x[2] < 2:
        return "a window has more padding than one column, or no line of the image"
    return "more than one pixel at an edge" if sum(b + 3 > x[2] for b in begins) > 1 or len(begins) < 2 else None


@KERNELS.add
class DepthwiseRowsS8(Kernel):
    name = "tinyc_depthwise_rows_s8"
    ops = ("Conv",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        obstacle = target_obstacle(options) or convolution_obstacle(graph, node)
        if obstacle is not None:
            return obstacle
        x, w, y = (graph.type(name).shape for name in (*node.inputs[:2], node.outputs[0]))
        if not is_depthwise(graph, node) or w[0] != x[3] or x[0] > 1:
            return "not depthwise with one output channel each, or several images"
        if w[1:3] != (3, 3) or node.attrs.dilations != (1, 1):
            return "not a 3x3 window"
        return _window_obstacle(x, y, node.attrs) or channels_of(graph, node).obstacle(limited=False)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        _, height, width, channels = graph.type(node.outputs[0]).shape
        return Cost(height * channels * (75.0 * width + 115), (9 + 4 + 4 + 1) * channels, 4 * width, (self.name,))

    def lower(self, build: Builder) -> Lowered:
        a: ConvAttrs = build.node.attrs
        x, y = build.type(0).shape, build.output_type().shape
        channels = channels_of(build.graph, build.node)
        conv = Struct("tinyc_depthwise_rows", (
            ("input_h", x[1]), ("input_w", x[2]), ("output_h", y[1]), ("output_w", y[2]),
            ("stride_h", a.strides[0]), ("stride_w", a.strides[1]),
            ("padding_h", a.pads[0]), ("padding_w", a.pads[1]), ("channels", x[3]),
            ("padding_value", scale_zero(build.type(0))[1]),
            ("output_offset", channels.offset), ("lowest", channels.lowest), ("highest", channels.highest),
        ))
        call = Call(self.name, (
            conv, build.input(0), build.table("filter", channels.weights),
            build.table("exponents", channels.exponents()), build.table("channels", channels.table()),
            build.output(), Pointer(build.scratch, 0, "int32_t *"),
        ))
        # A row counts as one pixel: it is written while it is read.
        lines, rows = (1, x[1], 1, x[2] * x[3]), (1, y[1], 1, y[2] * y[3])
        strides, pads = (a.strides[0], 1), (a.pads[0], 0)
        return Lowered(
            (call,), 4 * y[2],
            overlaps=((0, 0, below(lines, rows, strides, pads, consumed=False)),),
            climbs=((0, 0, above(lines, rows, (3, 1), strides, (1, 1), pads)),),
        )
