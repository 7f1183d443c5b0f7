# SPDX-License-Identifier: Apache-2.0
"""Generated loops that pick or replace elements or blocks by index.

Constant indices were checked at compile time and lie in a table; others are bounded, so that nothing outside the
operands is touched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyc.backend.program import Affine, Copy, Expr, For, Formula, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import computed, copy_strided, let, load, merged_axes, nest, row_strides, store, wrap
from tinyc.kernels.writing import at, double_form, index_of, narrow, normalized, put, whole
from tinyc.ops.c_text import fill
from tinyc.ops.elementwise import TABLE

OPERATIONS = {"add": "Add", "mul": "Mul", "max": "Max", "min": "Min"}


class _Indexed(Kernel):
    name = "loops"

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return "no loops for strings" if graph.type(node.inputs[0]).dtype is DType.STRING else None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(10.0 * graph.type(node.outputs[0]).elements)


def combined(reduction: str, dtype: DType, old: Expr, new: Expr) -> tuple[tuple[Stmt, ...], Expr]:
    """What an update makes of the element there: statements, and the value."""
    if reduction == "none":
        return (), new
    own = computed(dtype)
    text = fill(TABLE[OPERATIONS[reduction]].template(own), {"a": "t_old", "b": "t_new"}, {}, own)
    text = double_form(text) if own is DType.FLOAT64 else text
    return (let("t_old", dtype, old), let("t_new", dtype, new)), Formula(text, ())


def _without(strides: Sequence[int], axis: int) -> list[int]:
    return [0 if k == axis else s for k, s in enumerate(strides)]


@KERNELS.add
class GatherElementsLoops(_Indexed):
    ops = ("GatherElements",)

    def lower(self, build: Builder) -> Lowered:
        x, y, axis = build.type(0), build.output_type(), build.node.attrs.axis
        own = row_strides(x.shape)
        loops = merged_axes(y.shape, (_without(own, axis), row_strides(y.shape)))
        source = nest(loops, 0).plus(at(t_at=own[axis]))
        body = (
            *index_of(build, 1, nest(loops, 1), x.shape[axis], "t_at"),
            store(build.output().buffer, nest(loops, 1), x.dtype, load(build.input(0).buffer, source, x.dtype)),
        )
        return Lowered(wrap(loops, body))


@KERNELS.add
class ScatterElementsLoops(_Indexed):
    ops = ("ScatterElements",)

    def lower(self, build: Builder) -> Lowered:
        x, updates, axis = build.type(0), build.type(2), build.node.attrs.axis
        own = row_strides(x.shape)
        loops = merged_axes(updates.shape, (_without(own, axis), row_strides(updates.shape)))
        target = nest(loops, 0).plus(at(t_at=own[axis]))
        result = build.output().buffer
        before, value = combined(build.node.attrs.reduction, x.dtype, load(result, target, x.dtype),
                                 load(build.input(2).buffer, nest(loops, 1), x.dtype))
        body = (*index_of(build, 1, nest(loops, 1), x.shape[axis], "t_at"), *before,
                store(result, target, x.dtype, value))
        copy = Copy(build.output(), build.input(0), x.bytes)
        return Lowered((copy, *(wrap(loops, body) if updates.elements else ())))


def _block(
    build: Builder, operand: int, extents: Sequence[int], steps: Sequence[int], place: Affine
) -> tuple[Stmt, ...]:
    """int32 t_at, where a block begins: from one row of an operand's indices, each times its stride.

    Rows that are constants become places at compile time.
    """
    known = build.graph.value(build.node.inputs[operand]).data
    depth = len(extents)
    if known is not None:
        rows = (normalized(known, np.array(extents)) * np.array(steps)).sum(-1)
        table = build.table(f"places{operand}", narrow(rows), "constants")
        dtype = next(t.dtype for t in build.tables if t.name == table.buffer)
        row = Affine(place.constant // depth, tuple((n, c // depth) for n, c in place.terms))
        return (whole("t_at", "(int32_t){0}", load(table.buffer, row, dtype)),)
    body: tuple[Stmt, ...] = ()
    for k, extent in enumerate(extents):
        body += index_of(build, operand, place.plus(Affine(k)), extent, f"t_i{k}")
    return (*body, whole("t_at", " + ".join(f"{step} * t_i{k}" for k, step in enumerate(steps))))


@KERNELS.add
class GatherNdLoops(_Indexed):
    ops = ("GatherND",)

    def lower(self, build: Builder) -> Lowered:
        x, indices, batch = build.type(0), build.type(1), build.node.attrs.batch_dims
        depth = indices.shape[-1]
        strides = row_strides(x.shape)
        size = math.prod(x.shape[batch + depth:])
        batches, rows = math.prod(indices.shape[:batch]), math.prod(indices.shape[batch:-1])
        pick = _block(build, 1, x.shape[batch:batch + depth], strides[batch:batch + depth],
                      at(t_b=rows * depth, t_r=depth))
        start = (at(t_b=math.prod(x.shape[batch:]), t_at=1), at(t_b=rows * size, t_r=size))
        copy = copy_strided(build, build.input(0), build.output(), x.dtype, (size,), ((1,), (1,)), start)
        return Lowered((For("t_b", batches, (For("t_r", rows, (*pick, *copy)),)),))


@KERNELS.add
class ScatterNdLoops(_Indexed):
    ops = ("ScatterND",)

    def lower(self, build: Builder) -> Lowered:
        x, indices, updates = build.type(0), build.type(1), build.type(2)
        depth = indices.shape[-1]
        size, rows = math.prod(x.shape[depth:]), math.prod(indices.shape[:-1])
        pick = _block(build, 1, x.shape[:depth], row_strides(x.shape)[:depth], at(t_r=depth))
        copy = Copy(build.output(), build.input(0), x.bytes)
        target, source = at(t_at=1, t_e=1), at(t_r=size, t_e=1)
        if build.node.attrs.reduction == "none":
            each = copy_strided(build, build.input(2), build.output(), x.dtype, (size,), ((1,), (1,)),
                                (at(t_r=size), at(t_at=1)))
        else:
            result = build.output().buffer
            before, value = combined(build.node.attrs.reduction, x.dtype, load(result, target, x.dtype),
                                     load(build.input(2).buffer, source, x.dtype))
            each = (For("t_e", size, (*before, store(result, target, x.dtype, value))),)
        return Lowered((copy, *((For("t_r", rows, (*pick, *each)),) if updates.elements else ())))


@KERNELS.add
class TensorScatterLoops(_Indexed):
    """Copies the cache, then the update's slices into it; a place is bounded or, in a ring, wraps."""

    ops = ("TensorScatter",)

    def lower(self, build: Builder) -> Lowered:
        a, x, updates = build.node.attrs, build.type(0), build.type(1)
        size, steps, inner = x.shape[a.axis], updates.shape[a.axis], math.prod(x.shape[a.axis + 1:])
        between = math.prod(x.shape[1:a.axis])
        copy = Copy(build.output(), build.input(0), x.bytes)
        first: tuple[Stmt, ...] = (whole("t_w", "0"),)
        if build.has(2):
            last = size if a.circular else size - steps + 1
            first = (*index_of(build, 2, at(t_b=1), last, "t_w", from_end=False),)
        place: tuple[Stmt, ...] = (whole("t_p", "t_w + t_s", mutable=a.circular),)
        if a.circular:
            place += (put("t_p", f"t_p >= {size} ? t_p - {size} : t_p"),)
        start = (at(t_b=between * steps * inner, t_m=steps * inner, t_s=inner),
                 at(t_b=between * size * inner, t_m=size * inner, t_p=inner))
        each = copy_strided(build, build.input(1), build.output(), x.dtype, (inner,), ((1,), (1,)), start)
        body: tuple[Stmt, ...] = (For("t_m", between, (For("t_s", steps, (*place, *each)),)),)
        return Lowered((copy, For("t_b", x.shape[0], (*first, *body))))
