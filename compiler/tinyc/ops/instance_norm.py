# SPDX-License-Identifier: Apache-2.0
"""InstanceNormalization, LRN and LpNormalization: elements scaled by a statistic of their neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.elementwise import BinaryAttrs
from tinyc.ops.reduce import ReduceAttrs
from tinyc.ops.registry import (
    Arrays,
    Importing,
    Operator,
    ShapeError,
    Sunk,
    Types,
    array,
    imports,
    int8_obstacle,
    need,
    normalized_axes,
    register,
    scale_zero,
)
from tinyc.ops.unary import UnaryAttrs
from tinyc.quantize.normalize import MAX_COUNT, channel_parameters, epsilon_steps, scaled, standardized


@dataclass(frozen=True)
class InstanceNormAttrs:
    """`axis` of the channels counts from 0."""

    epsilon: float
    axis: int = 1


@dataclass(frozen=True)
class LrnAttrs:
    """y = x / (bias + alpha / size * sum of squares of `size` neighbours along `axis`) ^ beta."""

    size: int
    alpha: float
    beta: float
    bias: float
    axis: int = 1


@dataclass(frozen=True)
class LpNormAttrs:
    """Division by the p-norm along `axis`; p is 1 or 2."""

    axis: int
    p: int


class _Normalization(Operator):
    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x = need(types[0], "input")
        if not x.dtype.is_float or not 0 <= node.attrs.axis < x.rank:
            raise ShapeError(f"axis {node.attrs.axis} of an input {x}")
        return [TensorType(x.dtype, x.shape)]

    def layout_operands(self, node: Node) -> tuple[int, ...]:
        return (0,)

    def through_transpose(
        self, node: Node, perm: tuple[int, ...], types: Types, output: TensorType
    ) -> Sunk | None:
        return Sunk(replace(node.attrs, axis=perm[node.attrs.axis]), perm)


@register
class InstanceNormalization(_Normalization):
    """Operands: x [N,...,C,...], scale [C], bias [C]. Each channel of each instance has mean 0 and variance 1 first."""

    name = "InstanceNormalization"
    real_operands = frozenset({1, 2})

    def through_transpose(
        self, node: Node, perm: tuple[int, ...], types: Types, output: TensorType
    ) -> Sunk | None:
        """The instances stay along axis 0."""
        return super().through_transpose(node, perm, types, output) if perm[0] == 0 else None

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x = need(types[0], "input")
        axis = node.attrs.axis
        if not 1 <= axis < x.rank:
            raise ShapeError(f"axis {axis} of an input of rank {x.rank}")
        own = DType.FLOAT32 if node.integer else x.dtype
        for k, what in ((1, "scale"), (2, "bias")):
            if need(types[k], what).shape != (x.shape[axis],) or need(types[k], what).dtype is not own:
                raise ShapeError(f"{what} {types[k]} for {x.shape[axis]} channels of {x.dtype.label}")
        return [TensorType(x.dtype, x.shape)] if node.integer else super().infer(node, types, constants)

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        obstacle = int8_obstacle(types[:1], output)
        if obstacle is None and instance_size(need(types[0], "input"), node.attrs) > MAX_COUNT:
            return f"more than {MAX_COUNT} elements make one mean"
        return obstacle

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        """As tinyc.quantize.normalize says."""
        x = np.moveaxis(array(inputs[0]), node.attrs.axis, 1)
        rows = x.reshape(x.shape[0] * x.shape[1], -1)
        step, zero = scale_zero(outputs[0])
        z = standardized(rows, epsilon_steps(node.attrs.epsilon, scale_zero(types[0])[0], rows.shape[1]))
        tables = channel_parameters(array(inputs[1]), array(inputs[2]), step)
        multiplier, shift, offset = (np.tile(p, x.shape[0])[:, None] for p in tables)
        y = scaled(z, multiplier, shift, offset, zero).reshape(x.shape)
        return [np.ascontiguousarray(np.moveaxis(y, 1, node.attrs.axis))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        x, scale, bias = (array(i).astype(np.float64) for i in inputs[:3])
        axis = node.attrs.axis
        over = tuple(k for k in range(1, x.ndim) if k != axis)
        along = [1] * x.ndim
        along[axis] = -1
        centred = x - x.mean(over, keepdims=True)
        spread = np.sqrt((centred * centred).mean(over, keepdims=True) + node.attrs.epsilon)
        return [(centred / spread * scale.reshape(along) + bias.reshape(along)).astype(outputs[0].dtype.numpy)]


def instance_size(x: TensorType, attrs: InstanceNormAttrs) -> int:
    """How many elements make one mean."""
    return x.elements // max(x.shape[0] * x.shape[attrs.axis], 1)


@register
class LRN(_Normalization):
    name = "LRN"

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: LrnAttrs = node.attrs
        x = np.moveaxis(array(inputs[0]).astype(np.float64), a.axis, 0)
        before, after = (a.size - 1) // 2, a.size - 1 - (a.size - 1) // 2
        squares = np.stack([(x[max(0, c - before) : c + after + 1] ** 2).sum(0) for c in range(x.shape[0])])
        y = x / (a.bias + a.alpha / a.size * squares) ** a.beta
        return [np.ascontiguousarray(np.moveaxis(y, 0, a.axis)).astype(outputs[0].dtype.numpy)]


@register
class LpNormalization(_Normalization):
    """0 where the norm is 0."""

    name = "LpNormalization"

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: LpNormAttrs = node.attrs
        x = array(inputs[0]).astype(np.float64)
        norm = np.linalg.norm(x, a.p, a.axis, keepdims=True)
        return [np.where(norm == 0, 0.0, x / np.where(norm == 0, 1.0, norm)).astype(outputs[0].dtype.numpy)]


@imports("InstanceNormalization")
def _instance_norm(node: Importing) -> Sequence[str]:
    if node.type(0).rank < 3:
        raise ShapeError(f"an input of rank {node.type(0).rank}")
    attrs = InstanceNormAttrs(float(node.attributes.get("epsilon", 1e-5)))
    return node.emit("InstanceNormalization", attrs, [node.input(0), node.input(1), node.input(2)])


@imports("LRN")
def _lrn(node: Importing) -> Sequence[str]:
    size = int(node.attributes["size"])
    if size < 1:
        raise ShapeError(f"a window of {size} channels")
    alpha, beta, bias = (float(node.attributes.get(k, d)) for k, d in (("alpha", 1e-4), ("beta", 0.75), ("bias", 1.0)))
    return node.emit("LRN", LrnAttrs(size, alpha, beta, bias), [node.input(0)])


@imports("LpNormalization")
def _lp_norm(node: Importing) -> Sequence[str]:
    rank = node.type(0).rank
    axis, p = int(node.attributes.get("axis", -1)), int(node.attributes.get("p", 2))
    if p not in (1, 2):
        raise node.fail(f"a norm of order {p}", "1 or 2")
    return node.emit("LpNormalization", LpNormAttrs(axis + rank if axis < 0 else axis, p), [node.input(0)])


@imports("MeanVarianceNormalization")
def _mean_variance(node: Importing) -> Sequence[str]:
    """(x - mean) / (standard deviation + 1e-9) over the axes."""
    x = node.type(0)
    axes = tuple(normalized_axes(node, node.attributes.get("axes", [0, 2, 3]), x.rank))
    mean = node.emit("ReduceMean", ReduceAttrs(axes), [node.input(0)])
    centred = node.emit("Sub", BinaryAttrs(), [node.input(0), *mean])
    square = node.emit("Mul", BinaryAttrs(), [*centred, *centred])
    spread = node.emit("Sqrt", UnaryAttrs(), node.emit("ReduceMean", ReduceAttrs(axes), square))
    epsilon = node.const(np.array(1e-9, x.dtype.numpy))
    return node.emit("Div", BinaryAttrs(), [*centred, *node.emit("Add", BinaryAttrs(), [*spread, epsilon])])
