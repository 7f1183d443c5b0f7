# SPDX-License-Identifier: Apache-2.0
"""Takes a Clip (ReLU, ReLU6) into the operator whose result it bounds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyc.ir.graph import Editor, Graph


def fuse_clamp(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for node in graph.nodes():
        if node.op != "Clip" or node.integer:
            continue
        view = editor.view()
        source = view.producer(node.inputs[0])
        if source is None or source.integer or not hasattr(source.attrs, "clamp"):
            continue
        if view.sole_consumer(node.inputs[0]) is None or not view.type(node.inputs[0]).dtype.is_float:
            continue
        low, high = node.attrs.low, node.attrs.high
        if low > high:
            low = high  # ONNX: where min exceeds max, everything becomes max
        if source.attrs.clamp is not None:
            first, last = source.attrs.clamp
            low, high = min(max(first, low), high), min(max(last, low), high)
        editor.remove(node)
        editor.replace(
            source, replace(source, attrs=replace(source.attrs, clamp=(low, high)), outputs=node.outputs)
        )
        editor.remove_value(node.inputs[0])
    return editor.done()
