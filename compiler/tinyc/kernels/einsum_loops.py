# SPDX-License-Identifier: Apache-2.0
"""Einsum as generated loops: those of the result's axes around those that are summed over."""

from __future__ import annotations

from typing import Any

from tinyc.backend.program import Formula, Let, Name, Set, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import computed, load, merged_axes, nest, row_strides, store, wrap
from tinyc.ops.einsum import EinsumAttrs, extents
from tinyc.ops.registry import operator


@KERNELS.add
class EinsumLoops(Kernel):
    name = "loops"
    ops = ("Einsum",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        macs = operator("Einsum").macs(node, graph.input_types(node), graph.output_types(node))
        return Cost(12.0 * macs)

    def lower(self, build: Builder) -> Lowered:
        a: EinsumAttrs = build.node.attrs
        types = [build.type(k) for k in range(len(a.operands))]
        y = build.output_type()
        sizes = extents(a, [t.shape for t in types])
        summed = [c for c in sizes if c not in a.result]
        steps = []
        for labels, type_ in zip(a.operands, types, strict=True):
            dense = row_strides(type_.shape)
            steps.append({c: sum(s for label, s, d in zip(labels, dense, type_.shape, strict=True)
                                 if label == c and d != 1) for c in sizes})
        outer = merged_axes([sizes[c] for c in a.result],
                            [*([own[c] for c in a.result] for own in steps), row_strides(y.shape)])
        inner = merged_axes([sizes[c] for c in summed], [[own[c] for c in summed] for own in steps])
        own = computed(y.dtype)
        wide = own.c_type if own.is_float else "uint64_t" if own.size == 8 else "uint32_t"
        factors = tuple(load(build.input(k).buffer, nest(outer, k).plus(nest(inner, k, "t_r")), t.dtype)
                        for k, t in enumerate(types))
        product = " * ".join(f"({wide}){{{k}}}" if not own.is_float else f"{{{k}}}" for k in range(len(factors)))
        body: tuple[Stmt, ...]
        if summed:
            body = (
                Let("t_acc", wide, Formula("0", ()), True),
                *wrap(inner, (Set("t_acc", Formula(f"t_acc + {product}", factors)),), "t_r"),
            )
        else:
            body = (Let("t_acc", wide, Formula(product, factors)),)
        put = store(build.output().buffer, nest(outer, len(types)), y.dtype, Name("t_acc"))
        return Lowered(wrap(outer, (*body, put)) if y.elements else ())
