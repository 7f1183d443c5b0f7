# SPDX-License-Identifier: Apache-2.0
"""int16 activations with int8 weights by CMSIS-NN's s16 functions of convolution, depthwise and dense layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyc.backend.program import Argument, Call, Null, Pointer, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType, TensorType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.cmsis import activation, context, dims, dims_of, per_channel, tile
from tinyc.kernels.conv_s8 import bias_argument, is_depthwise, quantization
from tinyc.kernels.overlap import below
from tinyc.ops.conv import ConvAttrs, channel_multipliers, symmetric
from tinyc.ops.registry import quant_of, scale_zero
from tinyc.quantize.numbers import reduce_multiplier

MOST_BIAS = 1 << 40


def layer_obstacle(graph: Graph[Any], node: Node, options: Options) -> str | None:
    """Why a layer is none of symmetric int16 activations and constant, symmetric int8 weights; None if it is."""
    x, w, y = (graph.type(name) for name in (*node.inputs[:2], node.outputs[0]))
    if not node.integer or x.dtype is not DType.INT16 or w.dtype is not DType.INT8:
        return "not an int16 layer with weights of int8"
    if scale_zero(x)[1] or scale_zero(y)[1] or not symmetric(w):
        return "activations or weights have a zero point"
    if not graph.value(node.inputs[1]).is_const:
        return "the weights are not constant"
    if options.kernels == "cmsis-nn" and not _fits(graph, node):
        return "the library's sums of 32 bits may overflow"
    return None


def _fits(graph: Graph[Any], node: Node) -> bool:
    """Whether the sums, and the result before it is clamped, surely have 32 bits, as the library needs."""
    w = graph.data(node.inputs[1]).astype(np.int64)
    sums = np.abs(w.reshape(len(w), -1)).sum(1) << 15
    bias = graph.data(node.inputs[2]).astype(np.int64) if len(node.inputs) > 2 and node.inputs[2] else np.int64(0)
    types = (graph.type(node.inputs[0]), graph.type(node.inputs[1]), graph.type(node.outputs[0]))
    multiplier, shift = channel_multipliers(*types, len(w))
    largest = (sums + np.abs(bias)).astype(np.float64) * reduce_multiplier(multiplier) * 2.0 ** (shift - 14.0)
    return bool(sums.max(initial=0) < 2**31 and np.abs(bias).max(initial=0) < MOST_BIAS and largest.max() < 2.0**31)


def convolution_obstacle(graph: Graph[Any], node: Node, options: Options) -> str | None:
    if graph.type(node.inputs[0]).rank != 4 or not node.attrs.channels_last:
        return "not a channels-last convolution over two axes"
    return layer_obstacle(graph, node, options)


def cost(graph: Graph[Any], node: Node, options: Options, dsp: float, portable: float, called: str) -> Cost:
    """Instructions per multiplication with and without SMLAD; the function that is called."""
    w = graph.type(node.inputs[1])
    per_mac = portable if options.variant == "portable" else dsp
    macs = graph.type(node.outputs[0]).elements * w.elements / w.shape[0]
    return Cost(per_mac * macs + 20.0 * graph.type(node.outputs[0]).elements, w.bytes, calls=(called,))


def overlaps(build: Builder, a: ConvAttrs, consumed: bool) -> tuple[tuple[int, int, int], ...]:
    """The bundled functions work in raster order; int16 takes two bytes for each channel."""
    x, y = build.type(0).shape, build.output_type().shape
    if build.options.kernels == "cmsis-nn" or x[0] > 1:
        return ()
    return ((0, 0, below((*x[:3], 2 * x[3]), (*y[:3], 2 * y[3]), a.strides, a.pads, consumed)),)


def conv_parameters(a: ConvAttrs, y: TensorType, multiplied: int | None = None) -> Struct:
    """`multiplied`: output channels for each input channel of a depthwise convolution."""
    factor = () if multiplied is None else (("ch_mult", multiplied),)
    return Struct("cmsis_nn_conv_params" if multiplied is None else "cmsis_nn_dw_conv_params", (
        ("input_offset", 0), ("output_offset", 0), *factor, ("stride", tile(*a.strides)),
        ("padding", tile(*a.pads[:2])), ("dilation", tile(*a.dilations)), ("activation", activation(a.clamp, y)),
    ))


def convolve(build: Builder, a: ConvAttrs, x: Sequence[int], w: Sequence[int], y: Sequence[int]) -> Lowered:
    """arm_convolve_s16 on NHWC shapes."""
    depth = w[1] * w[2] * w[3]
    inside = all((y[i] - 1) * a.strides[i - 1] < x[i] for i in (1, 2))
    single = w[1] == w[2] == 1 and a.pads[:2] == (0, 0) and inside
    if build.options.kernels == "cmsis-nn":
        columns = 4 if build.options.target.variants[0] == "mve" else 2
        scratch = columns * 2 * (-(-depth // 8) * 8)
    else:
        scratch = 0 if single else 2 * depth
    bias = bias_argument(build)
    data = Pointer(bias.buffer, 0, "const void *") if isinstance(bias, Pointer) else Null()
    arguments: tuple[Argument, ...] = (
        context(build.scratch_pointer(), scratch), conv_parameters(a, build.output_type()),
        per_channel(build, *quantization(build, w[0])), dims_of(x), build.input(0), dims_of(w),
        build.table("filter", build.data(1)), dims(1, 1, 1, w[0]),
        Struct("cmsis_nn_bias_data", (("data", data), ("is_int32_bias", 0))), dims_of(y), build.output(),
    )
    found = overlaps(build, a, consumed=not single) if build.node.op == "Conv" else ()
    return Lowered((Call("arm_convolve_s16", arguments, True),), scratch, found)


@KERNELS.add
class ConvS16(Kernel):
    name = "arm_convolve_s16"
    ops = ("Conv",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return "grouped" if node.attrs.group != 1 else convolution_obstacle(graph, node, options)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return cost(graph, node, options, 2.6, 8.0, self.name)

    def lower(self, build: Builder) -> Lowered:
        return convolve(build, build.node.attrs, build.type(0).shape, build.type(1).shape, build.output_type().shape)


@KERNELS.add
class DepthwiseConvS16(Kernel):
    name = "arm_depthwise_conv_s16"
    ops = ("Conv",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return "not depthwise" if not is_depthwise(graph, node) else convolution_obstacle(graph, node, options)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return cost(graph, node, options, 10.0, 12.0, self.name)

    def lower(self, build: Builder) -> Lowered:
        a: ConvAttrs = build.node.attrs
        x, w, y = build.type(0), build.type(1), build.output_type()
        filters = np.ascontiguousarray(build.data(1).transpose(3, 1, 2, 0))  # [1][h][w][out]
        arguments: tuple[Argument, ...] = (
            context(None, 0), conv_parameters(a, y, w.shape[0] // x.shape[3]),
            per_channel(build, *quantization(build, w.shape[0])), dims_of(x.shape), build.input(0),
            dims_of(filters.shape), build.table("filter", filters), dims(1, 1, 1, w.shape[0]), bias_argument(build),
            dims_of(y.shape), build.output(),
        )
        return Lowered((Call(self.name, arguments, True),), 0, overlaps(build, a, consumed=False))


@KERNELS.add
class FullyConnectedS16(Kernel):
    """With a scale for each channel, which arm_fully_connected_s16 does not have, as a 1x1 convolution."""

    name = "arm_fully_connected_s16"
    ops = ("Gemm",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return layer_obstacle(graph, node, options)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        one = quant_of(graph.type(node.inputs[1])).per_tensor
        return cost(graph, node, options, 2.3, 8.0, self.name if one else "arm_convolve_s16")

    def lower(self, build: Builder) -> Lowered:
        x, w, y = build.type(0), build.type(1), build.output_type()
        outputs, depth = w.shape
        rows = math.prod(x.shape[:-1])
        if not quant_of(w).per_tensor:
            attrs = ConvAttrs((1, 1), (1, 1), (0, 0, 0, 0), 1, build.node.attrs.clamp)
            return convolve(build, attrs, (1, 1, rows, depth), (outputs, 1, 1, depth), (1, 1, rows, outputs))
        (multiplier, *_), (shift, *_) = channel_multipliers(x, w, y, outputs)
        parameters = Struct("cmsis_nn_fc_params", (
            ("input_offset", 0), ("filter_offset", 0), ("output_offset", 0),
            ("activation", activation(build.node.attrs.clamp, y)),
        ))
        quantized = Struct("cmsis_nn_per_tensor_quant_params",
                           (("multiplier", int(multiplier)), ("shift", int(shift))))
        arguments: tuple[Argument, ...] = (
            context(None, 0), parameters, quantized, dims(rows, 1, 1, depth), build.input(0),
            dims(depth, 1, 1, outputs), build.table("filter", build.data(1)), dims(1, 1, 1, outputs),
            bias_argument(build), dims(rows, 1, 1, outputs), build.output(),
        )
        return Lowered((Call(self.name, arguments, True),))
