# SPDX-License-Identifier: Apache-2.0
"""Weights that reach a float Conv or Gemm as int8 behind DequantizeLinear become its operand as they are stored.

The node still computes on real numbers, which its weights' Quant gives. What this pass leaves is folded to float.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ir.types import DType
from tinyc.ops.registry import operator
from tinyc.passes.constants import dequantize_of_constant, is_constant

CONV_RANKS = (3, 4)  # that have kernels for stored weights


def stored_weights(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for node in graph.nodes():
        if takes_stored(graph, node):
            _store(editor, node)
    return editor.done()


def takes_stored(graph: Graph[Any], node: Node) -> bool:
    """Whether there are kernels for this node with weights stored as int8 and float32 activations."""
    if operator(node.op).stored_operand is None or node.integer or is_constant(graph, node.inputs[0]):
        return False
    x = graph.type(node.inputs[0])
    return x.dtype is DType.FLOAT32 and (node.op != "Conv" or x.rank in CONV_RANKS)


def _store(editor: Editor, node: Node) -> None:
    view, index = editor.view(), operator(node.op).stored_operand
    assert index is not None
    source = dequantize_of_constant(view, node.inputs[index])
    if source is None:
        return
    constant, quant = view.value(source.inputs[0]), source.attrs.quant
    if constant.type.dtype is not DType.INT8 or not (quant.per_tensor or quant.axis == 0):
        return
    assert constant.data is not None
    weights = editor.const(f"{node.name}.weights", constant.data, replace(constant.type, quant=quant))
    inputs = [weights if k == index else name for k, name in enumerate(node.inputs)]
    editor.replace(node, node.with_inputs(inputs))
