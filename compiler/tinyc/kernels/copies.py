# SPDX-License-Identifier: Apache-2.0
"""Kernels that only move data: Reshape where it cannot be an alias, and Transpose as loops."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyc.backend.program import Call, Copy, Load, Store, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.cmsis import dims_of
from tinyc.kernels.elementwise_loops import merged_axes, nest, strides_of, wrap


@KERNELS.add
class CopyBytes(Kernel):
    name = "copy"
    ops = ("Reshape", "Identity")

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(graph.type(node.outputs[0]).bytes)

    def lower(self, build: Builder) -> Lowered:
        return Lowered((Copy(build.output(), build.input(0), build.output_type().bytes),))


@KERNELS.add
class TransposeLoops(Kernel):
    name = "loops"
    ops = ("Transpose",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        dtype = graph.type(node.inputs[0]).dtype
        return None if dtype is not DType.STRING else "no loops for strings"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(8.0 * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        x, y = build.type(0), build.output_type()
        source = strides_of(x.shape, x.shape)
        strides = [[source[p] for p in build.node.attrs.perm], strides_of(y.shape, y.shape)]
        loops = merged_axes(y.shape, strides)
        load = Load(build.input(0).buffer, nest(loops, 0), x.dtype)
        return Lowered(wrap(loops, (Store(build.output().buffer, nest(loops, 1), y.dtype, load),)))


@KERNELS.add
class TransposeS8(Kernel):
    """CMSIS-NN's arm_transpose_s8, for --kernels cmsis-nn."""

    name = "arm_transpose_s8"
    ops = ("Transpose",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        x = graph.type(node.inputs[0])
        if x.dtype is not DType.INT8 or not 1 <= x.rank <= 4:
            return "not an int8 tensor of up to four axes"
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        per_element = 7.0 if options.kernels != "auto" else 9.0
        return Cost(per_element * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        x, y = build.type(0), build.output_type()
        rank = x.rank
        # Axes in front of the tensor's own are 1 and stay where they are.
        perm = [*range(4 - rank), *(p + 4 - rank for p in build.node.attrs.perm)]
        table = build.table("perm", np.array(perm, np.uint32), "constants")
        parameters = Struct("cmsis_nn_transpose_params", (("num_dims", 4), ("permutations", table)))
        ones = (1,) * (4 - rank)
        call = Call("arm_transpose_s8", (build.input(0), build.output(), dims_of((*ones, *x.shape)),
                                         dims_of((*ones, *y.shape)), parameters), True)
        return Lowered((call,))
