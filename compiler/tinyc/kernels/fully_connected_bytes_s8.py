# SPDX-License-Identifier: Apache-2.0
"""int8 fully connected layers on cores without SIMD, see tinyc_fully_connected_bytes.h."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyc.backend.program import Call, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.fully_connected_s8 import FullyConnectedS8
from tinyc.kernels.lanes import Channels, target_obstacle
from tinyc.ops.conv import channel_multipliers
from tinyc.ops.registry import quant_of, scale_zero
from tinyc.quantize.numbers import clamp_limits

OUTPUTS, DEPTH = 8, 16  # that one turn of the loop computes


def _channels_of(graph: Graph[Any], node: Node) -> Channels:
    x, w, y = graph.type(node.inputs[0]), graph.type(node.inputs[1]), graph.type(node.outputs[0])
    weights = graph.data(node.inputs[1])
    bias = -scale_zero(x)[1] * weights.astype(np.int64).sum(1)
    if len(node.inputs) > 2 and node.inputs[2]:
        bias = bias + graph.data(node.inputs[2])
    lowest, highest = clamp_limits(node.attrs.clamp, *scale_zero(y), (-128, 127))
    return Channels(weights, bias, *channel_multipliers(x, w, y, w.shape[0]), scale_zero(y)[1], lowest, highest)


def filled(rows: Array) -> Array:
    """int64 [outputs, rounded up][...], the additional ones 0."""
    missing = -len(rows) % OUTPUTS
    return np.concatenate([rows, np.zeros((missing, *rows.shape[1:]), np.int64)]).astype(np.int64)


def packed(weights: Array) -> Array:
    """Filters [output][depth] as unsigned bytes [outputs / 8][depth][8]."""
    bytes_ = (filled(weights) + 128).astype(np.uint8)
    return np.ascontiguousarray(bytes_.reshape(-1, OUTPUTS, weights.shape[1]).swapaxes(1, 2))


@KERNELS.add
class FullyConnectedBytesS8(Kernel):
    name = "tinyc_fully_connected_bytes_s8"
    ops = ("Gemm",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        obstacle = target_obstacle(options) or FullyConnectedS8().obstacle(graph, node, options)
        if obstacle is not None:
            return obstacle
        if math.prod(graph.type(node.inputs[0]).shape[:-1]) > 1 or not quant_of(graph.type(node.inputs[1])).per_tensor:
            return "several rows, or a scale for each output"
        if graph.type(node.inputs[1]).shape[1] % DEPTH:
            return "the depth is no multiple of 16"
        return _channels_of(graph, node).obstacle()

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        weights = packed(graph.data(node.inputs[1]))
        groups, depth = weights.shape[:2]
        instructions = groups * (26.6 * depth + 90) + 35.0 * graph.type(node.outputs[0]).elements + 5 * depth
        return Cost(instructions, weights.nbytes + 4 * OUTPUTS * groups, calls=(self.name,))

    def lower(self, build: Builder) -> Lowered:
        channels = _channels_of(build.graph, build.node)
        outputs, depth = channels.weights.shape
        layer = Struct("tinyc_fully_connected_bytes", (
            ("depth", depth), ("outputs", outputs), ("multiplier", int(channels.multiplier[0])),
            ("exponent", -int(channels.shift[0])), ("output_offset", channels.offset),
            ("lowest", channels.lowest), ("highest", channels.highest),
        ))
        call = Call(self.name, (
            layer, build.input(0), build.table("filter", packed(channels.weights)),
            build.table("bias", filled(channels.bias).astype(np.int32)), build.output(),
        ))
        return Lowered((call,))
