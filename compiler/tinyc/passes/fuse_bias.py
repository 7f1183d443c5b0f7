# SPDX-License-Identifier: Apache-2.0
"""Takes the Add of a constant of one value a channel into the bias of the Conv or Gemm before it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ir.types import TensorType
from tinyc.ops.registry import operator
from tinyc.passes.constants import float_data, is_constant, rearrange


def fuse_bias(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for node in graph.nodes():
        if node.op != "Add" or node.integer:
            continue
        view = editor.view()
        for mine, other in ((0, 1), (1, 0)):
            result, addend = node.inputs[mine], node.inputs[other]
            source = view.producer(result)
            if source is not None and channel_constant(view, source, node, result, addend):
                _fuse(editor, source, node, result, addend)
                break
    return editor.done()


def channel_constant(graph: Graph[Any], source: Node, node: Node, result: str, operand: str) -> bool:
    """Whether `node` joins `result`, which only it reads and a float Conv or Gemm (`source`, without
    clamp) makes, with a constant of one value a channel or one in all."""
    if operator(source.op).bias_operand is None or source.integer or source.attrs.clamp is not None:
        return False
    if graph.sole_consumer(result) is None or not is_constant(graph, operand):
        return False
    if graph.type(node.outputs[0]).shape != graph.type(result).shape:
        return False
    channels, rank = graph.type(source.inputs[1]).shape[0], graph.type(result).rank
    shape = graph.type(operand).shape
    axis = rank - 1 if source.op == "Gemm" or source.attrs.channels_last else 1
    padded = (1,) * (rank - len(shape)) + shape
    elements = graph.type(operand).elements
    return elements == 1 or (elements == channels and padded[axis] == channels)


def _fuse(editor: Editor, source: Node, node: Node, result: str, addend: str) -> None:
    view = editor.view()
    width = view.type(source.inputs[1]).shape[0]
    old = source.inputs[2] if len(source.inputs) > 2 else ""
    if old and not is_constant(view, old):
        return
    if not old and view.type(addend).elements == width:
        bias = rearrange(editor, addend, lambda a: a.reshape(width), lambda axis: 0)
    else:
        total = np.broadcast_to(float_data(view, addend).reshape(-1), (width,)).astype(np.float64)
        if old:
            total = total + float_data(view, old)
        array = total.astype(view.type(result).dtype.numpy)
        bias = editor.const(f"{source.name}.bias", array, TensorType(view.type(result).dtype, (width,)))
    editor.remove(node)
    editor.replace(
        source,
        replace(
            source,
            attrs=replace(source.attrs, clamp=node.attrs.clamp),
            inputs=(*source.inputs[:2], bias),
            outputs=node.outputs,
        ),
    )
    editor.remove_value(result)
