# SPDX-License-Identifier: Apache-2.0
"""Quantizes results that the model leaves float although quantized values lie on both sides.

onnxruntime's quantizer leaves some operators out (Tanh, Elu, Gelu, ...). Where the result of one is also quantized for
another reader, all read that, unless it cuts off what the operator can give; where it is a function of one quantized
value, its exact range is known from the 256 values that the operand can have, and gives the scale; that of a
normalization follows from the number of elements, and a mean that a Gemm or Conv reads has its operand's. All this only
if every reader leads to a QuantizeLinear. What Clip and Pad read is quantized as their result is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ir.types import Array, DType, Quant, TensorType
from tinyc.ops.instance_norm import instance_size
from tinyc.ops.layer_norm import row_length
from tinyc.ops.quantize_linear import QuantAttrs
from tinyc.ops.registry import operator
from tinyc.passes.affine_to_conv import LINEAR
from tinyc.passes.constants import float_data, is_constant
from tinyc.passes.functions import function_of, results
from tinyc.passes.qdq_to_integer import quantize_after, stored

NORMALIZATIONS = ("LayerNormalization", "InstanceNormalization")
MOST_NORMALIZED = 64  # elements of a normalization whose bounds, known from their number alone, are not too wide
# What these give, at least and at most.
BOUNDED = {"Erf": (-1.0, 1.0), "Tanh": (-1.0, 1.0), "Sin": (-1.0, 1.0), "Cos": (-1.0, 1.0), "Softsign": (-1.0, 1.0),
           "Sigmoid": (0.0, 1.0), "HardSigmoid": (0.0, 1.0), "Softmax": (0.0, 1.0)}
_STEPS = 8  # operators between a value and the QuantizeLinear that it leads to


def quantize_between(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for original in reversed(graph.nodes()):
        if original.op in ("Clip", "Pad") and not original.integer:
            _quantize_before(editor, editor.view().node(original.name))
    for original in graph.nodes():
        view = editor.view()
        if ("op", original.name) not in editor.nx:
            continue
        node = view.node(original.name)
        if node.integer or node.op in ("QuantizeLinear", "DequantizeLinear") or len(node.outputs) != 1:
            continue
        value = node.outputs[0]
        if not view.type(value).dtype.is_float or value in view.outputs or is_constant(view, value):
            continue
        readers = view.consumers(value)
        quantizers = [r for r in readers if r.op == "QuantizeLinear"]
        others = [r for r in readers if r.op != "QuantizeLinear"]
        if len({q.attrs for q in quantizers}) > 1 and not others and function_of(view, value) is None:
            _share_widest(editor, quantizers, value)
            continue
        # To another type than what is inserted here the reader stays float, and that would only round more.
        goals = {_leads_to_integers(view, r, value) for r in others}
        if len(goals) != 1 or None in goals:
            continue
        if quantizers:
            alike = all(q.attrs == quantizers[0].attrs for q in quantizers)
            if goals == {DType.INT8} and alike and _per_tensor_int8(quantizers[0]) and _holds(quantizers[0], node.op):
                _read_dequantized(editor, quantizers[0], value, others)
            continue
        function = function_of(view, value)
        if function is None:
            same = _averaged(view, node)
            if same is not None:
                if goals == {same[1]} and all(_sums(view, r) for r in others):
                    _insert(editor, node, value, *same, others)
                continue
            bounds, dtype = _normalized(view, node), DType.INT8
        elif function.nodes and not _continues(view, value, others) and not _in_chain(view, node, others):
            bounds, dtype = results(view, function, value), view.type(function.source.inputs[0]).dtype
        else:
            continue
        quant = _range(bounds, dtype) if bounds is not None and goals == {dtype} else None
        if quant is not None:
            _insert(editor, node, value, quant, dtype, others)
    return editor.done()


def _quantize_before(editor: Editor, node: Node) -> None:
    """What is clipped or padded, and then quantized, is quantized first as well: that changes nothing."""
    view = editor.view()
    after, source = quantize_after(view, node.outputs[0]), view.producer(node.inputs[0])
    if not after or not _per_tensor_int8(after[0]) or view.sole_consumer(node.inputs[0]) is None:
        return
    if source is not None and source.op not in ("DequantizeLinear", "QuantizeLinear"):
        _insert(editor, source, node.inputs[0], after[0].attrs.quant, DType.INT8, [node])


def _share_widest(editor: Editor, quantizers: list[Node], value: str) -> None:
    """Several scales for one value: the others are computed from the widest one, if its range holds theirs."""
    if not all(map(_per_tensor_int8, quantizers)):
        return
    widest = max(quantizers, key=lambda q: q.attrs.quant.scale[0])
    low, high = _limits(widest)
    step = float(widest.attrs.quant.scale[0])
    if any(other[0] < low - step or other[1] > high + step for other in map(_limits, quantizers)):
        return
    _read_dequantized(editor, widest, value, [q for q in quantizers if q.attrs != widest.attrs])


def _limits(quantizer: Node) -> tuple[float, float]:
    """The smallest and largest number that an int8 QuantizeLinear can hold."""
    scale, zero = float(quantizer.attrs.quant.scale[0]), quantizer.attrs.quant.zero_point[0]
    return (-128 - zero) * scale, (127 - zero) * scale


def _holds(quantizer: Node, op: str) -> bool:
    """Whether all that an operator can give fits the QuantizeLinear's range; others are trusted to be calibrated."""
    low, high = _limits(quantizer)
    step = float(quantizer.attrs.quant.scale[0])
    bounds = BOUNDED.get(op, (0.0, 0.0))
    return low - step <= bounds[0] and bounds[1] <= high + step


def _per_tensor_int8(node: Node) -> bool:
    return bool(node.attrs.quant.per_tensor) and node.attrs.dtype is DType.INT8


def _continues(graph: Graph[Any], value: str, readers: list[Node]) -> bool:
    """Whether a reader's result is a function of the same one value: the chain goes on."""
    return any(function_of(graph, r.outputs[0]) is not None for r in readers)


def _in_chain(graph: Graph[Any], node: Node, readers: list[Node]) -> bool:
    """Whether factors and offsets go on behind the node: they are better taken all at once."""
    return _is_linear(graph, node) and any(_is_linear(graph, r) for r in readers)


def _leads_to_integers(graph: Graph[Any], reader: Node, value: str) -> DType | None:
    """The type to which the reader's result comes to be quantized; None if it does not, or has other operands."""
    for _ in range(_STEPS):
        if len(reader.outputs) != 1 or reader.integer:
            return None
        for name in reader.inputs:
            if name and name != value and not is_constant(graph, name) and stored(graph, name) is None:
                if not _quantized_too(graph, name):
                    return None
        value = reader.outputs[0]
        if value in graph.outputs:
            return None
        following = graph.consumers(value)
        quantizers = [r for r in following if r.op == "QuantizeLinear"]
        if quantizers:
            dtype: DType = quantizers[0].attrs.dtype
            return dtype if all(r.attrs.quant.per_tensor and r.attrs.dtype is dtype for r in quantizers) else None
        if len(following) != 1 or not _passes_on(graph, reader, following[0]):
            return None
        reader = following[0]
    return None


def _passes_on(graph: Graph[Any], reader: Node, following: Node) -> bool:
    """Whether the reader comes to be integer although its own result is not quantized: what moves elements, has a scale
    by itself, or is one of a chain of factors and offsets (see affine_to_conv)."""
    if operator(reader.op).selects or reader.op in ("Clip", "Pad", "AveragePool", *NORMALIZATIONS):
        return True
    return _is_linear(graph, reader) and (following.op == "Clip" or _is_linear(graph, following))


def _is_linear(graph: Graph[Any], node: Node) -> bool:
    return node.op in LINEAR and any(is_constant(graph, i) for i in node.inputs)


def _quantized_too(graph: Graph[Any], name: str) -> bool:
    return graph.type(name).dtype is DType.BOOL or any(r.op == "QuantizeLinear" for r in graph.consumers(name))


def _sums(graph: Graph[Any], reader: Node) -> bool:
    """Whether the reader sums products of many elements, in which the rounding of each is lost."""
    while operator(reader.op).selects and len(graph.consumers(reader.outputs[0])) == 1:
        reader = graph.consumers(reader.outputs[0])[0]
    return operator(reader.op).bias_operand is not None or reader.op == "MatMul"


def _averaged(graph: Graph[Any], node: Node) -> tuple[Quant, DType] | None:
    """The scale and type of a pooling's operand, which serves for its result as well."""
    source = stored(graph, node.inputs[0]) if node.op == "AveragePool" else None
    if source is None or source[1].quant is None or source[1].dtype not in (DType.INT8, DType.INT16):
        return None
    return source[1].quant, source[1].dtype


def _normalized(graph: Graph[Any], node: Node) -> Array | None:
    """Bounds of a normalization's result: no element of n is more than the root of n - 1 deviations from the mean."""
    if node.op not in NORMALIZATIONS or stored(graph, node.inputs[0]) is None:
        return None
    x = graph.type(node.inputs[0])
    count = row_length(x, node.attrs) if node.op == "LayerNormalization" else instance_size(x, node.attrs)
    operands = [*node.inputs[1:], "", ""][:2]
    if count > MOST_NORMALIZED or any(name and not is_constant(graph, name) for name in operands):
        return None
    factor, offset = (float_data(graph, name) if name else np.array(default)
                      for name, default in zip(operands, (1.0, 0.0), strict=True))
    reach = np.abs(factor) * np.sqrt(max(count - 1, 0))
    return np.stack(np.broadcast_arrays(offset - reach, offset + reach))


def _range(real: Array, dtype: DType) -> Quant | None:
    """A scale and zero point for the smallest range that holds all values and zero."""
    if not np.all(np.isfinite(real)):
        return None
    low, high = min(0.0, float(real.min())), max(0.0, float(real.max()))
    if low == high:
        return Quant((1.0,), (0,))
    least, most = dtype.limits
    scale = float(np.float32((high - low) / (most - least)))
    return Quant((scale,), (int(np.clip(np.rint(least - low / scale), least, most)),))


def _insert(editor: Editor, node: Node, value: str, quant: Quant, dtype: DType, readers: list[Node]) -> None:
    type_ = editor.view().type(value)
    quantized = editor.temp(f"{value}.{dtype.label}", replace(type_, dtype=dtype, quant=quant))
    attrs = QuantAttrs(quant, dtype)
    quantizer = editor.add(Node(editor.fresh(f"{node.name}.quantize"), "QuantizeLinear", attrs, (value,), (quantized,),
                                False, node.position))
    _read_dequantized(editor, quantizer, value, readers)


def _read_dequantized(editor: Editor, quantizer: Node, value: str, readers: list[Node]) -> None:
    """Makes the readers use what the QuantizeLinear gives."""
    shape = editor.view().type(value).shape
    real = editor.temp(f"{value}.real", TensorType(DType.FLOAT32, shape))
    editor.add(Node(editor.fresh(f"{quantizer.name}.back"), "DequantizeLinear", quantizer.attrs, quantizer.outputs,
                    (real,), False, quantizer.position))
    for reader in readers:
        editor.replace(reader, reader.with_inputs(real if i == value else i for i in reader.inputs))
