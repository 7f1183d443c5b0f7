# SPDX-License-Identifier: Apache-2.0
"""Rewrites operators that slide a window to channels-last, between a pair of Transposes.

Which these are, their attributes say (`channels_last`). One spatial axis becomes two, of which the
first has extent 1. Windows of three and more axes stay as they are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.passes.transposes import insert_reshape, insert_transpose

TO_LAST, TO_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
WEIGHTS = 1


def channels_last(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for node in graph.nodes():
        if getattr(node.attrs, "channels_last", True):
            continue
        weights = [graph.value(i) for i in node.inputs[WEIGHTS : WEIGHTS + 1] if i]
        if any(w.data is None for w in weights):
            continue
        if graph.type(node.inputs[0]).rank == 3:
            node = _widen(editor, node)
        if editor.view().type(node.inputs[0]).rank == 4:
            _convert(editor, node)
    return editor.done()


def _weights(editor: Editor, node: Node, change: Any) -> tuple[str, ...]:
    """The node's operands with its weights, if it has any, rearranged."""
    if len(node.inputs) <= WEIGHTS:
        return node.inputs
    value = editor.view().value(node.inputs[WEIGHTS])
    array = np.ascontiguousarray(change(value.data))
    moved = editor.const(value.name, array, value.type.with_shape(tuple(array.shape)))
    return (node.inputs[0], moved, *node.inputs[WEIGHTS + 1 :])


def _widen(editor: Editor, node: Node) -> Node:
    """A one-dimensional window as a two-dimensional one of height 1, between Reshapes."""
    view, a = editor.view(), node.attrs
    n, c, length = view.type(node.inputs[0]).shape
    source = insert_reshape(editor, node, node.inputs[0], (n, c, 1, length))
    wide: dict[str, Any] = {
        "strides": (1, *a.strides),
        "dilations": (1, *a.dilations),
        "pads": (0, a.pads[0], 0, a.pads[1]),
    }
    if hasattr(a, "kernel"):
        wide["kernel"] = (1, *a.kernel)
    inputs = _weights(editor, node, lambda w: w[:, :, None, :])
    output = view.type(node.outputs[0])
    inner = editor.temp(f"{node.outputs[0]}.wide", output.with_shape((*output.shape[:2], 1, output.shape[2])))
    new = editor.replace(
        node, replace(node, attrs=replace(a, **wide), inputs=(source, *inputs[1:]), outputs=(inner,))
    )
    insert_reshape(editor, node, inner, output.shape, node.outputs[0])
    return new


def _convert(editor: Editor, node: Node) -> None:
    source = insert_transpose(editor, node, node.inputs[0], TO_LAST)
    inputs = _weights(editor, node, lambda w: w.transpose(TO_LAST))
    output = node.outputs[0]
    type_ = editor.view().type(output)
    inner = editor.temp(f"{output}.nhwc", type_.with_shape(tuple(type_.shape[p] for p in TO_LAST)))
    editor.replace(
        node,
        replace(
            node,
            attrs=replace(node.attrs, channels_last=True),
            inputs=(source, *inputs[1:]),
            outputs=(inner,),
        ),
    )
    insert_transpose(editor, node, inner, TO_FIRST, output)
