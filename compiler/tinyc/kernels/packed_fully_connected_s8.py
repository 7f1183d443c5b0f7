# SPDX-License-Identifier: Apache-2.0
"""int8 fully connected layers on Helium, zero points folded into the biases: tinyc_fully_connected_packed_s8."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyc.backend.program import Call, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.fully_connected_s8 import FullyConnectedS8
from tinyc.kernels.packed_s8 import GROUP, VECTOR, folded_bias, packed_obstacle, up
from tinyc.ops.conv import channel_multipliers
from tinyc.ops.registry import quant_of, scale_zero
from tinyc.quantize.numbers import clamp_limits


@KERNELS.add
class PackedFullyConnectedS8(Kernel):
    """Four channels at a time."""

    name = "tinyc_fully_connected_packed_s8"
    ops = ("Gemm",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        obstacle = FullyConnectedS8().obstacle(graph, node, options)
        if obstacle is not None:
            return obstacle
        if math.prod(graph.type(node.inputs[0]).shape[:-1]) > 1 or not quant_of(graph.type(node.inputs[1])).per_tensor:
            return "several rows, or a scale for each channel"
        return packed_obstacle(graph, node, options)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        channels, depth = graph.type(node.inputs[1]).shape
        channels = up(channels, GROUP)
        each = 10 * up(depth, VECTOR) // VECTOR + 33
        return Cost(50 + channels // GROUP * each, channels * (depth + 4), calls=(self.name,))

    def lower(self, build: Builder) -> Lowered:
        x, w, y = build.type(0), build.type(1), build.output_type()
        channels, depth = w.shape
        more = up(channels, GROUP) - channels
        bias = folded_bias(x, build.data(1), build.data(2) if build.has(2) else None).astype(np.int32)
        multiplier, shift = channel_multipliers(x, w, y, channels)
        scale, zero = scale_zero(y)
        low, high = clamp_limits(build.node.attrs.clamp, scale, zero, (-128, 127))
        parameters = Struct("tinyc_packed_fully_connected_s8", (
            ("filter", build.table("filter", np.pad(build.data(1), ((0, more), (0, 0))))),
            ("bias", build.table("bias", np.pad(bias, (0, more)))), ("depth", depth), ("channels", channels),
            ("multiplier", int(multiplier[0])), ("shift", int(shift[0])),
            ("out_zero", zero), ("min", low), ("max", high),
        ))
        return Lowered((Call(self.name, (parameters, build.input(0), build.output())),))
