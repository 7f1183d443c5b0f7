# SPDX-License-Identifier: Apache-2.0
"""Det as generated loops: Gaussian elimination with partial pivoting on a copy in scratch memory."""

from __future__ import annotations

from typing import Any

from tinyc.backend.program import For, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import computed, let, load, store
from tinyc.kernels.writing import at, formula, put, real, when, whole


@KERNELS.add
class DetLoops(Kernel):
    name = "loops"
    ops = ("Det",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        x = graph.type(node.inputs[0])
        return Cost(12.0 * x.elements * x.shape[-1])

    def lower(self, build: Builder) -> Lowered:
        x, y = build.type(0), build.output_type()
        n, own = x.shape[-1], computed(x.dtype)
        work = build.scratch_pointer().buffer
        cell = {"rc": at(t_r=n, t_c=1), "pc": at(t_p=n, t_c=1), "kc": at(t_k=n, t_c=1), "rk": at(t_r=n, t_k=1),
                "kk": at(t_k=n + 1)}

        def get(name: str, place: str) -> Stmt:
            return let(name, own, load(work, cell[place], own))

        fill = For("t_c", n * n, (store(work, at(t_c=1), own, load(build.input(0).buffer, at(t_b=n * n, t_c=1),
                                                                   x.dtype)),))
        find = For("t_r", n, (get("t_v", "rk"), when("t_r > t_k && fabsf(t_v) > t_top" if own.size == 4 else
                                                     "t_r > t_k && fabs(t_v) > t_top",
                                                     (put("t_p", "t_r"), put("t_top", "fabsf(t_v)", own)))))
        swap = when("t_p != t_k", (put("t_det", "-t_det"), For("t_c", n, (
            get("t_a", "kc"), get("t_b2", "pc"), store(work, cell["kc"], own, formula("t_b2")),
            store(work, cell["pc"], own, formula("t_a"))))))
        below = For("t_r", n, (when("t_r > t_k", (
            real("t_f", own, "{0} / t_pivot", load(work, cell["rk"], own)),
            For("t_c", n, (store(work, cell["rc"], own, formula("{0} - t_f * {1}", own, load(work, cell["rc"], own),
                                                               load(work, cell["kc"], own))),)))),))
        step: tuple[Stmt, ...] = (
            whole("t_p", "t_k", mutable=True),
            real("t_top", own, "fabsf({0})", load(work, cell["kk"], own), mutable=True),
            find, swap, get("t_pivot", "kk"),
            put("t_det", "t_det * t_pivot"),
            # Without a pivot the determinant is 0 already, and dividing would make it a NaN.
            when("t_pivot < 0.0f || t_pivot > 0.0f" if own.size == 4 else "t_pivot < 0.0 || t_pivot > 0.0", (below,)),
        )
        body = (fill, real("t_det", own, "1.0f", mutable=True), For("t_k", n, step),
                store(build.output().buffer, at(t_b=1), y.dtype, formula("t_det")))
        return Lowered((For("t_b", y.elements, body),), max(1, n * n * own.size))
