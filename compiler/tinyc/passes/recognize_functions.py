# SPDX-License-Identifier: Apache-2.0
"""Element-wise operators that together are a known function of one value (Gelu, HardSwish, ...) become that operator.

Found by value, not by pattern: whatever order an exporter writes factors in, the operators between a value and a
result are evaluated at sample points and compared with the table of functions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops import unary
from tinyc.ops.registry import operator
from tinyc.ops.unary import UnaryAttrs
from tinyc.passes.fuse_elementwise import fusible

SAMPLES = np.concatenate([np.linspace(-9.0, 9.0, 73), np.linspace(-0.3, 0.3, 7), [-1e30, -1e3, -40, 40, 1e3, 1e30]])
KNOWN: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("Gelu", ()), ("GeluTanh", ()), ("HardSwish", ()), ("Swish", (1.0,)), ("Mish", ()),
)
MOST = 16  # operators of one function
TOLERANCE = 1e-6  # of 1 and of the function's value


def recognize_functions(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for original in reversed(graph.nodes()):
        if ("op", original.name) not in editor.nx:
            continue
        view = editor.view()
        cone = _cone(view, view.node(original.name))
        for count in range(2, len(cone) + 1):
            found = _known(view, cone[:count])
            if found is not None:
                _replace(editor, cone[:count], *found)
                break
    return editor.done()


def _cone(graph: Graph[Any], last: Node) -> list[Node]:
    """The operators that only serve `last`, itself first, each behind those that read it."""
    if not _real(graph, last):
        return []
    names, cone = {last.name}, [last]
    shape = graph.type(last.outputs[0]).shape
    candidates = [last]
    while candidates and len(cone) < MOST:
        ready = []
        for value in dict.fromkeys(i for node in candidates for i in node.inputs):
            node = graph.producer(value)
            if node is None or node.name in names or value in graph.outputs or graph.type(value).shape != shape:
                continue
            if _real(graph, node) and all(r.name in names for r in graph.consumers(value)):
                ready.append(node)
        names |= {n.name for n in ready}
        cone += ready
        candidates = cone if ready else []
    return cone


def _real(graph: Graph[Any], node: Node) -> bool:
    return fusible(graph, node) and graph.type(node.outputs[0]).dtype in (DType.FLOAT32, DType.FLOAT64)


def _known(graph: Graph[Any], nodes: list[Node]) -> tuple[str, tuple[str, tuple[float, ...]]] | None:
    """(the value, the function of it) that the first of the nodes computes with the others, if there is one."""
    inside = {n.outputs[0] for n in nodes}
    leaves = {i for n in nodes for i in n.inputs} - inside
    numbers = {i: graph.data(i).reshape(-1).astype(np.float64) for i in leaves
               if graph.value(i).data is not None and graph.type(i).elements == 1}
    sources = leaves - set(numbers)
    if len(sources) != 1:
        return None
    source = sources.pop()
    if graph.type(source).shape != graph.type(nodes[0].outputs[0]).shape or not graph.type(source).dtype.is_float:
        return None
    with np.errstate(all="ignore"):
        result = _evaluate(graph, nodes, {source: SAMPLES, **numbers})
        if result is None:
            return None
        for op, parameters in KNOWN:
            want = unary.TABLE[op].function(SAMPLES, *parameters)
            if (np.abs(result - want) <= TOLERANCE * (1.0 + np.abs(want))).all():
                return source, (op, parameters)
    return None


def _evaluate(graph: Graph[Any], nodes: list[Node], known: dict[str, Array]) -> Array | None:
    for node in reversed(nodes):
        if any(i not in known for i in node.inputs):
            return None  # not in an order of execution: more of the cone is needed
        operands = [known[i] for i in node.inputs]
        of = graph.type(node.outputs[0]).dtype
        type_ = TensorType(DType.FLOAT64 if of.is_float else of, SAMPLES.shape)
        if node.op == "Cast":
            return None
        known[node.outputs[0]] = np.broadcast_to(operator(node.op).evaluate(node, operands, [type_])[0], SAMPLES.shape)
    return known[nodes[0].outputs[0]]


def _replace(editor: Editor, nodes: list[Node], source: str, function: tuple[str, tuple[float, ...]]) -> None:
    for node in nodes:
        editor.remove(node)
    for node in nodes[1:]:
        editor.remove_value(node.outputs[0])
    op, parameters = function
    editor.add(replace(nodes[0], op=op, attrs=UnaryAttrs(parameters), inputs=(source,)))
