# SPDX-License-Identifier: Apache-2.0
"""Transposes and reshapes the integers of DequantizeLinear(constant), not the real numbers behind it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.passes.constants import dequantize_of_constant, rearrange


def constant_views(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for original in graph.nodes():
        node = editor.view().node(original.name)  # its operand may have been rearranged, too
        if node.outputs[0] in editor.outputs or node.op not in ("Transpose", "Reshape"):
            continue
        source = dequantize_of_constant(editor.view(), node.inputs[0])
        if source is None:
            continue
        if node.op == "Transpose":
            moved = _transposed(editor, node)
        elif source.attrs.quant.per_tensor:
            moved = _reshaped(editor, node)
        else:
            continue
        editor.remove(node)
        editor.redirect(node.outputs[0], moved)
        editor.remove_value(node.outputs[0])
    return editor.done()


def _transposed(editor: Editor, node: Node) -> str:
    perm: tuple[int, ...] = node.attrs.perm
    return rearrange(editor, node.inputs[0], lambda a: np.asarray(a.transpose(perm), order="C"), perm.index)


def _reshaped(editor: Editor, node: Node) -> str:
    return rearrange(editor, node.inputs[0], lambda a: a.reshape(node.attrs.shape), lambda axis: axis)
