# SPDX-License-Identifier: Apache-2.0
"""A quantized value times constants plus constants, one of each a channel, becomes a depthwise 1x1 Conv.

That is what remains of a BatchNormalization behind something else than a Conv or Gemm. The factor k of a channel
becomes the weight 127 (or -127) at the scale |k| / 127, so that it is represented exactly; the bias has
steps of 1/127 of the input's, in int32.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ir.types import Array, DType, Quant, TensorType
from tinyc.ops.conv import ConvAttrs
from tinyc.ops.quantize_linear import QuantAttrs
from tinyc.passes.constants import float_data, is_constant
from tinyc.passes.qdq_to_integer import stored
from tinyc.passes.transposes import insert_reshape

LINEAR = ("Add", "Sub", "Mul", "Div")
_BIAS_BITS = 24


@dataclass(frozen=True)
class _Affine:
    """factor * x + offset for each slice along `axis`, bounded by `clamp`; x comes from `source`."""

    source: Node
    nodes: tuple[Node, ...]
    axis: int
    factor: Array
    offset: Array
    clamp: tuple[float, float] | None


def affine_to_conv(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for original in graph.nodes():
        if original.op == "QuantizeLinear" and original.attrs.quant.per_tensor:
            view = editor.view()
            node = view.node(original.name)
            affine = _affine(view, node.inputs[0])
            if affine is not None and affine.source.attrs.dtype is node.attrs.dtype:
                _replace(editor, node, affine)
    return editor.done()


def _chain(graph: Graph[Any], value: str) -> tuple[Node, list[Node]] | None:
    """The DequantizeLinear and the operators with constants between it and `value`, in order."""
    nodes: list[Node] = []
    while True:
        node = graph.producer(value)
        if node is None or len(nodes) > 8:
            return None
        if node.op == "DequantizeLinear":
            return node, nodes[::-1]
        if node.op not in LINEAR or node.integer or (nodes and node.attrs.clamp is not None):
            return None
        variable = [i for i in node.inputs if not is_constant(graph, i)]
        if len(variable) != 1 or (node.op == "Div" and node.inputs[0] != variable[0]):
            return None
        if graph.type(variable[0]).shape != graph.type(value).shape:
            return None
        nodes.append(node)
        value = variable[0]


def _affine(graph: Graph[Any], value: str) -> _Affine | None:
    found = _chain(graph, value)
    if found is None or not found[1]:
        return None
    source, nodes = found
    if len(nodes) == 1 and nodes[0].op != "Div" and all(stored(graph, i) for i in nodes[0].inputs):
        return None  # it has an integer form of its own
    shape = graph.type(value).shape
    if not source.attrs.quant.per_tensor or len(shape) < 2:
        return None
    if source.attrs.dtype not in (DType.INT8, DType.INT16):
        return None
    at_zero, at_one = (_evaluate(graph, nodes, start) for start in (0.0, 1.0))
    try:
        factor, offset = np.broadcast_arrays(at_one - at_zero, at_zero)
    except ValueError:
        return None
    padded = (1,) * (len(shape) - factor.ndim) + factor.shape
    along = [k for k, extent in enumerate(padded) if extent != 1]
    if len(along) != 1 or not (np.all(np.isfinite(factor)) and np.all(np.isfinite(offset))):
        return None
    return _Affine(source, tuple(nodes), along[0], factor.reshape(-1), offset.reshape(-1), nodes[-1].attrs.clamp)


def _evaluate(graph: Graph[Any], nodes: list[Node], start: float) -> Array:
    """The chain's value where its operand is `start` everywhere, in float64, without the clamp."""
    value: Array = np.array(start, np.float64)
    with np.errstate(all="ignore"):
        for node in nodes:
            a, b = (float_data(graph, i).astype(np.float64) if is_constant(graph, i) else value for i in node.inputs)
            function = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide}[node.op]
            value = np.asarray(function(a, b))
    return value


def _replace(editor: Editor, node: Node, affine: _Affine) -> None:
    view = editor.view()
    x, last = affine.source.outputs[0], affine.nodes[-1]
    shape = view.type(x).shape
    step = float(affine.source.attrs.quant.scale[0])
    scale = np.maximum(np.abs(affine.factor) / 127.0, np.abs(affine.offset) / (step * (1 << _BIAS_BITS)))
    scale = np.where(scale > 0, scale, 1.0 / 127.0).astype(np.float32)
    weights = np.clip(np.rint(affine.factor / scale), -127, 127).astype(np.int8)
    channels = weights.size
    behind = affine.axis == len(shape) - 1
    rank = 2 if behind else max(len(shape) - 2, 1) if affine.axis == 1 else 1
    inner = int(np.prod(shape[affine.axis + 1:], dtype=int))
    outer = int(np.prod(shape[:affine.axis], dtype=int))
    if behind:
        seen: tuple[int, ...] = (1, 1, outer, channels)
    elif affine.axis == 1 and len(shape) > 2:
        seen = shape
    else:
        seen = (outer, channels, inner)
    kernel = (channels, *[1] * rank, 1) if behind else (channels, 1, *[1] * rank)
    attrs = ConvAttrs((1,) * rank, (1,) * rank, (0,) * (2 * rank), channels, affine.clamp, behind)
    quant = Quant(tuple(float(s) for s in scale), (0,) * channels, 0)
    stored = editor.const(f"{last.name}.filter", weights.reshape(kernel), TensorType(DType.INT8, kernel))
    real = editor.temp(f"{last.name}.weights", TensorType(DType.FLOAT32, kernel))
    place = last.position
    dequantize = editor.fresh(f"{last.name}.dequantize")
    editor.add(Node(dequantize, "DequantizeLinear", QuantAttrs(quant, DType.INT8), (stored,), (real,), False, place))
    bias = affine.offset.astype(np.float32)
    offset = editor.const(f"{last.name}.bias", bias, TensorType(DType.FLOAT32, bias.shape))
    source = _seen(editor, affine.source, last, seen)
    result = editor.temp(f"{last.name}.affine", TensorType(DType.FLOAT32, seen))
    name = editor.fresh(f"{last.name}.affine")
    editor.add(Node(name, "Conv", attrs, (source, real, offset), (result,), False, place))
    output = node.outputs[0]
    if seen == shape:
        editor.replace(node, node.with_inputs([result]))
        return
    flat = editor.temp(f"{output}.flat", replace(view.type(output), shape=seen))
    editor.replace(node, replace(node, inputs=(result,), outputs=(flat,)))
    insert_reshape(editor, node, flat, shape, output)


def _seen(editor: Editor, source: Node, node: Node, shape: tuple[int, ...]) -> str:
    """The dequantized value under another shape: the integers are reshaped."""
    view = editor.view()
    if view.type(source.outputs[0]).shape == shape:
        return source.outputs[0]
    stored = insert_reshape(editor, node, source.inputs[0], shape)
    result = editor.temp(f"{source.outputs[0]}.seen", TensorType(DType.FLOAT32, shape))
    editor.add(replace(source, name=editor.fresh(f"{node.name}.real"), inputs=(stored,), outputs=(result,)))
    return result


