# SPDX-License-Identifier: Apache-2.0
"""int8 convolution with packed filters, two pixels by four filters at a time, on cores with SMLAD."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from tinyc.backend.program import Argument, Call, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.conv_s8 import convolution_obstacle
from tinyc.kernels.overlap import below
from tinyc.kernels.paired_filters import (
    Filters,
    filters_of,
    must_round_away,
    packed_argument,
    packing_obstacle,
    pair_order,
    tile_starts,
)
from tinyc.ops.conv import ConvAttrs
from tinyc.ops.registry import scale_zero


def is_product(graph: Graph[Any], node: Node) -> bool:
    """Whether each pixel of the result depends on the pixel of the input at the same place only."""
    a: ConvAttrs = node.attrs
    return graph.type(node.inputs[1]).shape[1:3] == (1, 1) and a.strides == (1, 1) and not any(a.pads)


@KERNELS.add
class ConvPairedS8(Kernel):
    """The faster form, with 12 bytes of requantization for each filter unless results need the other one."""

    name = "tinyc_convolve_paired_s8"
    ops = ("Conv",)
    away: ClassVar[bool] = False

    def _filters(self, graph: Graph[Any], node: Node) -> Filters:
        return filters_of(graph, node, self.away or must_round_away(graph, node))

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if options.variant != "dsp" or options.kernels != "auto":
            return "made for cores with SMLAD"
        if node.attrs.group != 1 or (other := convolution_obstacle(graph, node)):
            return other if node.attrs.group == 1 else "grouped"
        if not is_product(graph, node) and (graph.type(node.inputs[0]).shape[0] > 1 or node.attrs.dilations != (1, 1)):
            return "several images, or a dilated window"
        return packing_obstacle(self._filters(graph, node))

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        w, y = graph.type(node.inputs[1]), graph.type(node.outputs[0])
        steps, tiles = len(_order(graph, node)), len(tile_starts(w.shape[0]))
        pairs = -(-y.elements // w.shape[0] // 2)
        gathering = 60 * w.shape[1] + 4 * steps
        filters = self._filters(graph, node)
        each = gathering + tiles * ((80 if filters.away else 58) + 12.4 * steps)
        flash = tiles * (16 + 8 * steps + filters.tile_constants)
        return Cost(pairs * each, flash, 8 * steps, calls=(_function(graph, node),))

    def lower(self, build: Builder) -> Lowered:
        a: ConvAttrs = build.node.attrs
        x, w, y = build.type(0).shape, build.type(1).shape, build.output_type().shape
        order = _order(build.graph, build.node)
        filters = packed_argument(build, self._filters(build.graph, build.node), order)
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
                scratch += w[1] * w[2] * w[3]
        pair = build.scratch_pointer()
        function = _function(build.graph, build.node)
        return Lowered((Call(function, (*arguments, replace(pair, c_type="int16_t *"))),), scratch, overlaps)


@KERNELS.add
class ConvPairedCompactS8(ConvPairedS8):
    """5 bytes of requantization for each filter."""

    name = "tinyc_convolve_paired_s8 (compact)"
    away = True

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if other := super().obstacle(graph, node, options):
            return other
        return "the other form is as compact" if must_round_away(graph, node) else None


def _function(graph: Graph[Any], node: Node) -> str:
    return "tinyc_product_paired_s8" if is_product(graph, node) else "tinyc_convolve_paired_s8"


def _order(graph: Graph[Any], node: Node) -> Any:
    _, rows, columns, channels = graph.type(node.inputs[1]).shape
    return pair_order(columns * channels, rows)


def _leaves_image(x: tuple[int, ...], w: tuple[int, ...], y: tuple[int, ...], a: ConvAttrs) -> bool:
    """Whether some window covers padding, on any side."""
    ends = [(y[k] - 1) * a.strides[k - 1] - a.pads[k - 1] + w[k] for k in (1, 2)]
    return any(a.pads[:2]) or ends[0] > x[1] or ends[1] > x[2]
