# SPDX-License-Identifier: Apache-2.0
"""RotaryEmbedding as generated loops, a row of a head at a time, so that the result may lie on the operand."""

from __future__ import annotations

from typing import Any

from tinyc.backend.program import Copy, For, Pointer, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import address, let, load, store
from tinyc.kernels.writing import at, formula, index_of, whole
from tinyc.ops.attention import split_heads
from tinyc.ops.rotary import RotaryAttrs


@KERNELS.add
class RotaryLoops(Kernel):
    name = "loops"
    ops = ("RotaryEmbedding",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return "integer form" if node.integer else None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(10.0 * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        a: RotaryAttrs = build.node.attrs
        x, half = build.type(0), a.dim // 2
        own = x.dtype
        batch, heads, rows, size = split_heads(x.shape, a.layout, a.heads)
        inside = a.layout == "BSC"
        row = at(t_b=heads * rows * size, t_h=size if inside else rows * size, t_s=heads * size if inside else size)
        angle = at(t_p=half, t_i=1)
        pair = (at(t_i=2), at(t_i=2)) if a.interleaved else (at(t_i=1), at(t_i=1))
        second = 1 if a.interleaved else half
        source, origin, scratch = build.input(0).buffer, row, 0
        body: list[Stmt] = []
        # The other half of a pair lies further on: the row is copied before its beginning is written.
        if not a.interleaved:
            scratch = a.dim * own.size
            source, origin = build.scratch, at()
            body.append(Copy(Pointer(build.scratch), address(build, build.input(0), row, own), scratch))
        target = build.output().buffer
        low, high = pair[0], type(row)(second, pair[1].terms)
        body.append(For("t_i", half, (
            let("t_c", own, load(build.input(1).buffer, angle, own)),
            let("t_z", own, load(build.input(2).buffer, angle, own)),
            let("t_u", own, load(source, origin.plus(low), own)),
            let("t_v", own, load(source, origin.plus(high), own)),
            store(target, row.plus(low), own, formula("t_c * t_u - t_z * t_v", own)),
            store(target, row.plus(high), own, formula("t_z * t_u + t_c * t_v", own)),
        )))
        if a.dim < size:
            rest = row.plus(type(row)(a.dim, (("t_i", 1),)))
            element = let("t_u", own, load(build.input(0).buffer, rest, own))
            body.append(For("t_i", size - a.dim, (element, store(target, rest, own, formula("t_u", own)))))
        position: tuple[Stmt, ...] = (whole("t_p", f"t_b * {rows} + t_s"),)
        if build.has(3):
            position = index_of(build, 3, at(t_b=rows, t_s=1), build.type(1).shape[0], "t_p")
        if inside:
            inner: tuple[Stmt, ...] = (For("t_s", rows, (*position, For("t_h", heads, tuple(body)))),)
        else:
            inner = (For("t_h", heads, (For("t_s", rows, (*position, *body)),)),)
        return Lowered((For("t_b", batch, inner),), scratch, ((0, 0, 0),))
