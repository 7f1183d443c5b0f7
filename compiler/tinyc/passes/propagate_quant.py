# SPDX-License-Identifier: Apache-2.0
"""Writes scales where only the model's DequantizeLinear said them: on inputs, through views and copies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyc.ir.graph import Editor, Graph
from tinyc.ops.registry import operator


def propagate_quant(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for node in reversed(graph.nodes()):  # from readers back to the graph's inputs
        view = editor.view()
        if node.op == "DequantizeLinear":
            quant = node.attrs.quant
        elif operator(node.op).keeps_quant and node.outputs[0]:
            quant = view.type(node.outputs[0]).quant
        else:
            continue
        if quant is None or not node.inputs[0]:
            continue
        value = view.value(node.inputs[0])
        movable = quant.per_tensor or node.op == "DequantizeLinear"
        if value.type.quant is None and value.type.dtype.is_integer and movable:
            editor.set_value(replace(value, type=replace(value.type, quant=quant)))
    for node in graph.nodes():
        view = editor.view()
        if not operator(node.op).keeps_quant or node.integer:
            continue
        source, result = view.value(node.inputs[0]), view.value(node.outputs[0])
        quant = source.type.quant
        if quant is not None and quant.per_tensor and source.type.dtype is result.type.dtype:
            if result.type.quant is None:
                result = editor.view().value(editor.set_value(replace(result, type=replace(result.type, quant=quant))))
            if result.type.quant == quant:
                editor.replace(node, replace(node, integer=True))
    return editor.done()
