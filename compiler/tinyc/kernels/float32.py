# SPDX-License-Identifier: Apache-2.0
"""Float32 convolution, fully connected layers, pooling, softmax and matrix product by tinyc_*_f32."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyc.backend.program import Affine, Argument, Call, Null, Pointer, Struct
from tinyc.ir.evaluate import stored_quant
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import address

UNBOUNDED = (-math.inf, math.inf)
GEOMETRY_BYTES = 72  # of a tinyc_conv2d_f32_params


def bias_or_null(build: Builder) -> Argument:
    """The address of operand 2, NULL where it is omitted."""
    return build.input(2) if build.has(2) else Null()


def float_obstacle(graph: Graph[Any], node: Node) -> str | None:
    """Why a float32 kernel does not apply; None if it does."""
    if node.integer or graph.type(node.inputs[0]).dtype is not DType.FLOAT32:
        return "not float32"
    return None


def folded_obstacle(graph: Graph[Any], node: Node, options: Options) -> str | None:
    """Why a kernel with float32 weights does not apply; None if it does. Weights stored as int8 become float32 for it,
    unless the user wants them stored so."""
    if options.stored_weights and stored_quant(graph, node) is not None:
        return "its weights stay int8"
    return float_obstacle(graph, node)


def conv_geometry(build: Builder) -> Struct:
    """The parameters of a channels-last convolution over two axes, or of its transpose."""
    a, x, w, y = build.node.attrs, build.type(0).shape, build.type(1).shape, build.output_type().shape
    low, high = a.clamp or UNBOUNDED
    return Struct("tinyc_conv2d_f32_params", (
        ("batch", x[0]), ("in_h", x[1]), ("in_w", x[2]), ("in_ch", x[3]),
        ("out_h", y[1]), ("out_w", y[2]), ("out_ch", y[3]), ("kernel_h", w[1]), ("kernel_w", w[2]),
        ("stride_h", a.strides[0]), ("stride_w", a.strides[1]), ("pad_top", a.pads[0]), ("pad_left", a.pads[1]),
        ("dilation_h", a.dilations[0]), ("dilation_w", a.dilations[1]), ("groups", a.group),
        ("min", float(low)), ("max", float(high)),
    ))


def depthwise_obstacle(graph: Graph[Any], node: Node) -> str | None:
    channels = graph.type(node.inputs[0]).shape[-1]
    return "not depthwise" if node.attrs.group != channels or channels == 1 else None


def row_geometry(build: Builder) -> Struct:
    """The parameters of a 1x1 convolution that is a fully connected layer: each row of its input is a pixel."""
    outputs, depth = build.type(1).shape
    rows = math.prod(build.type(0).shape[:-1])
    low, high = build.node.attrs.clamp or UNBOUNDED
    return Struct("tinyc_conv2d_f32_params", (
        ("batch", 1), ("in_h", 1), ("in_w", rows), ("in_ch", depth), ("out_h", 1), ("out_w", rows),
        ("out_ch", outputs), ("kernel_h", 1), ("kernel_w", 1), ("stride_h", 1), ("stride_w", 1), ("pad_top", 0),
        ("pad_left", 0), ("dilation_h", 1), ("dilation_w", 1), ("groups", 1),
        ("min", float(low)), ("max", float(high)),
    ))


class Float32Conv(Kernel):
    """A channels-last convolution over two axes with constant filters."""

    ops = ("Conv",)
    per_mac = 6.0

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if graph.type(node.inputs[0]).rank != 4 or not node.attrs.channels_last:
            return "not a channels-last convolution over two axes"
        if not graph.value(node.inputs[1]).is_const:
            return "the filters are not constant"
        return folded_obstacle(graph, node, options)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        w = graph.type(node.inputs[1])
        macs = graph.type(node.outputs[0]).elements * w.elements / w.shape[0]
        return Cost(self.per_mac * macs, 4 * w.elements + GEOMETRY_BYTES, calls=(self.name,))


@KERNELS.add
class Conv2dF32(Float32Conv):
    name = "tinyc_conv2d_f32"

    def lower(self, build: Builder) -> Lowered:
        call = Call(self.name, (conv_geometry(build), build.input(0), build.table("filter", build.real(1)),
                                bias_or_null(build), build.output()))
        return Lowered((call,))


@KERNELS.add
class DepthwiseConv2dF32(Float32Conv):
    name = "tinyc_depthwise_conv2d_f32"
    per_mac = 4.0

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return super().obstacle(graph, node, options) or depthwise_obstacle(graph, node)

    def lower(self, build: Builder) -> Lowered:
        filters = np.ascontiguousarray(build.real(1).transpose(3, 1, 2, 0))
        call = Call(self.name, (conv_geometry(build), build.input(0), build.table("filter", filters),
                                bias_or_null(build), build.output()))
        return Lowered((call,))


@KERNELS.add
class FullyConnectedF32(Kernel):
    name = "tinyc_fully_connected_f32"
    ops = ("Gemm",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return folded_obstacle(graph, node, options)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        w = graph.type(node.inputs[1])
        return Cost(4.0 * graph.type(node.outputs[0]).elements * w.shape[1], 4 * w.elements, calls=(self.name,))

    def lower(self, build: Builder) -> Lowered:
        outputs, depth = build.type(1).shape
        low, high = build.node.attrs.clamp or UNBOUNDED
        constant = build.graph.value(build.node.inputs[1]).is_const
        weights = build.table("filter", build.real(1)) if constant else build.input(1)
        call = Call(self.name, (build.input(0), weights, bias_or_null(build), build.output(),
                                math.prod(build.type(0).shape[:-1]), depth, outputs, float(low), float(high)))
        return Lowered((call,))


@KERNELS.add
class FullyConnectedByConvF32(Kernel):
    """A fully connected layer as a 1x1 convolution: less code where the model has convolutions anyway."""

    name = "tinyc_conv2d_f32"
    ops = ("Gemm",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if not graph.value(node.inputs[1]).is_const:
            return "the weights are not constant"
        return folded_obstacle(graph, node, options)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        w = graph.type(node.inputs[1])
        macs = graph.type(node.outputs[0]).elements * w.shape[1]
        return Cost(6.0 * macs, 4 * w.elements + GEOMETRY_BYTES, calls=(self.name,))

    def lower(self, build: Builder) -> Lowered:
        call = Call(self.name, (row_geometry(build), build.input(0), build.table("filter", build.real(1)),
                                bias_or_null(build), build.output()))
        return Lowered((call,))


@KERNELS.add
class PoolF32(Kernel):
    name = "tinyc_pool2d_f32"
    ops = ("AveragePool", "MaxPool")

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if graph.type(node.inputs[0]).rank != 4 or not node.attrs.channels_last:
            return "not a channels-last pooling over two axes"
        return float_obstacle(graph, node)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        taps = math.prod(node.attrs.kernel) * graph.type(node.outputs[0]).elements
        return Cost(8.0 * taps, GEOMETRY_BYTES, calls=(self._function(node),))

    @staticmethod
    def _function(node: Node) -> str:
        return "tinyc_avgpool2d_f32" if node.op == "AveragePool" else "tinyc_maxpool2d_f32"

    def lower(self, build: Builder) -> Lowered:
        a, x, y = build.node.attrs, build.type(0).shape, build.output_type().shape
        low, high = a.clamp or UNBOUNDED
        geometry = Struct("tinyc_pool2d_f32_params", (
            ("batch", x[0]), ("in_h", x[1]), ("in_w", x[2]), ("channels", x[3]), ("out_h", y[1]), ("out_w", y[2]),
            ("kernel_h", a.kernel[0]), ("kernel_w", a.kernel[1]), ("stride_h", a.strides[0]),
            ("stride_w", a.strides[1]), ("pad_top", a.pads[0]), ("pad_left", a.pads[1]), ("pad_bottom", a.pads[2]),
            ("pad_right", a.pads[3]), ("dilation_h", a.dilations[0]), ("dilation_w", a.dilations[1]),
            ("count_include_pad", int(a.count_include_pad)), ("min", float(low)), ("max", float(high)),
        ))
        return Lowered((Call(self._function(build.node), (geometry, build.input(0), build.output())),))


@KERNELS.add
class GlobalAverageF32(Kernel):
    """The average over a whole image."""

    name = "tinyc_mean_pixels_f32"
    ops = ("AveragePool",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        a, x = node.attrs, graph.type(node.inputs[0]).shape
        if len(x) != 4 or not a.channels_last or x[0] != 1:
            return "not one channels-last image"
        if a.kernel != x[1:3] or any(a.pads) or graph.type(node.outputs[0]).shape[1:3] != (1, 1):
            return "the window is not the image"
        return float_obstacle(graph, node)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(5.0 * graph.type(node.inputs[0]).elements, calls=(self.name,))

    def lower(self, build: Builder) -> Lowered:
        _, height, width, channels = build.type(0).shape
        low, high = build.node.attrs.clamp or UNBOUNDED
        call = Call(self.name, (build.input(0), build.output(), height * width, channels, float(low), float(high)))
        return Lowered((call,), overlaps=((0, 0, 0),))


@KERNELS.add
class SoftmaxF32(Kernel):
    name = "tinyc_softmax_f32"
    ops = ("Softmax",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return float_obstacle(graph, node)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(200.0 * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        shape = build.type(0).shape
        axis = build.node.attrs.axis % len(shape)
        call = Call(self.name, (build.input(0), build.output(), math.prod(shape[:axis]), shape[axis],
                                math.prod(shape[axis + 1:])))
        return Lowered((call,), 0, ((0, 0, 0),))


@KERNELS.add
class MatMulF32(Kernel):
    """Batches are unrolled into one call each, at offsets known now."""

    name = "tinyc_matmul_f32"
    ops = ("MatMul",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if node.attrs.clamp is not None:
            return "a clamp is fused"
        batches = math.prod(graph.type(node.outputs[0]).shape[:-2])
        return "too many batches to unroll" if batches > 16 else float_obstacle(graph, node)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(6.0 * graph.type(node.outputs[0]).elements * graph.type(node.inputs[0]).shape[-1])

    def lower(self, build: Builder) -> Lowered:
        a, b = build.type(0).shape, build.type(1).shape
        left = a if len(a) > 1 else (1, *a)
        right = b if len(b) > 1 else (*b, 1)
        batch = np.broadcast_shapes(left[:-2], right[:-2])
        (m, k), n = left[-2:], right[-1]
        calls = []
        for index in np.ndindex(*batch):
            first, second = (_offset(index, shape[:-2]) for shape in (left, right))
            place = int(np.ravel_multi_index(index, batch)) if batch else 0
            calls.append(Call(self.name, (
                _plus(build, build.input(0), first * m * k), _plus(build, build.input(1), second * k * n),
                _plus(build, build.output(), place * m * n), m, k, n)))
        return Lowered(tuple(calls))


def _offset(index: tuple[int, ...], shape: tuple[int, ...]) -> int:
    """Flat index of a batch in an operand whose batch axes are broadcast."""
    own = [0 if d == 1 else i for i, d in zip(index[len(index) - len(shape):], shape, strict=True)]
    return int(np.ravel_multi_index(own, shape)) if shape else 0


def _plus(build: Builder, pointer: Pointer, elements: int) -> Pointer:
    return address(build, pointer, Affine(elements), DType.FLOAT32)
