# SPDX-License-Identifier: Apache-2.0
"""InstanceNormalization, LRN and LpNormalization as generated loops, for any place of the channels' axis."""

from __future__ import annotations

import math
from typing import Any

from tinyc.backend.program import Expr, For, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import TensorType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import let, load, store
from tinyc.kernels.writing import at, formula, put, real, when, whole
from tinyc.ops.c_text import float_literal
from tinyc.ops.instance_norm import LpNormAttrs, LrnAttrs


class _Loops(Kernel):
    name = "loops"
    per_element = 12.0

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return "integer form" if node.integer else None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(self.per_element * graph.type(node.outputs[0]).elements)


def _split(x: TensorType, axis: int) -> tuple[int, int, int]:
    """How many elements lie outside an axis, along it, inside it."""
    return math.prod(x.shape[:axis]), x.shape[axis], math.prod(x.shape[axis + 1:])


@KERNELS.add
class InstanceNormLoops(_Loops):
    ops = ("InstanceNormalization",)

    def lower(self, build: Builder) -> Lowered:
        x, axis = build.type(0), build.node.attrs.axis
        own = x.dtype
        batch, channels = x.shape[0], x.shape[axis]
        outer, inner = math.prod(x.shape[1:axis]), math.prod(x.shape[axis + 1:])
        count = outer * inner
        place = at(t_n=outer * channels * inner, t_o=channels * inner, t_c=inner, t_i=1)
        element = let("t_x", own, load(build.input(0).buffer, place, own))

        def each(*body: Stmt) -> tuple[Stmt, ...]:
            nest: tuple[Stmt, ...] = (element, *body)
            for name, extent in (("t_i", inner), ("t_o", outer)):
                nest = (For(name, extent, nest),)
            return nest

        channel = at(t_c=1)
        epsilon = float_literal(build.node.attrs.epsilon)
        scale = load(build.input(1).buffer, channel, own)
        shift = load(build.input(2).buffer, channel, own)
        body: tuple[Stmt, ...] = (
            real("t_sum", own, "0.0f", mutable=True),
            *each(put("t_sum", "t_sum + t_x", own)),
            real("t_mean", own, f"t_sum / {count}.0f"),
            real("t_var", own, "0.0f", mutable=True),
            *each(put("t_var", "t_var + (t_x - t_mean) * (t_x - t_mean)", own)),
            real("t_scale", own, f"{{0}} / sqrtf(t_var / {count}.0f + {epsilon})", scale),
            let("t_shift", own, shift),
            *each(store(build.output().buffer, place, own, formula("(t_x - t_mean) * t_scale + t_shift", own))),
        )
        loops = For("t_n", batch, (For("t_c", channels, body),))
        return Lowered((loops,) if x.elements else (), 0, ((0, 0, 0),))


@KERNELS.add
class LrnLoops(_Loops):
    ops = ("LRN",)
    per_element = 80.0

    def lower(self, build: Builder) -> Lowered:
        a: LrnAttrs = build.node.attrs
        x = build.type(0)
        own = x.dtype
        outer, channels, inner = _split(x, a.axis)
        source = build.input(0).buffer
        line = at(t_o=channels * inner, t_i=1)
        before = (a.size - 1) // 2
        neighbour = line.plus(at(t_q=inner))
        window = For("t_k", a.size, (
            whole("t_q", f"t_c + t_k - {before}"),
            when(f"t_q >= 0 && t_q < {channels}", (
                let("t_v", own, load(source, neighbour, own)), put("t_sum", "t_sum + t_v * t_v", own))),
        ))
        place = line.plus(at(t_c=inner))
        base = f"{float_literal(a.bias)} + {float_literal(a.alpha / a.size)} * t_sum"
        value = formula(f"{{0}} / powf({base}, {float_literal(a.beta)})", own, load(source, place, own))
        body: tuple[Stmt, ...] = (real("t_sum", own, "0.0f", mutable=True), window,
                                  store(build.output().buffer, place, own, value))
        loops = For("t_o", outer, (For("t_c", channels, (For("t_i", inner, body),)),))
        return Lowered((loops,))


@KERNELS.add
class LpNormLoops(_Loops):
    ops = ("LpNormalization",)

    def lower(self, build: Builder) -> Lowered:
        a: LpNormAttrs = build.node.attrs
        x = build.type(0)
        own = x.dtype
        outer, size, inner = _split(x, a.axis)
        place = at(t_o=size * inner, t_i=1, t_k=inner)
        element: Expr = load(build.input(0).buffer, place, own)
        grow = "t_norm + fabsf(t_x)" if a.p == 1 else "t_norm + t_x * t_x"
        body: tuple[Stmt, ...] = (
            real("t_norm", own, "0.0f", mutable=True),
            For("t_k", size, (let("t_x", own, element), put("t_norm", grow, own))),
            *((put("t_norm", "sqrtf(t_norm)", own),) if a.p == 2 else ()),
            For("t_k", size, (
                let("t_x", own, element),
                store(build.output().buffer, place, own, formula("t_norm > 0.0f ? t_x / t_norm : 0.0f", own)),
            )),
        )
        loops = For("t_o", outer, (For("t_i", inner, body),))
        return Lowered((loops,) if x.elements else (), 0, ((0, 0, 0),))
