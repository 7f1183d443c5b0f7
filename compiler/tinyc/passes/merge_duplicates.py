# SPDX-License-Identifier: Apache-2.0
"""Merges operators that compute the same: the same operator of the same operands and attributes."""

from __future__ import annotations

from typing import Any

from tinyc.ir.graph import Editor, Graph


def merge_duplicates(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    seen: dict[tuple[Any, ...], str] = {}
    for original in graph.nodes():
        node = editor.view().node(original.name)  # its operands may have been merged
        if len(node.outputs) != 1:
            continue
        quant = editor.view().type(node.outputs[0]).quant
        key = (node.op, node.attrs, node.inputs, node.integer, quant)
        first = seen.setdefault(key, node.outputs[0])
        if first == node.outputs[0] or node.outputs[0] in editor.outputs:
            continue  # an output keeps its name
        editor.remove(node)
        editor.redirect(node.outputs[0], first)
        editor.remove_value(node.outputs[0])
    return editor.done()
