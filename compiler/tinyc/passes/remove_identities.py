# SPDX-License-Identifier: Apache-2.0
"""Removes operators that change nothing and joins chains of Reshape and of Transpose.

Identity; Reshape to the same shape; Transpose by the identity; Reshape of Reshape; Transpose of
Transpose; a Transpose that moves only axes of extent 1 (it becomes a Reshape); an unbounded Clip.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ops.transpose import TransposeAttrs
from tinyc.ops.view import ReshapeAttrs
from tinyc.passes.transposes import moves_only_ones


def remove_identities(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    simplify(editor)
    return editor.done()


def simplify(editor: Editor) -> None:
    """Removes identities and joins chains until there is nothing left to do."""
    changed = True
    while changed:
        changed = False
        for original in editor.view().nodes():
            if ("op", original.name) in editor.nx:
                changed |= _simplify(editor, editor.view().node(original.name))


def _simplify(editor: Editor, node: Node) -> bool:
    view = editor.view()
    if node.op not in ("Reshape", "Transpose", "Clip", "Identity"):
        return False
    source = view.type(node.inputs[0])
    result = view.type(node.outputs[0])
    if _is_identity(node, source.shape) and source.quant == result.quant:
        return _bypass(editor, node)
    if node.op == "Transpose" and moves_only_ones(node.attrs.perm, source.shape):
        editor.replace(node, replace(node, op="Reshape", attrs=ReshapeAttrs(result.shape)))
        return True
    before = view.producer(node.inputs[0])
    if before is None or before.op != node.op or before.integer != node.integer or node.op == "Clip":
        return False
    attrs = node.attrs
    if node.op == "Transpose":
        attrs = TransposeAttrs(tuple(before.attrs.perm[p] for p in node.attrs.perm))
    editor.replace(node, replace(node, attrs=attrs, inputs=before.inputs))
    if not editor.view().consumers(before.outputs[0]) and before.outputs[0] not in editor.outputs:
        editor.remove(before)
        editor.remove_value(before.outputs[0])
    return True


def _is_identity(node: Node, shape: tuple[int, ...]) -> bool:
    if node.op == "Identity":
        return True
    if node.op == "Reshape":
        return bool(node.attrs.shape == shape)
    if node.op == "Transpose":
        return bool(node.attrs.perm == tuple(range(len(shape))))
    return bool(node.attrs.low == -math.inf and node.attrs.high == math.inf)


def _bypass(editor: Editor, node: Node) -> bool:
    """Makes readers of the node's output read its input. A graph output keeps its name."""
    source, output = node.inputs[0], node.outputs[0]
    view = editor.view()
    if output in view.outputs:
        producer = view.producer(source)
        if producer is None or source in view.outputs:
            return False  # an output that is an input, a constant or another output stays a copy
        editor.remove(node)
        editor.redirect(output, source)
        editor.remove_value(output)
        editor.rename_values({source: output})
        return True
    editor.remove(node)
    editor.redirect(output, source)
    editor.remove_value(output)
    return True
