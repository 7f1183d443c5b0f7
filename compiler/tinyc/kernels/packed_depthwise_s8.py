# SPDX-License-Identifier: Apache-2.0
"""int8 depthwise 3x3 convolutions on Helium with constants packed by the compiler: tinyc_depthwise_packed_s8."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyc.backend.program import Call, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.conv_s8 import convolution_obstacle, is_depthwise
from tinyc.kernels.overlap import above, below
from tinyc.kernels.packed_s8 import LANES, depthwise_words, packed_obstacle, up
from tinyc.ops.conv import ConvAttrs
from tinyc.ops.registry import scale_zero
from tinyc.quantize.numbers import clamp_limits


@KERNELS.add
class PackedDepthwiseS8(Kernel):
    """Eight channels of a pixel at a time; padding is read like pixels."""

    name = "tinyc_depthwise_packed_s8"
    ops = ("Conv",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        obstacle = convolution_obstacle(graph, node)
        if obstacle is not None:
            return obstacle
        x, w = (graph.type(name).shape for name in node.inputs[:2])
        if not is_depthwise(graph, node) or w[0] != x[3] or x[3] < LANES:
            return "not depthwise, several filters for a channel, or few channels"
        if w[1:3] != (3, 3) or node.attrs.dilations != (1, 1) or x[0] > 1:
            return "not 3x3, dilation or several images"
        return packed_obstacle(graph, node, options)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        y = graph.type(node.outputs[0]).shape
        blocks = up(y[3], LANES) // LANES
        pixels, runs = y[1] * y[2], y[1] * 3 + 2 * y[2]
        return Cost(pixels * (14 + blocks * 76) + 150 * runs, blocks * 144, calls=(self.name,))

    def lower(self, build: Builder) -> Lowered:
        a: ConvAttrs = build.node.attrs
        x, y = build.type(0).shape, build.output_type().shape
        scale, zero = scale_zero(build.output_type())
        low, high = clamp_limits(a.clamp, scale, zero, (-128, 127))
        parameters = Struct("tinyc_packed_depthwise_s8", (
            ("packed", build.table("packed", depthwise_words(build))), ("channels", x[3]),
            ("out_zero", zero), ("min", low), ("max", high),
            ("in_h", x[1]), ("in_w", x[2]), ("out_h", y[1]), ("out_w", y[2]),
            ("stride_h", a.strides[0]), ("stride_w", a.strides[1]), ("pad_h", a.pads[0]), ("pad_w", a.pads[1]),
            ("in_zero", scale_zero(build.type(0))[1]),
        ))
        scratch = replace(build.scratch_pointer(), c_type="int8_t *")
        call = Call(self.name, (parameters, build.input(0), scratch, build.output()))
        return Lowered(
            (call,), x[3],
            overlaps=((0, 0, below(x, y, a.strides, a.pads, consumed=False)),),
            climbs=((0, 0, above(x, y, (3, 3), a.strides, a.dilations, a.pads)),),
        )
