# SPDX-License-Identifier: Apache-2.0
"""int8 layers with weights of 4 bits by CMSIS-NN's s4 functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyc.backend.program import Argument, Call, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.cmsis import activation, context, dims, dims_of, per_channel, tile
from tinyc.kernels.conv_s8 import bias_argument, is_depthwise, quantization
from tinyc.kernels.overlap import above, below
from tinyc.ops.conv import ConvAttrs, channel_multipliers, symmetric
from tinyc.ops.registry import quant_of, scale_zero


def pack_s4(weights: Array) -> Array:
    """Two weights a byte, the first in the low half, without gaps between rows; int8."""
    flat = weights.astype(np.int8).reshape(-1)
    if flat.size % 2:
        flat = np.append(flat, np.int8(0))
    return ((flat[0::2] & 15) | (flat[1::2] << 4)).astype(np.int8)


def layer_obstacle(graph: Graph[Any], node: Node) -> str | None:
    """Why a layer is none of int8 activations and constant, symmetric weights of 4 bits; None if it is."""
    if not node.integer or graph.type(node.inputs[0]).dtype is not DType.INT8:
        return "not an int8 layer"
    if graph.type(node.inputs[1]).dtype is not DType.INT4 or not symmetric(graph.type(node.inputs[1])):
        return "the weights do not have 4 bits, or a zero point"
    return None if graph.value(node.inputs[1]).is_const else "the weights are not constant"


def convolution_obstacle(graph: Graph[Any], node: Node) -> str | None:
    if graph.type(node.inputs[0]).rank != 4 or not node.attrs.channels_last:
        return "not a channels-last convolution over two axes"
    return layer_obstacle(graph, node)


def cost(
    graph: Graph[Any], node: Node, options: Options, dsp: float, portable: float, called: str
) -> Cost:
    """Instructions per multiplication with and without SMLAD; the function that is called."""
    w = graph.type(node.inputs[1])
    per_mac = portable if options.variant == "portable" else dsp
    return Cost(per_mac * graph.type(node.outputs[0]).elements * w.elements / w.shape[0], w.bytes, calls=(called,))


def convolution_function(x: TensorType, w: TensorType, y: TensorType, a: ConvAttrs) -> str:
    """The most specific function; those for 1x1 windows know no padding, not even below and to the right."""
    inside = all((y.shape[i] - 1) * a.strides[i - 1] < x.shape[i] for i in (1, 2))
    if w.shape[1:3] != (1, 1) or a.pads[:2] != (0, 0) or not inside:
        return "arm_convolve_s4"
    return "arm_convolve_1x1_s4_fast" if a.strides == (1, 1) else "arm_convolve_1x1_s4"


def depthwise_function(x: TensorType, w: TensorType, a: ConvAttrs) -> str:
    one_to_one = w.shape[0] == x.shape[3] and x.shape[0] == 1 and a.dilations == (1, 1)
    return "arm_depthwise_conv_s4_opt" if one_to_one else "arm_depthwise_conv_s4"


def _types(graph: Graph[Any], node: Node) -> tuple[TensorType, TensorType, TensorType]:
    return graph.type(node.inputs[0]), graph.type(node.inputs[1]), graph.type(node.outputs[0])


@KERNELS.add
class ConvS4(Kernel):
    name = "arm_convolve_s4"
    ops = ("Conv",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return "grouped" if node.attrs.group != 1 else convolution_obstacle(graph, node)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return cost(graph, node, options, 2.4, 7.0, convolution_function(*_types(graph, node), node.attrs))

    def lower(self, build: Builder) -> Lowered:
        a: ConvAttrs = build.node.attrs
        x, w, y = build.type(0), build.type(1), build.output_type()
        function = convolution_function(x, w, y, a)
        scratch = w.elements // w.shape[0] if function == "arm_convolve_s4" else 0
        if build.options.kernels == "cmsis-nn":
            scratch *= 4  # two columns of int16, or on Helium four of int8
            scratch += -scratch % 64
        multiplier, shift = quantization(build, w.shape[0])
        arguments: tuple[Argument, ...] = (
            context(build.scratch_pointer(), scratch), _parameters(build, a), per_channel(build, multiplier, shift),
            dims_of(x.shape), build.input(0), dims_of(w.shape), build.table("filter", pack_s4(build.data(1))),
            dims(1, 1, 1, w.shape[0]), bias_argument(build), dims_of(y.shape), build.output(),
        )
        overlaps: tuple[tuple[int, int, int], ...] = ()
        if build.options.kernels != "cmsis-nn" and x.shape[0] == 1:
            overlaps = ((0, 0, below(x.shape, y.shape, a.strides, a.pads, consumed=scratch > 0)),)
        return Lowered((Call(function, arguments, True),), scratch, overlaps)


def _parameters(build: Builder, a: ConvAttrs) -> Struct:
    x, y = build.type(0), build.output_type()
    return Struct("cmsis_nn_conv_params", (
        ("input_offset", -scale_zero(x)[1]), ("output_offset", scale_zero(y)[1]),
        ("stride", tile(*a.strides)), ("padding", tile(*a.pads[:2])), ("dilation", tile(*a.dilations)),
        ("activation", activation(a.clamp, y)),
    ))


@KERNELS.add
class DepthwiseConvS4(Kernel):
    """With one output channel for each input channel, the filters are unpacked into scratch and used as int8."""

    name = "arm_depthwise_conv_s4"
    ops = ("Conv",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return "not depthwise" if not is_depthwise(graph, node) else convolution_obstacle(graph, node)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return cost(graph, node, options, 9.0, 31.0, depthwise_function(*_types(graph, node)[:2], node.attrs))

    def lower(self, build: Builder) -> Lowered:
        a: ConvAttrs = build.node.attrs
        x, w, y = build.type(0), build.type(1), build.output_type()
        external = build.options.kernels == "cmsis-nn"
        function = depthwise_function(x, w, a)
        unpacked = function == "arm_depthwise_conv_s4_opt"
        scratch = 0
        if unpacked:
            taps = w.shape[1] * w.shape[2]
            helium = build.options.target.variants[0] == "mve"
            scratch = (496 * taps if helium else 2 * w.elements) if external else w.elements
        multiplier, shift = quantization(build, w.shape[0])
        filters = build.data(1).transpose(3, 1, 2, 0)  # [1][h][w][out]
        parameters = Struct("cmsis_nn_dw_conv_params", (
            ("input_offset", -scale_zero(x)[1]), ("output_offset", scale_zero(y)[1]),
            ("ch_mult", w.shape[0] // x.shape[3]),
            ("stride", tile(*a.strides)), ("padding", tile(*a.pads[:2])), ("dilation", tile(*a.dilations)),
            ("activation", activation(a.clamp, y)),
        ))
        arguments: tuple[Argument, ...] = (
            context(build.scratch_pointer(), scratch), parameters, per_channel(build, multiplier, shift),
            dims_of(x.shape), build.input(0), dims_of(filters.shape), build.table("filter", pack_s4(filters)),
            dims(1, 1, 1, w.shape[0]), bias_argument(build), dims_of(y.shape), build.output(),
        )
        call = (Call(function, arguments, True),)
        if external or not unpacked:
            return Lowered(call, scratch)
        return Lowered(
            call, scratch,
            overlaps=((0, 0, below(x.shape, y.shape, a.strides, a.pads, consumed=False)),),
            climbs=((0, 0, above(x.shape, y.shape, w.shape[1:3], a.strides, a.dilations, a.pads)),),
        )


@KERNELS.add
class FullyConnectedS4(Kernel):
    """With a scale for each channel, which arm_fully_connected_s4 does not have, as a 1x1 convolution."""

    name = "arm_fully_connected_s4"
    ops = ("Gemm",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return layer_obstacle(graph, node)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        one = quant_of(graph.type(node.inputs[1])).per_tensor
        return cost(graph, node, options, 2.4, 7.0, "arm_fully_connected_s4" if one else "arm_convolve_1x1_s4_fast")

    def lower(self, build: Builder) -> Lowered:
        x, w, y = build.type(0), build.type(1), build.output_type()
        outputs, depth = w.shape
        rows = math.prod(x.shape[:-1])
        parameters: Struct
        if quant_of(w).per_tensor:
            function = "arm_fully_connected_s4"
            (multiplier, *_), (shift, *_) = channel_multipliers(x, w, y, outputs)
            quantized = Struct("cmsis_nn_per_tensor_quant_params",
                               (("multiplier", int(multiplier)), ("shift", int(shift))))
            parameters = Struct("cmsis_nn_fc_params", (
                ("input_offset", -scale_zero(x)[1]), ("filter_offset", 0), ("output_offset", scale_zero(y)[1]),
                ("activation", activation(build.node.attrs.clamp, y)),
            ))
            shapes = (dims(rows, 1, 1, depth), dims(depth, 1, 1, outputs), dims(rows, 1, 1, outputs))
        else:
            function = "arm_convolve_1x1_s4_fast"
            quantized = per_channel(build, *quantization(build, outputs))
            parameters = _parameters(build, ConvAttrs((1, 1), (1, 1), (0, 0, 0, 0), 1, build.node.attrs.clamp))
            shapes = (dims(1, 1, rows, depth), dims(outputs, 1, 1, depth), dims(1, 1, rows, outputs))
        arguments: tuple[Argument, ...] = (
            context(None, 0), parameters, quantized, shapes[0], build.input(0), shapes[1],
            build.table("filter", pack_s4(build.data(1))), dims(1, 1, 1, outputs), bias_argument(build), shapes[2],
            build.output(),
        )
        return Lowered((Call(function, arguments, True),))
