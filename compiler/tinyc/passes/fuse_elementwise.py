# SPDX-License-Identifier: Apache-2.0
"""Element-wise operators that feed each other become one Fused operator, whose loop stores only its result.

Taken are operators on plain numbers whose result only operators of the same group read, at the shape of the group's
result: nothing is computed twice. Several results, graph outputs and integer forms stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ir.types import DType
from tinyc.ops import elementwise, unary
from tinyc.ops.fused import FusedAttrs, FusedStep

OPS = frozenset({*unary.TABLE, *elementwise.TABLE, "Clip", "Where", "Cast"})
MAX_STEPS = 32
MAX_OPERANDS = 8


def fuse_elementwise(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for members in groups(graph):
        if len(members) > 1:
            _fuse(editor, graph, members)
    return editor.done()


def groups(graph: Graph[Any]) -> list[list[Node]]:
    """Operators to be fused, each group in order of execution; the last one makes the result."""
    order = graph.nodes()
    of: dict[str, list[Node]] = {}
    for node in reversed(order):
        if not fusible(graph, node):
            continue
        readers = {id(of.get(r.name)): of.get(r.name) for r in graph.consumers(node.outputs[0])}
        group = next(iter(readers.values())) if len(readers) == 1 else None
        if group is None or node.outputs[0] in graph.outputs or not _fits(graph, node, group):
            group = []
        group.append(node)
        of[node.name] = group
    found = {id(g): g for g in of.values()}
    return [g[::-1] for g in found.values()]


def fusible(graph: Graph[Any], node: Node) -> bool:
    """Whether the node computes plain numbers, element by element."""
    if node.op not in OPS or node.integer or len(node.outputs) != 1:
        return False
    types = [*graph.input_types(node), graph.type(node.outputs[0])]
    return all(t is not None and t.dtype is not DType.STRING and t.quant is None for t in types)


def _fits(graph: Graph[Any], node: Node, group: Sequence[Node]) -> bool:
    result = graph.type(group[0].outputs[0])
    own = graph.type(node.outputs[0])
    if own.shape != result.shape or len(group) >= MAX_STEPS:
        return False
    inside = {node.outputs[0], *(n.outputs[0] for n in group)}
    return len({i for n in (node, *group) for i in n.inputs} - inside) <= MAX_OPERANDS


def _fuse(editor: Editor, graph: Graph[Any], members: Sequence[Node]) -> None:
    inside = {n.outputs[0] for n in members}
    operands = tuple(dict.fromkeys(i for n in members for i in n.inputs if i not in inside))
    number = {name: k for k, name in enumerate((*operands, *(n.outputs[0] for n in members)))}
    steps = tuple(FusedStep(n.op, n.attrs, tuple(number[i] for i in n.inputs), graph.type(n.outputs[0]).dtype)
                  for n in members)
    last = members[-1]
    for node in members:
        editor.remove(node)
    for node in members[:-1]:
        editor.remove_value(node.outputs[0])
    editor.add(replace(last, op="Fused", attrs=FusedAttrs(steps), inputs=operands))
