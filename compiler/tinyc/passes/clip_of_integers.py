# SPDX-License-Identifier: Apache-2.0
"""A Clip of what QuantizeLinear gives moves in front of it, as a Clip of real numbers.

PyTorch writes quantization to 7 bits so: QuantizeLinear to uint8, Clip from 0 to 127. The bounds are multiples of the
scale, so that nothing is rounded otherwise.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ops.clip import ClipAttrs


def clip_of_integers(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for original in graph.nodes():
        if original.op != "Clip":
            continue
        view = editor.view()
        node = view.node(original.name)
        source = view.producer(node.inputs[0])
        if source is None or source.op != "QuantizeLinear" or view.sole_consumer(node.inputs[0]) is None:
            continue
        if source.attrs.quant.per_tensor and view.type(source.inputs[0]).dtype.is_float:
            _swap(editor, source, node)
    return editor.done()


def _swap(editor: Editor, source: Node, node: Node) -> None:
    view = editor.view()
    scale, zero = source.attrs.quant.scale[0], source.attrs.quant.zero_point[0]
    least, most = source.attrs.dtype.limits
    low, high = max(node.attrs.low, least), min(node.attrs.high, most)
    attrs = ClipAttrs(-math.inf if low == least else (low - zero) * scale,
                      math.inf if high == most else (high - zero) * scale)
    real = source.inputs[0]
    if view.producer(real) is None:
        # A graph input is quantized first, so that the Clip has an integer form.
        back = editor.temp(f"{node.outputs[0]}.back", view.type(real))
        quantized = editor.temp(f"{node.outputs[0]}.first", view.type(source.outputs[0]))
        editor.add(replace(source, name=editor.fresh(f"{source.name}.first"), outputs=(quantized,)))
        editor.add(replace(source, name=editor.fresh(f"{source.name}.back"), op="DequantizeLinear", inputs=(quantized,),
                           outputs=(back,)))
        real = back
    bounded = editor.temp(f"{node.outputs[0]}.real", view.type(real))
    type_ = view.type(source.outputs[0])
    editor.remove(source)
    editor.remove(node)
    editor.remove_value(source.outputs[0])
    editor.add(replace(node, attrs=attrs, inputs=(real,), outputs=(bounded,)))
    result = view.value(node.outputs[0])
    editor.set_value(replace(result, type=type_))
    editor.add(replace(source, inputs=(bounded,), outputs=node.outputs))
