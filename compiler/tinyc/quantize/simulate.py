# SPDX-License-Identifier: Apache-2.0
"""One quantization of a float graph by given settings, and how it does on samples.

Layers are taken in order. Each sees what the layers before it, already quantized, give for the samples; so its range,
weights and bias are chosen for the inputs that it will have. Everything is simulated in real numbers: quantize and
dequantize after each layer. Fixed-point rounding of the generated code differs from that by a step at times.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array, DType, Quant, TensorType
from tinyc.ops.registry import operator
from tinyc.ops.spatial import windows
from tinyc.quantize.ranges import METHODS, fake, quant_of_range
from tinyc.quantize.recipe import Layer
from tinyc.quantize.rounding import channel_scales, fit, nearest, reconstruct

WEIGHTED = ("Conv", "Gemm")
# Ranges that the int8 specification fixes.
FIXED: dict[str, Quant] = {
    "Softmax": Quant((1.0 / 256,), (-128,)), "Sigmoid": Quant((1.0 / 256,), (-128,)),
    "Tanh": Quant((1.0 / 128,), (0,)),
}


@dataclass(frozen=True)
class Settings:
    """How to quantize. `equalize`: strength of cross-layer equalization, 0 for none."""

    ranges: str = "minmax"
    equalize: float = 0.0
    rounding: str = "nearest"  # nearest | reconstruct | fit
    correct_bias: bool = False

    def __str__(self) -> str:
        return (f"ranges {self.ranges}, equalization {self.equalize:g}, rounding {self.rounding}, "
                f"bias correction {'on' if self.correct_bias else 'off'}")


Values = dict[str, Array]


@dataclass
class Simulated:
    """What was decided, and each sample's values in the quantized network."""

    activations: dict[str, Quant] = field(default_factory=dict)
    layers: dict[str, Layer] = field(default_factory=dict)
    values: list[Values] = field(default_factory=list)


def quantizable(graph: Graph[Any], node: Node) -> bool:
    """Whether the node has an integer form for int8 operands and results."""
    if node.integer or not node.outputs or len([o for o in node.outputs if o]) != 1:
        return False
    result = graph.type(node.outputs[0])
    if result.dtype is not DType.FLOAT32:
        return False
    kind, unit = operator(node.op), Quant((1.0,), (0,))
    types: list[TensorType | None] = []
    for index, name in enumerate(node.inputs):
        type_ = graph.type(name) if name else None
        if type_ is None or index in kind.plain_operands:
            types.append(type_)
        elif index == kind.bias_operand:
            if not graph.value(name).is_const:
                return False
            types.append(TensorType(DType.INT32, type_.shape))
        elif not type_.dtype.is_float:
            types.append(type_)
        else:
            types.append(replace(type_, dtype=DType.INT8, quant=unit))
    if node.op in WEIGHTED and not graph.value(node.inputs[1]).is_const:
        return False
    output = replace(result, dtype=DType.INT8, quant=unit)
    output = replace(output, quant=kind.natural_quant(node, types, unit))
    return kind.integer_obstacle(node, types, output) is None


@dataclass(frozen=True)
class Chosen:
    """Nodes that become integer and the values that are quantized for them, in the order of execution."""

    nodes: frozenset[str]
    values: tuple[str, ...]


def choose(graph: Graph[Any], keep_float: frozenset[str] = frozenset()) -> Chosen:
    """All nodes with an integer form but those kept float; the values that they read and write."""
    values: dict[str, None] = {}
    nodes = []
    for node in graph.nodes():
        if node.name in keep_float or not quantizable(graph, node):
            continue
        nodes.append(node.name)
        plain = operator(node.op).plain_operands
        for index, name in enumerate(node.inputs):
            if name and index not in plain and not graph.value(name).is_const and graph.type(name).dtype.is_float:
                values[name] = None
        values[node.outputs[0]] = None
    return Chosen(frozenset(nodes), tuple(values))


def simulate(
    graph: Graph[Any], real: Sequence[Values], training: Sequence[int], settings: Settings, chosen: Chosen,
    known: Mapping[str, Quant] | None = None,
) -> Simulated:
    """Quantizes by the samples `training`; simulates all.

    real: each sample's values in the float graph. chosen: what to quantize. known: ranges to use as they are.
    """
    result = Simulated(values=[{v.name: v.data for v in graph.values() if v.data is not None} for _ in real])
    wanted = set(chosen.values)
    for name in graph.inputs:
        _settle(graph, name, [r[name] for r in real], result, training, settings, wanted, known, None)
    for node in graph.nodes():
        kind, outputs = operator(node.op), graph.output_types(node)
        if node.op in WEIGHTED and node.name in chosen.nodes:
            layer = _layer(graph, node, real, result, training, settings)
            result.layers[node.name] = layer
            weights = layer.weights * np.array(layer.scales, np.float32).reshape(-1, *[1] * (layer.weights.ndim - 1))
        else:
            layer = None
        fixed = FIXED.get(node.op)
        if (kind.keeps_quant or kind.is_view) and node.inputs[0] in result.activations:
            fixed = result.activations[node.inputs[0]]
        columns: dict[str, list[Array]] = {o: [] for o in node.outputs if o}
        for values in result.values:
            operands = [values[i] if i else None for i in node.inputs]
            if layer is not None:
                operands[1:] = [weights.astype(np.float32), layer.bias]
            for name, array in zip(columns, kind.evaluate(node, operands, outputs), strict=False):
                columns[name].append(np.asarray(array))
        for name, arrays in columns.items():
            _settle(graph, name, arrays, result, training, settings, wanted, known, fixed)
    return result


def _settle(
    graph: Graph[Any], name: str, arrays: Sequence[Array], result: Simulated, training: Sequence[int],
    settings: Settings, wanted: set[str], known: Mapping[str, Quant] | None, fixed: Quant | None,
) -> None:
    """Chooses a value's range, where it has one, and stores what is left of each sample."""
    if name not in wanted:
        for values, array in zip(result.values, arrays, strict=True):
            values[name] = array
        return
    quant = known.get(name) if known is not None else None
    if quant is None:
        quant = fixed or quant_of_range(METHODS[settings.ranges](np.stack([arrays[k] for k in training])), DType.INT8)
    result.activations[name] = quant
    for values, array in zip(result.values, arrays, strict=True):
        values[name] = fake(array, quant, DType.INT8)


def _layer(
    graph: Graph[Any], node: Node, real: Sequence[Values], result: Simulated, training: Sequence[int],
    settings: Settings,
) -> Layer:
    """Integer weights and the bias of a Conv or Gemm."""
    weights = graph.data(node.inputs[1]).astype(np.float64)
    bias_name = node.inputs[2] if len(node.inputs) > 2 else ""
    bias = graph.data(bias_name).astype(np.float64) if bias_name else np.zeros(len(weights))
    flat = weights.reshape(len(weights), -1)
    x = node.inputs[0]
    ins = [result.values[k][x] for k in training]
    wants = [_plain(node, real[k][x], weights, bias, graph.output_types(node)) for k in training]
    rounded, scales = np.zeros_like(flat), np.zeros(len(flat), np.float32)
    corrected = bias.copy()
    if settings.rounding == "nearest" and not settings.correct_bias:
        scales = _safe_scales(channel_scales(flat), bias, result.activations.get(x))
        rounded = nearest(flat, scales)
    else:
        for rows, matrix, target in _blocks(node, weights, ins, wants):
            own = flat[rows]
            mean = matrix.mean(axis=0)
            centred = matrix - mean
            covariance = centred.T @ centred / len(matrix)
            if settings.rounding == "fit":
                missing = target - matrix @ own.T
                own = fit(own, covariance, centred.T @ (missing - missing.mean(axis=0)) / len(matrix))
            scales[rows] = _safe_scales(channel_scales(own), bias[rows], result.activations.get(x))
            if settings.rounding == "nearest":
                rounded[rows] = nearest(own, scales[rows])
            else:
                rounded[rows] = reconstruct(own, scales[rows], covariance)
            if settings.correct_bias:
                real_rows = rounded[rows] * scales[rows][:, None].astype(np.float64)
                corrected[rows] = (target - matrix @ real_rows.T).mean(axis=0)
    keeps_bias = bool(bias_name) or bool(np.any(corrected))
    return Layer(rounded.reshape(weights.shape).astype(np.int8), tuple(float(s) for s in scales),
                 corrected.astype(np.float32) if keeps_bias else None)


def _safe_scales(scales: Array, bias: Array, x: Quant | None) -> Array:
    """Scales large enough that the bias fits 30 bits at scale in * weights."""
    if x is None:
        return scales
    least = np.abs(bias) / (x.scale[0] * 2.0**30)
    return np.maximum(scales, least).astype(np.float32)


def _plain(node: Node, x: Array, weights: Array, bias: Array, outputs: Sequence[TensorType]) -> Array:
    """The layer's result in real numbers, before its clamp."""
    open_node = replace(node, attrs=replace(node.attrs, clamp=None))
    return operator(node.op).evaluate(open_node, [x, weights, bias], outputs)[0].astype(np.float64)


def _blocks(
    node: Node, weights: Array, ins: Sequence[Array], wants: Sequence[Array]
) -> list[tuple[slice, Array, Array]]:
    """(rows of the weights, their inputs [N, K], the results wanted of them [N, rows]) for each group."""
    if node.op == "Gemm":
        matrix = np.concatenate([x.reshape(-1, x.shape[-1]) for x in ins]).astype(np.float64)
        return [(slice(None), matrix, np.concatenate([y.reshape(-1, y.shape[-1]) for y in wants]))]
    attrs, rank = node.attrs, weights.ndim - 2
    groups, rows, channels = attrs.group, len(weights) // attrs.group, weights.shape[1]
    views = [windows(x.astype(np.float64), weights.shape[2:], attrs.strides, attrs.dilations, attrs.pads,
                     y.shape[2:], 0.0) for x, y in zip(ins, wants, strict=True)]
    order = (0, *range(2, 2 + rank), 1, *range(2 + rank, 2 + 2 * rank))
    width = channels * math.prod(weights.shape[2:])
    result = []
    for g in range(groups):
        parts = [v[:, g * channels:(g + 1) * channels].transpose(order).reshape(-1, width) for v in views]
        own = slice(g * rows, (g + 1) * rows)
        targets = [np.moveaxis(y[:, own], 1, -1).reshape(-1, rows) for y in wants]
        result.append((own, np.concatenate(parts), np.concatenate(targets)))
    return result
