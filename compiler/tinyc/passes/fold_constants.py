# SPDX-License-Identifier: Apache-2.0
"""Evaluates operators whose operands are all constants.

DequantizeLinear of a constant is left alone while `keep_dequantize` holds: such weights belong to
the integer operators that a later pass makes. What it left is folded to float afterwards. Element-wise operators on
such weights alone (those of a BatchNormalization, say) are evaluated: no integer operator is made of them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyc.ir.evaluate import evaluate_node
from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ops.registry import array, operator
from tinyc.passes.constants import float_data, is_constant


def fold_constants(graph: Graph[Any], keep_dequantize: bool = True) -> Graph[Any]:
    editor = Editor(graph)
    for node in graph.nodes():
        view = editor.view()
        values = [view.value(i) if i else None for i in node.inputs]
        if not node.inputs:
            continue
        if any(v is not None and v.data is None for v in values):
            if keep_dequantize and operator(node.op).elementwise and _of_constants(view, node):
                _fold_real(editor, node)
            continue
        if keep_dequantize and node.op == "DequantizeLinear":
            continue
        results = evaluate_node(view, node, {v.name: array(v.data) for v in values if v is not None})
        editor.remove(node)
        for name, result in results.items():
            editor.set_value(replace(view.value(name), data=result))
    return editor.done()


def _of_constants(graph: Graph[Any], node: Node) -> bool:
    """Whether a float operator reads nothing but constants, some of them behind DequantizeLinear."""
    if node.op in ("QuantizeLinear", "DequantizeLinear") or node.integer or not all(node.inputs):
        return False
    return all(is_constant(graph, i) for i in node.inputs)


def _fold_real(editor: Editor, node: Node) -> None:
    view = editor.view()
    arrays = [float_data(view, i) for i in node.inputs]
    results = operator(node.op).evaluate(node, arrays, view.output_types(node))
    editor.remove(node)
    for name, result in zip([o for o in node.outputs if o], results, strict=True):
        editor.set_value(replace(view.value(name), data=result))
