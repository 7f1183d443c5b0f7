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
from tinyc.quantize.narrow import small_layers
from tinyc.quantize.ranges import METHODS, fake, quant_of_range
from tinyc.quantize.recipe import Layer
from tinyc.quantize.rounding import channel_scales, fit, nearest, reconstruct
from tinyc.quantize.schemes import INT4W, INT8, Scheme

WEIGHTED = ("Conv", "Gemm")
# Ranges that the specifications of int8 and int16 fix.
_UNIT16 = Quant((1.0 / 32768,), (0,))
FIXED: dict[tuple[str, DType], Quant] = {
    ("Softmax", DType.INT8): Quant((1.0 / 256,), (-128,)), ("Softmax", DType.INT16): _UNIT16,
    ("Sigmoid", DType.INT8): Quant((1.0 / 256,), (-128,)), ("Sigmoid", DType.INT16): _UNIT16,
    ("Tanh", DType.INT8): Quant((1.0 / 128,), (0,)), ("Tanh", DType.INT16): _UNIT16,
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
    """What was decided, and each sample's values in the quantized network, in the types they are computed in."""

    activations: dict[str, dict[DType, Quant]] = field(default_factory=dict)
    layers: dict[str, Layer] = field(default_factory=dict)
    values: list[Values] = field(default_factory=list)

    def operand(self, sample: int, name: str, dtype: DType | None) -> Array:
        """A value as a node with activations of this type reads it; None: a node that is not quantized."""
        value = self.values[sample][name]
        quants = self.activations.get(name, {})
        if dtype not in quants or dtype is next(iter(quants)):
            return value
        return fake(value, quants[dtype], dtype)


def quantizable(graph: Graph[Any], node: Node, scheme: Scheme = INT8) -> bool:
    """Whether the node has an integer form for the scheme's operands and results."""
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
            weights = node.op in WEIGHTED and index == 1
            types.append(replace(type_, dtype=scheme.weights if weights else scheme.activations, quant=unit))
    if node.op in WEIGHTED and not graph.value(node.inputs[1]).is_const:
        return False
    output = replace(result, dtype=scheme.activations, quant=unit)
    output = replace(output, quant=kind.natural_quant(node, types, unit))
    return kind.integer_obstacle(node, types, output) is None


@dataclass(frozen=True)
class Chosen:
    """Nodes that become integer, with their schemes, and the values that are quantized for them, with the types that
    they are needed in: first the one that they are computed in. Both in the order of execution."""

    nodes: Mapping[str, Scheme]
    values: Mapping[str, tuple[DType, ...]]


def choose(
    graph: Graph[Any], keep_float: frozenset[str] = frozenset(), scheme: Scheme = INT8,
    schemes: Mapping[str, Scheme] | None = None,
) -> Chosen:
    """All nodes with an integer form but those kept float; the values that they read and write.

    schemes: of nodes that shall not have `scheme`; with int4w, small layers have int8 unless they are named. Where a
    node has no integer form in its scheme, but one in int8, it gets that.
    """
    values: dict[str, list[DType]] = {}
    nodes: dict[str, Scheme] = {}
    own_schemes = {**(small_layers(graph) if scheme is INT4W else {}), **(schemes or {})}
    for node in graph.nodes():
        wanted = own_schemes.get(node.name, scheme)
        own = next((s for s in (wanted, INT8) if quantizable(graph, node, s)), None)
        if node.name in keep_float or own is None:
            continue
        nodes[node.name] = own
        plain = operator(node.op).plain_operands
        for index, name in enumerate(node.inputs):
            if name and index not in plain and not graph.value(name).is_const and graph.type(name).dtype.is_float:
                values.setdefault(name, []).append(own.activations)
        values[node.outputs[0]] = [own.activations]
    return Chosen(nodes, {name: _needed(graph, name, dtypes, nodes) for name, dtypes in values.items()})


def _needed(
    graph: Graph[Any], name: str, dtypes: Sequence[DType], nodes: Mapping[str, Scheme]
) -> tuple[DType, ...]:
    """The types of a value, without repetition. One that no quantized node makes is made in the widest."""
    producer = graph.producer(name)
    if producer is None or producer.name not in nodes:
        dtypes = sorted(dtypes, key=lambda dtype: -dtype.size)
    return tuple(dict.fromkeys(dtypes))


def simulate(
    graph: Graph[Any], real: Sequence[Values], training: Sequence[int], settings: Settings, chosen: Chosen,
    known: Mapping[str, Mapping[DType, Quant]] | None = None,
) -> Simulated:
    """Quantizes by the samples `training`; simulates all.

    real: each sample's values in the float graph. chosen: what to quantize. known: ranges to use as they are.
    """
    result = Simulated(values=[{v.name: v.data for v in graph.values() if v.data is not None} for _ in real])
    for name in graph.inputs:
        _settle(name, [r[name] for r in real], result, training, settings, chosen, known, None)
    for node in graph.nodes():
        kind, outputs, scheme = operator(node.op), graph.output_types(node), chosen.nodes.get(node.name)
        dtype = scheme.activations if scheme is not None else None
        if node.op in WEIGHTED and scheme is not None:
            layer = _layer(graph, node, real, result, training, settings, scheme)
            result.layers[node.name] = layer
            weights = layer.weights * np.array(layer.scales, np.float32).reshape(-1, *[1] * (layer.weights.ndim - 1))
        else:
            layer = None
        fixed = FIXED.get((node.op, dtype)) if dtype is not None else None
        if (kind.keeps_quant or kind.is_view) and dtype is not None and node.inputs[0] in result.activations:
            fixed = result.activations[node.inputs[0]].get(dtype)
        columns: dict[str, list[Array]] = {o: [] for o in node.outputs if o}
        for sample in range(len(real)):
            operands = [result.operand(sample, i, dtype) if i else None for i in node.inputs]
            if layer is not None:
                operands[1:] = [weights.astype(np.float32), layer.bias]
            for name, array in zip(columns, kind.evaluate(node, operands, outputs), strict=False):
                columns[name].append(np.asarray(array))
        for name, arrays in columns.items():
            _settle(name, arrays, result, training, settings, chosen, known, fixed)
    return result


def _settle(
    name: str, arrays: Sequence[Array], result: Simulated, training: Sequence[int], settings: Settings,
    chosen: Chosen, known: Mapping[str, Mapping[DType, Quant]] | None, fixed: Quant | None,
) -> None:
    """Chooses a value's ranges, where it has some, and stores what is left of each sample."""
    dtypes = chosen.values.get(name, ())
    quants = dict(known[name]) if known is not None and name in known else {}
    for dtype in dtypes:
        if dtype in quants:
            continue
        if dtype is dtypes[0] and fixed is not None:
            quants[dtype] = fixed
        elif dtype is DType.INT16 and quants:
            quants[dtype] = _widened(quants[dtypes[0]])
        else:
            bounds = METHODS[settings.ranges](np.stack([arrays[k] for k in training]))
            quants[dtype] = quant_of_range(bounds, dtype)
    if dtypes:
        result.activations[name] = {dtype: quants[dtype] for dtype in dtypes}
    for values, array in zip(result.values, arrays, strict=True):
        values[name] = fake(array, quants[dtypes[0]], dtypes[0]) if dtypes else array


def _widened(quant: Quant) -> Quant:
    """The int16 range that holds all values of an int8 one."""
    low, high = (float((q - quant.zero_point[0]) * np.float32(quant.scale[0])) for q in DType.INT8.limits)
    return quant_of_range((low, high), DType.INT16)


def _layer(
    graph: Graph[Any], node: Node, real: Sequence[Values], result: Simulated, training: Sequence[int],
    settings: Settings, scheme: Scheme,
) -> Layer:
    """Integer weights and the bias of a Conv or Gemm."""
    weights = graph.data(node.inputs[1]).astype(np.float64)
    bias_name = node.inputs[2] if len(node.inputs) > 2 else ""
    bias = graph.data(bias_name).astype(np.float64) if bias_name else np.zeros(len(weights))
    flat = weights.reshape(len(weights), -1)
    x, levels = node.inputs[0], scheme.levels
    quant = result.activations[x][scheme.activations] if scheme.activations is DType.INT8 else None
    ins = [result.operand(k, x, scheme.activations) for k in training]
    wants = [_plain(node, real[k][x], weights, bias, graph.output_types(node)) for k in training]
    rounded, scales = np.zeros_like(flat), np.zeros(len(flat), np.float32)
    corrected = bias.copy()
    if settings.rounding == "nearest" and not settings.correct_bias:
        scales = _safe_scales(channel_scales(flat, levels), bias, quant)
        rounded = nearest(flat, scales, levels)
    else:
        for rows, matrix, target in _blocks(node, weights, ins, wants):
            own = flat[rows]
            mean = matrix.mean(axis=0)
            centred = matrix - mean
            covariance = centred.T @ centred / len(matrix)
            if settings.rounding == "fit":
                missing = target - matrix @ own.T
                own = fit(own, covariance, centred.T @ (missing - missing.mean(axis=0)) / len(matrix))
            scales[rows] = _safe_scales(channel_scales(own, levels), bias[rows], quant)
            if settings.rounding == "nearest":
                rounded[rows] = nearest(own, scales[rows], levels)
            else:
                rounded[rows] = reconstruct(own, scales[rows], covariance, levels)
            if settings.correct_bias:
                real_rows = rounded[rows] * scales[rows][:, None].astype(np.float64)
                corrected[rows] = (target - matrix @ real_rows.T).mean(axis=0)
    keeps_bias = bool(bias_name) or bool(np.any(corrected))
    return Layer(rounded.reshape(weights.shape).astype(np.int8), tuple(float(s) for s in scales),
                 corrected.astype(np.float32) if keeps_bias else None)


def _safe_scales(scales: Array, bias: Array, x: Quant | None) -> Array:
    """Scales large enough that an int8 layer's bias fits 30 bits at scale in * weights. `x`: of its input."""
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
