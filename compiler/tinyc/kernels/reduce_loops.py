# SPDX-License-Identifier: Apache-2.0
"""Reductions as generated loops over the kept axes, around loops over the reduced ones."""

from __future__ import annotations

from typing import Any

from tinyc.backend.program import Apply, Expr, Formula, Let, Literal, Name, Set, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType, TensorType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import computed, load, merged_axes, nest, row_strides, store, wrap
from tinyc.ops.reduce import TABLE, reduced_count, total_multiplier
from tinyc.ops.registry import scale_zero

# What an accumulator starts with; the others start with an element, which may be taken in twice.
NEUTRAL = {"ReduceMean": 0, "ReduceSum": 0, "ReduceProd": 1}


@KERNELS.add
class ReduceLoops(Kernel):
    name = "loops"
    ops = tuple(TABLE)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(6.0 * graph.type(node.inputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        node, x, y = build.node, build.type(0), build.output_type()
        axes, strides = node.attrs.axes, row_strides(x.shape)
        kept = [k for k in range(x.rank) if k not in axes]
        extents = [x.shape[k] for k in kept]
        outer = merged_axes(extents, ([strides[k] for k in kept], row_strides(extents)))
        inner = merged_axes([x.shape[k] for k in axes], ([strides[k] for k in axes],))
        base = nest(outer, 0)
        element = load(build.input(0).buffer, base.plus(nest(inner, 0, "t_r")), x.dtype)
        own, c_type = _accumulator(node, x)
        start: Expr = Formula(f"({c_type}){{0}}", (load(build.input(0).buffer, base, x.dtype),))
        if node.op in NEUTRAL:
            start = Literal(NEUTRAL[node.op], own)
        step = TABLE[node.op].c_step.format(acc="t_acc", x="t_x")
        take: tuple[Stmt, ...] = (Let("t_x", c_type, Formula(f"({c_type}){{0}}", (element,))),
                                  Set("t_acc", Formula(f"({c_type})({step})", ())))
        value = _result(build, own)
        body: tuple[Stmt, ...] = (
            Let("t_acc", c_type, start, True),
            *wrap(inner, take, "t_r"),
            store(build.output().buffer, nest(outer, 1), y.dtype, value),
        )
        # A result is written behind everything that later ones read if each has a run of its own.
        trailing = not kept or not axes or kept[-1] < axes[0]
        return Lowered(wrap(outer, body), 0, ((0, 0, 0),) if trailing else ())


def _accumulator(node: Node, x: TensorType) -> tuple[DType, str]:
    """In which type a reduction accumulates: plain integers wrap, an integer mean has 64 bits."""
    own = computed(x.dtype)
    if node.op in NEUTRAL and not own.is_float:
        if node.integer:
            own = DType.INT32
        elif node.op == "ReduceMean":
            own = DType.UINT64 if own is DType.UINT64 else DType.INT64
        else:
            own = DType.UINT64 if own.size == 8 else DType.UINT32
    return own, own.c_type


def _result(build: Builder, own: DType) -> Expr:
    """The expression of t_acc that is the result."""
    node, x, y = build.node, build.type(0), build.output_type()
    count = reduced_count(node, x)
    if node.integer and node.op in NEUTRAL:
        zero = scale_zero(x)[1]
        numbers = (*total_multiplier(node, x, y), scale_zero(y)[1], *y.dtype.limits)
        total: Expr = Formula(f"t_acc - ({zero * count})", ()) if zero else Name("t_acc")
        return Apply("tinyc_requantize_one", (total, *(Literal(n, DType.INT32) for n in numbers)))
    text = TABLE[node.op].c_end.format(acc="t_acc", count=f"({own.c_type}){count}")
    return Formula(text, ())

