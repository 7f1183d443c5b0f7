# SPDX-License-Identifier: Apache-2.0
"""Removes channels of integer, channels-last regions whose value is known, or that nothing reads.

Pruned and over-sized networks have filters that are all zero: their output is one number, whatever
the input. Such a channel is cut out and its contribution to the next convolution goes into that
convolution's bias, exactly. In front of a padded convolution that is exact only where the number is
the zero point (padding contributes nothing, the channel must not either) or its weights are zero.

Three steps, repeated until nothing changes:
forwards, which channels are constant; backwards, which channels some live result depends on; then
channels are cut from whole groups of values that share their channels (through depthwise
convolutions, pooling, element-wise operators), where every value of the group is constant or unread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ir.types import Array, DType, Quant
from tinyc.ops.conv import channel_multipliers, symmetric
from tinyc.ops.registry import operator, scale_zero
from tinyc.quantize.numbers import clamp_limits, requantize

# Operators that compute each channel from the same channel of their operands.
CHANNELWISE = ("AveragePool", "MaxPool", "Add", "Sub", "Mul", "Clip", "Requantize", "Identity")


def remove_dead_channels(graph: Graph[Any]) -> Graph[Any]:
    while True:
        cut = _removable(graph)
        if not cut:
            return graph
        graph = _cut(graph, cut)


def _channels(graph: Graph[Any], value: str) -> int:
    shape = graph.type(value).shape
    return shape[-1] if shape else 0


def _role(graph: Graph[Any], node: Node) -> str:
    """How a node treats channels: "dense", "depthwise", "channelwise", "view" or "opaque"."""
    if not node.integer or len([o for o in node.outputs if o]) != 1:
        return "opaque"
    if graph.type(node.outputs[0]).dtype is not DType.INT8 or not graph.type(node.outputs[0]).rank:
        return "opaque"
    if node.op in ("Conv", "Gemm"):
        if not graph.value(node.inputs[1]).is_const or (len(node.inputs) > 2 and node.inputs[2]
                                                        and not graph.value(node.inputs[2]).is_const):
            return "opaque"
        if not symmetric(graph.type(node.inputs[1])):
            return "opaque"
        if node.op == "Gemm" or (node.attrs.channels_last and node.attrs.group == 1):
            return "dense"
        depthwise = node.attrs.group == _channels(graph, node.inputs[0]) == _channels(graph, node.outputs[0])
        return "depthwise" if node.attrs.channels_last and depthwise else "opaque"
    if node.op == "Reshape":
        same = _channels(graph, node.inputs[0]) == _channels(graph, node.outputs[0])
        return "view" if same else "opaque"
    if node.op not in CHANNELWISE or (hasattr(node.attrs, "channels_last") and not node.attrs.channels_last):
        return "opaque"
    width = _channels(graph, node.outputs[0])
    for name in node.inputs:
        value = graph.value(name)
        if _channels(graph, name) != width and not (value.is_const and value.type.elements == 1):
            return "opaque"
    return "channelwise"


def _padded(node: Node) -> bool:
    return node.op == "Conv" and any(node.attrs.pads)


# -- analyses ------------------------------------------------------------------------------------


def _constants(graph: Graph[Any]) -> dict[str, tuple[Array, Array]]:
    """For each int8 value: (which channels are constant, their integers)."""
    known: dict[str, tuple[Array, Array]] = {}
    for value in graph.values():
        # A constant of one element counts as one channel, whatever its rank.
        width = 1 if value.is_const and value.type.elements == 1 else _channels(graph, value.name)
        mask, number = np.zeros(width, bool), np.zeros(width, np.int64)
        if value.data is not None and value.type.dtype is DType.INT8 and width:
            rows = value.data.reshape(-1, width)
            mask, number = np.all(rows == rows[:1], axis=0), rows[0].astype(np.int64)
        known[value.name] = (mask, number)
    for node in graph.nodes():
        role = _role(graph, node)
        if role == "opaque":
            continue
        mask, number = known[node.inputs[0]]
        if role in ("dense", "depthwise"):
            known[node.outputs[0]] = _constant_products(graph, node, role, mask, number)
        elif role == "view":
            known[node.outputs[0]] = (mask, number)
        else:
            known[node.outputs[0]] = _constant_channelwise(graph, node, known)
    return known


def _matrix(graph: Graph[Any], node: Node) -> Array:
    """Filters as [out, positions, in] of a dense node, [out, positions, 1] of a depthwise one."""
    w = graph.data(node.inputs[1]).astype(np.int64)
    return w.reshape(w.shape[0], -1, w.shape[-1]) if node.op == "Conv" else w[:, None, :]


def _constant_products(
    graph: Graph[Any], node: Node, role: str, mask: Array, number: Array
) -> tuple[Array, Array]:
    w = _matrix(graph, node)
    zero = scale_zero(graph.type(node.inputs[0]))[1]
    usable = mask & ((number == zero) | (not _padded(node)))
    if role == "dense":
        constant = ~np.any(w[:, :, ~usable] != 0, axis=(1, 2))
        total = w.sum(1)[:, usable] @ (number[usable] - zero)
    else:
        constant = usable | ~np.any(w != 0, axis=(1, 2))
        total = np.where(usable, w.sum(axis=(1, 2)) * (number - zero), 0)
    return constant, _finish(graph, node, total)


def _finish(graph: Graph[Any], node: Node, total: Array) -> Array:
    """Sums of products, without bias, as the node's integers."""
    bias = graph.data(node.inputs[2]).astype(np.int64) if len(node.inputs) > 2 and node.inputs[2] else 0
    output = graph.type(node.outputs[0])
    scale, zero = scale_zero(output)
    multiplier, shift = channel_multipliers(graph.type(node.inputs[0]), graph.type(node.inputs[1]), output,
                                            output.shape[-1])
    low, high = clamp_limits(node.attrs.clamp, scale, zero, (-128, 127))
    result: Array = np.clip(requantize(total + bias, multiplier, shift) + zero, low, high)
    return result


def _constant_channelwise(
    graph: Graph[Any], node: Node, known: dict[str, tuple[Array, Array]]
) -> tuple[Array, Array]:
    output = graph.type(node.outputs[0])
    width = output.shape[-1]
    mask = np.ones(width, bool)
    rows = []
    for name in node.inputs:
        own, number = known[name]
        mask &= np.broadcast_to(own, (width,))
        rows.append(np.broadcast_to(number, (width,)).astype(np.int8))
    if node.op in ("AveragePool", "MaxPool"):  # a window of equal numbers without padding gives what all windows give
        a = node.attrs
        alone = replace(node, attrs=replace(a, pads=(0,) * len(a.pads), dilations=(1,) * len(a.kernel)))
        window = np.broadcast_to(rows[0], (1, *a.kernel, width))
        one = replace(output, shape=(1, *(1 for _ in a.kernel), width))
        result = operator(node.op).evaluate_integer(alone, [window], graph.input_types(node), [one])[0]
        return mask, result.reshape(width).astype(np.int64)
    types = [replace(t, shape=(width,)) if t else None for t in graph.input_types(node)]
    result = operator(node.op).evaluate_integer(node, rows, types, [replace(output, shape=(width,))])[0]
    return mask, result.astype(np.int64)


def _needed(graph: Graph[Any], known: dict[str, tuple[Array, Array]]) -> dict[str, Array]:
    """For each value: which channels some result that is not constant depends on."""
    needed = {v.name: np.zeros(_channels(graph, v.name), bool) for v in graph.values()}
    for name in graph.outputs:
        needed[name][:] = True
    for node in reversed(graph.nodes()):
        role = _role(graph, node)
        if role == "opaque":
            for name in node.inputs:
                if name:
                    needed[name][:] = True
            continue
        result = node.outputs[0]
        live = needed[result] & ~known[result][0] if result not in graph.outputs else needed[result].copy()
        source = node.inputs[0]
        if role == "dense":
            needed[source] |= np.any(_matrix(graph, node)[live] != 0, axis=(0, 1))
        elif role == "depthwise":
            needed[source] |= live & np.any(_matrix(graph, node) != 0, axis=(1, 2))
        else:
            for name in node.inputs:
                if _channels(graph, name) == len(live):
                    needed[name] |= live
    return needed


def _groups(graph: Graph[Any]) -> list[set[str]]:
    """Values that share their channels; without those whose channels are fixed from outside."""
    links: nx.Graph = nx.Graph()
    fixed = {*graph.inputs, *graph.outputs}
    for node in graph.nodes():
        role = _role(graph, node)
        values = [n for n in (*node.inputs, *node.outputs) if n and not graph.value(n).is_const]
        if role == "opaque":
            fixed.update(values)
        elif role == "dense":
            links.add_nodes_from(values)
        else:
            nx.add_path(links, values)
    return [g for g in nx.connected_components(links) if not g & fixed]


def _removable(graph: Graph[Any]) -> list[tuple[set[str], Array]]:
    """(group, channels to keep) for each group that loses channels."""
    known = _constants(graph)
    needed = _needed(graph, known)
    result = []
    for group in sorted(_groups(graph), key=min):
        widths = {_channels(graph, v) for v in group}
        if len(widths) != 1:
            continue
        keep = np.zeros(widths.pop(), bool)
        for value in group:
            mask, number = known[value]
            gone = mask.copy()
            for node in graph.consumers(value):
                if _role(graph, node) == "dense" and _padded(node):
                    zero = scale_zero(graph.type(value))[1]
                    unused = ~np.any(_matrix(graph, node) != 0, axis=(0, 1))
                    gone &= (number == zero) | unused
            keep |= ~(gone | ~needed[value])
        if not keep.any():
            keep[0] = True
        if not keep.all():
            result.append((group, keep))
    return result


# -- the change ----------------------------------------------------------------------------------


def _cut(graph: Graph[Any], cuts: Sequence[tuple[set[str], Array]]) -> Graph[Any]:
    known = _constants(graph)
    keep = {value: mask for group, mask in cuts for value in group}
    editor = Editor(graph)
    for name, mask in keep.items():
        value = graph.value(name)
        shape = (*value.type.shape[:-1], int(mask.sum()))
        editor.set_value(replace(value, type=value.type.with_shape(shape)))
    for node in graph.nodes():
        before, after = keep.get(node.inputs[0]) if node.inputs else None, keep.get(node.outputs[0])
        if before is None and after is None:
            continue
        if node.op in ("Conv", "Gemm"):
            editor.replace(node, _cut_products(editor, graph, node, before, after, known))
        elif node.op == "Reshape":
            shape = editor.view().type(node.outputs[0]).shape
            editor.replace(node, replace(node, attrs=replace(node.attrs, shape=shape)))
        elif after is not None:
            inputs = [_cut_constant(editor, graph, name, after) for name in node.inputs]
            editor.replace(node, node.with_inputs(inputs))
    return editor.done()


def _cut_constant(editor: Editor, graph: Graph[Any], name: str, keep: Array) -> str:
    """A constant operand of a channelwise node, without the channels that go."""
    value = graph.value(name)
    if value.data is None or _channels(graph, name) != len(keep):
        return name
    array = np.ascontiguousarray(value.data[..., keep])
    return editor.const(name, array, value.type.with_shape(array.shape))


def _cut_products(
    editor: Editor, graph: Graph[Any], node: Node, before: Array | None, after: Array | None,
    known: dict[str, tuple[Array, Array]],
) -> Node:
    """A Conv or Gemm without the channels that go; what constant input channels added is now in the bias."""
    dense = _role(graph, node) == "dense"
    weights = graph.value(node.inputs[1])
    assert weights.data is not None
    data, channels = weights.data, weights.type.shape[0]
    has_bias = len(node.inputs) > 2 and bool(node.inputs[2])
    bias = graph.data(node.inputs[2]).astype(np.int64) if has_bias else np.zeros(channels, np.int64)
    if dense and before is not None:
        mask, number = known[node.inputs[0]]
        zero = scale_zero(graph.type(node.inputs[0]))[1]
        folded = mask & ~before
        bias = bias + _matrix(graph, node).sum(1)[:, folded] @ (number[folded] - zero)
        data = data[..., before]
    attrs, quant = node.attrs, weights.type.quant
    if not dense and after is not None:
        attrs = replace(attrs, group=int(after.sum()))
    if after is not None:
        data, bias = data[after], bias[after]
        if quant is not None and not quant.per_tensor:
            quant = Quant(tuple(s for s, k in zip(quant.scale, after, strict=True) if k),
                          tuple(z for z, k in zip(quant.zero_point, after, strict=True) if k), quant.axis)
    data = np.ascontiguousarray(data)
    name = editor.const(weights.name, data, replace(weights.type, shape=tuple(data.shape), quant=quant))
    wrapped = bias.astype(np.int64).astype(np.int32)
    bias_type = replace(weights.type, dtype=DType.INT32, shape=(len(wrapped),), quant=None)
    bias_name = editor.const(f"{node.name}.bias", wrapped, bias_type) if has_bias or np.any(wrapped) else ""
    return replace(node, attrs=attrs, inputs=(node.inputs[0], name, bias_name))
