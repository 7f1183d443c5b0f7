# SPDX-License-Identifier: Apache-2.0
"""Writes scales where only the model's DequantizeLinear said them: on inputs, through views and copies.

int8 values that an operator merely moves then count as quantized, and the operator as integer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyc.ir.graph import Editor, Graph
from tinyc.ir.types import DType, Quant
from tinyc.ops.registry import operator


def propagate_quant(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for node in reversed(graph.nodes()):  # from readers back to the graph's inputs
        if node.op == "DequantizeLinear":
            _mark(editor, node.inputs[0], node.attrs.quant)
        elif node.inputs and node.inputs[0] and not operator(node.op).shares_quant:
            _mark(editor, node.inputs[0], operator(node.op).quant_across(editor.view().type(node.outputs[0])))
    for node in graph.nodes():
        if node.integer or not node.inputs or not node.inputs[0]:
            continue
        kind, view = operator(node.op), editor.view()
        source = view.type(node.inputs[0])
        _mark(editor, node.outputs[0], kind.quant_across(source))
        result = editor.view().type(node.outputs[0])
        same = source.quant is not None and source.quant.per_tensor and result.quant == source.quant
        if kind.keeps_quant and same and source.dtype is result.dtype is DType.INT8 and source.quant:
            editor.replace(node, kind.as_integer(node, source.quant))
    return editor.done()


def _mark(editor: Editor, name: str, quant: Quant | None) -> None:
    value = editor.view().value(name)
    if quant is not None and value.type.quant is None and value.type.dtype.is_integer:
        editor.set_value(replace(value, type=replace(value.type, quant=quant)))
