# SPDX-License-Identifier: Apache-2.0
"""int8 pooling by CMSIS-NN's arm_avgpool_s8 and arm_max_pool_s8, and means with a scale of their own."""

from __future__ import annotations

import math
from typing import Any

from tinyc.backend.program import Argument, Call, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.buffer_sizes import avgpool_s8
from tinyc.kernels.cmsis import activation, context, dims_of, tile
from tinyc.kernels.overlap import below
from tinyc.ops.pool import PoolAttrs, mean_multiplier
from tinyc.ops.registry import scale_zero
from tinyc.quantize.numbers import clamp_limits


class _PoolS8(Kernel):

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        a: PoolAttrs = node.attrs
        if not node.integer or graph.type(node.inputs[0]).dtype is not DType.INT8:
            return "not an int8 pooling"
        if graph.type(node.inputs[0]).rank != 4 or not a.channels_last:
            return "not a channels-last pooling over two axes"
        if any(pad >= size for pad, size in zip(a.pads, 2 * a.kernel, strict=True)):
            return "a window may lie in the padding wholly"
        if node.op == "AveragePool" and a.count_include_pad and any(a.pads):
            return "padding counts in the average"
        if scale_zero(graph.type(node.inputs[0])) != scale_zero(graph.type(node.outputs[0])):
            return "the result has a scale of its own"
        return "the window is dilated" if a.dilations != (1, 1) else None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        window = node.attrs.kernel[0] * node.attrs.kernel[1]
        return Cost(3.0 * window * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        a: PoolAttrs = build.node.attrs
        x, y = build.type(0), build.output_type()
        average = self.name == "arm_avgpool_s8"
        external = build.options.kernels == "cmsis-nn"  # the bundled function keeps its sums in registers
        scratch = avgpool_s8(build.options.target.variants[0], x.shape[3]) if average and external else 0
        parameters = Struct("cmsis_nn_pool_params", (
            ("stride", tile(*a.strides)), ("padding", tile(*a.pads[:2])), ("activation", activation(a.clamp, y)),
        ))
        arguments: tuple[Argument, ...] = (
            context(build.scratch_pointer(), scratch), parameters, dims_of(x.shape), build.input(0),
            dims_of((1, *a.kernel, 1)), dims_of(y.shape), build.output(),
        )
        overlaps: tuple[tuple[int, int, int], ...] = ()
        if not external and x.shape[0] == 1:  # the bundled functions work pixel by pixel, in raster order
            overlaps = ((0, 0, below(x.shape, y.shape, a.strides, a.pads, consumed=False)),)
        return Lowered((Call(self.name, arguments, True),), scratch, overlaps)


@KERNELS.add
class AveragePoolS8(_PoolS8):
    name = "arm_avgpool_s8"
    ops = ("AveragePool",)


@KERNELS.add
class MaxPoolS8(_PoolS8):
    name = "arm_max_pool_s8"
    ops = ("MaxPool",)


@KERNELS.add
class MeanPixelsS8(Kernel):
    """The mean of a whole image, brought to another scale."""

    name = "tinyc_mean_pixels_s8"
    ops = ("AveragePool",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        x, y = graph.type(node.inputs[0]), graph.type(node.outputs[0])
        if not node.integer or x.dtype is not DType.INT8 or mean_multiplier(node, x, y) is None:
            return "the result has the operand's scale"
        return None if x.shape[0] == 1 and node.attrs.channels_last else "not one channels-last image"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        x, y = graph.type(node.inputs[0]), graph.type(node.outputs[0])
        return Cost(2.75 * x.elements + 20.0 * y.elements, 24, calls=(self.name,))

    def lower(self, build: Builder) -> Lowered:
        x, y = build.type(0), build.output_type()
        factors = mean_multiplier(build.node, x, y)
        assert factors is not None
        pixels, channels = math.prod(build.node.attrs.kernel), x.shape[-1]
        low, high = clamp_limits(build.node.attrs.clamp, *scale_zero(y), (-128, 127))
        mean = Struct("tinyc_mean_s8", (
            ("offset", -pixels * scale_zero(x)[1]), ("multiplier", factors[0]), ("shift", factors[1]),
            ("zero_point", scale_zero(y)[1]), ("lowest", low), ("highest", high),
        ))
        call = Call(self.name, (mean, build.input(0), pixels, channels, build.output()))
        return Lowered((call,), 0, ((0, 0, 0),))
