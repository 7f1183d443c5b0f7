# SPDX-License-Identifier: Apache-2.0
"""Transpose, Reshape to rows, Gemm: the Gemm's columns are permuted instead (a CNN's flatten)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.passes.transposes import insert_reshape, inverse


def transpose_into_gemm(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for node in graph.nodes():
        if node.op == "Gemm":
            _absorb(editor, node)
    return editor.done()


def _absorb(editor: Editor, node: Node) -> None:
    view = editor.view()
    flat = view.producer(node.inputs[0])
    turn = view.producer(flat.inputs[0]) if flat is not None and flat.op == "Reshape" else None
    weights = view.value(node.inputs[1])
    if flat is None or turn is None or turn.op != "Transpose" or weights.data is None:
        return
    perm, shape = turn.attrs.perm, view.type(turn.outputs[0]).shape
    rows_type = view.type(flat.outputs[0])
    # The rows are the outermost axes, which the Transpose leaves in place.
    outer = next((i for i in range(len(shape)) if math.prod(shape[i:]) == rows_type.shape[-1]), None)
    if outer is None or perm[:outer] != tuple(range(outer)):
        return
    back = inverse(perm)
    columns = np.arange(rows_type.shape[-1]).reshape(shape[outer:])
    order = columns.transpose([b - outer for b in back[outer:]]).reshape(-1)
    moved = editor.const(weights.name, np.ascontiguousarray(weights.data[:, order]), weights.type)
    rows = insert_reshape(editor, flat, turn.inputs[0], rows_type.shape)
    editor.replace(node, node.with_inputs((rows, moved, *node.inputs[2:])))
