# SPDX-License-Identifier: Apache-2.0
"""What sparse and clustered int8 layers have in common: see runtime_c/include/tinyc_structured_s8.h."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyc.backend.program import Call, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.conv_s8 import convolution_obstacle
from tinyc.kernels.fully_connected_s8 import layer_obstacle
from tinyc.kernels.overlap import below
from tinyc.kernels.structured_weights import (
    Packed,
    constant_bytes,
    filters_of,
    layer_struct,
    segments,
    sums_obstacle,
)
from tinyc.ops.conv import ConvAttrs
from tinyc.ops.registry import scale_zero

ROWS = 4  # multiplied together
NOT_SLOWER = ("default", "speed")  # builds in which a smaller layer must not take more instructions
GATHERED = 70.0  # instructions for a row of a window, and for a pixel


@dataclass(frozen=True)
class Work:
    """Instructions, measured: for a stored weight, a channel, and each 256 inputs of a channel but the first."""

    weight: float
    channel: float
    segment: float = 0.0

    def of(self, stored: int, filters: Array) -> float:
        channels, depth = filters.shape
        more: int = segments(depth) - 1
        return float(stored * self.weight + channels * (self.channel + more * self.segment))


class StructuredKernel(Kernel):
    """`kind`: the functions' names. `row`, `rows`: work on one row of inputs, and on four, by variant."""

    kind: ClassVar[str]
    row: ClassVar[dict[str, Work]]
    rows: ClassVar[dict[str, Work]]

    def pack(self, filters: Array) -> Packed | None:
        """None where the weights do not have the structure."""
        raise NotImplementedError(self.name)

    def packed(self, filters: Array) -> Packed | None:
        """None where they would not be smaller, either."""
        packed = self.pack(filters)
        return packed if packed is not None and packed.bytes < filters.nbytes else None

    def _obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if self.packed(filters_of(graph, node)) is None:
            return f"the weights are not {self.kind}"
        if options.optimize in NOT_SLOWER and self._is_slower(graph, node, options):
            return "slower than dense weights"
        return sums_obstacle(graph, node)

    def _is_slower(self, graph: Graph[Any], node: Node, options: Options) -> bool:
        """Than the fastest of the other kernels."""
        others = [k.cost(graph, node, options).instructions for k in KERNELS.candidates(node.op)
                  if not isinstance(k, StructuredKernel) and k.obstacle(graph, node, options) is None]
        return self.cost(graph, node, options).instructions > min(others, default=math.inf)

    def _flash(self, graph: Graph[Any], node: Node, packed: Packed) -> int:
        return packed.bytes + constant_bytes(graph, node)

    def _layer(self, build: Builder) -> Struct:
        packed = self.packed(filters_of(build.graph, build.node))
        assert packed is not None
        return layer_struct(build, packed)


class StructuredFullyConnected(StructuredKernel):
    ops = ("Gemm",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if options.kernels != "auto":
            return "only with --kernels auto"
        return layer_obstacle(graph, node) or self._obstacle(graph, node, options)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        filters = filters_of(graph, node)
        packed = self.packed(filters)
        assert packed is not None
        blocks, single = divmod(_count(graph, node), ROWS)
        instructions = single * self.row[options.variant].of(packed.stored, filters)
        instructions += blocks * self.rows[options.variant].of(packed.stored, filters)
        return Cost(60 + instructions, self._flash(graph, node, packed), calls=(self._function(graph, node),))

    def lower(self, build: Builder) -> Lowered:
        function, count = self._function(build.graph, build.node), _count(build.graph, build.node)
        rows = (count,) if count > 1 else ()
        return Lowered((Call(function, (self._layer(build), build.input(0), *rows, build.output())),))

    def _function(self, graph: Graph[Any], node: Node) -> str:
        return f"tinyc_{self.kind}_{'row' if _count(graph, node) == 1 else 'rows'}_s8"


def _count(graph: Graph[Any], node: Node) -> int:
    """Rows of the input."""
    return math.prod(graph.type(node.inputs[0]).shape[:-1])


class StructuredConv(StructuredKernel):
    ops = ("Conv",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if options.kernels != "auto":
            return "only with --kernels auto"
        if other := convolution_obstacle(graph, node):
            return other
        if node.attrs.group > 1 or graph.type(node.inputs[0]).shape[0] > 1:
            return "more than one group or image"
        return self._obstacle(graph, node, options)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        filters, w, y = filters_of(graph, node), graph.type(node.inputs[1]).shape, graph.type(node.outputs[0]).shape
        packed = self.packed(filters)
        assert packed is not None
        blocks, single = divmod(y[1] * y[2], ROWS)
        depth = filters.shape[1]
        byte = 1.5 if "scalar" in options.variants else 0.6  # of a copy
        instructions = y[1] * y[2] * (GATHERED * (w[1] + 1) + byte * depth)
        instructions += single * self.row[options.variant].of(packed.stored, filters)
        instructions += blocks * self.rows[options.variant].of(packed.stored, filters)
        return Cost(60 + instructions, self._flash(graph, node, packed), ROWS * depth, (self._function,))

    @property
    def _function(self) -> str:
        return f"tinyc_convolve_{self.kind}_s8"

    def lower(self, build: Builder) -> Lowered:
        a: ConvAttrs = build.node.attrs
        x, w, y = build.type(0).shape, build.type(1).shape, build.output_type().shape
        names = ("in_h", "in_w", "in_c", "out_h", "out_w", "kernel_h", "kernel_w", "stride_h", "stride_w", "pad_h",
                 "pad_w", "dilation_h", "dilation_w", "in_zero")
        values = (*x[1:], *y[1:3], *w[1:3], *a.strides, *a.pads[:2], *a.dilations, scale_zero(build.type(0))[1])
        conv = Struct("tinyc_structured_conv_s8",
                      (("layer", self._layer(build)), *zip(names, values, strict=True)))
        call = Call(self._function, (conv, build.input(0), build.scratch_pointer(), build.output()))
        overlap = (0, 0, below(x, y, a.strides, a.pads, consumed=True))
        return Lowered((call,), ROWS * w[1] * w[2] * w[3], (overlap,))
