# SPDX-License-Identifier: Apache-2.0
"""Changes the types of the graph's inputs and outputs, as --io-dtype asks.

int8 takes QuantizeLinear off inputs and DequantizeLinear off outputs; float32 puts them on quantized
ones. What is neither stays as it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyc.ir.graph import Editor, Graph, Node, Value
from tinyc.ir.types import DType, TensorType
from tinyc.ops.quantize_linear import QuantAttrs


def convert_io(graph: Graph[Any], io_dtype: str) -> Graph[Any]:
    if io_dtype == "int8":
        return _strip(graph)
    return _wrap(graph) if io_dtype == "float32" else graph


def _strip(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for name in graph.inputs:
        readers = graph.consumers(name)
        if not readers or name in graph.outputs:
            continue
        first = readers[0]
        if any(r.op != "QuantizeLinear" or r.attrs != first.attrs for r in readers):
            continue
        result = graph.value(first.outputs[0])
        for reader in readers:
            editor.remove(reader)
        editor.set_value(Value(name, result.type))
        for reader in readers:
            editor.redirect(reader.outputs[0], name)
            editor.remove_value(reader.outputs[0])
    for name in graph.outputs:
        node = editor.view().producer(name)
        if node is None or node.op != "DequantizeLinear" or editor.view().consumers(name):
            continue
        source = editor.view().value(node.inputs[0])
        if source.name in editor.inputs or source.name in editor.outputs or source.is_const:
            continue
        editor.remove(node)
        editor.outputs = tuple(source.name if o == name else o for o in editor.outputs)
        editor.remove_value(name)
        editor.rename_values({source.name: name})
    return editor.done()


def _quantized(type_: TensorType) -> bool:
    return type_.quant is not None and type_.quant.per_tensor and type_.dtype in (DType.INT8, DType.UINT8)


def _wrap(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for name in graph.inputs:
        value = graph.value(name)
        if not _quantized(value.type) or value.type.quant is None:
            continue
        inner = editor.temp(f"{name}.quantized", value.type)
        editor.redirect(name, inner)
        editor.set_value(replace(value, type=TensorType(DType.FLOAT32, value.type.shape)))
        editor.add(
            Node(
                editor.fresh(f"{name}.quantize"),
                "QuantizeLinear",
                QuantAttrs(value.type.quant, value.type.dtype),
                (name,),
                (inner,),
                False,
                -1,
            )
        )
    for name in graph.outputs:
        view = editor.view()
        type_ = view.type(name)
        node = view.producer(name)
        if node is None or not _quantized(type_) or type_.quant is None:
            continue
        inner = f"{editor.fresh(name)}.quantized"
        editor.rename_values({name: inner})
        editor.set_value(Value(name, TensorType(DType.FLOAT32, type_.shape)))
        editor.add(
            Node(
                editor.fresh(f"{name}.dequantize"),
                "DequantizeLinear",
                QuantAttrs(type_.quant, type_.dtype),
                (inner,),
                (name,),
                False,
                node.position,
            )
        )
        editor.outputs = tuple(name if o == inner else o for o in editor.outputs)
    return editor.done()
