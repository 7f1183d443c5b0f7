# SPDX-License-Identifier: Apache-2.0
"""Lets operators that only select elements (Reshape, MaxPool, Slice, ...) work on integers.

Where the model quantizes on one side only, DequantizeLinear moves behind the operator, or QuantizeLinear in front of it
(also where it reads a graph input). Both are exact, for quantization is monotonic and the same for every element, and
the neighbour on the other side then finds its operand or result quantized.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ops.registry import operator
from tinyc.passes.qdq_to_integer import quantize_after


def quantize_selection(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for node in graph.nodes():
        if _selects(node):
            _sink_dequantize(editor, editor.view().node(node.name))
    for node in reversed(graph.nodes()):
        if _selects(node):
            _hoist_quantize(editor, editor.view().node(node.name))
    return editor.done()


def _selects(node: Node) -> bool:
    return operator(node.op).selects and not node.integer and getattr(node.attrs, "clamp", None) is None


def _sink_dequantize(editor: Editor, node: Node) -> None:
    """op(DequantizeLinear(x)) becomes DequantizeLinear(op(x)) where its result is not quantized."""
    view = editor.view()
    source = view.producer(node.inputs[0])
    if source is None or source.op != "DequantizeLinear" or not source.attrs.quant.per_tensor:
        return
    output = node.outputs[0]
    if quantize_after(view, output):
        return
    stored = view.type(source.inputs[0])
    inner = editor.temp(f"{output}.stored", replace(view.type(output), dtype=stored.dtype, quant=None))
    editor.replace(node, replace(node, inputs=(source.inputs[0], *node.inputs[1:]), outputs=(inner,)))
    name = editor.fresh(f"{node.name}.dequantize")
    editor.add(replace(source, name=name, inputs=(inner,), outputs=(output,), position=node.position))


def _hoist_quantize(editor: Editor, node: Node) -> None:
    """QuantizeLinear(op(x)) becomes op(QuantizeLinear(x)) where x is not dequantized."""
    view = editor.view()
    source = view.producer(node.inputs[0])
    after = quantize_after(view, node.outputs[0])
    if source is None and node.inputs[0] not in view.inputs or source is not None and source.op == "DequantizeLinear":
        return
    if not after or not after[0].attrs.quant.per_tensor:
        return
    first = after[0]
    if len(after) > 1 and any(q.outputs[0] in editor.outputs for q in after):
        return
    stored = replace(view.type(node.inputs[0]), dtype=first.attrs.dtype, quant=None)
    inner = editor.temp(f"{node.inputs[0]}.stored", stored)
    name = editor.fresh(f"{node.name}.quantize")
    for quantizer in after:
        editor.remove(quantizer)
    for quantizer in after[1:]:
        editor.redirect(quantizer.outputs[0], first.outputs[0])
        editor.remove_value(quantizer.outputs[0])
    old = node.outputs[0]
    editor.replace(node, replace(node, inputs=(inner, *node.inputs[1:]), outputs=first.outputs))
    editor.remove_value(old)
    result = editor.view().value(first.outputs[0])
    editor.set_value(replace(result, type=replace(result.type, quant=None)))
    editor.add(
        replace(first, name=name, inputs=(node.inputs[0],), outputs=(inner,), position=node.position)
    )
