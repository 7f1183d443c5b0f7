# SPDX-License-Identifier: Apache-2.0
"""Moves Transposes towards the outputs, through operators that let them pass, to where pairs cancel.

How an operator lets one pass is its own knowledge (`Operator.through_transpose`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ops.registry import operator
from tinyc.passes.remove_identities import simplify
from tinyc.passes.transposes import insert_reshape, insert_transpose, inverse, moves_only_ones


def sink_transposes(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    simplify(editor)
    while _sweep(editor):
        simplify(editor)
    return editor.done()


def _sweep(editor: Editor) -> bool:
    """Moves each Transpose behind the operator that reads it, once, in order of execution."""
    moved = False
    for original in editor.view().nodes():
        view = editor.view()
        if ("op", original.name) in editor.nx:
            moved |= _sink(editor, view.node(original.name))
    return moved


def _sink(editor: Editor, node: Node) -> bool:
    """node(Transpose(x)) becomes Transpose(node'(x)); whether it did."""
    view, kind = editor.view(), operator(node.op)
    if node.op == "Transpose" or len(node.outputs) != 1:
        return False
    layout = kind.layout_operands(node)
    perm = next(
        (
            p.attrs.perm
            for p in (view.producer(node.inputs[i]) for i in layout)
            if p is not None and p.op == "Transpose"
        ),
        None,
    )
    output = view.type(node.outputs[0])
    if perm is None or _grows_at_output(view, node):
        return False
    sunk = kind.through_transpose(node, perm, view.input_types(node), output)
    if sunk is None:
        return False
    plans = {i: _operand_plan(view, node.inputs[i], perm) for i in layout}
    if any(plan is None for plan in plans.values()):
        return False
    if "available" in plans.values() and _reads_transposed_input(view, node):
        return False  # it has just come from there
    inputs = list(node.inputs)
    for i, plan in plans.items():
        inputs[i] = _untransposed(editor, node, node.inputs[i], perm, plan)
    back = inverse(sunk.perm)
    quant = output.quant
    if quant is not None and quant.axis is not None:
        quant = quant.with_axis(sunk.perm[quant.axis])
    type_ = replace(output, shape=tuple(output.shape[b] for b in back), quant=quant)
    if back == tuple(range(len(back))):
        editor.replace(node, replace(node, attrs=sunk.attrs, inputs=tuple(inputs)))
        return True
    inner = editor.temp(f"{node.outputs[0]}.sunk", type_)
    editor.replace(node, replace(node, attrs=sunk.attrs, inputs=tuple(inputs), outputs=(inner,)))
    insert_transpose(editor, node, inner, sunk.perm, node.outputs[0])
    return True


def _grows_at_output(graph: Graph[Any], node: Node) -> bool:
    """Whether the Transpose would end up at a graph output, moving more bytes than before."""
    result = graph.type(node.outputs[0])
    return node.outputs[0] in graph.outputs and result.bytes > graph.type(node.inputs[0]).bytes


def _reads_transposed_input(graph: Graph[Any], node: Node) -> bool:
    """Whether an operand is the Transpose of a graph input."""
    producers = (graph.producer(name) for name in node.inputs if name)
    return any(p is not None and p.op == "Transpose" and p.inputs[0] in graph.inputs for p in producers)


def _operand_plan(graph: Graph[Any], name: str, perm: tuple[int, ...]) -> str | None:
    """How the operand can be had untransposed; None if it would need a Transpose of its own.

    "available": a graph input (a skip from it, say) that another operator reads so transposed.
    """
    value, producer = graph.value(name), graph.producer(name)
    if producer is not None and producer.op == "Transpose" and producer.attrs.perm == perm:
        return "transposed"
    if value.type.elements == 1 and value.type.rank <= 1:
        return "scalar"
    if value.data is not None and (value.type.quant is None or value.type.quant.per_tensor):
        return "constant" if value.type.rank <= len(perm) else None
    if value.type.rank <= len(perm):
        padded = (1,) * (len(perm) - value.type.rank) + value.type.shape
        if moves_only_ones(inverse(perm), padded):
            return "reshaped"
    if name in graph.inputs and _transposed_already(graph, name, inverse(perm)):
        return "available"
    return None


def _transposed_already(graph: Graph[Any], name: str, perm: tuple[int, ...]) -> str | None:
    """The result of a Transpose by `perm` that reads the value, if there is one."""
    readers = (r for r in graph.consumers(name) if r.op == "Transpose" and r.attrs.perm == perm)
    return next((r.outputs[0] for r in readers), None)


def _untransposed(editor: Editor, node: Node, name: str, perm: tuple[int, ...], plan: str | None) -> str:
    view = editor.view()
    value, producer = view.value(name), view.producer(name)
    if plan == "transposed" and producer is not None:
        return producer.inputs[0]
    if plan == "scalar":
        return name
    back = inverse(perm)
    available = _transposed_already(view, name, back)
    if plan == "available" and available is not None:
        return available
    padded = (1,) * (len(perm) - value.type.rank) + value.type.shape
    shape = tuple(padded[b] for b in back)
    if value.data is None:
        return insert_reshape(editor, node, name, shape)
    moved = np.ascontiguousarray(value.data.reshape(padded).transpose(back))
    return editor.const(name, moved, value.type.with_shape(shape))
