# SPDX-License-Identifier: Apache-2.0
"""Cross-layer equalization: channels of one tensor brought to like magnitude, by moving factors between layers.

A channel's factor in the weights that make it and its inverse in the weights that read it cancel exactly, as long as
all between commutes with positive factors: ReLU, pooling, adding tensors that have the same factors. Channels of like
magnitude use the one scale of their tensor better. Source: Nagel et al., Data-Free Quantization Through Weight
Equalization (2019), here with the channels' measured magnitudes and across residual additions.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.quantize.structure import is_clustered

MAX_FACTOR = 64.0
_POOLS = ("AveragePool", "GlobalAveragePool", "MaxPool", "GlobalMaxPool")


@dataclass
class _Channels:
    """Values whose channels share factors, the weights that make them and those that read them."""

    values: set[str] = field(default_factory=set)
    makers: list[Node] = field(default_factory=list)
    readers: list[Node] = field(default_factory=list)
    blocked: bool = False


def equalize(
    graph: Graph[Any], magnitudes: Mapping[str, Array], strength: float, chosen: Collection[str]
) -> Graph[Any]:
    """`magnitudes`: of each value's channels (axis 1). A channel's factor is (largest / own) ** strength.

    Only between the `chosen` layers, those that are quantized, and not into weights that are few different ones in
    each channel: factors of the inputs would make them many.
    """
    if strength == 0.0:
        return graph
    editor = Editor(graph)
    for group in _groups(graph, chosen):
        factors = _factors(group, magnitudes, strength)
        if factors is None:
            continue
        for node in group.makers:
            _scale(editor, node, 1, 0, factors)
            if len(node.inputs) > 2 and node.inputs[2]:
                _scale(editor, node, 2, 0, factors)
        for node in group.readers:
            depthwise = node.op == "Conv" and node.attrs.group > 1
            _scale(editor, node, 1, 0 if depthwise else 1, 1.0 / factors)
    return editor.done()


def _factors(group: _Channels, magnitudes: Mapping[str, Array], strength: float) -> Array | None:
    if group.blocked or not group.makers or not group.readers:
        return None
    relative = None
    for value in sorted(group.values):
        own = magnitudes[value]
        if own.max() <= 0.0:
            continue
        share = own / own.max()
        if relative is not None and relative.shape != share.shape:
            return None
        relative = share if relative is None else np.maximum(relative, share)
    if relative is None:
        return None
    ratio = np.where(relative > 1.0 / MAX_FACTOR, 1.0 / np.maximum(relative, 1.0 / MAX_FACTOR), MAX_FACTOR)
    return np.asarray(np.where(relative > 0, ratio, 1.0) ** strength)


def _scale(editor: Editor, node: Node, operand: int, axis: int, factors: Array) -> None:
    """Multiplies slices of a constant operand, which gets a value of its own."""
    current = editor.view().node(node.name)
    data = editor.view().data(current.inputs[operand])
    shape = [1] * data.ndim
    shape[axis] = len(factors)
    scaled = (data.astype(np.float64) * factors.reshape(shape)).astype(np.float32)
    name = editor.const(current.inputs[operand], scaled, TensorType(DType.FLOAT32, scaled.shape))
    inputs = list(current.inputs)
    inputs[operand] = name
    editor.replace(current, current.with_inputs(inputs))


def _homogeneous(clamp: tuple[float, float] | None) -> bool:
    """Whether f(a x) = a f(x) for a > 0: no clamp, or ReLU."""
    return clamp is None or (clamp[0] in (0.0, -math.inf) and clamp[1] == math.inf)


def _groups(graph: Graph[Any], chosen: Collection[str]) -> Sequence[_Channels]:
    """The graph's values, joined where their channels must have the same factors."""
    owner: dict[str, _Channels] = {}
    for value in graph.values():
        if not value.is_const:
            ends = value.name in graph.inputs or value.name in graph.outputs
            owner[value.name] = _Channels({value.name}, blocked=ends or not value.type.dtype.is_float)

    def join(first: str, second: str) -> None:
        a, b = owner[first], owner[second]
        if a is not b:
            merged = _Channels(a.values | b.values, a.makers + b.makers, a.readers + b.readers, a.blocked or b.blocked)
            for name in merged.values:
                owner[name] = merged

    for node in graph.nodes():
        moving = [i for i in node.inputs if i in owner]
        results = [o for o in node.outputs if o]
        if _weighted(graph, node) and node.name in chosen:
            owner[results[0]].makers.append(node)
            owner[results[0]].blocked |= not _homogeneous(node.attrs.clamp)
            owner[moving[0]].readers.append(node)
            weights = graph.data(node.inputs[1])
            clustered = is_clustered(weights.reshape(len(weights), -1))
            owner[moving[0]].blocked |= clustered or not _reads_channels(graph, node, moving[0])
        elif _transparent(graph, node, moving):
            for name in (*moving, *results):
                join(moving[0], name)
        else:
            for name in (*moving, *results):
                owner[name].blocked = True
    return list({id(group): group for group in owner.values()}.values())


def _weighted(graph: Graph[Any], node: Node) -> bool:
    """A Conv or Gemm with constant weights and bias, channels-first."""
    return (node.op in ("Conv", "Gemm") and not node.integer and not getattr(node.attrs, "channels_last", False)
            and all(graph.value(i).is_const for i in node.inputs[1:] if i) and not graph.value(node.inputs[0]).is_const)


def _reads_channels(graph: Graph[Any], node: Node, value: str) -> bool:
    """Whether each channel of the operand meets weights of its own."""
    x, y = graph.type(value), graph.type(node.outputs[0])
    if node.op == "Gemm":
        return x.rank == 2
    return bool(node.attrs.group == 1 or node.attrs.group == x.shape[1] == y.shape[1])


def _transparent(graph: Graph[Any], node: Node, moving: Sequence[str]) -> bool:
    """Whether a node's result has its operands' factors."""
    if not moving or not _homogeneous(getattr(node.attrs, "clamp", None)):
        return False
    x, y = graph.type(moving[0]), graph.type(node.outputs[0])
    if node.op in _POOLS or node.op == "Relu":
        return len(node.outputs) == 1 and not getattr(node.attrs, "channels_last", False)
    if node.op == "Add":
        return len(moving) == 2 and graph.type(moving[1]).shape == x.shape == y.shape and x.rank > 1
    if node.op in ("Reshape", "Flatten"):
        return x.rank > 1 and y.rank > 1 and x.shape[:2] == y.shape[:2]
    return False

