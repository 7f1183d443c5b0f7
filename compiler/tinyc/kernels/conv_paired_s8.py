# SPDX-License-Identifier: Apache-2.0
"""int8 convolution with packed filters, two pixels by four filters at a time, on cores with SMLAD."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyc.backend.program import Argument, Call, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.conv_s8 import convolution_obstacle
from tinyc.kernels.overlap import below
from tinyc.kernels.paired_filters import filters_of, packed_argument, packing_obstacle, pair_order, tile_starts
from tinyc.ops.conv import ConvAttrs
from tinyc.ops.registry import scale_zero


def is_product(graph: Graph[Any], node: Node) -> bool:
    """Whether each pixel of the result depends on the pixel of the input at the same place only."""
    a: ConvAttrs = node.attrs
    return graph.type(node.inputs[1]).shape[1:3] == (1, 1) and a.strides == (1, 1) and not any(a.pads)


@KERNELS.add
class ConvPairedS8(Kernel):
    name = "tinyc_convolve_paired_s8"
    ops = ("Conv",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if options.variant != "dsp" or options.kernels != "auto":
            return "made for cores with SMLAD"
        if node.attrs.group != 1 or (other := convolution_obstacle(graph, node)):
            return other if node.attrs.group == 1 else "grouped"
        if not is_product(graph, node) and (graph.type(node.inputs[0]).shape[0] > 1 or node.attrs.dilations != (1, 1)):
            return "several images, or a dilated window"
        return packing_obstacle(filters_of(graph, node))

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        w, y = graph.type(node.inputs[1]), graph.type(node.outputs[0])
        steps, tiles = len(_order(graph, node)), len(tile_starts(w.shape[0]))
        pairs = -(-y.elements // w.shape[0] // 2)
        gathering = 60 * w.shape[1] + 4 * steps
        each = gathering + tiles * ((78 if filters_of(graph, node).away else 58) + 12.4 * steps)
        return Cost(pairs * each, tiles * (64 + 8 * steps), 8 * steps, calls=(_function(graph, node),))

    def lower(self, build: Builder) -> Lowered:
        a: ConvAttrs = build.node.attrs
        x, w, y = build.type(0).shape, build.type(1).shape, build.output_type().shape
        order = _order(build.graph, build.node)
        filters = packed_argument(build, filters_of(build.graph, build.node), order)
        overlaps = ((0, 0, below(x, y, a.strides, a.pads, consumed=True)),) if x[0] == 1 else ()
        scratch = 8 * len(order)
        arguments: tuple[Argument, ...]
        if is_product(build.graph, build.node):
            arguments = (filters, build.input(0), x[0] * x[1] * x[2], x[3], build.output(), y[3])
        else:
            names = ("height", "width", "channels", "rows", "columns", "stride_y", "stride_x", "pad_y", "pad_x",
                     "padding", "out_height", "out_width", "out_channels")
            values = (*x[1:], *w[1:3], *a.strides, *a.pads[:2], scale_zero(build.type(0))[1], *y[1:])
            window = Struct("tinyc_paired_window", tuple(zip(names, values, strict=True)))
            arguments = (filters, window, build.input(0), build.output())
            if _leaves_image(x, w, y, a):
                scratch += 2 * w[2] * w[3]
        pair = build.scratch_pointer()
        function = _function(build.graph, build.node)
        return Lowered((Call(function, (*arguments, replace(pair, c_type="int16_t *"))),), scratch, overlaps)


def _function(graph: Graph[Any], node: Node) -> str:
    return "tinyc_product_paired_s8" if is_product(graph, node) else "tinyc_convolve_paired_s8"


def _order(graph: Graph[Any], node: Node) -> Any:
    _, rows, columns, channels = graph.type(node.inputs[1]).shape
    return pair_order(columns * channels, rows)


def _leaves_image(x: tuple[int, ...], w: tuple[int, ...], y: tuple[int, ...], a: ConvAttrs) -> bool:
    """Whether some window covers padding, on any side."""
    ends = [(y[k] - 1) * a.strides[k - 1] - a.pads[k - 1] + w[k] for k in (1, 2)]
    return any(a.pads[:2]) or ends[0] > x[1] or ends[1] > x[2]
