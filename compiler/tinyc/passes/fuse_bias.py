# SPDX-License-Identifier: Apache-2.0
"""Adds a constant vector to a Conv or Gemm without bias: the Add becomes the bias."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.passes.constants import is_constant, rearrange


def fuse_bias(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for node in graph.nodes():
        if node.op != "Add" or node.integer:
            continue
        view = editor.view()
        for mine, other in ((0, 1), (1, 0)):
            source = view.producer(node.inputs[mine])
            if source is not None and _fits(view, source, node, node.inputs[mine], node.inputs[other]):
                width = view.type(source.inputs[1]).shape[0]
                bias = rearrange(editor, node.inputs[other], lambda a, n=width: a.reshape(n), lambda axis: 0)  # type: ignore[misc]
                editor.remove(node)
                clamp = node.attrs.clamp
                attrs = replace(source.attrs, clamp=clamp) if clamp is not None else source.attrs
                editor.replace(source, replace(source, attrs=attrs, inputs=(*source.inputs[:2], bias),
                                               outputs=node.outputs))
                editor.remove_value(node.inputs[mine])
                break
    return editor.done()


def _fits(graph: Graph[Any], source: Node, add: Node, result: str, bias: str) -> bool:
    if source.op not in ("Conv", "Gemm") or source.integer or source.attrs.clamp is not None:
        return False
    if (len(source.inputs) > 2 and source.inputs[2]) or graph.sole_consumer(result) is None:
        return False
    if not is_constant(graph, bias) or graph.type(add.outputs[0]).shape != graph.type(result).shape:
        return False
    channels, shape, rank = graph.type(source.inputs[1]).shape[0], graph.type(bias).shape, graph.type(result).rank
    last = source.op == "Gemm" or source.attrs.channels_last
    axis = rank - 1 if last else 1
    padded = (1,) * (rank - len(shape)) + shape
    return graph.type(bias).elements == channels and padded[axis] == channels
