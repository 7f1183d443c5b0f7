# SPDX-License-Identifier: Apache-2.0
"""Float32 layers with weights of int8, a scale for each output channel: a quarter of the flash.

Convolutions expand some filters at a time into scratch and run over all pixels with them; a fully connected layer,
which reads each weight once a row, converts on the way and multiplies its sums by the scales.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from tinyc.backend.program import Argument, Call, Null
from tinyc.ir.evaluate import stored_quant
from tinyc.ir.graph import Graph, Node
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.float32 import (
    GEOMETRY_BYTES,
    UNBOUNDED,
    bias_or_null,
    conv_geometry,
    depthwise_obstacle,
    float_obstacle,
    row_geometry,
)

TILE = 4  # filters that the inner loop takes at a time
# Bytes of scratch within which more than one tile is expanded at a time; windows are computed again for each time.
SCRATCH = {"speed": 4096, "default": 2048, "size": 2048, "ram": 0}
EXPAND = 7.0  # instructions to expand a weight


def stored_obstacle(graph: Graph[Any], node: Node) -> str | None:
    """Why kernels for stored weights do not apply; None if they do."""
    return "its weights are not stored as int8" if stored_quant(graph, node) is None else float_obstacle(graph, node)


def tables_bytes(graph: Graph[Any], node: Node) -> int:
    """Weights, scales and zero points."""
    w, quant = graph.type(node.inputs[1]), stored_quant(graph, node)
    return w.bytes + (5 if quant is not None and any(quant.zero_point) else 4) * w.shape[0]


def scales_and_zeros(build: Builder) -> tuple[Argument, Argument]:
    """A scale and a zero point for each output channel; no zero points where all are 0."""
    quant, channels = stored_quant(build.graph, build.node), build.type(1).shape[0]
    assert quant is not None
    scales = np.broadcast_to(np.array(quant.scale, np.float32), channels)
    zeros = np.broadcast_to(np.array(quant.zero_point, np.int8), channels)
    return build.table("scale", scales), build.table("zero", zeros) if zeros.any() else Null()


def at_once(filters: int, filter_size: int, options: Options) -> int:
    """How many of a group's filters are expanded at a time."""
    fitting = SCRATCH[options.optimize] // (4 * filter_size) // TILE * TILE
    return min(filters, max(TILE, fitting))


class _ExpandingConv(Kernel):
    """A convolution by tinyc_conv2d_f32_w8."""

    name = "tinyc_conv2d_f32_w8"

    @staticmethod
    def filters(graph: Graph[Any], node: Node) -> tuple[int, int]:
        """(filters in a group, their size)."""
        raise NotImplementedError

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        w, (filters, size) = graph.type(node.inputs[1]), self.filters(graph, node)
        macs = graph.type(node.outputs[0]).elements * size
        return Cost(6.0 * macs + EXPAND * w.elements, tables_bytes(graph, node) + GEOMETRY_BYTES,
                    4 * size * at_once(filters, size, options), (self.name,))

    def lowered(self, build: Builder, geometry: Argument) -> Lowered:
        filters, size = self.filters(build.graph, build.node)
        count = at_once(filters, size, build.options)
        scratch = replace(build.scratch_pointer(), c_type="float *")
        call = Call(self.name, (geometry, build.input(0), build.table("filter", build.data(1)),
                                *scales_and_zeros(build), bias_or_null(build), build.output(), scratch, count))
        return Lowered((call,), 4 * size * count)


@KERNELS.add
class Conv2dF32W8(_ExpandingConv):
    ops = ("Conv",)

    @staticmethod
    def filters(graph: Graph[Any], node: Node) -> tuple[int, int]:
        w = graph.type(node.inputs[1])
        return w.shape[0] // node.attrs.group, w.elements // w.shape[0]

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return stored_obstacle(graph, node)

    def lower(self, build: Builder) -> Lowered:
        return self.lowered(build, conv_geometry(build))


@KERNELS.add
class FullyConnectedByConvF32W8(_ExpandingConv):
    """A fully connected layer of many rows as a 1x1 convolution: weights are converted once for all of them."""

    ops = ("Gemm",)

    @staticmethod
    def filters(graph: Graph[Any], node: Node) -> tuple[int, int]:
        outputs, depth = graph.type(node.inputs[1]).shape
        return outputs, depth

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return stored_obstacle(graph, node)

    def lower(self, build: Builder) -> Lowered:
        return self.lowered(build, row_geometry(build))


@KERNELS.add
class DepthwiseConv2dF32W8(Kernel):
    name = "tinyc_depthwise_conv2d_f32_w8"
    ops = ("Conv",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return stored_obstacle(graph, node) or depthwise_obstacle(graph, node)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        w = graph.type(node.inputs[1])
        macs = graph.type(node.outputs[0]).elements * w.elements / w.shape[0]
        return Cost(4.0 * macs + 2 * EXPAND * w.elements, tables_bytes(graph, node) + GEOMETRY_BYTES, 4 * w.elements,
                    (self.name,))

    def lower(self, build: Builder) -> Lowered:
        filters = np.ascontiguousarray(build.data(1).transpose(3, 1, 2, 0))
        scratch = replace(build.scratch_pointer(), c_type="float *")
        call = Call(self.name, (conv_geometry(build), build.input(0), build.table("filter", filters),
                                *scales_and_zeros(build), bias_or_null(build), build.output(), scratch))
        return Lowered((call,), 4 * filters.size)


@KERNELS.add
class FullyConnectedF32W8(Kernel):
    name = "tinyc_fully_connected_f32_w8"
    ops = ("Gemm",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return stored_obstacle(graph, node)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        w = graph.type(node.inputs[1])
        macs = graph.type(node.outputs[0]).elements * w.shape[1]
        return Cost(6.5 * macs, tables_bytes(graph, node), calls=(self.name,))

    def lower(self, build: Builder) -> Lowered:
        outputs, depth = build.type(1).shape
        low, high = build.node.attrs.clamp or UNBOUNDED
        call = Call(self.name, (build.input(0), build.table("filter", build.data(1)), *scales_and_zeros(build),
                                bias_or_null(build), build.output(), math.prod(build.type(0).shape[:-1]), depth,
                                outputs, float(low), float(high)))
        return Lowered((call,))
