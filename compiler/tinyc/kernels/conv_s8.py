# SPDX-License-Identifier: Apache-2.0
"""int8 convolution by CMSIS-NN's arm_convolve_*_s8."""

from __future__ import annotations

from typing import Any

from tinyc.backend.program import Argument, Call, Null, Pointer, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType, TensorType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.buffer_sizes import convolve_1_x_n_s8, convolve_s8
from tinyc.kernels.cmsis import activation, context, dims, dims_of, per_channel, tile
from tinyc.kernels.overlap import below
from tinyc.ops.conv import ConvAttrs, channel_multipliers, symmetric
from tinyc.ops.registry import scale_zero

# Pixels of up to so many channels are read completely before their results are written
# (TINYC_ROW_BUFFER_BYTES in runtime_c/src/common/tinyc_mat_mult_s8.h).
ROW_BUFFER_BYTES = 512


def convolution_obstacle(graph: Graph[Any], node: Node) -> str | None:
    if not node.integer:
        return "not an integer convolution"
    if graph.type(node.inputs[0]).rank != 4 or not node.attrs.channels_last:
        return "not a channels-last convolution over two axes"
    if graph.type(node.inputs[0]).dtype is not DType.INT8 or not symmetric(graph.type(node.inputs[1])):
        return "not int8, or the weights have a zero point"
    if graph.type(node.inputs[1]).dtype is not DType.INT8:
        return "the weights do not have 8 bits"
    return None if graph.value(node.inputs[1]).is_const else "the filters are not constant"


def is_depthwise(graph: Graph[Any], node: Node) -> bool:
    channels = graph.type(node.inputs[0]).shape[-1]
    return bool(node.attrs.group == channels and channels > 1)


def wrapper_choice(x: TensorType, w: TensorType, a: ConvAttrs) -> str:
    """The function that arm_convolve_wrapper_s8 calls."""
    kernel, same = w.shape[1:3], x.shape[3] == w.shape[3]
    if same and kernel == (1, 1) and a.pads[:2] == (0, 0) and a.dilations == (1, 1):
        return "arm_convolve_1x1_s8_fast" if a.strides == (1, 1) else "arm_convolve_1x1_s8"
    if same and x.shape[1] == kernel[0] == 1 and a.dilations[1] == 1 and a.strides[1] * x.shape[3] % 4 == 0:
        return "arm_convolve_1_x_n_s8"
    return "arm_convolve_s8"


def function_of(x: TensorType, w: TensorType, y: TensorType, a: ConvAttrs) -> str:
    """The wrapper's choice, unless that would ignore padding: below and to the right of a 1x1 window, or
    above and below an image and a window that are one row high."""
    choice = wrapper_choice(x, w, a)
    if choice.startswith("arm_convolve_1x1"):
        inside = all((y.shape[i] - 1) * a.strides[i - 1] < x.shape[i] for i in (1, 2))
        return choice if inside else "arm_convolve_s8"
    if choice == "arm_convolve_1_x_n_s8" and y.shape[1] != 1:
        return "arm_convolve_s8"
    return choice


def _called(options: Options, x: TensorType, w: TensorType, y: TensorType, a: ConvAttrs) -> str:
    """The function that generated code calls: outside, the wrapper where it would choose the same."""
    function = function_of(x, w, y, a)
    wrapped = options.kernels == "cmsis-nn" and wrapper_choice(x, w, a) == function
    return "arm_convolve_wrapper_s8" if wrapped else function


def quantization(build: Builder, channels: int) -> tuple[Pointer, Pointer]:
    """Tables of each output channel's multiplier and shift."""
    multiplier, shift = channel_multipliers(build.type(0), build.type(1), build.output_type(), channels)
    return build.table("multiplier", multiplier), build.table("shift", shift)


def bias_argument(build: Builder) -> Argument:
    return build.table("bias", build.data(2)) if build.has(2) else Null()


@KERNELS.add
class ConvS8(Kernel):
    name = "arm_convolve_s8"
    ops = ("Conv",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if is_depthwise(graph, node):
            return "depthwise"
        return convolution_obstacle(graph, node)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        x, w, y = (graph.type(name) for name in (*node.inputs[:2], node.outputs[0]))
        called = _called(options, x, w, y, node.attrs)
        depth, flash = w.elements / w.shape[0], w.bytes + 12 * w.shape[0]
        if options.variant == "mve":  # an element of the result, and a row of a gathered window
            gathered = 0 if w.shape[1:3] == (1, 1) else 110.0 * w.shape[1] * y.elements / w.shape[0]
            return Cost(y.elements * (12 + 2.8 * -(-depth // 16)) + gathered, flash, calls=(called,))
        if options.variant == "dsp":  # the same
            gathered = 0 if w.shape[1:3] == (1, 1) else (90.0 * w.shape[1] + depth) * y.elements / w.shape[0]
            return Cost(y.elements * (1.04 * depth + 38) + gathered, flash, calls=(called,))
        return Cost(y.elements * (6.2 * depth + 90), flash, calls=(called,))

    def lower(self, build: Builder) -> Lowered:
        a: ConvAttrs = build.node.attrs
        x, w, y = build.type(0), build.type(1), build.output_type()
        function = function_of(x, w, y, a)
        scratch = self._scratch(build.options, function, x, w, y, a)
        multiplier, shift = quantization(build, w.shape[0])
        parameters = Struct("cmsis_nn_conv_params", (
            ("input_offset", -scale_zero(x)[1]), ("output_offset", scale_zero(y)[1]),
            ("stride", tile(*a.strides)), ("padding", tile(*a.pads[:2])), ("dilation", tile(*a.dilations)),
            ("activation", activation(a.clamp, y)),
        ))
        arguments: list[Argument] = [
            context(build.scratch_pointer(), scratch), parameters, per_channel(build, multiplier, shift),
            dims_of(x.shape), build.input(0), dims_of(w.shape), build.table("filter", build.data(1)),
            dims(1, 1, 1, w.shape[0]), bias_argument(build),
        ]
        called = _called(build.options, x, w, y, a)
        if called == "arm_convolve_s8":
            arguments.append(Null())  # upscale_dims: this is no transposed convolution
        arguments += [dims_of(y.shape), build.output()]
        return Lowered((Call(called, tuple(arguments), True),), scratch, self._overlaps(build, called, a))

    @staticmethod
    def _scratch(options: Options, function: str, x: TensorType, w: TensorType, y: TensorType, a: ConvAttrs) -> int:
        variant = options.target.variants[0]
        depth = w.shape[1] * w.shape[2] * x.shape[3]
        if function.startswith("arm_convolve_1x1"):
            return 0
        if function == "arm_convolve_1_x_n_s8":
            return convolve_1_x_n_s8(variant, x.shape, w.shape[2], y.shape[2], a.pads[1], a.strides[1])
        return convolve_s8(variant, depth)

    @staticmethod
    def _overlaps(build: Builder, called: str, a: ConvAttrs) -> tuple[tuple[int, int, int], ...]:
        """The bundled functions work in raster order, except those that go group by group or along one axis.

        All gather the input of some pixels before they write these; 1x1 convolutions do so where a
        pixel fits their row buffer, else they read a pixel while they write it.
        """
        x, y = build.type(0).shape, build.output_type().shape
        if build.options.kernels == "cmsis-nn" or called == "arm_convolve_1_x_n_s8" or a.group > 1 or x[0] > 1:
            return ()
        consumed = called == "arm_convolve_s8" or x[3] <= ROW_BUFFER_BYTES
        return ((0, 0, below(x, y, a.strides, a.pads, consumed)),)
