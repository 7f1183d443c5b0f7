# SPDX-License-Identifier: Apache-2.0
"""ConvInteger and MatMulInteger as generated loops."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyc.backend.program import Affine, Expr, For, Formula, Let, Load, Name, Set, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import merged_axes, nest, store, strides_of, wrap
from tinyc.kernels.windows import Window, loops_over, window_loops
from tinyc.ops.conv import ConvAttrs
from tinyc.ops.registry import operator


class _Products(Kernel):
    name = "loops"

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        macs = operator(node.op).macs(node, graph.input_types(node), graph.output_types(node))
        return Cost(15.0 * macs)


def _factor(build: Builder, k: int, at: Affine, along: Affine) -> Expr:
    """An element of operand k less its zero point, which is one number or lies at `along`."""
    element = Load(build.input(k).buffer, at, build.type(k).dtype)
    if not build.has(2 + k):
        return element
    zero = build.type(2 + k)
    place = along if zero.rank else Affine()
    return Formula("({0} - {1})", (element, Load(build.input(2 + k).buffer, place, zero.dtype)))


@KERNELS.add
class MatMulIntegerLoops(_Products):
    ops = ("MatMulInteger",)

    def lower(self, build: Builder) -> Lowered:
        a, b = build.type(0).shape, build.type(1).shape
        left, right = a if len(a) > 1 else (1, *a), b if len(b) > 1 else (*b, 1)
        batch = np.broadcast_shapes(left[:-2], right[:-2])
        (m, depth), n = left[-2:], right[-1]
        steps = [[size * s for s in strides_of(shape, batch)]
                 for size, shape in ((m * depth, left[:-2]), (depth * n, right[:-2]), (m * n, batch))]
        loops = merged_axes(batch, steps)
        row, column = Affine(0, (("t_m", 1),)), Affine(0, (("t_n", 1),))
        first = _factor(build, 0, nest(loops, 0).plus(Affine(0, (("t_m", depth), ("t_k", 1)))), row)
        second = _factor(build, 1, nest(loops, 1).plus(Affine(0, (("t_k", n), ("t_n", 1)))), column)
        place = nest(loops, 2).plus(Affine(0, (("t_m", n), ("t_n", 1))))
        body: tuple[Stmt, ...] = (
            Let("t_acc", "int32_t", Formula("0", ()), True),
            For("t_k", depth, (Set("t_acc", Formula("t_acc + {0} * {1}", (first, second))),)),
            store(build.output().buffer, place, DType.INT32, Name("t_acc")),
        )
        return Lowered(wrap(loops, (For("t_m", m, (For("t_n", n, body),)),)))


@KERNELS.add
class ConvIntegerLoops(_Products):
    ops = ("ConvInteger",)

    def lower(self, build: Builder) -> Lowered:
        a: ConvAttrs = build.node.attrs
        x, w, y = build.type(0), build.type(1), build.output_type()
        last = a.channels_last
        kernel = w.shape[1:-1] if last else w.shape[2:]
        window = Window.of(x.shape, y.shape, kernel, a.strides, a.dilations, a.pads, last)
        outputs, channels = w.shape[0] // a.group, w.shape[-1 if last else 1]
        channel = Affine(0, (("t_g", outputs), ("t_o", 1)))
        first = _factor(build, 0, window.input_index("t_n", (("t_g", channels), ("t_c", 1))), Affine())
        second = _factor(build, 1, window.weight_index(w.shape, channel, "t_c"), channel)
        step = For("t_c", channels, (Set("t_acc", Formula("t_acc + {0} * {1}", (first, second))),))
        place = window.output_index("t_n", (("t_g", outputs), ("t_o", 1)))
        body: tuple[Stmt, ...] = (
            Let("t_acc", "int32_t", Formula("0", ()), True),
            *window_loops(window, (step,)),
            store(build.output().buffer, place, DType.INT32, Name("t_acc")),
        )
        around = [("t_n", x.shape[0]), ("t_g", a.group), ("t_o", outputs), *window.output_axes()]
        return Lowered(loops_over(around, body))
