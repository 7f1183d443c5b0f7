# SPDX-License-Identifier: Apache-2.0
"""int8 depthwise convolution by CMSIS-NN's arm_depthwise_conv_*_s8."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyc.backend.program import Argument, Call, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import TensorType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.buffer_sizes import depthwise_conv_s8_opt
from tinyc.kernels.cmsis import activation, context, dims, dims_of, per_channel, tile
from tinyc.kernels.conv_s8 import bias_argument, convolution_obstacle, is_depthwise, quantization
from tinyc.kernels.overlap import above, below
from tinyc.ops.conv import ConvAttrs
from tinyc.ops.registry import scale_zero


def function_of(x: TensorType, w: TensorType, a: ConvAttrs, options: Options) -> str:
    """The function that arm_depthwise_conv_wrapper_s8 would choose."""
    if w.shape[0] != x.shape[3] or x.shape[0] != 1 or a.dilations != (1, 1):
        return "arm_depthwise_conv_s8"
    small = w.shape[1:3] == (3, 3) and max(a.pads[:2]) <= 1
    if small and options.target.variants[0] != "mve":
        return "arm_depthwise_conv_3x3_s8"
    return "arm_depthwise_conv_s8_opt"


def _called(function: str, options: Options) -> str:
    return "arm_depthwise_conv_wrapper_s8" if options.kernels == "cmsis-nn" else function


@KERNELS.add
class DepthwiseConvS8(Kernel):
    name = "arm_depthwise_conv_s8"
    ops = ("Conv",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if not is_depthwise(graph, node):
            return "not depthwise"
        return convolution_obstacle(graph, node)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        per_mac = {"mve": 2.3, "dsp": 8.0}.get(options.variant, 30.0)
        x, w, y = (graph.type(name) for name in (*node.inputs[:2], node.outputs[0]))
        called = _called(function_of(x, w, node.attrs, options), options)
        return Cost(per_mac * y.elements * w.elements / w.shape[0], w.bytes + 12 * w.shape[0],
                    calls=(called,))

    def lower(self, build: Builder) -> Lowered:
        a: ConvAttrs = build.node.attrs
        x, w, y = build.type(0), build.type(1), build.output_type()
        function = function_of(x, w, a, build.options)
        scratch = 0
        if function == "arm_depthwise_conv_s8_opt" and build.options.kernels == "cmsis-nn":  # ours needs none
            scratch = depthwise_conv_s8_opt(build.options.target.variants[0], x.shape[3], w.shape[1], w.shape[2])
        multiplier, shift = quantization(build, w.shape[0])
        filters = np.ascontiguousarray(build.data(1).transpose(3, 1, 2, 0))  # [1][h][w][out]
        parameters = Struct("cmsis_nn_dw_conv_params", (
            ("input_offset", -scale_zero(x)[1]), ("output_offset", scale_zero(y)[1]),
            ("ch_mult", w.shape[0] // x.shape[3]),
            ("stride", tile(*a.strides)), ("padding", tile(*a.pads[:2])), ("dilation", tile(*a.dilations)),
            ("activation", activation(a.clamp, y)),
        ))
        called = _called(function, build.options)
        arguments: tuple[Argument, ...] = (
            context(build.scratch_pointer(), scratch), parameters, per_channel(build, multiplier, shift),
            dims_of(x.shape), build.input(0), dims_of(filters.shape), build.table("filter", filters),
            dims(1, 1, 1, w.shape[0]), bias_argument(build), dims_of(y.shape), build.output(),
        )
        if called != function or x.shape[0] > 1:
            return Lowered((Call(called, arguments, True),), scratch)
        kernel = w.shape[1:3]
        return Lowered(
            (Call(called, arguments, True),), scratch,
            overlaps=((0, 0, below(x.shape, y.shape, a.strides, a.pads, consumed=False)),),
            climbs=((0, 0, above(x.shape, y.shape, kernel, a.strides, a.dilations, a.pads)),),
        )
