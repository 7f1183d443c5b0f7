# SPDX-License-Identifier: Apache-2.0
"""Generated loops that compare the elements along an axis: Hardmax and TopK."""

from __future__ import annotations

import math
from typing import Any

from tinyc.backend.program import Affine, For, Formula, If, Index, Let, Literal, Name, Set, Stmt, Store
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import computed, let, load, store
from tinyc.kernels.writing import at, whole
from tinyc.ops.top_k import TopKAttrs


@KERNELS.add
class HardmaxLoops(Kernel):
    name = "loops"
    ops = ("Hardmax",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(8.0 * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        x, axis = build.type(0), build.node.attrs.axis
        size, inner = x.shape[axis], math.prod(x.shape[axis + 1:])
        first, each = at(t_o=size * inner, t_i=1), at(t_o=size * inner, t_i=1, t_k=inner)
        source, own = build.input(0).buffer, computed(x.dtype)
        one: Literal = Literal(1, own)
        find = If(Formula("t_x > t_best", ()), (Set("t_best", Name("t_x")), Set("t_place", Name("t_k"))))
        body: tuple[Stmt, ...] = (
            let("t_best", x.dtype, load(source, first, x.dtype), True),
            Let("t_place", "int32_t", Literal(0, DType.INT32), True),
            For("t_k", size, (let("t_x", x.dtype, load(source, each, x.dtype)), find)),
            For("t_k", size, (store(build.output().buffer, each, x.dtype,
                                    Formula("t_k == t_place ? {0} : {1}", (one, Literal(0, own)))),)),
        )
        loops = For("t_o", math.prod(x.shape[:axis]), (For("t_i", inner, body),))
        return Lowered((loops,) if x.elements else (), 0, ((0, 0, 0),))


@KERNELS.add
class TopKLoops(Kernel):
    """Insertion: the results so far are sorted, and an element better than the last of them moves in."""

    name = "loops"
    ops = ("TopK",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost((5.0 + node.attrs.k) * graph.type(node.inputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        a: TopKAttrs = build.node.attrs
        x = build.type(0)
        size, inner = x.shape[a.axis], math.prod(x.shape[a.axis + 1:])
        if not a.k or not x.elements:
            return Lowered(())
        symbol = ">" if a.largest else "<"
        has_places = len(build.node.outputs) > 1 and bool(build.node.outputs[1])
        values = build.output().buffer
        line = at(t_o=a.k * inner, t_i=1)
        last = line.plus(Affine((a.k - 1) * inner))
        here, above = line.plus(at(t_p=inner)), line.plus(Affine(-inner, (("t_p", inner),)))
        shift: list[Stmt] = [store(values, here, x.dtype, Name("t_up"))]
        place: list[Stmt] = [store(values, here, x.dtype, Name("t_x"))]
        if has_places:
            places = build.output(1).buffer
            shift.append(store(places, here, DType.INT64, load(places, above, DType.INT64)))
            place.append(Store(places, here, DType.INT64, Index(at(t_k=1))))
        # From the last place down: those that are worse move one place on, up to where the element belongs.
        step: tuple[Stmt, ...] = (
            whole("t_p", "t_top - t_q"),
            let("t_up", x.dtype, load(values, above, x.dtype)),
            If(Formula(f"!(t_x {symbol} t_up)", ()), (Set("t_go", Literal(0, DType.INT32)), Set("t_at", Name("t_p"))),
               tuple(shift)),
        )
        walk = For("t_q", a.k, (If(Formula("t_go != 0 && t_q < t_top", ()), step),))
        full = let("t_last", x.dtype, load(values, last, x.dtype))
        insert: tuple[Stmt, ...] = (
            whole("t_top", f"t_k < {a.k} ? t_k : {a.k - 1}"),
            Let("t_go", "int32_t", Literal(1, DType.INT32), True),
            Let("t_at", "int32_t", Literal(0, DType.INT32), True),
            walk,
            whole("t_p", "t_at"),
            *place,
        )
        each: tuple[Stmt, ...] = (
            let("t_x", x.dtype, load(build.input(0).buffer, at(t_o=size * inner, t_i=1, t_k=inner), x.dtype)),
            Let("t_take", "int32_t", Literal(1, DType.INT32), True),
            If(Formula(f"t_k >= {a.k}", ()), (full, Set("t_take", Formula(f"t_x {symbol} t_last", ())))),
            If(Formula("t_take != 0", ()), insert),
        )
        loops = For("t_o", math.prod(x.shape[:a.axis]), (For("t_i", inner, (For("t_k", size, each),)),))
        return Lowered((loops,))
