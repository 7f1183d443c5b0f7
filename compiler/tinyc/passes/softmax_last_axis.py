# SPDX-License-Identifier: Apache-2.0
"""Puts Transposes around a Softmax whose axis is not the last one: kernels know only that one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyc.ir.graph import Editor, Graph
from tinyc.ops.softmax import SoftmaxAttrs
from tinyc.passes.transposes import insert_transpose


def softmax_last_axis(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for node in graph.nodes():
        if node.op != "Softmax":
            continue
        view = editor.view()
        output = view.type(node.outputs[0])
        last = output.rank - 1
        if node.attrs.axis == last:
            continue
        perm = list(range(output.rank))
        perm[node.attrs.axis], perm[last] = last, node.attrs.axis  # its own inverse
        source = insert_transpose(editor, node, node.inputs[0], tuple(perm))
        shape = tuple(output.shape[p] for p in perm)
        inner = editor.temp(f"{node.outputs[0]}.last", output.with_shape(shape))
        editor.replace(node, replace(node, attrs=SoftmaxAttrs(last), inputs=(source,), outputs=(inner,)))
        insert_transpose(editor, node, inner, tuple(perm), node.outputs[0])
    return editor.done()
