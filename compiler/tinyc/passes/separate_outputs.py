# SPDX-License-Identifier: Apache-2.0
"""Gives each graph output bytes of its own: no input, constant or other output, nor a view of one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyc.ir.graph import Editor, Graph
from tinyc.ops.registry import operator


def separate_outputs(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    owned: set[str] = set()
    for index, output in enumerate(graph.outputs):
        root = _root(editor.view(), output)
        value = editor.view().value(root)
        if editor.view().producer(root) is None or value.is_const or root in owned:
            _copy(editor, index, output)
            root = editor.outputs[index]
        owned.add(root)
    return editor.done()


def _root(graph: Graph[Any], value: str) -> str:
    """The value whose bytes this one shows."""
    producer = graph.producer(value)
    while producer is not None and operator(producer.op).is_view:
        value = producer.inputs[0]
        producer = graph.producer(value)
    return value


def _copy(editor: Editor, index: int, output: str) -> None:
    """An Identity behind the value. Its result takes the value's name where that is free to change."""
    view = editor.view()
    name = output
    if output in view.inputs or output in editor.outputs[:index]:
        name = editor.fresh(output)
        source = output
    else:
        others = editor.outputs
        source = editor.fresh(f"{output}.value")
        editor.rename_values({output: source})
        editor.outputs = others
    editor.set_value(replace(view.value(source), name=name, data=None))
    editor.outputs = tuple(name if i == index else o for i, o in enumerate(editor.outputs))
    editor.copy_to(source, name)
