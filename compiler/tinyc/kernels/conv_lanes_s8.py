# SPDX-License-Identifier: Apache-2.0
"""int8 convolution on cores without SIMD: two pixels share each multiplication, see tinyc_lanes.h."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyc.backend.program import Call, Pointer, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.conv_s8 import convolution_obstacle
from tinyc.kernels.lanes import MOST_EVEN_RUNS, Channels, target_obstacle
from tinyc.kernels.overlap import below
from tinyc.ops.conv import ConvAttrs, channel_multipliers
from tinyc.ops.registry import scale_zero
from tinyc.quantize.numbers import clamp_limits

PIXELS = 4  # of a block


def channels_of(graph: Graph[Any], node: Node) -> Channels:
    """Output channels of a convolution whose filters are [channel][h][w][depth]."""
    x, w, y = graph.type(node.inputs[0]), graph.type(node.inputs[1]), graph.type(node.outputs[0])
    weights = graph.data(node.inputs[1]).reshape(w.shape[0], -1)
    bias = -scale_zero(x)[1] * weights.astype(np.int64).sum(1)
    if len(node.inputs) > 2 and node.inputs[2]:
        bias = bias + graph.data(node.inputs[2])
    lowest, highest = clamp_limits(node.attrs.clamp, *scale_zero(y), (-128, 127))
    return Channels(weights, bias, *channel_multipliers(x, w, y, w.shape[0]), scale_zero(y)[1], lowest, highest)


@KERNELS.add
class ConvLanesS8(Kernel):
    name = "tinyc_convolve_lanes_s8"
    ops = ("Conv",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        obstacle = target_obstacle(options) or convolution_obstacle(graph, node)
        if obstacle is not None:
            return obstacle
        if node.attrs.group > 1 or graph.type(node.inputs[0]).shape[0] > 1:
            return "more than one group or image"
        return channels_of(graph, node).obstacle()

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        channels = channels_of(graph, node)
        _, height, width, count = graph.type(node.outputs[0]).shape
        blocks = -(-height * width // PIXELS)
        taps = channels.weights.shape[1]
        runs, flash = self._runs(channels)
        instructions = blocks * (7 * taps * count + 14 * runs + 170 * count + 25 * taps + 500)
        return Cost(instructions, channels.weights.nbytes + flash, self._scratch(taps), (self.name,))

    def _runs(self, channels: Channels) -> tuple[int, int]:
        """The number of runs in all channels, and the bytes of the tables beside the weights."""
        runs = channels.runs()
        return len(runs) - 2 * len(channels.weights), runs.nbytes + channels.table().nbytes

    def _tables(self, build: Builder, channels: Channels) -> tuple[Pointer, ...]:
        return build.table("runs", channels.runs()), build.table("channels", channels.table())

    @staticmethod
    def _scratch(taps: int) -> int:
        return 2 * PIXELS * taps

    def lower(self, build: Builder) -> Lowered:
        a: ConvAttrs = build.node.attrs
        x, w, y = build.type(0), build.type(1), build.output_type()
        channels = channels_of(build.graph, build.node)
        sizes = (("input", x.shape[1:3]), ("output", y.shape[1:3]), ("kernel", w.shape[1:3]), ("stride", a.strides),
                 ("padding", a.pads[:2]), ("dilation", a.dilations))
        conv = Struct("tinyc_lanes_conv", (
            *((name, Struct("tinyc_lanes_size", (("h", size[0]), ("w", size[1])))) for name, size in sizes),
            ("input_channels", x.shape[3]), ("output_channels", y.shape[3]), ("padding_value", scale_zero(x)[1]),
            ("output_offset", channels.offset), ("lowest", channels.lowest), ("highest", channels.highest),
        ))
        call = Call(self.name, (
            conv, build.input(0), build.table("filter", channels.weights), *self._tables(build, channels),
            build.output(), Pointer(build.scratch, 0, "uint32_t *"),
        ))
        overlap = (0, 0, below(x.shape, y.shape, a.strides, a.pads, consumed=True))
        return Lowered((call,), self._scratch(channels.weights.shape[1]), (overlap,))


@KERNELS.add
class ConvEvenLanesS8(ConvLanesS8):
    """With more, shorter runs and less flash."""

    name = "tinyc_convolve_even_lanes_s8"

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if other := super().obstacle(graph, node, options):
            return other
        most = channels_of(graph, node).even_runs()[:, 2].max()
        return f"more than {MOST_EVEN_RUNS} runs" if most > MOST_EVEN_RUNS else None

    def _runs(self, channels: Channels) -> tuple[int, int]:
        return int(channels.even_runs()[:, 2].sum()), channels.even_table().nbytes

    def _tables(self, build: Builder, channels: Channels) -> tuple[Pointer, ...]:
        return (build.table("channels", channels.even_table()),)
