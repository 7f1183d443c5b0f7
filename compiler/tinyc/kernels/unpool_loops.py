# SPDX-License-Identifier: Apache-2.0
"""MaxPool with indices and MaxUnpool as generated loops."""

from __future__ import annotations

import math
from typing import Any

from tinyc.backend.program import Affine, For, If, Index, Let, Literal, Name, Set, Stmt, Store
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import computed, let, load, lowest, row_strides, store
from tinyc.kernels.windows import Window, loops_over, window_loops
from tinyc.kernels.writing import at, formula, index_of, whole
from tinyc.ops.max_unpool import UnpoolAttrs
from tinyc.ops.pool import PoolAttrs


@KERNELS.add
class MaxPoolIndicesLoops(Kernel):
    name = "loops"
    ops = ("MaxPoolIndices",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(34.0 * math.prod(node.attrs.pool.kernel) * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        a: PoolAttrs = build.node.attrs.pool
        x, y = build.type(0), build.output_type()
        window = Window.of(x.shape, y.shape, a.kernel, a.strides, a.dilations, a.pads, False)
        own = computed(x.dtype)
        dense = row_strides(x.shape)
        place = window.input_index("t_n", (("t_c", 1),))
        if build.node.attrs.column_major:
            steps = [math.prod(x.shape[2:2 + k]) for k in range(window.rank)]
            spatial = tuple((f"t_p{k}", s) for k, s in enumerate(steps))
            counted = Affine(0, (("t_n", dense[0]), ("t_c", dense[1]), *spatial))
        else:
            counted = place
        # Without an element so far (-1) any is taken: all of them may be as low as can be.
        better = formula("t_at < 0 || t_x > t_acc")
        take: tuple[Stmt, ...] = (
            let("t_x", x.dtype, load(build.input(0).buffer, place, x.dtype)),
            If(better, (Set("t_acc", Name("t_x")), Set("t_at", Index(counted)))),
        )
        out = window.output_index("t_n", (("t_c", 1),))
        body: tuple[Stmt, ...] = (
            let("t_acc", own, lowest(x.dtype), True),
            Let("t_at", "int32_t", Literal(-1, DType.INT32), True),
            *window_loops(window, take),
            store(build.output().buffer, out, y.dtype, Name("t_acc")),
            Store(build.output(1).buffer, out, DType.INT64, formula("t_at < 0 ? 0 : t_at")),
        )
        around = [("t_n", x.shape[0]), ("t_c", x.shape[1]), *window.output_axes()]
        return Lowered(loops_over(around, body))


@KERNELS.add
class MaxUnpoolLoops(Kernel):
    """Fills with zeros, then scatters; indices are bounded."""

    name = "loops"
    ops = ("MaxUnpool",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(4.0 * graph.type(node.outputs[0]).elements + 20.0 * graph.type(node.inputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        a: UnpoolAttrs = build.node.attrs
        x, y = build.type(0), build.output_type()
        pooled = math.prod(a.pooled)
        fill = For("t_0", y.elements, (Store(build.output().buffer, at(t_0=1), y.dtype, formula("0")),))
        if not x.elements or not pooled:
            return Lowered((fill,))
        pick = index_of(build, 1, at(t_0=1), pooled, "t_at", from_end=False)
        target = at(t_at=1)
        if a.shape != a.pooled:  # the place among the pooled ones, taken apart and put together again
            inner = row_strides(a.pooled)
            pick += tuple(whole(f"t_i{k}", f"t_at / {step} % {extent}" if k else f"t_at / {step}")
                          for k, (step, extent) in enumerate(zip(inner, a.pooled, strict=True)))
            target = Affine(0, tuple((f"t_i{k}", s) for k, s in enumerate(row_strides(a.shape))))
        move = store(build.output().buffer, target, y.dtype, load(build.input(0).buffer, at(t_0=1), x.dtype))
        return Lowered((fill, For("t_0", x.elements, (*pick, move))))
