# SPDX-License-Identifier: Apache-2.0
"""LayerNormalization and RMSNormalization of trailing axes, seen as rows, and what is expressed by them.

Operands: x, scale [row length] or "", shift [row length] or "". Half precision is computed in float and rounded once.
The integer form is that of tinyc.quantize.normalize, for int8 x and y and constant scale and shift; for
RMSNormalization with the zero point taken from x and 0 for the sum S1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.elementwise import BinaryAttrs
from tinyc.ops.registry import (
    Arrays,
    Importing,
    Operator,
    ShapeError,
    Types,
    array,
    imports,
    int8_obstacle,
    need,
    register,
    scale_zero,
)
from tinyc.ops.unary import UnaryAttrs
from tinyc.ops.view import ReshapeAttrs
from tinyc.quantize.normalize import MAX_COUNT, channel_parameters, epsilon_steps, scaled, standardized

MICROSOFT = "com.microsoft"


@dataclass(frozen=True)
class LayerNormAttrs:
    """`axis`: the first of the axes that make a row, counted from 0. `results`: Y, Mean, InvStdDev, or some of them;
    the statistics have the row's axes as ones and are float32 for half precision."""

    axis: int
    epsilon: float
    results: tuple[str, ...] = ("Y",)


class RowNormalization(Operator):
    """Behaviour shared by both."""

    real_operands = frozenset({1, 2})
    longest_row = MAX_COUNT

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: LayerNormAttrs = node.attrs
        x = need(types[0], "input")
        own = DType.FLOAT32 if node.integer else x.dtype
        if not (x.dtype.is_float or node.integer) or not 0 <= a.axis < max(x.rank, 1):
            raise ShapeError(f"axis {a.axis} of an input {x}")
        for type_ in types[1:]:
            if type_ is not None and (type_.dtype is not own or type_.shape != (row_length(x, a),)):
                raise ShapeError(f"scale or shift {type_} for rows of {row_length(x, a)} {x.dtype.label}")
        kept = x.shape[: a.axis] + (1,) * (x.rank - a.axis)
        statistic = TensorType(DType.FLOAT32 if x.dtype is DType.FLOAT16 else x.dtype, kept)
        return [TensorType(x.dtype, x.shape) if r == "Y" else statistic for r in a.results]

    def statistics(self, rows: Array, epsilon: float) -> tuple[Array, Array]:
        """(mean to be subtracted, factor) of each row."""
        raise NotImplementedError(self.name)

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: LayerNormAttrs = node.attrs
        x = array(inputs[0]).astype(np.float64)
        rows = x.reshape(math.prod(x.shape[: a.axis]), -1)
        mean, factor = self.statistics(rows, a.epsilon)
        y = (rows - mean) * factor
        for k, combine in ((1, np.multiply), (2, np.add)):
            operand = inputs[k] if k < len(inputs) else None
            if operand is not None:
                y = combine(y, operand.astype(np.float64))
        results = {"Y": y, "Mean": mean, "InvStdDev": factor}
        return [results[r].reshape(t.shape).astype(t.dtype.numpy) for r, t in zip(a.results, outputs, strict=True)]

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        obstacle = int8_obstacle(types[:1], output)
        if obstacle is None and not 0 < row_length(need(types[0], "input"), node.attrs) <= self.longest_row:
            return f"a row is not of 1 to {self.longest_row} elements"
        return "its statistics are results" if node.attrs.results != ("Y",) else obstacle

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        a: LayerNormAttrs = node.attrs
        x = need(types[0], "input")
        rows = array(inputs[0]).reshape(-1, row_length(x, a))
        step, zero = scale_zero(outputs[0])
        epsilon = epsilon_steps(a.epsilon, scale_zero(x)[0], rows.shape[1])
        z = self.standard(rows, epsilon, scale_zero(x)[1])
        factor, offset = row_parameters(node, inputs, rows.shape[1])
        return [scaled(z, *channel_parameters(factor, offset, step), zero).reshape(x.shape)]

    def standard(self, rows: Array, epsilon: int, zero: int) -> Array:
        """Normalized rows with the fractional bits of tinyc.quantize.normalize."""
        return standardized(rows, epsilon)


def row_parameters(node: Node, operands: Sequence[Array | None], length: int) -> tuple[Array, Array]:
    """(factor, offset) of each element of a row."""
    given = [*operands, None, None][1:3]
    factor, offset = (np.full(length, default, np.float32) if value is None else value
                      for value, default in zip(given, (1.0, 0.0), strict=True))
    return factor, offset


def row_length(x: TensorType, attrs: LayerNormAttrs) -> int:
    return math.prod(x.shape[attrs.axis :])


@register
class LayerNormalization(RowNormalization):
    """(x - mean) / sqrt(variance + epsilon) * scale + shift."""

    name = "LayerNormalization"

    def statistics(self, rows: Array, epsilon: float) -> tuple[Array, Array]:
        mean = rows.mean(1, keepdims=True)
        return mean, 1.0 / np.sqrt(((rows - mean) ** 2).mean(1, keepdims=True) + epsilon)


@register
class RMSNormalization(RowNormalization):
    """x / sqrt(mean of squares + epsilon) * scale."""

    name = "RMSNormalization"
    longest_row = MAX_COUNT // 2

    def standard(self, rows: Array, epsilon: int, zero: int) -> Array:
        return standardized(rows.astype(np.int64) - zero, epsilon, centred=False)

    def statistics(self, rows: Array, epsilon: float) -> tuple[Array, Array]:
        factor = 1.0 / np.sqrt((rows**2).mean(1, keepdims=True) + epsilon)
        return np.zeros_like(factor), factor


def _row_operand(node: Importing, value: str, row: tuple[int, ...]) -> str | None:
    """Scale or shift as one element for each of a row; None where it is of another shape."""
    shape = node.type_of(value).shape
    while len(shape) > len(row) and shape[0] == 1:
        shape = shape[1:]
    if math.prod(shape) != math.prod(row):
        return None
    flat = node.type_of(value).rank == 1
    return value if flat else node.emit("Reshape", ReshapeAttrs((math.prod(row),)), [value])[0]


def emit_norm(
    node: Importing, op: str, x: str, axis: int, epsilon: float, scale: str, shift: str, results: Sequence[str] = ("Y",)
) -> list[str]:
    """The normalization; scale and shift that differ between rows, or are broadcast, become Mul and Add."""
    row = node.type_of(x).shape[axis:]
    operands = [x]
    after: list[tuple[str, str]] = []
    for value, combine in ((scale, "Mul"), (shift, "Add")):
        whole = _row_operand(node, value, row) if value and not after else None
        operands.append(whole or "")
        if value and whole is None:
            after.append((combine, value))
    while not operands[-1]:
        operands.pop()
    made = node.emit(op, LayerNormAttrs(axis, epsilon, tuple(results)), operands, len(results))
    for combine, value in after:
        made[0] = node.emit(combine, BinaryAttrs(), [made[0], value])[0]
    return made


def _axis(node: Importing) -> int:
    rank, axis = node.type(0).rank, int(node.attributes.get("axis", -1))
    if not -rank <= axis < rank:
        raise node.fail(f"axis {axis} of an input of rank {rank}")
    return axis % rank


@imports("LayerNormalization")
def _layer_norm(node: Importing) -> Sequence[str]:
    names = ("Y", "Mean", "InvStdDev")
    wanted = [k < len(node.outputs) and node.outputs[k] != "" for k in range(3)]
    results = ("Y", *(n for n, there in zip(names[1:], wanted[1:], strict=True) if there))
    epsilon = float(node.attributes.get("epsilon", 1e-5))
    made = emit_norm(node, "LayerNormalization", node.input(0), _axis(node), epsilon, node.input(1), node.input(2),
                     results)
    at = iter(made[1:])
    return [made[0], *(next(at) if there else "" for there in wanted[1:])]


@imports("RMSNormalization", "SimplifiedLayerNormalization")
def _rms_norm(node: Importing) -> Sequence[str]:
    return emit_norm(node, "RMSNormalization", node.input(0), _axis(node), float(node.attributes.get("epsilon", 1e-5)),
                     node.input(1), "")


@imports("SkipLayerNormalization", "SkipSimplifiedLayerNormalization", domain=MICROSOFT)
def _skip_layer_norm(node: Importing) -> Sequence[str]:
    """LayerNormalization of input + skip (+ bias); that sum is the fourth output."""
    simplified = node.op_type.startswith("SkipSimplified")
    shift, bias = ("", node.input(3)) if simplified else (node.input(3), node.input(4))
    total = node.emit("Add", BinaryAttrs(), [node.input(0), node.input(1)])[0]
    if bias:
        total = node.emit("Add", BinaryAttrs(), [total, bias])[0]
    if any(k < len(node.outputs) and node.outputs[k] for k in (1, 2)):
        raise node.fail("its second and third output are not supported")
    op = "RMSNormalization" if simplified else "LayerNormalization"
    y = emit_norm(node, op, total, node.type(0).rank - 1, float(node.attributes.get("epsilon", 1e-12)), node.input(2),
                  shift)
    return [y[0], "", "", total]


@imports("GroupNormalization")
def _group_norm(node: Importing) -> Sequence[str]:
    """Groups of channels are rows. Scale and shift: one for each channel, before opset 21 one for each group."""
    x, groups = node.type(0), int(node.attributes["num_groups"])
    if x.rank < 2 or groups < 1 or x.shape[1] % groups:
        raise node.fail(f"{groups} groups of an input of shape {list(x.shape)}")
    channels, per_group = x.shape[1], node.type(1).shape == (groups,) and node.opset < 21
    length = math.prod(x.shape[1:]) // groups
    rows = node.emit("Reshape", ReshapeAttrs((x.shape[0], groups, length)), [node.input(0)])
    rows = node.emit("LayerNormalization", LayerNormAttrs(2, float(node.attributes.get("epsilon", 1e-5))), rows)
    split = (x.shape[0], groups, channels // groups, math.prod(x.shape[2:]))
    result = node.emit("Reshape", ReshapeAttrs(split if per_group else (x.shape[0], channels, split[3])), rows)[0]
    for k, combine in ((1, "Mul"), (2, "Add")):
        shape = (groups, 1, 1) if per_group else (channels, 1)
        operand = node.emit("Reshape", ReshapeAttrs(shape), [node.input(k)])[0]
        result = node.emit(combine, BinaryAttrs(), [result, operand])[0]
    return node.emit("Reshape", ReshapeAttrs(x.shape), [result])


@imports("FastGelu", "Gelu", "BiasGelu", "QuickGelu", domain=MICROSOFT)
def _gelu(node: Importing) -> Sequence[str]:
    x = node.input(0)
    if node.op_type in ("FastGelu", "BiasGelu") and node.has(1):
        x = node.emit("Add", BinaryAttrs(), [x, node.input(1)])[0]
    if node.op_type == "QuickGelu":
        return node.emit("Swish", UnaryAttrs((float(node.attributes.get("alpha", 1.702)),)), [x])
    return node.emit("GeluTanh" if node.op_type == "FastGelu" else "Gelu", UnaryAttrs(), [x])
