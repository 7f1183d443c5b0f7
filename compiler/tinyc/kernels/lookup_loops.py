# SPDX-License-Identifier: Apache-2.0
"""Lookup as a loop over the elements, around one over the keys."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyc.backend.program import Affine, For, Formula, If, Let, Literal, Name, Set
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array, DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.forest import smallest_integers
from tinyc.kernels.loops import computed, in_place, let, load, store


@KERNELS.add
class LookupLoops(Kernel):
    name = "loops"
    ops = ("Lookup",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None if all(graph.value(i).is_const for i in node.inputs[1:]) else "keys or values are not constant"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(5.0 * graph.type(node.inputs[0]).elements * graph.type(node.inputs[1]).elements)

    def lower(self, build: Builder) -> Lowered:
        x, y, keys, values = build.type(0), build.output_type(), _stored(build.data(1)), _stored(build.data(2))
        backwards = Affine(len(keys) - 1, (("t_k", -1),))  # so that the first equal key has the last word
        key_table = build.table("keys", keys)
        value_table = build.table("values", values)
        key = load(key_table.buffer, backwards, DType.of(keys))
        value = load(value_table.buffer, backwards, DType.of(values))
        equal = Formula("{0} == {1}", (Name("t_a"), key))
        if keys.dtype.kind == "f" and np.isnan(keys).any():
            equal = Formula("{0} == {1} || ({0} != {0} && {1} != {1})", (Name("t_a"), key))
        own = computed(y.dtype)
        found = Set("t_v", Formula(f"({own.c_type}){{0}}", (value,)))
        place = Affine(0, (("t_0", 1),))
        body = (
            let("t_a", x.dtype, load(build.input(0).buffer, place, x.dtype)),
            Let("t_v", own.c_type, Literal(build.node.attrs.default, own), True),
            For("t_k", len(keys), (If(equal, (found,)),)),
            store(build.output().buffer, place, y.dtype, Name("t_v")),
        )
        return Lowered((For("t_0", x.elements, body),), 0, in_place([x], y))


def _stored(array: Array) -> Array:
    """Integers in the smallest type that holds them."""
    return smallest_integers(array) if array.dtype.kind in "iu" else array
