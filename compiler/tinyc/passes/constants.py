# SPDX-License-Identifier: Apache-2.0
"""Constants as passes see them: an array, or an integer array behind DequantizeLinear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ir.types import Array, DType, Quant, TensorType
from tinyc.ops.registry import operator


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
    editor.add(
        replace(
            node,
            name=editor.fresh(node.name),
            attrs=replace(node.attrs, quant=quant),
            inputs=(stored,),
            outputs=(result,),
        )
    )
    return result


def scaled(editor: Editor, value: str, factors: Array) -> str | None:
    """A constant whose slices along axis 0 are multiplied by `factors` (one, or one a slice).

    Integers behind a DequantizeLinear keep their values and get other scales; None where they cannot,
    because a factor is not positive or the scales lie along another axis.
    """
    view = editor.view()
    data = view.value(value).data
    if data is not None:
        shaped = factors.reshape(-1, *[1] * (data.ndim - 1)) if factors.size > 1 else factors.reshape(())
        array = np.asarray((data.astype(np.float64) * shaped).astype(data.dtype))
        return editor.const(value, array, TensorType(DType.of(array), tuple(array.shape)))
    node = dequantize_of_constant(view, value)
    if node is None or np.any(factors <= 0):
        return None
    quant: Quant = node.attrs.quant
    count = max(factors.size, len(quant.scale))
    if (count > 1 and quant.axis not in (None, 0)) or view.type(value).shape[0] != count != 1:
        return None
    scales = np.broadcast_to(np.array(quant.scale, np.float64) * factors.reshape(-1), count).astype(
        np.float32
    )
    zeros = quant.zero_point * count if len(quant.zero_point) == 1 else quant.zero_point
    changed = Quant(tuple(float(s) for s in scales), zeros, 0 if count > 1 else None)
    result = editor.temp(value, view.type(value))
    editor.add(
        replace(
            node, name=editor.fresh(node.name), attrs=replace(node.attrs, quant=changed), outputs=(result,)
        )
    )
    return result
