# SPDX-License-Identifier: Apache-2.0
"""A mel matrix computed in run, in double precision: edges of bands are rounded down to whole bins."""

from __future__ import annotations

from typing import Any

from tinyc.backend.program import Affine, Fail, For, Formula, If, Let, Literal, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import computed, load, store
from tinyc.kernels.writing import at, put, when, whole


@KERNELS.add
class MelLoops(Kernel):
    name = "loops"
    ops = ("MelWeights",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        y = graph.type(node.outputs[0])
        return Cost(10.0 * y.elements + 4000.0 * y.shape[1])

    def lower(self, build: Builder) -> Lowered:
        y, a = build.output_type(), build.node.attrs
        own = computed(y.dtype)
        names = ("t_bins", "t_length", "t_rate", "t_lower", "t_upper")
        body: list[Stmt] = [
            Let(name, "double", Formula("(double){0}", (load(build.input(k).buffer, Affine(), build.type(k).dtype),)))
            for k, name in enumerate(names)]
        fits = f"t_bins == {a.bins}.0 && floor(t_length / 2.0) == {a.spectrum - 1}.0 && t_rate >= 1.0"
        body += [
            If(Formula(f"!({fits})", ()), (Fail("SHAPE"),)),
            Let("t_low", "double", Formula("2595.0 * log10(1.0 + t_lower / 700.0)", ())),
            Let("t_high", "double", Formula("2595.0 * log10(1.0 + t_upper / 700.0)", ())),
            For("t_i", y.elements, (store(build.output().buffer, at(t_i=1), y.dtype, Literal(0, own)),)),
            whole("t_left", "0", mutable=True),
            whole("t_centre", "0", mutable=True),
        ]
        mel = f"(t_low + (double)t_b * ((t_high - t_low) / {a.bins + 2}.0)) / 2595.0"
        edge = f"floor((t_length + 1.0) * (700.0 * (pow(10.0, {mel}) - 1.0)) / t_rate)"
        inside = f"!(t_edge >= (double)t_centre && t_edge < {a.spectrum}.0)"
        place = at(t_k=a.bins, t_band=1)
        result = build.output().buffer
        rising = "t_centre > t_left ? ({0})(t_k - t_left) / ({0})(t_centre - t_left) : 1.0".replace("{0}", own.c_type)
        falling = "({0})(t_right - t_k) / ({0})(t_right - t_centre)".replace("{0}", own.c_type)
        band: tuple[Stmt, ...] = (whole("t_band", "t_b - 2"), For("t_k", a.spectrum, (
            when("t_k >= t_left && t_k <= t_centre", (store(result, place, y.dtype, Formula(f"({own.c_type})({rising})",
                                                                                           ())),)),
            when("t_k >= t_centre && t_k < t_right", (store(result, place, y.dtype, Formula(falling, ())),)),
        )))
        body.append(For("t_b", a.bins + 2, (
            Let("t_edge", "double", Formula(edge, ())),
            If(Formula(inside, ()), (Fail("SHAPE"),)),
            whole("t_right", "(int32_t)t_edge"),
            when("t_b >= 2", band),
            put("t_left", "t_centre"), put("t_centre", "t_right"),
        )))
        return Lowered(tuple(body))
