# SPDX-License-Identifier: Apache-2.0
"""A node's statements for each row of its result, from the kernels for whole images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyc.backend.program import Stmt, Table
from tinyc.errors import TinycError
from tinyc.ir.graph import Graph, Node
from tinyc.kernels.base import KERNELS, Builder, Kernel, Options
from tinyc.kernels.choose import select
from tinyc.kernels.loops import copy_strided
from tinyc.kernels.row_form import AXIS, Geometry, RowForm, geometry, row_form, row_graph
from tinyc.kernels.row_pool import gather_rows, sums_type


def placeholder(value: str) -> str:
    """The buffer that stands for an operand's first line, or the result's row, until rows have places."""
    return f"@{value}"


@dataclass(frozen=True)
class RowCode:
    """A step by rows. variants: (limit, statements for the rows below it), over placeholders.

    in_place: operands of which one line is read, and on which the result's row may lie. sums_bytes: what a step that
    gathers keeps from row to row, in a buffer named `sums`.
    """

    node: Node
    form: RowForm
    kernel: str
    variants: tuple[tuple[int, tuple[Stmt, ...]], ...]
    scratch: str
    scratch_bytes: int
    in_place: frozenset[str]
    tables: tuple[Table, ...]
    sums: str = ""
    sums_bytes: int = 0


def row_code(graph: Graph[Any], node: Node, options: Options, prefix: str, kernel_name: str) -> RowCode | None:
    """How the node is computed by rows; None where that cannot be done. kernel_name: that of the whole image."""
    form = row_form(graph, node)
    if form is None:
        return None
    if form.gathers:
        return _gathering(graph, node, form, prefix)
    if form.interleaves:
        return _interleaving(graph, node, form, options, prefix)
    operand = next(i for i in node.inputs if i and not graph.value(i).is_const)
    height = graph.type(operand).shape[AXIS]
    made: dict[Geometry, Builder] = {}
    bodies: dict[Geometry, tuple[Stmt, ...]] = {}
    kernels, scratch = [], 0
    in_place: set[str] | None = None
    variants: list[tuple[int, tuple[Stmt, ...]]] = []
    previous: Geometry | None = None
    for row in range(form.rows):
        shape = geometry(form, height, row)
        if shape not in made:
            small, alone = row_graph(graph, node, shape)
            storage = {v: placeholder(v) for v in (*small.inputs, *small.outputs)}
            made[shape] = build = Builder(small, alone, storage, options, prefix)
            try:
                kernel = _same_kernel(small, alone, options, kernel_name) or select(small, alone, options)
                lowered = kernel.lower(build)
            except TinycError:
                return None
            if lowered.buffers or lowered.parts:
                return None
            kernels.append(kernel.name)
            bodies[shape] = lowered.body
            scratch = max(scratch, lowered.scratch_bytes)
            own = {node.inputs[i] for i, o, delta in lowered.overlaps if o == 0 and delta >= 0 and shape.lines == 1}
            in_place = own if in_place is None else in_place & own
        if shape == previous:
            variants[-1] = (row + 1, bodies[shape])
        else:
            variants.append((row + 1, bodies[shape]))
        previous = shape
    tables = _tables(made.values())
    if tables is None:
        return None
    return RowCode(node, form, kernels[0], tuple(variants), f"{prefix}.scratch", scratch, frozenset(in_place or ()),
                   tables)


def _same_kernel(graph: Graph[Any], node: Node, options: Options, name: str) -> Kernel | None:
    """The kernel of that name, if it applies to rows, too: its code is in the program anyway."""
    return next((k for k in KERNELS.candidates(node.op)
                 if k.name == name and k.obstacle(graph, node, options) is None), None)


def _gathering(graph: Graph[Any], node: Node, form: RowForm, prefix: str) -> RowCode:
    sums = f"{prefix}.sums"
    body = gather_rows(graph, node, placeholder(node.inputs[0]), sums, placeholder(node.outputs[0]))
    size = graph.type(node.outputs[0]).elements * sums_type(graph, node).size
    return RowCode(node, form, "rows", ((form.rows, body),), "", 0, frozenset(), (), sums, size)


def _interleaving(graph: Graph[Any], node: Node, form: RowForm, options: Options, prefix: str) -> RowCode:
    """A row of a channels-last image from channels-first planes."""
    _, channels, height, width = graph.type(node.inputs[0]).shape
    build = Builder(graph, node, {v: placeholder(v) for v in (*node.inputs, *node.outputs)}, options, prefix)
    steps = ((1, height * width), (channels, 1))
    body = copy_strided(build, build.input(0), build.output(), build.type(0).dtype, (width, channels), steps)
    return RowCode(node, form, "rows", ((form.rows, body),), "", 0, frozenset(), ())


def _tables(builds: Any) -> tuple[Table, ...] | None:
    """The constants of all rows; None where rows differ in them."""
    tables: dict[str, Table] = {}
    for build in builds:
        for table in build.tables:
            known = tables.setdefault(table.name, table)
            if not np.array_equal(known.array, table.array) or known.dtype is not table.dtype:
                return None
    return tuple(tables.values())
