# SPDX-License-Identifier: Apache-2.0
"""int8 pooling by CMSIS-NN's arm_avgpool_s8 and arm_max_pool_s8."""

from __future__ import annotations

from typing import Any

from tinyc.backend.program import Argument, Call, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.buffer_sizes import avgpool_s8
from tinyc.kernels.cmsis import activation, context, dims_of, tile
from tinyc.kernels.overlap import below
from tinyc.ops.pool import PoolAttrs


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
