# SPDX-License-Identifier: Apache-2.0
"""DequantizeLinear -> operator -> QuantizeLinear becomes the operator's integer form.

Which operators have one, and for which types, is the operators' own knowledge
(`Operator.integer_obstacle`); this pass only matches the pattern. Where the integer form gives its
result, or wants its operands, at another scale than the model says (pooling, Concat, Softmax, ...), a
Requantize lies between. So it does where a value of 8 bits is quantized again to 16, or the other way. What cannot be
matched stays float between its DequantizeLinear and QuantizeLinear, with the reason in the node's `obstacle`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Editor, Graph, NoAttrs, Node, Value
from tinyc.ir.types import DType, Quant, TensorType
from tinyc.ops.quantize_linear import RequantizeAttrs
from tinyc.ops.registry import operator
from tinyc.passes.constants import dequantize_of_constant, float_data, is_constant

MAX_RATIO = 2.0**13  # of scales: differences of int16 values, multiplied by it, fit 32 bits
KEPT_FLOAT = "it shall stay float"  # the obstacle of a node that no pass shall make integer


@dataclass(frozen=True)
class IntegerForm:
    """Types of the node's operands in integers, of its result, and the type that the model wants."""

    operands: tuple[TensorType | None, ...]
    result: TensorType
    wanted: TensorType


def qdq_to_integer(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for original in graph.nodes():
        if original.op == "QuantizeLinear":
            _convert_type(editor, original)
        if original.op in ("DequantizeLinear", "QuantizeLinear", "ShiftSign") or original.integer:
            continue
        if original.obstacle == KEPT_FLOAT:
            continue
        view = editor.view()
        node = view.node(original.name)
        if len(node.outputs) != 1 or not view.type(node.outputs[0]).dtype.is_float:
            continue
        form = integer_form(view, node)
        if isinstance(form, str):
            editor.replace(node, replace(node, obstacle=form))
        else:
            _convert(editor, node, form)
    return editor.done()


def _convert_type(editor: Editor, original: Node) -> None:
    """DequantizeLinear and QuantizeLinear between int8 and int16 become a Requantize."""
    view = editor.view()
    if ("op", original.name) not in editor.nx:
        return
    node = view.node(original.name)
    pair = stored(view, node.inputs[0])
    if pair is None or view.value(pair[0]).is_const:
        return
    name, type_ = pair
    wanted = replace(view.type(node.outputs[0]), quant=node.attrs.quant)
    if {type_.dtype, wanted.dtype} != {DType.INT8, DType.INT16}:
        return
    if type_.quant is None or not type_.quant.per_tensor or not node.attrs.quant.per_tensor:
        return
    if type_.quant.scale[0] / node.attrs.quant.scale[0] >= MAX_RATIO:
        return
    source = _with_quant(editor, name, type_)
    editor.remove(node)
    editor.set_value(Value(node.outputs[0], wanted))
    _add_requantize(editor, node, source, node.outputs[0])


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


def integer_form(graph: Graph[Any], node: Node) -> IntegerForm | str:
    """The types of the node's integer form, or why there is none."""
    kind = operator(node.op)
    types: list[TensorType | None] = []
    for index, name in enumerate(node.inputs):
        pair = stored(graph, name) if name else None
        if not name:
            types.append(None)
        elif index in kind.plain_operands:
            types.append(graph.type(name))
        elif index in kind.real_operands:
            if not is_constant(graph, name):
                return f"operand {name!r} is not a constant"
            types.append(graph.type(name))
        elif index == kind.bias_operand:
            if not is_constant(graph, name):
                return "its bias is not a constant"
            types.append(TensorType(_bias_type(types[0]), graph.type(name).shape))
        elif pair is None:
            return f"operand {name!r} is not quantized"
        else:
            types.append(pair[1])
    after = quantize_after(graph, node.outputs[0])
    if not after:
        return "its result is not quantized"
    quant: Quant = after[0].attrs.quant
    wanted = replace(graph.type(node.outputs[0]), dtype=after[0].attrs.dtype, quant=quant)
    if not quant.per_tensor:
        return "its result is quantized per channel"
    result = replace(wanted, quant=kind.natural_quant(node, types, quant))
    first = types[0] if types else None
    if kind.keeps_quant and first is not None and first.dtype is not result.dtype:
        return f"its operand is {first.dtype.label}, its result {result.dtype.label}"
    if result.quant != wanted.quant and result.dtype not in (DType.INT8, DType.INT16):
        return f"{result.dtype.label} results are not brought to another scale"
    obstacle = kind.integer_obstacle(node, types, result)
    return obstacle if obstacle else IntegerForm(tuple(types), result, wanted)


def _convert(editor: Editor, node: Node, form: IntegerForm) -> None:
    view, kind = editor.view(), operator(node.op)
    inputs: list[str] = []
    for index, (name, type_) in enumerate(zip(node.inputs, form.operands, strict=True)):
        if type_ is None or index in kind.plain_operands:
            inputs.append(name)
        elif index in kind.real_operands:
            data = float_data(view, name)
            inputs.append(editor.const(name, data, TensorType(DType.of(data), tuple(data.shape))))
        elif index == kind.bias_operand:
            inputs.append(_bias(editor, view, node, form, name))
        else:
            pair = stored(view, name)
            assert pair is not None
            operand = _with_quant(editor, pair[0], type_)
            if kind.shares_quant and type_.quant != form.result.quant:
                operand = _requantized(editor, node, operand, replace(type_, quant=form.result.quant))
            inputs.append(operand)
    quantizers = quantize_after(view, node.outputs[0])
    # The value that stays is a graph output if one of them is, so that it keeps its name.
    quantizers.sort(key=lambda q: q.outputs[0] not in editor.outputs)
    keep = quantizers[0].outputs[0]
    for other in quantizers[1:]:
        editor.remove(other)
        if other.outputs[0] in editor.outputs:
            editor.copy_to(keep, other.outputs[0])
        else:
            editor.redirect(other.outputs[0], keep)
            editor.remove_value(other.outputs[0])
    editor.remove(quantizers[0])
    editor.remove(node)
    editor.remove_value(node.outputs[0])
    editor.set_value(Value(keep, form.wanted))
    integer = replace(node, inputs=tuple(inputs), outputs=(keep,), integer=True, obstacle="")
    if form.result.quant == form.wanted.quant:
        editor.add(integer)
        return
    middle = editor.temp(f"{node.name}.scaled", form.result)
    editor.add(replace(integer, outputs=(middle,)))
    _add_requantize(editor, node, middle, keep)


def _requantized(editor: Editor, node: Node, source: str, type_: TensorType) -> str:
    result = editor.temp(f"{source}.scaled", type_)
    _add_requantize(editor, node, source, result)
    return result


def _add_requantize(editor: Editor, node: Node, source: str, result: str) -> None:
    editor.add(
        Node(
            editor.fresh(f"{node.name}.requantize"),
            "Requantize",
            RequantizeAttrs(editor.view().type(result).dtype),
            (source,),
            (result,),
            True,
            node.position,
        )
    )


def _with_quant(editor: Editor, name: str, type_: TensorType) -> str:
    """The stored value, marked with its scale. Readers that disagree on it get a value of their own."""
    value = editor.view().value(name)
    if value.type.quant is None:
        editor.set_value(replace(value, type=type_))
        return name
    if value.type.quant == type_.quant:
        return name
    if value.data is not None:
        return editor.const(name, value.data, type_)
    copy = editor.temp(name, type_)
    editor.add(Node(editor.fresh(f"{name}.copy"), "Identity", NoAttrs(), (name,), (copy,)))
    return copy


def _bias(editor: Editor, view: Graph[Any], node: Node, form: IntegerForm, name: str) -> str:
    """The bias as int32 at scale in*w: as stored where it has that scale, else quantized anew."""
    x, w = form.operands[0], form.operands[1]
    assert x is not None and w is not None and x.quant is not None and w.quant is not None
    scale = np.array(x.quant.scale[0], np.float64) * np.array(w.quant.scale, np.float64)
    source = dequantize_of_constant(view, name)
    if source is not None and not any(source.attrs.quant.zero_point):
        data = view.data(source.inputs[0])
        have = np.broadcast_to(np.array(source.attrs.quant.scale, np.float64), data.shape)
        want = np.broadcast_to(scale, data.shape)
        if data.dtype == np.int32 and np.allclose(have, want, rtol=1e-4, atol=0):
            if _bias_type(x) is DType.INT32:
                return source.inputs[0]
            wide = TensorType(DType.INT64, tuple(data.shape))
            return editor.const(source.inputs[0], data.astype(np.int64), wide)
    real = float_data(view, name).astype(np.float64)
    dtype = _bias_type(x)
    limit = 2.0**31 - 1 if dtype is DType.INT32 else 2.0**47
    steps = np.clip(np.rint(real / scale), -limit, limit).astype(dtype.numpy)
    return editor.const(f"{node.name}.bias", steps, TensorType(dtype, tuple(steps.shape)))


def _bias_type(x: TensorType | None) -> DType:
    """Sums of int16 activations' products have 64 bits, and so has the bias."""
    return DType.INT64 if x is not None and x.dtype is DType.INT16 else DType.INT32
