# SPDX-License-Identifier: Apache-2.0
"""Which nodes can be computed a row at a time, and the node that computes one row.

Rows are slices along axis 1 of rank-4 tensors: the lines of a channels-last image. A row of a convolution or a
pooling is that same operator on the few lines that its window covers, with padding where the window leaves the
image; so every kernel for whole images serves for rows as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ir.types import DType
from tinyc.ops.registry import operator
from tinyc.plan.rows import Window

AXIS = 1
MOST_VARIANTS = 16  # different geometries of one layer's rows, at the upper and lower edge


@dataclass(frozen=True)
class RowForm:
    """A node by rows: it runs `rows` times, and reads `window` of each operand that is no constant.

    `gathers`: it runs for each row of its operand and has its result after the last. `interleaves`: a row comes from
    a line of each plane of a channels-first image.
    """

    rows: int
    window: Window
    gathers: bool = False
    interleaves: bool = False


@dataclass(frozen=True)
class Geometry:
    """What distinguishes one row's computation from another's: lines of input that exist, and padding above."""

    lines: int
    above: int
    below: int


def row_form(graph: Graph[Any], node: Node) -> RowForm | None:
    """How the node is computed by rows; None where it cannot be, or not with a benefit."""
    if len(node.outputs) != 1 or not node.outputs[0]:
        return None
    y = graph.type(node.outputs[0])
    variables = [graph.type(i) for i in node.inputs if i and not graph.value(i).is_const]
    if y.rank != 4 or not variables or any(t.rank != 4 or t.shape[0] != 1 or 0 in t.shape for t in (*variables, y)):
        return None
    if any(t.dtype is DType.STRING for t in (*variables, y)):
        return None
    if node.op == "Transpose":
        interleaves = node.attrs.perm == (0, 2, 3, 1) and y.shape[AXIS] > 1
        return RowForm(y.shape[AXIS], Window(), interleaves=True) if interleaves else None
    form = _windowed(graph, node) if node.op in ("Conv", "AveragePool", "MaxPool") else _line_by_line(graph, node)
    if form is None or form.rows < 2:
        return None
    height = variables[0].shape[AXIS]
    kinds = {geometry(form, height, k) for k in range(form.rows)}
    return form if len(kinds) <= MOST_VARIANTS and all(k.lines > 0 for k in kinds) else None


def _line_by_line(graph: Graph[Any], node: Node) -> RowForm | None:
    """Operators whose row of the result depends on the same row of each operand only."""
    along_channels = node.op in ("Concat", "Softmax") and node.attrs.axis == 3
    if not operator(node.op).elementwise and not along_channels:
        return None
    rows = graph.type(node.outputs[0]).shape[AXIS]
    for name in node.inputs:
        if not name:
            continue
        value = graph.value(name)
        shape = (1,) * (4 - value.type.rank) + value.type.shape
        if shape[AXIS] != (1 if value.is_const else rows):
            return None
    return RowForm(rows, Window())


def _windowed(graph: Graph[Any], node: Node) -> RowForm | None:
    a = node.attrs
    if not a.channels_last or any(i and not graph.value(i).is_const for i in node.inputs[1:]):
        return None
    x, y = graph.type(node.inputs[0]), graph.type(node.outputs[0])
    size = graph.type(node.inputs[1]).shape[AXIS] if node.op == "Conv" else a.kernel[0]
    if node.op == "AveragePool":
        if a.count_include_pad and any(a.pads):
            return None
        plain = a.dilations == (1, 1) and not any(a.pads) and x.dtype in (DType.INT8, DType.FLOAT32)
        if plain and y.shape[AXIS] == 1 and size == x.shape[AXIS] and (node.integer or x.dtype.is_float):
            return RowForm(size, Window(), True)
    return RowForm(y.shape[AXIS], Window(a.strides[0], a.pads[0], (size - 1) * a.dilations[0] + 1))


def geometry(form: RowForm, height: int, row: int) -> Geometry:
    """Of one row of the result, from an operand of so many rows."""
    first = row * form.window.stride - form.window.pad
    low, high = form.window.rows(row, height)
    return Geometry(high - low, max(0, low - first), max(0, first + form.window.extent - high))


def row_graph(graph: Graph[Any], node: Node, shape: Geometry) -> tuple[Graph[Any], Node]:
    """A graph of this node alone, for one row of its result. Values keep their names."""
    editor = Editor(graph.name)
    for name in dict.fromkeys(i for i in node.inputs if i):
        value = graph.value(name)
        if not value.is_const:
            n, _, width, channels = value.type.shape
            value = replace(value, type=value.type.with_shape((n, shape.lines, width, channels)))
        editor.set_value(value)
    result = graph.value(node.outputs[0])
    n, _, width, channels = result.type.shape
    editor.set_value(replace(result, type=result.type.with_shape((n, 1, width, channels))))
    attrs = node.attrs
    if node.op in ("Conv", "AveragePool", "MaxPool"):
        attrs = replace(attrs, pads=(shape.above, attrs.pads[1], shape.below, attrs.pads[3]))
    editor.inputs = tuple(dict.fromkeys(i for i in node.inputs if i and not graph.value(i).is_const))
    editor.outputs = node.outputs
    row = editor.add(replace(node, attrs=attrs))
    return editor.done(), row
