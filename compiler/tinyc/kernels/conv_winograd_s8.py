# SPDX-License-Identifier: Apache-2.0
"""int8 3x3 convolution with stride 1 by Winograd's F(2x2, 3x3), on cores with SMLAD, for --optimize speed.

Filters take 3.6 times their flash. Results follow their input by two rows, in place of one, which costs RAM.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyc.backend.program import Call, Pointer, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.conv_s8 import convolution_obstacle
from tinyc.kernels.overlap import below_tiles
from tinyc.kernels.paired_filters import Filters, described, filters_of, must_round_away, pair_order, tile_starts
from tinyc.kernels.winograd_filters import POSITIONS, packed_winograd, packed_words, winograd_obstacle
from tinyc.ops.conv import ConvAttrs
from tinyc.ops.registry import scale_zero

TILE = 2  # results along each axis
TOGETHER = 2  # tiles


@KERNELS.add
class ConvWinogradS8(Kernel):
    name = "tinyc_convolve_winograd_s8"
    ops = ("Conv",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if options.variant != "dsp" or options.kernels != "auto":
            return "made for cores with SMLAD"
        if options.optimize != "speed":
            return "trades flash and RAM for speed"
        if node.attrs.group != 1 or (other := convolution_obstacle(graph, node)):
            return other if node.attrs.group == 1 else "grouped"
        a: ConvAttrs = node.attrs
        x, w, y = (graph.type(name).shape for name in (*node.inputs[:2], node.outputs[0]))
        if w[1:3] != (3, 3) or a.strides != (1, 1) or a.dilations != (1, 1) or x[0] > 1:
            return "not a 3x3 window with stride 1 on one image"
        if min(y[1:3]) < TILE:
            return "half of each tile would lie outside the result"
        return winograd_obstacle(_filters(graph, node), x[3])

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        x, y = graph.type(node.inputs[0]).shape, graph.type(node.outputs[0]).shape
        steps = x[3] // 2
        tiles = -(-y[1] // TILE) * -(-y[2] // TILE)
        products = 16 * (11 * steps + 4 * -(-steps // 8) + 8) + 140
        results = 450 if must_round_away(graph, node) else 340
        each = 500 + 175 * steps + len(tile_starts(y[3])) * (products + results)
        return Cost(-(-tiles // TOGETHER) * each, 4 * packed_words(y[3], x[3]), _scratch(x[3], y[3]),
                    calls=(self.name,))

    def lower(self, build: Builder) -> Lowered:
        a: ConvAttrs = build.node.attrs
        x, y = build.type(0).shape, build.output_type().shape
        filters = _filters(build.graph, build.node)
        table = build.table("filter", packed_winograd(filters, x[3]), filters=2 * POSITIONS * x[3] * y[3])
        fields = described(filters, pair_order(x[3], 1))
        packed = Struct("tinyc_paired_filters", (("tiles", Pointer(table.buffer)), *fields.items()))
        names = ("height", "width", "channels", "pad_y", "pad_x", "padding", "out_height", "out_width", "out_channels")
        values = (*x[1:], *a.pads[:2], scale_zero(build.type(0))[1], *y[1:])
        image = Struct("tinyc_winograd_image", tuple(zip(names, values, strict=True)))
        scratch = replace(build.scratch_pointer(), c_type="int16_t *")
        overlap = (0, 0, below_tiles(x, y, a.pads, TILE, TOGETHER))
        call = Call(self.name, (packed, image, build.input(0), build.output(), scratch))
        return Lowered((call,), _scratch(x[3], y[3]), (overlap,))


def _filters(graph: Graph[Any], node: Node) -> Filters:
    return filters_of(graph, node, must_round_away(graph, node))


def _scratch(channels: int, filters: int) -> int:
    """Bytes: the values of two tiles; and a patch, or results that lie partly outside the image."""
    return 64 * channels + max(16 * channels, 8 * filters)
