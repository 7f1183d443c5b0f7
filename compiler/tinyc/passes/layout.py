# SPDX-License-Identifier: Apache-2.0
"""Channels-last layout: two passes.

`channels_last` rewrites each windowed operator of two spatial axes (one axis becomes two) to
channels-last between a pair of Transposes. `sink_transposes` moves Transposes towards the outputs
through operators that do not mind, so that pairs meet and cancel.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Editor, Graph, Node

from tinyc.ops.transpose import TransposeAttrs
from tinyc.ops.view import ReshapeAttrs
from tinyc.passes.remove_identities import moves_only_ones

WINDOWED = ("Conv", "AveragePool", "MaxPool")


def channels_last(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for node in graph.nodes():
        if node.op in WINDOWED and not node.attrs.channels_last:
            rank = editor.view().type(node.inputs[0]).rank
            if rank == 3:
                node = _as_two_dimensional(editor, node)
            if editor.view().type(node.inputs[0]).rank == 4 and _convertible(editor.view(), node):
                _convert(editor, node)
    return editor.done()


def _convertible(graph: Graph[Any], node: Node) -> bool:
    return node.op != "Conv" or graph.value(node.inputs[1]).is_const


def _insert(editor: Editor, node: Node, op: str, attrs: Any, value: str, shape: tuple[int, ...]) -> str:
    """A new Reshape or Transpose of `value`; the name of its result."""
    type_ = editor.view().type(value).with_shape(shape)
    result = editor.temp(f"{value}.{op.lower()}", type_)
    editor.add(Node(editor.fresh(f"{node.name}.{op.lower()}"), op, attrs, (value,), (result,),
                    type_.quant is not None, node.position))
    return result


def _as_two_dimensional(editor: Editor, node: Node) -> Node:
    """A one-dimensional window as a two-dimensional one of height 1, between Reshapes."""
    view = editor.view()
    n, c, length = view.type(node.inputs[0]).shape
    source = _insert(editor, node, "Reshape", ReshapeAttrs((n, c, 1, length)), node.inputs[0], (n, c, 1, length))
    a = node.attrs
    wide: dict[str, Any] = {
        "strides": (1, *a.strides), "dilations": (1, *a.dilations), "pads": (0, a.pads[0], 0, a.pads[1]),
    }
    inputs = [source, *node.inputs[1:]]
    if node.op == "Conv":
        w = view.value(node.inputs[1])
        if w.data is not None:
            flat = w.data[:, :, None, :]
            inputs[1] = editor.const(w.name, flat, w.type.with_shape(flat.shape))
        else:
            shape = (*w.type.shape[:2], 1, w.type.shape[2])
            inputs[1] = _insert(editor, node, "Reshape", ReshapeAttrs(shape), w.name, shape)
    else:
        wide["kernel"] = (1, *a.kernel)
    output = node.outputs[0]
    type_ = view.type(output)
    inner = editor.temp(f"{output}.wide", type_.with_shape((*type_.shape[:2], 1, type_.shape[2])))
    new = editor.replace(node, replace(node, attrs=replace(a, **wide), inputs=tuple(inputs), outputs=(inner,)))
    editor.add(Node(editor.fresh(f"{node.name}.narrow"), "Reshape", ReshapeAttrs(type_.shape), (inner,), (output,),
                    type_.quant is not None, node.position))
    return new


def _convert(editor: Editor, node: Node) -> None:
    view = editor.view()
    n, c, h, w = view.type(node.inputs[0]).shape
    source = _insert(editor, node, "Transpose", TransposeAttrs((0, 2, 3, 1)), node.inputs[0], (n, h, w, c))
    inputs = [source, *node.inputs[1:]]
    if node.op == "Conv":
        weights = view.value(node.inputs[1])
        assert weights.data is not None
        moved = np.ascontiguousarray(weights.data.transpose(0, 2, 3, 1))
        inputs[1] = editor.const(weights.name, moved, weights.type.with_shape(moved.shape))
    output = node.outputs[0]
    type_ = view.type(output)
    n, c, h, w = type_.shape
    inner = editor.temp(f"{output}.nhwc", type_.with_shape((n, h, w, c)))
    attrs = replace(node.attrs, channels_last=True)
    editor.replace(node, replace(node, attrs=attrs, inputs=tuple(inputs), outputs=(inner,)))
    editor.add(Node(editor.fresh(f"{node.name}.nchw"), "Transpose", TransposeAttrs((0, 3, 1, 2)), (inner,),
                    (output,), type_.quant is not None, node.position))


# -- moving Transposes ---------------------------------------------------------------------------


def sink_transposes(graph: Graph[Any]) -> Graph[Any]:
    """Moves each Transpose behind the operator that reads it, where that operator does not mind."""
    editor = Editor(graph)
    changed, budget = True, 4 * len(graph.nodes()) ** 2 + 100
    while changed and budget > 0:
        changed = False
        for node in editor.view().nodes():
            budget -= 1
            if _sink(editor, node):
                changed = True
                break
    return editor.done()


def _inverse(perm: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argsort(perm))


def _transposed_inputs(graph: Graph[Any], node: Node) -> list[Node | None]:
    producers = [graph.producer(i) if i else None for i in node.inputs]
    return [p if p is not None and p.op == "Transpose" else None for p in producers]


def _sink(editor: Editor, node: Node) -> bool:
    view = editor.view()
    above = _transposed_inputs(view, node)
    if not any(above):
        return False
    first = next(p for p in above if p)
    perm: tuple[int, ...] = first.attrs.perm
    unary = ("Clip", "QuantizeLinear", "DequantizeLinear", "Requantize")
    if node.op in unary or node.op in ELEMENTWISE_UNARY:
        attrs = node.attrs
        if node.op in ("QuantizeLinear", "DequantizeLinear") and attrs.quant.axis is not None:
            attrs = replace(attrs, quant=attrs.quant.with_axis(perm[attrs.quant.axis]))
        return _move(editor, node, [first.inputs[0]], attrs, perm)
    if node.op in BROADCASTING:
        return _sink_binary(editor, node, above, perm)
    if node.op == "Softmax":
        axis = node.attrs.axis % len(perm)
        if perm[axis] != len(perm) - 1 and axis != len(perm) - 1:
            return False
        if perm[axis] != len(perm) - 1:
            return False
        return _move(editor, node, [first.inputs[0]], replace(node.attrs, axis=perm[axis]), perm)
    if node.op == "Concat" and all(p is not None and p.attrs.perm == perm for p in above):
        attrs = replace(node.attrs, axis=perm[node.attrs.axis % len(perm)])
        return _move(editor, node, [p.inputs[0] for p in above if p], attrs, perm)
    if node.op == "Pad" and len(node.inputs) == 1:
        rank, pads = len(perm), node.attrs.pads
        moved = [0] * (2 * rank)
        for i, p in enumerate(perm):
            moved[p], moved[rank + p] = pads[i], pads[rank + i]
        return _move(editor, node, [first.inputs[0]], replace(node.attrs, pads=tuple(moved)), perm)
    if node.op.startswith("Reduce") and hasattr(node.attrs, "axes"):
        return _sink_reduce(editor, node, first, perm)
    return False


ELEMENTWISE_UNARY: set[str] = set()  # filled by tinyc.ops.unary's table through the pipeline
BROADCASTING: set[str] = {"Add", "Sub", "Mul", "Div"}


def _move(editor: Editor, node: Node, inputs: list[str], attrs: Any, perm: tuple[int, ...]) -> bool:
    """node(Transpose(x)) becomes Transpose(node(x))."""
    view = editor.view()
    output = node.outputs[0]
    type_ = view.type(output)
    back = _inverse(perm)
    quant = type_.quant
    if quant is not None and quant.axis is not None:
        quant = quant.with_axis(perm[quant.axis])
    inner = editor.temp(f"{output}.sunk", replace(type_, shape=tuple(type_.shape[b] for b in back), quant=quant))
    editor.replace(node, replace(node, attrs=attrs, inputs=tuple(inputs), outputs=(inner,)))
    editor.add(Node(editor.fresh(f"{node.name}.transpose"), "Transpose", TransposeAttrs(perm), (inner,),
                    (output,), type_.quant is not None, node.position))
    return True


def _sink_binary(editor: Editor, node: Node, above: list[Node | None], perm: tuple[int, ...]) -> bool:
    """Both operands transposed alike, or one of them and the other a constant or a scalar."""
    view = editor.view()
    rank, back, inputs = len(perm), _inverse(perm), []
    if view.type(node.outputs[0]).rank != rank:
        return False
    for name, producer in zip(node.inputs, above, strict=True):
        value = view.value(name)
        if producer is not None and producer.attrs.perm == perm:
            inputs.append(producer.inputs[0])
        elif value.type.elements == 1 and value.type.rank <= 1:
            inputs.append(name)
        elif value.data is not None and (value.type.quant is None or value.type.quant.per_tensor):
            full = value.data.reshape((1,) * (rank - value.data.ndim) + value.data.shape)
            moved = np.ascontiguousarray(full.transpose(back))
            inputs.append(editor.const(name, moved, value.type.with_shape(moved.shape)))
        else:
            return False
    return _move(editor, node, inputs, node.attrs, perm)


def _sink_reduce(editor: Editor, node: Node, first: Node, perm: tuple[int, ...]) -> bool:
    """A reduction over transposed axes; the axes that remain may need no Transpose at all."""
    a = node.attrs
    axes = tuple(sorted(perm[i] for i in a.axes))
    if a.keepdims:
        return _move(editor, node, [first.inputs[0]], replace(a, axes=axes), perm)
    kept = [p for i, p in enumerate(perm) if i not in a.axes]
    if kept != sorted(kept):
        shape = editor.view().type(first.inputs[0]).shape
        if not moves_only_ones(tuple(sorted(range(len(kept)), key=lambda i: kept[i])),
                               tuple(shape[k] for k in kept)):
            return False
        return False
    editor.replace(node, replace(node, attrs=replace(a, axes=axes), inputs=(first.inputs[0],)))
    return True


def transpose_into_gemm(graph: Graph[Any]) -> Graph[Any]:
    """Transpose, Reshape to rows, Gemm: the Gemm's columns are permuted instead (a CNN's flatten)."""
    editor = Editor(graph)
    for node in graph.nodes():
        if node.op != "Gemm":
            continue
        view = editor.view()
        flat = view.producer(node.inputs[0])
        if flat is None or flat.op != "Reshape":
            continue
        turn = view.producer(flat.inputs[0])
        weights = view.value(node.inputs[1])
        if turn is None or turn.op != "Transpose" or weights.data is None:
            continue
        perm, shape = turn.attrs.perm, view.type(turn.outputs[0]).shape
        rows = math.prod(view.type(flat.outputs[0]).shape[:-1])
        if perm[0] != 0 or shape[0] != rows or view.type(flat.outputs[0]).shape[-1] * rows != math.prod(shape):
            continue
        back = _inverse(perm)
        order = np.arange(math.prod(shape[1:])).reshape(shape[1:]).transpose([b - 1 for b in back[1:]]).reshape(-1)
        moved = np.ascontiguousarray(weights.data[:, order])
        name = editor.const(weights.name, moved, weights.type)
        type_ = view.type(flat.outputs[0])
        rows_value = _insert(editor, flat, "Reshape", ReshapeAttrs(type_.shape), turn.inputs[0], type_.shape)
        editor.replace(node, node.with_inputs((rows_value, name, *node.inputs[2:])))
    return editor.done()


