# SPDX-License-Identifier: Apache-2.0
"""A Gemm whose result is only read in parts (queries, keys and values of attention) becomes a Gemm for each part.

The parts are runs of output channels, taken by Slice or Gather, perhaps behind a Reshape that splits the channels. The
work stays the same; the copies, and the memory for the whole beside them, go.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ir.types import TensorType
from tinyc.ops.view import ReshapeAttrs


@dataclass(frozen=True)
class Part:
    """Channels first .. first + count - 1, which `node` makes its result of."""

    node: Node
    first: int
    count: int


def split_gemm(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for node in graph.nodes():
        if node.op != "Gemm":
            continue
        view = editor.view()
        found = parts_of(view, node)
        if found is not None:
            _split(editor, node, *found)
    return editor.done()


def parts_of(graph: Graph[Any], node: Node) -> tuple[Node | None, list[Part]] | None:
    """(the Reshape between or None, the parts) where all readers take parts that do not overlap."""
    if any(i and graph.value(i).data is None for i in node.inputs[1:]):
        return None
    value, middle = node.outputs[0], None
    channels = graph.type(value).shape[-1]
    sole = graph.sole_consumer(value)
    if sole is not None and sole.op == "Reshape":
        middle, value = sole, sole.outputs[0]
    readers = graph.consumers(value)
    if value in graph.outputs or len(readers) < 2:
        return None
    shape = graph.type(value).shape
    axis = len(shape)
    while axis and math.prod(shape[axis:]) < channels:
        axis -= 1
    if math.prod(shape[axis:]) != channels:
        return None
    parts = []
    for reader in readers:
        part = _part(graph, reader, shape, axis)
        if part is None:
            return None
        parts.append(part)
    taken = sorted((p.first, p.count) for p in parts)
    if any(a + n > b for (a, n), (b, _) in zip(taken, taken[1:], strict=False)):
        return None
    return middle, parts


def _part(graph: Graph[Any], reader: Node, shape: tuple[int, ...], axis: int) -> Part | None:
    """What a reader takes of the axes from `axis` on, where that is one run of all that lies before them."""
    if reader.op == "Slice":
        a = reader.attrs
        cut = [k for k in range(len(shape)) if a.counts[k] != shape[k]]
        if len(cut) != 1 or cut[0] < axis or a.steps[cut[0]] != 1 or 0 in a.counts:
            return None
        along, first, count = cut[0], a.starts[cut[0]], a.counts[cut[0]]
    elif reader.op == "Gather":
        data = graph.value(reader.inputs[1]).data
        if data is None or data.size != 1 or reader.attrs.axis < axis:
            return None
        along, count = reader.attrs.axis, 1
        index = int(data.reshape(-1)[0])
        first = index + shape[along] if index < 0 else index
    else:
        return None
    if math.prod(shape[axis:along]) != 1:
        return None
    inner = math.prod(shape[along + 1:])
    return Part(reader, first * inner, count * inner)


def _split(editor: Editor, node: Node, middle: Node | None, parts: list[Part]) -> None:
    view = editor.view()
    old = view.type(node.outputs[0])
    for part in parts:
        rows = slice(part.first, part.first + part.count)
        operands = [node.inputs[0]]
        for name in node.inputs[1:]:
            if not name:
                operands.append("")
                continue
            value = view.value(name)
            assert value.data is not None
            quant = value.type.quant
            if quant is not None and not quant.per_tensor:
                quant = replace(quant, scale=quant.scale[rows], zero_point=quant.zero_point[rows])
            data = np.ascontiguousarray(value.data[rows])
            operands.append(editor.const(name, data, TensorType(value.type.dtype, tuple(data.shape), quant)))
        reader = part.node
        result = editor.temp(f"{reader.outputs[0]}.part", replace(old, shape=(*old.shape[:-1], part.count)))
        editor.remove(reader)
        editor.add(replace(node, name=editor.fresh(f"{node.name}.part"), inputs=tuple(operands), outputs=(result,)))
        shape = ReshapeAttrs(view.type(reader.outputs[0]).shape)
        editor.add(replace(reader, op="Reshape", attrs=shape, inputs=(result,), integer=node.integer))
    for dead in (middle, node):
        if dead is not None:
            editor.remove(dead)
            editor.remove_value(dead.outputs[0])
