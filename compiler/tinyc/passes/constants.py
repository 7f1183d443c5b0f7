# SPDX-License-Identifier: Apache-2.0
"""Constants as passes see them: an array, or an integer array behind DequantizeLinear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ir.types import Array, DType, TensorType


def dequantize_of_constant(graph: Graph[Any], value: str) -> Node | None:
    """The DequantizeLinear node that makes this value from a constant, if one does."""
    node = graph.producer(value)
    if node is None or node.op != "DequantizeLinear" or not graph.value(node.inputs[0]).is_const:
        return None
    return node


def is_constant(graph: Graph[Any], value: str) -> bool:
    return graph.value(value).is_const or dequantize_of_constant(graph, value) is not None


def float_data(graph: Graph[Any], value: str) -> Array:
    """The real numbers of a constant, dequantized where it is stored as integers."""
    data = graph.value(value).data
    if data is not None:
        return data
    node = dequantize_of_constant(graph, value)
    assert node is not None
    from tinyc.ops.registry import operator  # the registry imports the IR; passes are above both

    return operator("DequantizeLinear").evaluate(node, [graph.data(node.inputs[0])], [graph.type(value)])[0]


def rearrange(
    editor: Editor, value: str, change: Callable[[Array], Array], axis: Callable[[int], int]
) -> str:
    """A constant with its elements rearranged; `axis` maps the quantization axis."""
    view = editor.view()
    data = view.value(value).data
    if data is not None:
        array = change(data)
        return editor.const(value, array, TensorType(DType.of(array), tuple(array.shape)))
    node = dequantize_of_constant(view, value)
    assert node is not None
    array = change(view.data(node.inputs[0]))
    stored = editor.const(node.inputs[0], array, TensorType(DType.of(array), tuple(array.shape)))
    quant = node.attrs.quant
    if quant.axis is not None:
        quant = quant.with_axis(axis(quant.axis))
    result = editor.temp(value, TensorType(DType.FLOAT32, tuple(array.shape)))
    editor.add(replace(node, name=editor.fresh(node.name), attrs=replace(node.attrs, quant=quant),
                       inputs=(stored,), outputs=(result,)))
    return result
