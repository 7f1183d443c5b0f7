# SPDX-License-Identifier: Apache-2.0
"""DequantizeLinear -> operator -> QuantizeLinear becomes the operator's integer form.

Which operators have one, and for which types, is the operators' own knowledge
(`Operator.integer_obstacle`); this pass only matches the pattern. Operators that keep their operand's
scale (pooling, Reshape, ...) get a Requantize behind them where the model asks for another one. What
cannot be matched stays float between its DequantizeLinear and QuantizeLinear.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Editor, Graph, NoAttrs, Node, Value
from tinyc.ir.types import DType, TensorType
from tinyc.ops.registry import operator
from tinyc.passes.constants import dequantize_of_constant, float_data, is_constant

WEIGHTED = ("Conv", "Gemm")


def qdq_to_integer(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for node in graph.nodes():
        if node.op in ("DequantizeLinear", "QuantizeLinear") or node.integer or len(node.outputs) != 1:
            continue
        _convert(editor, editor.view().node(node.name))
    return editor.done()


def quantize_after(graph: Graph[Any], value: str) -> list[Node]:
    """The QuantizeLinear nodes that read a value, if nothing else does and they agree; else []."""
    readers = graph.consumers(value)
    if not readers or value in graph.outputs:
        return []
    if any(r.op != "QuantizeLinear" or r.attrs != readers[0].attrs for r in readers):
        return []
    return readers


def stored(graph: Graph[Any], value: str) -> tuple[str, TensorType] | None:
    """The integers behind DequantizeLinear and their type with its Quant; None if there are none."""
    node = graph.producer(value)
    if node is None or node.op != "DequantizeLinear":
        return None
    source = node.inputs[0]
    return source, replace(graph.type(source), quant=node.attrs.quant)


def integer_types(graph: Graph[Any], node: Node) -> tuple[list[TensorType | None], TensorType] | str:
    """Operand and result types of the node's integer form, or why there is none."""
    after = quantize_after(graph, node.outputs[0])
    if not after:
        return "its result is not quantized"
    output = replace(graph.type(node.outputs[0]), dtype=after[0].attrs.dtype, quant=after[0].attrs.quant)
    types: list[TensorType | None] = []
    for index, name in enumerate(node.inputs):
        pair = stored(graph, name) if name else None
        if name and node.op in WEIGHTED and index == 2:
            if not is_constant(graph, name):
                return "its bias is not a constant"
            types.append(TensorType(DType.INT32, graph.type(name).shape))
        elif name and pair is None:
            return f"operand {name!r} is not quantized"
        else:
            types.append(pair[1] if pair else None)
    kind = operator(node.op)
    result = replace(output, quant=types[0].quant) if kind.keeps_quant and types[0] else output
    obstacle = kind.integer_obstacle(node, types, result)
    return obstacle if obstacle else (types, output)


def _convert(editor: Editor, node: Node) -> None:
    view = editor.view()
    found = integer_types(view, node)
    if isinstance(found, str):
        return
    types, output = found
    kind = operator(node.op)
    inputs = []
    for index, (name, type_) in enumerate(zip(node.inputs, types, strict=True)):
        if type_ is None:
            inputs.append("")
        elif node.op in WEIGHTED and index == 2:
            inputs.append(_bias(editor, view, node, types, name))
        else:
            pair = stored(view, name)
            assert pair is not None
            inputs.append(_with_quant(editor, pair[0], type_))
    quantizers = quantize_after(view, node.outputs[0])
    keep = quantizers[0].outputs[0]
    result = replace(output, quant=types[0].quant) if kind.keeps_quant and types[0] else output
    for other in quantizers[1:]:
        editor.remove(other)
        editor.redirect(other.outputs[0], keep)
        editor.remove_value(other.outputs[0])
    editor.remove(quantizers[0])
    editor.remove(node)
    editor.remove_value(node.outputs[0])
    editor.set_value(Value(keep, output))
    if result.quant == output.quant:
        editor.add(replace(node, inputs=tuple(inputs), outputs=(keep,), integer=True))
        return
    middle = editor.temp(f"{node.name}.scaled", result)
    editor.add(replace(node, inputs=tuple(inputs), outputs=(middle,), integer=True))
    editor.add(Node(editor.fresh(f"{node.name}.requantize"), "Requantize", NoAttrs(), (middle,), (keep,),
                    True, node.position))


def _with_quant(editor: Editor, name: str, type_: TensorType) -> str:
    """The stored value, marked with its scale. Readers that disagree on it get a value of their own."""
    value = editor.view().value(name)
    if value.type.quant is None:
        editor.set_value(replace(value, type=type_))
        return name
    if value.type.quant == type_.quant or value.data is None:
        return name
    return editor.const(name, value.data, type_)


def _bias(editor: Editor, view: Graph[Any], node: Node, types: list[TensorType | None], name: str) -> str:
    """The bias as int32 at scale in*w: as stored where it has that scale, else quantized anew."""
    x, w = types[0], types[1]
    assert x is not None and w is not None and x.quant is not None and w.quant is not None
    scale = np.array(x.quant.scale[0], np.float64) * np.array(w.quant.scale, np.float64)
    source = dequantize_of_constant(view, name)
    if source is not None and not any(source.attrs.quant.zero_point):
        data = view.data(source.inputs[0])
        have = np.broadcast_to(np.array(source.attrs.quant.scale, np.float64), data.shape)
        if data.dtype == np.int32 and np.allclose(have, np.broadcast_to(scale, data.shape), rtol=1e-4, atol=0):
            return source.inputs[0]
    real = float_data(view, name).astype(np.float64)
    steps = np.clip(np.rint(real / scale), -(2.0**31), 2.0**31 - 1).astype(np.int32)
    return editor.const(f"{node.name}.bias", steps, TensorType(DType.INT32, tuple(steps.shape)))
