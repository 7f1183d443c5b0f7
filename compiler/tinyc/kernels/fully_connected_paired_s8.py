# SPDX-License-Identifier: Apache-2.0
"""int8 fully connected layers with packed filters on cores with SMLAD."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from tinyc.backend.program import Call
from tinyc.ir.graph import Graph, Node
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.fully_connected_s8 import layer_obstacle
from tinyc.kernels.paired_filters import (
    Filters,
    constant_step,
    filters_of,
    must_round_away,
    packed_argument,
    packing_obstacle,
    pair_order,
    tile_starts,
)

EIGHT = 8  # filters in a tile


@KERNELS.add
class FullyConnectedPairedS8(Kernel):
    """One row of activations by itself; more of them two at a time, as a 1x1 convolution's pixels."""

    name = "tinyc_fully_connected_paired_s8"
    ops = ("Gemm",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if options.variant != "dsp" or options.kernels != "auto":
            return "made for cores with SMLAD"
        if other := layer_obstacle(graph, node):
            return other
        if _rows(graph, node) == 1 and graph.type(node.inputs[1]).shape[1] % 4:
            return "activations that are no multiple of four"
        return packing_obstacle(_filters(graph, node))

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        outputs, depth = graph.type(node.inputs[1]).shape
        rows, tiles, steps = _rows(graph, node), len(tile_starts(outputs)), len(pair_order(depth, 1))
        filters = _filters(graph, node)
        if rows == 1:
            constants = 12 + 4 * constant_step(filters) * tiles
            flash = tiles * (16 + 8 * steps) + constants
            return Cost(50 + tiles * (42 + 8.25 * steps), flash, calls=(_function(rows),))
        each = 60 + tiles * (60 + 12.4 * steps)
        flash = tiles * (16 + 8 * steps + filters.tile_constants)
        return Cost((rows + 1) // 2 * each, flash, 8 * steps, calls=(_function(rows),))

    def lower(self, build: Builder) -> Lowered:
        outputs, depth = build.type(1).shape
        rows, order = _rows(build.graph, build.node), pair_order(depth, 1)
        filters = packed_argument(build, _filters(build.graph, build.node), order, rows == 1)
        if rows == 1:
            return Lowered((Call(_function(rows), (filters, build.input(0), build.output())),))
        pair = replace(build.scratch_pointer(), c_type="int16_t *")
        arguments = (filters, build.input(0), rows, depth, build.output(), outputs, pair)
        return Lowered((Call(_function(rows), arguments),), 8 * len(order))


@KERNELS.add
class FullyConnectedPaired8S8(FullyConnectedPairedS8):
    """One row of activations, eight filters at a time: half as many loads and unpacked activations for a weight."""

    name = "tinyc_fully_connected_paired_8_s8"

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if other := super().obstacle(graph, node, options):
            return other
        if _rows(graph, node) > 1 or graph.type(node.inputs[1]).shape[0] % EIGHT:
            return "several rows, or a number of outputs that is no multiple of eight"
        return "a scale for each output" if constant_step(_filters(graph, node)) else None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        outputs, depth = graph.type(node.inputs[1]).shape
        tiles, steps = outputs // EIGHT, depth // 2
        finish = 72 if _filters(graph, node).away else 52
        flash = tiles * (32 + 16 * steps) + 12
        return Cost(50 + tiles * (finish + 16 * steps + 3 * -(-steps // 8)), flash, calls=(self.name,))

    def lower(self, build: Builder) -> Lowered:
        filters, order = _filters(build.graph, build.node), pair_order(build.type(1).shape[1], 1)
        argument = packed_argument(build, filters, order, True, EIGHT)
        return Lowered((Call(self.name, (argument, build.input(0), build.output())),))


def _filters(graph: Graph[Any], node: Node) -> Filters:
    return filters_of(graph, node, must_round_away(graph, node))


def _rows(graph: Graph[Any], node: Node) -> int:
    return math.prod(graph.type(node.inputs[0]).shape[:-1])


def _function(rows: int) -> str:
    return "tinyc_fully_connected_paired_s8" if rows == 1 else "tinyc_product_paired_s8"
