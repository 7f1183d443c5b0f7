# SPDX-License-Identifier: Apache-2.0
"""Float constants that meet quantized values in an operator whose result is quantized become int8 themselves.

Where the operator only chooses between its operands (Concat, Where, Max, Min) the constant gets the result's scale,
and the graph's QuantizeLinear would have rounded it in the same way. Elsewhere (Add, Sub, Mul, PRelu) it gets a scale
of its own, the largest magnitude divided by 127. A division by constants becomes a multiplication by reciprocals.
The filters of a ConvTranspose, for which the QOperator form has no operator, get a scale for each channel. Other layers
with float filters stay float: somebody has left them so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ir.types import Array, DType, Quant, TensorType
from tinyc.ops.quantize_linear import QuantAttrs
from tinyc.ops.registry import operator
from tinyc.passes.constants import float_data, is_constant
from tinyc.passes.qdq_to_integer import quantize_after, stored
from tinyc.quantize.numbers import quantize_linear

ARITHMETIC = ("Add", "Sub", "Mul", "PRelu")


def quantize_constants(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for original in graph.nodes():
        view = editor.view()
        node = view.node(original.name)
        if node.op == "ConvTranspose" and not node.integer:
            _quantize_filters(editor, node)
            continue
        shares = operator(node.op).shares_quant
        if node.integer or not (shares or node.op in (*ARITHMETIC, "Div")):
            continue
        after = quantize_after(view, node.outputs[0])
        if not after or after[0].attrs.dtype is not DType.INT8 or not after[0].attrs.quant.per_tensor:
            continue
        if _mixed(view, node):
            _quantize(editor, node, after[0].attrs.quant if shares else None)
    return editor.done()


def _quantize_filters(editor: Editor, node: Node) -> None:
    """Float filters [O,...] between a quantized input and a quantized result, symmetric and per channel."""
    view = editor.view()
    source, after = stored(view, node.inputs[0]), quantize_after(view, node.outputs[0])
    data = view.value(node.inputs[1]).data
    if source is None or not after or data is None or data.ndim < 2 or not data.size or not np.all(np.isfinite(data)):
        return
    if source[1].dtype is not DType.INT8 or after[0].attrs.dtype is not DType.INT8:
        return
    largest = np.abs(data.astype(np.float64)).reshape(data.shape[0], -1).max(1)
    scale = np.where(largest > 0, largest / 127.0, 1.0).astype(np.float32)
    steps = np.rint(data / scale.reshape(-1, *[1] * (data.ndim - 1)))
    quant = Quant(tuple(float(s) for s in scale), (0,) * len(scale), 0)
    inputs = (node.inputs[0], _constant(editor, node, np.clip(steps, -127, 127).astype(np.int8), quant))
    editor.replace(node, node.with_inputs((*inputs, *node.inputs[2:])))


def _mixed(graph: Graph[Any], node: Node) -> bool:
    """Whether there are float constants, and all else is quantized to int8."""
    plain = operator(node.op).plain_operands
    real = [i for k, i in enumerate(node.inputs) if i and k not in plain]
    varying = [i for i in real if not is_constant(graph, i)]
    if node.op == "Div" and (len(varying) != 1 or node.inputs[0] != varying[0]):
        return False
    pairs = [stored(graph, i) for i in varying]
    return bool(varying) and all(p is not None and p[1].dtype is DType.INT8 for p in pairs) and (
        node.op == "Div" or any(graph.value(i).is_const for i in real)
    )


def _quantize(editor: Editor, node: Node, quant: Quant | None) -> None:
    inputs = list(node.inputs)
    plain = operator(node.op).plain_operands
    op = "Mul" if node.op == "Div" else node.op
    for index, name in enumerate(node.inputs):
        view = editor.view()
        if index in plain or not name or not is_constant(view, name):
            continue
        if not view.value(name).is_const and node.op != "Div":
            continue
        data = float_data(view, name)
        if node.op == "Div":
            with np.errstate(all="ignore"):
                data = np.asarray(1.0 / data.astype(np.float64))
        if not np.all(np.isfinite(data)):
            return
        inputs[index] = _int8(editor, node, data, quant or _own(data))
    editor.replace(node, replace(node, op=op, inputs=tuple(inputs)))


def _own(data: Array) -> Quant:
    largest = float(np.abs(data).max(initial=0.0))
    return Quant((float(np.float32(largest / 127.0)) or 1.0,), (0,))


def _int8(editor: Editor, node: Node, data: Array, quant: Quant) -> str:
    """The constant as DequantizeLinear of int8."""
    steps = quantize_linear(data, quant.scale[0], quant.zero_point[0], -128, 127).astype(np.int8)
    return _constant(editor, node, steps, quant)


def _constant(editor: Editor, node: Node, steps: Array, quant: Quant) -> str:
    """DequantizeLinear of a new constant."""
    stem = f"{node.name}.constant"
    source = editor.const(stem, steps, TensorType(DType.INT8, steps.shape))
    result = editor.temp(f"{stem}.real", TensorType(DType.FLOAT32, steps.shape))
    attrs = QuantAttrs(quant, DType.INT8)
    editor.add(Node(editor.fresh(f"{stem}.dequantize"), "DequantizeLinear", attrs, (source,), (result,), False,
                    node.position))
    return result
