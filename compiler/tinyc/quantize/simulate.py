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
from tinyc.quantize.ranges import Room, fake, quant_of_range
from tinyc.quantize.recipe import Layer
from tinyc.quantize.rounding import channel_scales, fit, nearest, reconstruct
from tinyc.quantize.runner import Runner
from tinyc.quantize.schemes import INT4W, INT8, Scheme
from tinyc.quantize.structure import is_clustered, is_sparse

WEIGHTED = ("Conv", "Gemm")
MAX_PLACES = 4096  # of a Conv's results, by which its weights are rounded
# Ranges that the specifications of int8 and int16 fix.
_UNIT16 = Quant((1.0 / 32768,), (0,))
FIXED: dict[tuple[str, DType], Quant] = {
    ("Softmax", DType.INT8): Quant((1.0 / 256,), (-128,)), ("Softmax", DType.INT16): _UNIT16,
    ("Sigmoid", DType.INT8): Quant((1.0 / 256,), (-128,)), ("Sigmoid", DType.INT16): _UNIT16,
    ("Tanh", DType.INT8): Quant((1.0 / 128,), (0,)), ("Tanh", DType.INT16): _UNIT16,
}


@dataclass(frozen=True)
class Settings:
    """How to quantize. `equalize`: strength of cross-layer equalization, 0 for none. `room`: of ranges."""

    room: Room = Room()
    equalize: float = 0.0
    rounding: str = "nearest"  # nearest | reconstruct | fit
    correct_bias: bool = False

    def __str__(self) -> str:
        return (f"{self.room}, equalization {self.equalize:g}, rounding {self.rounding}, "
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


def inherits(graph: Graph[Any], name: str, chosen: Chosen) -> bool:
    """Whether the scales of a quantized value follow from its operator, or are its operand's."""
    node, dtypes = graph.producer(name), chosen.values[name]
    if node is None or node.name not in chosen.nodes or DType.INT8 in dtypes[1:]:
        return False
    own = chosen.nodes[node.name].activations
    fixed = (node.op, own) in FIXED
    return fixed or _passes_on(graph, node, own) and own in chosen.values.get(node.inputs[0], ())


def _passes_on(graph: Graph[Any], node: Node, dtype: DType) -> bool:
    """Whether the result of the integer form has the scale of operand 0, whatever is wanted."""
    kind = operator(node.op)
    if not kind.keeps_quant:
        return False
    x, *others = graph.input_types(node)
    assert x is not None
    x = replace(x, dtype=dtype, quant=Quant((1.0,), (0,)))
    return kind.natural_quant(node, [x, *others], Quant((2.0,), (0,))) == x.quant


def simulate(
    graph: Graph[Any], real: Sequence[Values], training: Sequence[int], settings: Settings, chosen: Chosen,
    ranges: Mapping[str, Mapping[DType, Quant]], runner: Runner,
) -> Simulated:
    """Quantizes weights and biases by the samples `training`; simulates all.

    real: each sample's values in the float graph. chosen: what to quantize. ranges: of each value that is quantized,
    but for those which inherit theirs.
    """
    result = Simulated(values=[{v.name: v.data for v in graph.values() if v.data is not None} for _ in real])
    for name in graph.inputs:
        _settle(name, [r[name] for r in real], result, chosen, ranges, None)
    for node in graph.nodes():
        scheme = chosen.nodes.get(node.name)
        dtype = scheme.activations if scheme is not None else None
        layer = None
        if node.op in WEIGHTED and scheme is not None:
            layer = _layer(graph, node, real, result, training, settings, scheme, runner)
            result.layers[node.name] = layer
            weights = layer.weights * np.array(layer.scales, np.float32).reshape(-1, *[1] * (layer.weights.ndim - 1))
        fixed = FIXED.get((node.op, dtype)) if dtype is not None else None
        if dtype is not None and node.inputs[0] in result.activations and _passes_on(graph, node, dtype):
            fixed = result.activations[node.inputs[0]].get(dtype)
        columns: dict[str, list[Array]] = {o: [] for o in node.outputs if o}
        for sample in range(len(real)):
            operands = [result.operand(sample, i, dtype) if i else None for i in node.inputs]
            evaluated = node
            if layer is not None:
                operands[1:] = [weights.astype(np.float32)]
                evaluated = replace(node, inputs=node.inputs[:2])
            if layer is not None and layer.bias is not None:
                results = [_with_bias(runner, graph, evaluated, operands, layer.bias)]
            else:
                results = runner.node(graph, evaluated, operands)
            for name, array in zip(columns, results, strict=False):
                columns[name].append(np.asarray(array))
        for name, arrays in columns.items():
            _settle(name, arrays, result, chosen, ranges, fixed)
    return result


def _with_bias(runner: Runner, graph: Graph[Any], node: Node, operands: Sequence[Array | None], bias: Array) -> Array:
    """A Conv's or Gemm's result with a bias that its node may not have."""
    low, high = node.attrs.clamp or (-math.inf, math.inf)
    sums = runner.node(graph, replace(node, attrs=replace(node.attrs, clamp=None)), operands)[0]
    return np.asarray(np.clip(sums + _along_channels(node, bias, sums.ndim), np.float32(low), np.float32(high)))


def _along_channels(node: Node, bias: Array, rank: int) -> Array:
    return bias if node.op == "Gemm" else bias.reshape(-1, *[1] * (rank - 2))


def _settle(
    name: str, arrays: Sequence[Array], result: Simulated, chosen: Chosen, ranges: Mapping[str, Mapping[DType, Quant]],
    fixed: Quant | None,
) -> None:
    """Notes a value's ranges, where it has some, and stores what is left of each sample."""
    dtypes = chosen.values.get(name, ())
    quants: dict[DType, Quant] = {}
    for dtype in dtypes:
        if dtype is dtypes[0] and fixed is not None:
            quants[dtype] = fixed
        elif dtype is DType.INT16 and quants:
            quants[dtype] = _widened(quants[dtypes[0]])
        else:
            quants[dtype] = ranges[name][dtype]
    if dtypes:
        result.activations[name] = quants
    for values, array in zip(result.values, arrays, strict=True):
        values[name] = fake(array, quants[dtypes[0]], dtypes[0]) if dtypes else array


def _widened(quant: Quant) -> Quant:
    """The int16 range that holds all values of an int8 one."""
    low, high = (float((q - quant.zero_point[0]) * np.float32(quant.scale[0])) for q in DType.INT8.limits)
    return quant_of_range((low, high), DType.INT16)


def _layer(
    graph: Graph[Any], node: Node, real: Sequence[Values], result: Simulated, training: Sequence[int],
    settings: Settings, scheme: Scheme, runner: Runner,
) -> Layer:
    """Integer weights and the bias of a Conv or Gemm. Weights that are mostly zero, or few different ones, stay so."""
    weights = graph.data(node.inputs[1]).astype(np.float64)
    bias_name = node.inputs[2] if len(node.inputs) > 2 else ""
    bias = graph.data(bias_name).astype(np.float64) if bias_name else np.zeros(len(weights))
    x, levels = node.inputs[0], scheme.levels
    quant = result.activations[x][scheme.activations] if scheme.activations is DType.INT8 else None
    groups = 1 if node.op == "Gemm" else node.attrs.group
    rows = weights.reshape(groups, len(weights) // groups, -1)
    biases = bias.reshape(groups, -1)
    kept = rows != 0 if is_sparse(rows) else None
    rounding = "nearest" if is_clustered(rows) else settings.rounding
    if rounding == "nearest" and not settings.correct_bias:
        scales = _safe_scales(channel_scales(rows, levels), biases, quant)
        rounded, corrected = nearest(rows, scales, levels), biases
    else:
        wants = [_plain(graph, node, real[k][x], weights, bias, runner) for k in training]
        ins = [result.operand(k, x, scheme.activations) for k in training]
        matrix, target = _products(node, weights, ins, wants)
        mean = matrix.mean(axis=1, keepdims=True)
        centred = matrix - mean
        if rounding != "nearest":
            covariance = centred.swapaxes(1, 2) @ centred / matrix.shape[1]
        if rounding == "fit":
            missing = target - matrix @ rows.swapaxes(1, 2)
            missing = missing - missing.mean(axis=1, keepdims=True)
            rows = fit(rows, covariance, centred.swapaxes(1, 2) @ missing / matrix.shape[1])
            rows = rows if kept is None else rows * kept
        scales = _safe_scales(channel_scales(rows, levels), biases, quant)
        rounded = (nearest(rows, scales, levels) if rounding == "nearest"
                   else reconstruct(rows, scales, covariance, levels, kept))
        corrected = biases
        if settings.correct_bias:
            got = mean @ (rounded * scales[..., None].astype(np.float64)).swapaxes(1, 2)
            corrected = target.mean(axis=1) - got[:, 0]
    flat = corrected.reshape(-1).astype(np.float32)
    return Layer(rounded.reshape(weights.shape).astype(np.int8), tuple(float(s) for s in scales.reshape(-1)),
                 flat if bias_name or flat.any() else None)


def _safe_scales(scales: Array, bias: Array, x: Quant | None) -> Array:
    """Scales large enough that an int8 layer's bias fits 30 bits at scale in * weights. `x`: of its input."""
    if x is None:
        return scales
    least = np.abs(bias) / (x.scale[0] * 2.0**30)
    return np.maximum(scales, least).astype(np.float32)


def _plain(graph: Graph[Any], node: Node, x: Array, weights: Array, bias: Array, runner: Runner) -> Array:
    """The layer's result in real numbers, before its clamp."""
    sums = replace(node, attrs=replace(node.attrs, clamp=None), inputs=node.inputs[:2])
    result = runner.node(graph, sums, [x, weights.astype(np.float32)])[0].astype(np.float64)
    return np.asarray(result + _along_channels(node, bias, result.ndim))


def _products(
    node: Node, weights: Array, ins: Sequence[Array], wants: Sequence[Array]
) -> tuple[Array, Array]:
    """What the weights' rows are multiplied with [groups, N, K], and the results wanted of them [groups, N, rows].

    Of a Conv at most about MAX_PLACES places, at even distances.
    """
    if node.op == "Gemm":
        matrix = np.concatenate([x.reshape(-1, x.shape[-1]) for x in ins]).astype(np.float64)
        return matrix[None], np.concatenate([y.reshape(-1, y.shape[-1]) for y in wants])[None]
    attrs, out = node.attrs, wants[0].shape[2:]
    groups, width = attrs.group, math.prod(weights.shape[1:])
    count = len(ins) * math.prod(out)
    flat = np.arange(0, math.prod(out), max(1, count // MAX_PLACES))
    places: tuple[Any, ...] = (slice(None), slice(None), *np.unravel_index(flat, out))
    parts, targets = [], []
    for x, y in zip(ins, wants, strict=True):
        view = windows(x, weights.shape[2:], attrs.strides, attrs.dilations, attrs.pads, out, 0.0)
        part = view[places].reshape(len(x), groups, weights.shape[1], len(flat), *weights.shape[2:])
        rows = np.moveaxis(part, 3, 2).reshape(len(x), groups, len(flat), width)
        parts.append(rows.swapaxes(0, 1).reshape(groups, -1, width))
        wanted = y[places].reshape(len(x), groups, -1, len(flat))
        targets.append(wanted.transpose(1, 0, 3, 2).reshape(groups, len(x) * len(flat), -1))
    return np.concatenate(parts, axis=1).astype(np.float64), np.concatenate(targets, axis=1)
