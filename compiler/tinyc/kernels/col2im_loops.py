# SPDX-License-Identifier: Apache-2.0
"""Col2Im as generated loops: each element of the image sums the blocks that cover it."""

from __future__ import annotations

import math
from typing import Any

from tinyc.backend.program import Affine, Formula, Let, Literal, Name, Set, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.conv_transpose import reaching_taps
from tinyc.kernels.loops import computed, load, row_strides, store
from tinyc.kernels.windows import Window, loops_over
from tinyc.ops.col2im import Col2ImAttrs


@KERNELS.add
class Col2ImLoops(Kernel):
    name = "loops"
    ops = ("Col2Im",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(20.0 * math.prod(node.attrs.block) * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        a: Col2ImAttrs = build.node.attrs
        x, y = build.type(0), build.output_type()
        blocks, rank = a.blocks, len(a.image)
        window = Window(blocks, a.image, a.block, a.strides, a.dilations, a.pads, False,
                        (x.shape[0], y.shape[1], *blocks), y.shape)
        own, columns = computed(y.dtype), math.prod(blocks)
        wide = own.c_type if own.is_float else "uint64_t" if own.size == 8 else "uint32_t"
        taps, places = row_strides(a.block), row_strides(blocks)
        terms = [("t_n", x.shape[1] * columns), ("t_c", math.prod(a.block) * columns)]
        terms += [(f"t_k{k}", taps[k] * columns) for k in range(rank)] + [(f"t_p{k}", places[k]) for k in range(rank)]
        element = load(build.input(0).buffer, Affine(0, tuple(terms)), x.dtype)
        cast = "" if own.is_float else f"({wide})"
        take: tuple[Stmt, ...] = (Set("t_acc", Formula(f"t_acc + {cast}{{0}}", (element,))),)
        body: tuple[Stmt, ...] = (
            Let("t_acc", wide, Literal(0, own), True),
            *reaching_taps(window, take),
            store(build.output().buffer, window.output_index("t_n", (("t_c", 1),)), y.dtype, Name("t_acc")),
        )
        return Lowered(loops_over([("t_n", x.shape[0]), ("t_c", y.shape[1]), *window.output_axes()], body))
