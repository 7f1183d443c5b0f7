# SPDX-License-Identifier: Apache-2.0
"""Chains of element-wise operators on one quantized value become a Table of their results.

For int8 this is exact: every value that the operand can have is evaluated as the graph would, and quantized; for int16
every 128th is, and what lies between is interpolated. Taken are chains (x / 1.41, Erf, + 1, * x, * 0.5), and single
operators that have no integer form of their own (Pow, Div).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyc.ir.graph import Editor, Graph, NoAttrs, Node
from tinyc.ir.types import DType, TensorType
from tinyc.ops.registry import operator
from tinyc.ops.view import ReshapeAttrs
from tinyc.passes.functions import Function, function_of, results
from tinyc.passes.qdq_to_integer import quantize_after
from tinyc.quantize.numbers import quantize_linear


def fuse_tables(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for original in graph.nodes():
        if original.op != "QuantizeLinear" or original.attrs.dtype not in (DType.INT8, DType.INT16):
            continue
        view = editor.view()
        node = view.node(original.name)
        function = function_of(view, node.inputs[0]) if node.attrs.quant.per_tensor else None
        if function is None or not function.nodes:
            continue
        if view.type(function.source.inputs[0]).dtype is not node.attrs.dtype:
            continue
        if _has_form(view, function, node) and quantize_after(view, node.inputs[0]):
            continue
        _replace(editor, node, function)
    return editor.done()


def _has_form(graph: Graph[Any], function: Function, node: Node) -> bool:
    """Whether the function is one operator with an integer form of its own."""
    if len(function.nodes) > 1:
        return False
    only = function.nodes[0]
    types = [replace(graph.type(function.source.inputs[0]), quant=function.source.attrs.quant) for _ in only.inputs]
    output = replace(graph.type(only.outputs[0]), dtype=node.attrs.dtype, quant=node.attrs.quant)
    constants = any(graph.value(i).is_const for i in only.inputs)  # float constants are no quantized operands
    return not constants and operator(only.op).integer_obstacle(only, types, output) is None


def _replace(editor: Editor, node: Node, function: Function) -> None:
    view = editor.view()
    real = results(view, function, node.inputs[0])
    quant = node.attrs.quant
    dtype: DType = node.attrs.dtype
    steps = quantize_linear(real, quant.scale[0], quant.zero_point[0], *dtype.limits).astype(dtype.numpy)
    table = editor.const(f"{node.name}.table", steps, TensorType(dtype, steps.shape))
    source, output = function.source.inputs[0], node.outputs[0]
    type_ = view.type(source)
    shape = view.type(output).shape
    if type_.quant != function.source.attrs.quant:
        type_ = replace(type_, quant=function.source.attrs.quant)
        if view.type(source).quant is None:
            editor.set_value(replace(view.value(source), type=type_))
    editor.remove(node)
    last = function.nodes[-1]
    target = output
    if type_.shape != shape:
        target = editor.temp(f"{output}.flat", TensorType(dtype, type_.shape, quant))
        name = editor.fresh(f"{last.name}.shape")
        editor.add(Node(name, "Reshape", ReshapeAttrs(shape), (target,), (output,), True, last.position))
    name = editor.fresh(f"{last.name}.table")
    editor.add(Node(name, "Table", NoAttrs(), (source, table), (target,), True, last.position))
    value = editor.view().value(output)
    editor.set_value(replace(value, type=replace(value.type, quant=quant)))
