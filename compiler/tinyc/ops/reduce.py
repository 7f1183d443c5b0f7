# SPDX-License-Identifier: Apache-2.0
"""Reductions over axes: a table. ReduceMean, ReduceSum, ReduceMax and ReduceMin run on int8 too."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.cast import CastAttrs
from tinyc.ops.elementwise import BinaryAttrs
from tinyc.ops.registry import (
    OPERATORS,
    Arrays,
    Importing,
    Operator,
    ShapeError,
    Sunk,
    Types,
    array,
    constant_or_attribute,
    imports,
    need,
    normalized_axes,
    quantized_obstacle,
    scale_zero,
)
from tinyc.ops.unary import UnaryAttrs
from tinyc.quantize.numbers import quantize_multiplier, requantize, saturate


@dataclass(frozen=True)
class ReduceAttrs:
    """`axes` count from 0, in ascending order; none of them means a copy."""

    axes: tuple[int, ...]
    keepdims: bool = True


@dataclass(frozen=True)
class Reduction:
    """A row: `function(array, axes, keepdims)`; in C, {acc} starts with the first element, then each
    further {x} is taken in by `c_step`, and `c_end` makes the result of {acc} and {count}."""

    name: str
    function: Callable[[Array, tuple[int, ...], Any], Array]  # NumPy's types know only literal keepdims
    c_step: str
    c_end: str = "{acc}"


ROWS: tuple[Reduction, ...] = (
    Reduction(
        "ReduceMean",
        lambda x, axes, keep: np.mean(x, axis=axes, keepdims=keep),
        "{acc} + {x}",
        "{acc} / {count}",
    ),
    Reduction("ReduceSum", lambda x, axes, keep: np.sum(x, axis=axes, keepdims=keep), "{acc} + {x}"),
    Reduction("ReduceProd", lambda x, axes, keep: np.prod(x, axis=axes, keepdims=keep), "{acc} * {x}"),
    Reduction(
        "ReduceMax", lambda x, axes, keep: np.max(x, axis=axes, keepdims=keep), "{acc} > {x} ? {acc} : {x}"
    ),
    Reduction(
        "ReduceMin", lambda x, axes, keep: np.min(x, axis=axes, keepdims=keep), "{acc} < {x} ? {acc} : {x}"
    ),
)
TABLE: dict[str, Reduction] = {row.name: row for row in ROWS}


def reduced_count(node: Node, x: TensorType) -> int:
    """How many elements make one of the result."""
    return math.prod(x.shape[i] for i in node.attrs.axes)


class ReduceOperator(Operator):
    """Behaviour shared by all rows."""

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: ReduceAttrs = node.attrs
        x = need(types[0], "input")
        if not (x.dtype.is_float or x.dtype.is_integer):
            raise ShapeError(f"element type {x.dtype.label} is not supported")
        if any(not 0 <= i < x.rank for i in a.axes):
            raise ShapeError(f"axes {a.axes} of an input of rank {x.rank}")
        if any(x.shape[i] == 0 for i in a.axes):
            raise ShapeError(f"a reduction over no elements of {x.shape}")
        kept = [1 if i in a.axes else d for i, d in enumerate(x.shape) if a.keepdims or i not in a.axes]
        return [TensorType(x.dtype, tuple(kept))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: ReduceAttrs = node.attrs
        x = array(inputs[0])
        wide = np.float64 if x.dtype.kind == "f" else np.int64
        with np.errstate(all="ignore"):
            result = TABLE[self.name].function(x.astype(wide), a.axes, a.keepdims)
            return [np.asarray(result).astype(outputs[0].dtype.numpy)]

    def through_transpose(
        self, node: Node, perm: tuple[int, ...], types: Types, output: TensorType
    ) -> Sunk | None:
        a: ReduceAttrs = node.attrs
        axes = tuple(sorted(perm[i] for i in a.axes))
        if a.keepdims:
            return Sunk(ReduceAttrs(axes, True), perm)
        kept = [p for i, p in enumerate(perm) if i not in a.axes]
        return Sunk(ReduceAttrs(axes, False), tuple(sorted(kept).index(k) for k in kept))


class ReduceTotal(ReduceOperator):
    """Mean and sum in integers: the exact sum, requantized once."""

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        x = need(types[0], "input")
        if reduced_count(node, x) > (1 << 31) // (1 << 8 * x.dtype.size):
            return "the sum may exceed 32 bits"
        return quantized_obstacle(types, output)

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        a: ReduceAttrs = node.attrs
        _, in_zero = scale_zero(types[0])
        total = np.sum(array(inputs[0]).astype(np.int64) - in_zero, axis=a.axes).reshape(outputs[0].shape)
        multiplier = total_multiplier(node, need(types[0], "input"), outputs[0])
        dtype = outputs[0].dtype
        result = requantize(np.asarray(total), *multiplier) + scale_zero(outputs[0])[1]
        return [saturate(result, *dtype.limits, dtype.label)]


def total_multiplier(node: Node, x: TensorType, y: TensorType) -> tuple[int, int]:
    """(multiplier, shift) from a sum of integers to the result of an integer ReduceMean or ReduceSum."""
    count = reduced_count(node, x) if node.op == "ReduceMean" else 1
    return quantize_multiplier(scale_zero(x)[0] / (scale_zero(y)[0] * count))


class ReduceExtremum(ReduceOperator):
    """Maximum and minimum in integers: those of the stored values."""

    keeps_quant = True
    selects = True

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        return quantized_obstacle(types, output)

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        return self.evaluate(node, inputs, outputs)


_FORMS: dict[str, type[ReduceOperator]] = {
    "ReduceMean": ReduceTotal,
    "ReduceSum": ReduceTotal,
    "ReduceMax": ReduceExtremum,
    "ReduceMin": ReduceExtremum,
}
for _row in ROWS:
    OPERATORS[_row.name] = type(_row.name, (_FORMS.get(_row.name, ReduceOperator),), {"name": _row.name})()

# Opset from which the axes are an operand.
_AXES_OPERAND = {"ReduceSum": 13}


def _reduce_attrs(node: Importing) -> ReduceAttrs | None:
    """None where nothing is to be reduced."""
    rank = node.type(0).rank
    axes = constant_or_attribute(node, 1, "axes", _AXES_OPERAND.get(node.op_type, 18))
    keepdims = bool(node.attributes.get("keepdims", 1))
    if axes is None or not axes:
        if node.attributes.get("noop_with_empty_axes", 0):
            return None
        axes = list(range(rank))
    return ReduceAttrs(tuple(normalized_axes(node, axes, rank)), keepdims)


def _of_nothing(node: Importing, op: str, attrs: ReduceAttrs, value: str) -> list[str] | None:
    """The result where there is nothing to reduce but results there are: the neutral element of each; else None."""
    x = node.type_of(value)
    if all(x.shape[a] for a in attrs.axes):
        return None
    if x.dtype.is_float:
        lowest, highest = -math.inf, math.inf
    else:
        lowest, highest = (0, 1) if x.dtype is DType.BOOL else x.dtype.limits
    neutral = {"ReduceSum": 0, "ReduceProd": 1, "ReduceMax": lowest, "ReduceMin": highest, "ReduceLogSumExp": lowest}
    if op not in neutral:
        raise ShapeError(f"a mean over no elements of {x.shape}")
    kept = [1 if i in attrs.axes else d for i, d in enumerate(x.shape) if attrs.keepdims or i not in attrs.axes]
    return [node.const(np.full(kept, neutral[op], x.dtype.numpy))]


@imports(*TABLE)
def _reduce(node: Importing) -> Sequence[str]:
    attrs = _reduce_attrs(node)
    if attrs is None:
        return [node.input(0)]
    nothing = _of_nothing(node, node.op_type, attrs, node.input(0))
    if nothing is not None:
        return nothing
    if node.type(0).dtype is DType.BOOL:  # ReduceMax and ReduceMin
        bytes_ = node.emit("Cast", CastAttrs(DType.UINT8), [node.input(0)])
        return node.emit("Cast", CastAttrs(DType.BOOL), node.emit(node.op_type, attrs, bytes_))
    return node.emit(node.op_type, attrs, [node.input(0)])


@imports("ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum")
def _composed_reduce(node: Importing) -> Sequence[str]:
    """Reductions that are a sum with an element-wise operator before or behind it.

    Half-precision squares may overflow where the result does not, and roots and logarithms of integers are real:
    both are computed in a wider type and converted back.
    """
    attrs, op, value = _reduce_attrs(node), node.op_type, [node.input(0)]
    dtype = node.type(0).dtype
    if dtype is DType.FLOAT16:
        value = node.emit("Cast", CastAttrs(DType.FLOAT32), value)
    if op == "ReduceL1":
        value = node.emit("Abs", UnaryAttrs(), value)
    elif op in ("ReduceL2", "ReduceSumSquare"):
        value = node.emit("Mul", BinaryAttrs(), [*value, *value])
    if attrs is not None:
        value = _of_nothing(node, "ReduceSum", attrs, value[0]) or node.emit("ReduceSum", attrs, value)
    if op in ("ReduceL2", "ReduceLogSum"):
        if dtype.is_integer:
            value = node.emit("Cast", CastAttrs(DType.FLOAT64), value)
        value = node.emit("Sqrt" if op == "ReduceL2" else "Log", UnaryAttrs(), value)
    return value if node.type_of(value[0]).dtype is dtype else node.emit("Cast", CastAttrs(dtype), value)


@imports("ReduceLogSumExp")
def _log_sum_exp(node: Importing) -> Sequence[str]:
    """log(sum(exp(x))), with the maximum taken out so that exp cannot overflow."""
    attrs = _reduce_attrs(node)
    if attrs is None:
        return [node.input(0)]
    x = node.input(0)
    nothing = _of_nothing(node, node.op_type, attrs, x)
    if nothing is not None:
        return nothing
    top = node.emit("ReduceMax", ReduceAttrs(attrs.axes, True), [x])
    below = node.emit("Sub", BinaryAttrs(), [x, *top])
    total = node.emit("ReduceSum", attrs, node.emit("Exp", UnaryAttrs(), below))
    if not attrs.keepdims:
        top = node.emit("ReduceMax", attrs, [x])
    return node.emit("Add", BinaryAttrs(), [*node.emit("Log", UnaryAttrs(), total), *top])


__all__ = ["ReduceAttrs", "Reduction", "TABLE", "reduced_count", "total_multiplier"]
