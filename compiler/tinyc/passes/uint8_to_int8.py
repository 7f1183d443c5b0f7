# SPDX-License-Identifier: Apache-2.0
"""Quantization to uint8 becomes quantization to int8, 128 lower, exactly (and uint16 becomes int16).

Each QuantizeLinear to uint8 gets the zero point 128 less and a ShiftSign behind it, each
DequantizeLinear of uint8 likewise with a ShiftSign in front. ShiftSigns then move through operators
that only select elements, cancel in pairs, and disappear into constants; those at graph inputs and
outputs remain.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyc.ir.graph import Editor, Graph, NoAttrs, Node
from tinyc.ir.types import DType, TensorType
from tinyc.ops.quantize_linear import OTHER_SIGN, QuantAttrs, flip_sign, shift_zero_point
from tinyc.ops.registry import operator

UNSIGNED = (DType.UINT8, DType.UINT16)


def uint8_to_int8(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for node in graph.nodes():
        if node.op in ("QuantizeLinear", "DequantizeLinear") and node.attrs.dtype in UNSIGNED:
            _shift(editor, editor.view().node(node.name))
    for node in editor.view().nodes():  # in order of execution, so that a chain is passed in one sweep
        _advance(editor, editor.view().node(node.name))
    return editor.done()


def _shifted_attrs(node: Node, graph: Graph[Any]) -> QuantAttrs:
    shape = graph.type(node.outputs[0]).shape
    quant = shift_zero_point(TensorType(node.attrs.dtype, shape, node.attrs.quant))
    assert quant is not None
    return QuantAttrs(quant, OTHER_SIGN[node.attrs.dtype])


def _shift(editor: Editor, node: Node) -> None:
    view = editor.view()
    attrs = _shifted_attrs(node, view)
    if node.op == "QuantizeLinear":
        output = node.outputs[0]
        type_ = replace(view.type(output), dtype=attrs.dtype, quant=attrs.quant)
        inner = editor.temp(f"{output}.int8", type_)
        editor.replace(node, replace(node, attrs=attrs, outputs=(inner,)))
        _add_shift(editor, node, inner, output)
    else:
        inner = _shifted_operand(editor, node, node.inputs[0])
        editor.replace(node, replace(node, attrs=attrs, inputs=(inner,)))


def _add_shift(editor: Editor, node: Node, source: str, result: str) -> None:
    editor.add(
        Node(
            editor.fresh(f"{node.name}.shift"),
            "ShiftSign",
            NoAttrs(),
            (source,),
            (result,),
            False,
            node.position,
        )
    )


def _shifted_operand(editor: Editor, node: Node, name: str) -> str:
    """The uint8 value as int8: a constant changed, a ShiftSign undone, or a new ShiftSign."""
    view = editor.view()
    value = view.value(name)
    if value.data is not None:
        signed = replace(value.type, dtype=OTHER_SIGN[value.type.dtype], quant=None)
        return editor.const(f"{name}.int8", flip_sign(value.data), signed)
    producer = view.producer(name)
    if producer is not None and producer.op == "ShiftSign":
        return producer.inputs[0]
    for reader in view.consumers(name):
        if reader.op == "ShiftSign":
            return reader.outputs[0]
    result = editor.temp(f"{name}.int8", replace(value.type, dtype=OTHER_SIGN[value.type.dtype], quant=None))
    _add_shift(editor, node, name, result)
    return result


def _commutes(node: Node) -> bool:
    kind = operator(node.op)
    return kind.selects or (kind.averages and getattr(node.attrs, "extrapolation", None) is None)


def _advance(editor: Editor, node: Node) -> None:
    """Moves the ShiftSign of operand 0 behind a node that selects elements; cancels a pair."""
    view = editor.view()
    source = view.producer(node.inputs[0]) if node.inputs and node.inputs[0] else None
    if source is None or source.op != "ShiftSign":
        return
    if node.op == "ShiftSign" and node.outputs[0] not in editor.outputs:
        editor.remove(node)
        editor.redirect(node.outputs[0], source.inputs[0])
        editor.remove_value(node.outputs[0])
    elif _commutes(node) and view.type(node.inputs[0]).dtype in UNSIGNED:
        output = node.outputs[0]
        type_ = replace(view.type(output), dtype=OTHER_SIGN[view.type(output).dtype], quant=None)
        inner = editor.temp(f"{output}.int8", type_)
        editor.replace(node, replace(node, inputs=(source.inputs[0], *node.inputs[1:]), outputs=(inner,)))
        _add_shift(editor, node, inner, output)
