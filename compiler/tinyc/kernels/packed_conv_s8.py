# SPDX-License-Identifier: Apache-2.0
"""int8 convolutions on Helium with filters packed by the compiler: tinyc_convolve_packed_s8."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyc.backend.program import Call, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.conv_s8 import convolution_obstacle
from tinyc.kernels.overlap import below
from tinyc.kernels.packed_s8 import GROUP, ROWS, VECTOR, packed_obstacle, product_struct, up
from tinyc.ops.conv import ConvAttrs
from tinyc.ops.registry import scale_zero


@KERNELS.add
class PackedConvS8(Kernel):
    """Three pixels at a time are gathered, then multiplied with all channels."""

    name = "tinyc_convolve_packed_s8"
    ops = ("Conv",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        obstacle = convolution_obstacle(graph, node)
        if obstacle is not None:
            return obstacle
        a: ConvAttrs = node.attrs
        if a.group > 1 or a.dilations != (1, 1) or graph.type(node.inputs[0]).shape[0] > 1:
            return "groups, dilation or several images"
        return packed_obstacle(graph, node, options)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        w, y = graph.type(node.inputs[1]).shape, graph.type(node.outputs[0]).shape
        depth, channels = up(w[1] * w[2] * w[3], VECTOR), up(w[0], GROUP)
        blocks = -(-y[1] * y[2] // ROWS)
        gather = ROWS * (30 + w[1] * (10 + 3 * up(w[2] * w[3], VECTOR) // VECTOR))
        group = 24 * depth // VECTOR + 46
        return Cost(blocks * (60 + gather + channels // GROUP * group), channels * (depth + 12),
                    calls=(self.name,))

    def lower(self, build: Builder) -> Lowered:
        a: ConvAttrs = build.node.attrs
        x, w, y = build.type(0).shape, build.type(1).shape, build.output_type().shape
        parameters = Struct("tinyc_packed_conv_s8", (
            ("product", product_struct(build)), ("in_h", x[1]), ("in_w", x[2]), ("in_c", x[3]),
            ("out_h", y[1]), ("out_w", y[2]), ("kernel_h", w[1]), ("kernel_w", w[2]),
            ("stride_h", a.strides[0]), ("stride_w", a.strides[1]), ("pad_h", a.pads[0]), ("pad_w", a.pads[1]),
            ("in_zero", scale_zero(build.type(0))[1]),
        ))
        scratch = replace(build.scratch_pointer(), c_type="int8_t *")
        call = Call(self.name, (parameters, build.input(0), scratch, build.output()))
        overlaps = ((0, 0, below(x, y, a.strides, a.pads, consumed=True)),)
        return Lowered((call,), ROWS * up(w[1] * w[2] * w[3], VECTOR), overlaps)
