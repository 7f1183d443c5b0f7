# SPDX-License-Identifier: Apache-2.0
"""CumSum and CumProd as generated loops.

With a known axis there is one running value for each line along it. An axis that is read at run time gives each
element from its neighbour before: the neighbour's distance and the place along the axis follow from its stride.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyc.backend.program import Affine, Expr, For, Formula, If, Let, Literal, Load, Name, Set, Stmt, Store
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import computed, let, load, row_strides, store
from tinyc.kernels.writing import at, picked, whole
from tinyc.ops.cumulative import CumulativeAttrs


@KERNELS.add
class CumulativeLoops(Kernel):
    name = "loops"
    ops = ("CumSum", "CumProd")

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost((8.0 if node.attrs.axis is not None else 40.0) * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        return _along(build) if build.node.attrs.axis is not None else _along_any(build)


def _step(build: Builder, x: str, dtype: DType) -> Expr:
    """t_acc with an element taken in; integers wrap."""
    symbol = "*" if build.node.op == "CumProd" else "+"
    own = computed(dtype)
    if own.is_float:
        return Formula(f"t_acc {symbol} {x}", ())
    wide = "uint64_t" if own.size == 8 else "uint32_t"
    return Formula(f"({own.c_type})(({wide})t_acc {symbol} ({wide}){x})", ())


def _neutral(build: Builder, dtype: DType) -> Literal:
    return Literal(1 if build.node.op == "CumProd" else 0, computed(dtype))


def _along(build: Builder) -> Lowered:
    a: CumulativeAttrs = build.node.attrs
    x = build.type(0)
    axis = a.axis or 0
    size, inner = x.shape[axis], math.prod(x.shape[axis + 1:])
    step, start = (-inner, (size - 1) * inner) if a.reverse else (inner, 0)
    place = Affine(start, at(t_o=size * inner, t_i=1, t_k=step).terms)
    element = let("t_x", x.dtype, load(build.input(0).buffer, place, x.dtype))
    take = Set("t_acc", _step(build, "t_x", x.dtype))
    give = store(build.output().buffer, place, x.dtype, Name("t_acc"))
    walk = (element, give, take) if a.exclusive else (element, take, give)
    line: tuple[Stmt, ...] = (let("t_acc", x.dtype, _neutral(build, x.dtype), True), For("t_k", size, walk))
    loops = For("t_o", math.prod(x.shape[:axis]), (For("t_i", inner, line),))
    return Lowered((loops,), 0, ((0, 0, 0),))


def _along_any(build: Builder) -> Lowered:
    a: CumulativeAttrs = build.node.attrs
    x = build.type(0)
    shape = np.array(x.shape, np.int32)
    sizes = build.table("sizes", shape, "constants").buffer
    strides = build.table("strides", np.array(row_strides(x.shape), np.int32), "constants").buffer
    axis = at(t_axis=1)
    source, target = build.input(0).buffer, build.output().buffer
    first = "t_size - 1" if a.reverse else "0"
    back = "t_at + t_step" if a.reverse else "t_at - t_step"
    before = at(t_back=1)
    own = x.dtype
    value: tuple[Stmt, ...]
    if a.exclusive:
        element = let("t_x", own, load(source, before, own))
    else:
        element = let("t_x", own, load(source, at(t_at=1), own))
    value = (whole("t_back", back), let("t_acc", own, load(target, before, own)), element,
             store(target, at(t_at=1), own, _step(build, "t_x", own)))
    begin: Stmt = store(target, at(t_at=1), own, _neutral(build, own))
    if not a.exclusive:
        begin = Store(target, at(t_at=1), own, Load(source, at(t_at=1), own))
    body: tuple[Stmt, ...] = (
        whole("t_at", f"{x.elements - 1} - t_k" if a.reverse else "t_k"),
        If(Formula(f"t_at / t_step % t_size == {first}", ()), (begin,), value),
    )
    # The axis is read through `picked`, as an index into the axes.
    axis_type = build.type(1).dtype
    return Lowered((
        *picked("t_axis", Load(build.input(1).buffer, Affine(), axis_type), axis_type, x.rank),
        Let("t_size", "int32_t", Load(sizes, axis, DType.INT32)),
        Let("t_step", "int32_t", Load(strides, axis, DType.INT32)),
        For("t_k", x.elements, body),
    ))
