# SPDX-License-Identifier: Apache-2.0
"""Takes the Mul by a constant of one value a channel into the weights of the Conv or Gemm before it.

Gemm's alpha is such a Mul, and BatchNormalization a Mul and an Add (see fold_batch_norm).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ops.registry import operator
from tinyc.passes.constants import float_data, is_constant, scaled
from tinyc.passes.fuse_bias import channel_constant


def fold_scale(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for node in graph.nodes():
        if node.op == "Mul" and not node.integer:
            _fold(editor, node)
    return editor.done()


def _fold(editor: Editor, node: Node) -> None:
    view = editor.view()
    for mine, other in ((0, 1), (1, 0)):
        result, operand = node.inputs[mine], node.inputs[other]
        source = view.producer(result)
        if source is None or not channel_constant(view, source, node, result, operand):
            continue
        factors = np.asarray(float_data(view, operand), np.float64).reshape(-1)
        inputs = list(source.inputs)
        for index in (1, operator(source.op).bias_operand):
            if index is None or index >= len(inputs) or not inputs[index]:
                continue
            changed = scaled(editor, inputs[index], factors) if is_constant(view, inputs[index]) else None
            if changed is None:
                return
            inputs[index] = changed
        editor.remove(node)
        editor.replace(
            source,
            replace(
                source,
                attrs=replace(source.attrs, clamp=node.attrs.clamp),
                inputs=tuple(inputs),
                outputs=node.outputs,
            ),
        )
        editor.remove_value(result)
        return
