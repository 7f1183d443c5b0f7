# SPDX-License-Identifier: Apache-2.0
"""Transposes the integers of DequantizeLinear(constant) instead of the real numbers behind it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyc.ir.graph import Editor, Graph
from tinyc.passes.constants import dequantize_of_constant, rearrange


def constant_views(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for node in graph.nodes():
        if node.op != "Transpose" or dequantize_of_constant(editor.view(), node.inputs[0]) is None:
            continue
        perm: tuple[int, ...] = node.attrs.perm
        moved = rearrange(editor, node.inputs[0], lambda a, p=perm: np.ascontiguousarray(a.transpose(p)),  # type: ignore[misc]
                          lambda axis, p=perm: p.index(axis))  # type: ignore[misc]
        if node.outputs[0] in editor.outputs:
            continue
        editor.remove(node)
        editor.redirect(node.outputs[0], moved)
    return editor.done()
