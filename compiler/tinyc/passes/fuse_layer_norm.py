# SPDX-License-Identifier: Apache-2.0
"""LayerNormalization and RMSNormalization as older exporters decompose them.

(x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon), without the means for RMS, over trailing axes; then a factor and
a summand for each element of a row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ir.types import TensorType
from tinyc.ops.layer_norm import LayerNormAttrs
from tinyc.passes.constants import float_data, is_constant


@dataclass(frozen=True)
class Match:
    op: str
    x: str
    attrs: LayerNormAttrs
    nodes: tuple[Node, ...]  # the last one makes the result


def fuse_layer_norm(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for original in graph.nodes():
        if ("op", original.name) not in editor.nx:
            continue
        view = editor.view()
        node = view.node(original.name)
        found = match(view, node) if node.op in ("Div", "Mul") else None
        if found is not None:
            _replace(editor, found)
    return editor.done()


def _made_by(graph: Graph[Any], value: str, op: str) -> Node | None:
    node = graph.producer(value)
    clamped = node is not None and getattr(node.attrs, "clamp", None) is not None
    return None if node is None or node.op != op or node.integer or clamped else node


def _number(graph: Graph[Any], value: str) -> float | None:
    """The number where the value is a constant of one element."""
    data = graph.value(value).data
    return float(data.reshape(-1)[0]) if data is not None and data.size == 1 else None


def match(graph: Graph[Any], last: Node) -> Match | None:
    """The normalization whose division, or product with the reciprocal, is `last`."""
    if last.integer or last.attrs.clamp is not None or not graph.type(last.outputs[0]).dtype.is_float:
        return None
    for k in (0,) if last.op == "Div" else (0, 1):
        nodes = [last]
        root = last.inputs[1 - k]
        if last.op == "Mul":
            inverse = _reciprocal(graph, root)
            if inverse is None:
                continue
            nodes.append(inverse[0])
            root = inverse[1]
        found = _divided(graph, last.inputs[k], root, nodes)
        if found is not None and _closed(graph, found.nodes):
            return found
    return None


def _reciprocal(graph: Graph[Any], value: str) -> tuple[Node, str] | None:
    node = _made_by(graph, value, "Reciprocal")
    if node is not None:
        return node, node.inputs[0]
    node = _made_by(graph, value, "Div")
    return (node, node.inputs[1]) if node is not None and _number(graph, node.inputs[0]) == 1.0 else None


def _divided(graph: Graph[Any], centred: str, root: str, nodes: list[Node]) -> Match | None:
    """The normalization of `centred` by `root`."""
    sqrt = _made_by(graph, root, "Sqrt")
    added = _made_by(graph, sqrt.inputs[0], "Add") if sqrt is not None else None
    if sqrt is None or added is None:
        return None
    for k in (0, 1):
        epsilon, mean = _number(graph, added.inputs[1 - k]), _made_by(graph, added.inputs[k], "ReduceMean")
        square = _square_of(graph, mean.inputs[0], centred) if mean is not None else None
        if epsilon is None or mean is None or square is None:
            continue
        rank, axes = graph.type(centred).rank, mean.attrs.axes
        if not axes or not mean.attrs.keepdims or axes != tuple(range(rank - len(axes), rank)):
            return None
        nodes += [sqrt, added, mean, square]
        attrs = LayerNormAttrs(rank - len(axes), epsilon)
        less = _made_by(graph, centred, "Sub")
        middle = _made_by(graph, less.inputs[1], "ReduceMean") if less is not None else None
        if less is not None and middle is not None and (middle.attrs, middle.inputs[0]) == (mean.attrs, less.inputs[0]):
            return Match("LayerNormalization", less.inputs[0], attrs, (*nodes[1:], less, middle, nodes[0]))
        return Match("RMSNormalization", centred, attrs, (*nodes[1:], nodes[0]))
    return None


def _square_of(graph: Graph[Any], value: str, base: str) -> Node | None:
    node = _made_by(graph, value, "Pow")
    if node is not None and node.inputs[0] == base and _number(graph, node.inputs[1]) == 2.0:
        return node
    node = _made_by(graph, value, "Mul")
    return node if node is not None and node.inputs == (base, base) else None


def _closed(graph: Graph[Any], nodes: tuple[Node, ...]) -> bool:
    """Whether nobody else reads what the nodes before the last one make."""
    names = {n.name for n in nodes}
    return all(n.outputs[0] not in graph.outputs and all(r.name in names for r in graph.consumers(n.outputs[0]))
               for n in nodes[:-1])


def _replace(editor: Editor, found: Match) -> None:
    view = editor.view()
    x, last = view.type(found.x), found.nodes[-1]
    row = x.shape[found.attrs.axis:]
    operands, nodes = [found.x], list(found.nodes)
    for op in ("Mul", "Add"):
        after = view.sole_consumer(last.outputs[0])
        other = _row_constant(view, after, last.outputs[0], row) if after is not None and after.op == op else None
        if after is None or other is None or (op == "Add" and found.op == "RMSNormalization"):
            operands.append("")
            continue
        data = np.broadcast_to(float_data(view, other), row).reshape(-1).astype(x.dtype.numpy)
        operands.append(editor.const(f"{last.name}.{op}", np.ascontiguousarray(data), TensorType(x.dtype, data.shape)))
        nodes.append(after)
        last = after
    while not operands[-1]:
        operands.pop()
    for node in nodes:
        editor.remove(node)
    for node in nodes[:-1]:
        editor.remove_value(node.outputs[0])
    editor.add(replace(last, op=found.op, attrs=found.attrs, inputs=tuple(operands)))


def _row_constant(graph: Graph[Any], node: Node, value: str, row: tuple[int, ...]) -> str | None:
    """The other operand of a node, where it is a constant that is the same for every row."""
    if node.integer or node.attrs.clamp is not None or node.inputs.count(value) != 1:
        return None
    other = node.inputs[1 - node.inputs.index(value)]
    if not is_constant(graph, other) or graph.type(node.outputs[0]).shape != graph.type(value).shape:
        return None
    shape = graph.type(other).shape
    while len(shape) > len(row) and shape[0] == 1:
        shape = shape[1:]
    fits = len(shape) <= len(row) and shape == row[len(row) - len(shape):]
    return other if fits or graph.type(other).elements == 1 else None
