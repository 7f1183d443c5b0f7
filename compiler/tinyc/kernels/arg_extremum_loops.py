# SPDX-License-Identifier: Apache-2.0
"""ArgMax and ArgMin as generated loops over the kept axes, around one loop over the axis."""

from __future__ import annotations

from typing import Any

from tinyc.backend.program import Affine, For, Formula, If, Index, Let, Literal, Name, Set, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import computed, let, load, merged_axes, nest, row_strides, store, wrap


@KERNELS.add
class ArgExtremumLoops(Kernel):
    name = "loops"
    ops = ("ArgMax", "ArgMin")

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(6.0 * graph.type(node.inputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        attrs, x, y = build.node.attrs, build.type(0), build.output_type()
        strides = row_strides(x.shape)
        kept = [k for k in range(x.rank) if k != attrs.axis]
        extents = [x.shape[k] for k in kept]
        loops = merged_axes(extents, ([strides[k] for k in kept], row_strides(extents)))
        first = nest(loops, 0)
        element = first.plus(Affine(0, (("t_r", strides[attrs.axis]),)))
        symbol = ("<" if build.node.op == "ArgMin" else ">") + ("=" if attrs.last else "")
        source, own = build.input(0).buffer, computed(x.dtype)
        better = Formula(f"{{0}} {symbol} {{1}}", (Name("t_x"), Name("t_best")))
        take: tuple[Stmt, ...] = (
            Set("t_best", Name("t_x")),
            Set("t_place", Index(Affine(0, (("t_r", 1),)))),
        )
        body: tuple[Stmt, ...] = (
            let("t_best", own, load(source, first, x.dtype), mutable=True),
            Let("t_place", "int32_t", Literal(0, DType.INT32), True),
            For("t_r", x.shape[attrs.axis], (let("t_x", own, load(source, element, x.dtype)), If(better, take))),
            store(build.output().buffer, nest(loops, 1), y.dtype, Name("t_place")),
        )
        return Lowered(wrap(loops, body))
