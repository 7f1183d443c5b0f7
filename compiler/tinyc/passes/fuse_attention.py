# SPDX-License-Identifier: Apache-2.0
"""Softmax(Q K' * scale + mask) V in float, as exporters decompose it, becomes Attention.

No matrix of scores is stored then, and Transposes around it go: the kernel reads any order of axes whose last is a
head's elements. Half precision stays as it is, since Attention rounds at other places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ir.types import DType, TensorType
from tinyc.ops.attention import AttentionAttrs
from tinyc.ops.view import ReshapeAttrs

AXES = "BHSD"


@dataclass(frozen=True)
class Operand:
    """A value whose axes are `layout`, and the factor that scales it."""

    value: str
    layout: str
    factor: float


@dataclass(frozen=True)
class Match:
    """Operands, mask ("" for none) and scale."""

    q: Operand
    k: Operand
    v: Operand
    mask: str
    scale: float


def fuse_attention(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for original in graph.nodes():
        if original.op != "MatMul" or ("op", original.name) not in editor.nx:
            continue
        view = editor.view()
        node = view.node(original.name)
        found = match(view, node)
        if found is not None:
            _replace(editor, node, found)
    return editor.done()


def match(graph: Graph[Any], last: Node) -> Match | None:
    """The attention whose product with the values is `last`."""
    soft = _maker(graph, last.inputs[0], "Softmax")
    rank = graph.type(last.outputs[0]).rank
    dtype = graph.type(last.outputs[0]).dtype
    if soft is None or not _plain(last) or rank < 2 or rank > 4 or dtype not in (DType.FLOAT32, DType.FLOAT64):
        return None
    if soft.attrs.axis != rank - 1 or any(graph.type(i).rank != rank for i in last.inputs):
        return None
    scores, mask = soft.inputs[0], ""
    added = _maker(graph, scores, "Add")
    if added is not None and added.attrs.clamp is None:
        for side in (0, 1):
            if _scaled_product(graph, added.inputs[side]) is not None:
                scores, mask = added.inputs[side], added.inputs[1 - side]
                break
    product = _scaled_product(graph, scores)
    if product is None:
        return None
    node, scale = product
    if any(graph.type(i).rank != rank for i in node.inputs):
        return None
    letters = AXES[4 - rank:]
    turned = letters[:-2] + letters[:-3:-1]  # the keys as a right operand: [..., D, S]
    q, k, v = (_operand(graph, value, layout) for value, layout in
               ((node.inputs[0], letters), (node.inputs[1], turned), (last.inputs[1], letters)))
    shapes = [graph.type(value).shape[:-2] for value in (*node.inputs, last.inputs[1])]
    if len(set(shapes)) > 1 or any(o.layout[-1] != "D" for o in (q, k, v)) or v.factor != 1.0:
        return None
    shape = graph.type(soft.inputs[0]).shape
    if mask and (graph.type(mask).rank == 0 or graph.type(mask).shape[-1] != shape[-1]
                 or graph.type(scores).shape != shape):
        return None
    scale *= q.factor * k.factor
    return Match(q, k, v, mask, scale) if scale > 0 else None


def _plain(node: Node) -> bool:
    return not node.integer and getattr(node.attrs, "clamp", None) is None


def _maker(graph: Graph[Any], value: str, op: str) -> Node | None:
    """The operator that makes a value which only one other reads."""
    node = graph.producer(value)
    if node is None or node.op != op or node.integer or graph.sole_consumer(value) is None:
        return None
    return node


def _factor(graph: Graph[Any], node: Node) -> tuple[str, float] | None:
    """(what is scaled, factor) where the node multiplies or divides by a constant of one element."""
    if node.op not in ("Mul", "Div") or not _plain(node):
        return None
    for k in (1, 0) if node.op == "Mul" else (1,):
        data, scaled = graph.value(node.inputs[k]).data, graph.type(node.inputs[1 - k])
        if data is not None and data.size == 1 and scaled.shape == graph.type(node.outputs[0]).shape:
            number = float(data.reshape(-1)[0])
            if number == 0:
                return None
            return node.inputs[1 - k], number if node.op == "Mul" else 1.0 / number
    return None


def _scaled_product(graph: Graph[Any], value: str) -> tuple[Node, float] | None:
    """(the MatMul behind a value that only one reads, the factor between)."""
    node, scale = graph.producer(value), 1.0
    while node is not None and graph.sole_consumer(node.outputs[0]) is not None:
        if node.op == "MatMul":
            return (node, scale) if _plain(node) else None
        scaled = _factor(graph, node)
        if scaled is None:
            return None
        scale *= scaled[1]
        node = graph.producer(scaled[0])
    return None


def _operand(graph: Graph[Any], value: str, layout: str) -> Operand:
    """The value behind Transposes and scalar factors."""
    factor = 1.0
    while True:
        node = graph.producer(value)
        scaled = _factor(graph, node) if node is not None else None
        if scaled is not None:
            value, factor = scaled[0], factor * scaled[1]
        elif node is not None and node.op == "Transpose" and not node.integer:
            letters = dict(zip(node.attrs.perm, layout, strict=True))
            value, layout = node.inputs[0], "".join(letters[k] for k in range(len(layout)))
        else:
            return Operand(value, layout, factor)


def _replace(editor: Editor, last: Node, found: Match) -> None:
    view = editor.view()
    output, layout = last.outputs[0], AXES[4 - view.type(last.outputs[0]).rank:]
    after = view.sole_consumer(output)
    dead = [last]
    if after is not None and after.op == "Transpose" and not after.integer and layout[after.attrs.perm[-1]] == "D":
        output, layout = after.outputs[0], "".join(layout[p] for p in after.attrs.perm)
        dead.append(after)
    heads = dict(zip(found.q.layout, view.type(found.q.value).shape, strict=True)).get("H", 1)
    operands = [_with_four_axes(editor, o.value) for o in (found.q, found.k, found.v)]
    layouts = [_four(text) for text in (found.q.layout, found.k.layout, found.v.layout, layout)]
    attrs = AttentionAttrs(heads, heads, found.scale, (layouts[0], layouts[1], layouts[2], layouts[3]))
    for node in dead:
        editor.remove(node)
    if len(dead) > 1:
        editor.remove_value(last.outputs[0])
    type_ = view.type(output)
    target = output
    if type_.rank < 4:
        target = editor.temp(f"{output}.split", TensorType(type_.dtype, (1,) * (4 - type_.rank) + type_.shape))
        editor.add(Node(editor.fresh(f"{last.name}.joined"), "Reshape", ReshapeAttrs(type_.shape), (target,), (output,),
                        False, last.position))
    editor.add(Node(last.name, "Attention", attrs, (*operands, found.mask, ""), (target,), False, last.position))


def _four(layout: str) -> str:
    return AXES[: 4 - len(layout)] + layout


def _with_four_axes(editor: Editor, value: str) -> str:
    """The value under a shape with leading ones."""
    type_ = editor.view().type(value)
    if type_.rank == 4:
        return value
    shape: Sequence[int] = (1,) * (4 - type_.rank) + type_.shape
    result = editor.temp(f"{value}.split", TensorType(type_.dtype, tuple(shape)))
    producer = editor.view().producer(value)
    editor.add(Node(editor.fresh(f"{value}.split"), "Reshape", ReshapeAttrs(tuple(shape)), (value,), (result,), False,
                    producer.position if producer else 0))
    return result
