# SPDX-License-Identifier: Apache-2.0
"""Range: its length checked, then its elements."""

from __future__ import annotations

from typing import Any

from tinyc.backend.program import Affine, Fail, For, Formula, If, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import computed, let, load, store


@KERNELS.add
class RangeLoops(Kernel):
    name = "loops"
    ops = ("Range",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(50.0 + 8.0 * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        y, count = build.output_type(), build.node.attrs.count
        body: list[Stmt] = [let(f"t_{name}", y.dtype, load(build.input(k).buffer, Affine(), y.dtype))
                            for k, name in enumerate(("start", "limit", "delta"))]
        span = "((double)t_limit - (double)t_start) / (double)t_delta"
        # Written so that NaN fails, as does a length of 0 or less where there must be one element.
        inside = f"{span} > {count - 1}.0 && {span} <= {count}.0" if count else f"{span} <= 0.0"
        finite = " && t_delta - t_delta == 0" if y.dtype.is_float else ""
        body.append(If(Formula(f"!(t_delta != 0{finite} && {inside})", ()), (Fail("SHAPE"),)))
        own = computed(y.dtype)
        if own.is_float:
            element = f"t_start + ({own.c_type})t_0 * t_delta"
        else:
            wide = "uint64_t" if own is DType.INT64 else "uint32_t"
            element = f"({own.c_type})(({wide})t_start + ({wide})t_0 * ({wide})t_delta)"
        value = store(build.output().buffer, Affine(0, (("t_0", 1),)), y.dtype, Formula(element, ()))
        return Lowered((*body, For("t_0", count, (value,))))
