# SPDX-License-Identifier: Apache-2.0
"""Softmax of other element types than float32, as generated loops."""

from __future__ import annotations

import math
from typing import Any

from tinyc.backend.program import Affine, Expr, For, Formula, Let, Set, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import computed, load, store


@KERNELS.add
class SoftmaxLoops(Kernel):
    """The exponential is computed twice, so that nothing but the result is stored."""

    name = "loops"
    ops = ("Softmax",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return "integer form" if node.integer else None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(500.0 * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        x, y, axis = build.type(0), build.output_type(), build.node.attrs.axis
        outer, extent, inner = math.prod(x.shape[:axis]), x.shape[axis], math.prod(x.shape[axis + 1:])
        place = Affine(0, (("t_o", extent * inner), ("t_k", inner), ("t_i", 1)))
        own = computed(x.dtype).c_type
        exponential = "exp" if computed(x.dtype) is DType.FLOAT64 else "expf"
        element = load(build.input(0).buffer, place, x.dtype)
        shifted: Expr = Formula(f"{exponential}({{0}} - t_top)", (element,))
        larger = Set("t_top", Formula("t_x > t_top ? t_x : t_top", ()))
        result = store(build.output().buffer, place, y.dtype, Formula("{0} / t_sum", (shifted,)))
        body: tuple[Stmt, ...] = (
            Let("t_top", own, Formula("-INFINITY", ()), True),
            For("t_k", extent, (Let("t_x", own, element), larger)),
            Let("t_sum", own, Formula("0", ()), True),
            For("t_k", extent, (Set("t_sum", Formula("t_sum + {0}", (shifted,))),)),
            For("t_k", extent, (result,)),
        )
        return Lowered((For("t_o", outer, (For("t_i", inner, body),)),), 0, ((0, 0, 0),))
