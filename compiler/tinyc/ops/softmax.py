# SPDX-License-Identifier: Apache-2.0
"""Softmax along one axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, Quant, TensorType
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
    quantized_obstacle,
    register,
    scale_zero,
)
from tinyc.ops.unary import UnaryAttrs
from tinyc.ops.view import ReshapeAttrs
from tinyc.quantize import softmax16
from tinyc.quantize.numbers import (
    divide_by_power_of_two,
    doubling_high_mul,
    exp_on_negative_values,
    leading_zeros,
    one_over_one_plus_x,
    quantize_multiplier,
)


@dataclass(frozen=True)
class SoftmaxAttrs:
    """`axis` counts from 0. After the pass softmax_last_axis it is the last one."""

    axis: int


# What the integer form gives: [0, 1] in steps of 1/256.
OUTPUT_QUANT = Quant((1 / 256,), (-128,))
OUTPUT_QUANT16 = Quant((1 / 32768,), (0,))
MOST_SHIFT16 = 14  # differences of int16 values, shifted so far, still fit 32 bits


def softmax_parameters(scale: float) -> tuple[int, int, int]:
    """(multiplier, shift, diff_min) of TFLite's int8 softmax with beta 1 and 5 integer bits."""
    real = min(float(scale) * (1 << 26), float((1 << 31) - 1))
    multiplier, shift = quantize_multiplier(real)
    diff_min = -int(math.floor(31.0 * (1 << 26) / (1 << shift))) if shift >= 0 else -(1 << 31)
    return multiplier, shift, diff_min


@register
class Softmax(Operator):
    name = "Softmax"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: SoftmaxAttrs = node.attrs
        x = need(types[0], "input")
        if not 0 <= a.axis < x.rank or not x.dtype.is_float and not node.integer:
            raise ShapeError(f"axis {a.axis} of an input {x}")
        return [TensorType(x.dtype, x.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: SoftmaxAttrs = node.attrs
        x = array(inputs[0]).astype(np.float64)
        e = np.exp(x - x.max(a.axis, keepdims=True))
        return [(e / e.sum(a.axis, keepdims=True)).astype(outputs[0].dtype.numpy)]

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        if output.dtype is DType.INT16:
            wide = softmax16.parameters(scale_zero(types[0])[0])[1] > MOST_SHIFT16
            return "the input's scale is too large" if wide else quantized_obstacle(types, output)
        obstacle = int8_obstacle(types, output)
        if obstacle is None and softmax_parameters(scale_zero(types[0])[0])[1] < 0:
            return "the input's scale is below 2^-26"
        return obstacle

    def natural_quant(self, node: Node, types: Types, wanted: Quant) -> Quant:
        return OUTPUT_QUANT16 if types[0] is not None and types[0].dtype is DType.INT16 else OUTPUT_QUANT

    def through_transpose(
        self, node: Node, perm: tuple[int, ...], types: Types, output: TensorType
    ) -> Sunk | None:
        """The axis must be the last one afterwards too."""
        axis = perm[node.attrs.axis]
        return Sunk(SoftmaxAttrs(axis), perm) if axis == len(perm) - 1 else None

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        axis: int = node.attrs.axis
        if outputs[0].dtype is DType.INT16:
            rows = np.moveaxis(array(inputs[0]), axis, -1)
            result = softmax16.softmax(rows, *softmax16.parameters(scale_zero(types[0])[0]))
            return [np.ascontiguousarray(np.moveaxis(result, -1, axis))]
        multiplier, shift, diff_min = softmax_parameters(scale_zero(types[0])[0])
        x = array(inputs[0]).astype(np.int64)
        diff = x - x.max(axis, keepdims=True)
        used = diff >= diff_min
        rescaled = doubling_high_mul(np.where(used, diff, 0) << shift, multiplier)
        exps = np.where(used, exp_on_negative_values(rescaled), 0)
        total = np.where(used, divide_by_power_of_two(exps, 12), 0).sum(axis, keepdims=True)
        headroom = leading_zeros(total)
        reciprocal = one_over_one_plus_x((total << headroom) - (1 << 31))
        bits = 12 - headroom + 23
        result = divide_by_power_of_two(doubling_high_mul(reciprocal, exps), bits) - 128
        return [np.where(used, np.clip(result, -128, 127), -128).astype(np.int8)]


@imports("Softmax", "LogSoftmax")
def _softmax(node: Importing) -> Sequence[str]:
    x = node.type(0)
    if x.rank == 0:
        raise ShapeError("an input of rank 0")
    plain = _emit_half_softmax if x.dtype is DType.FLOAT16 else _emit_softmax
    emit = plain if node.op_type == "Softmax" else _emit_log_softmax
    axis = int(node.attributes.get("axis", -1 if node.opset >= 13 else 1))
    axis = axis + x.rank if axis < 0 else axis
    if node.opset >= 13 or axis == x.rank - 1:
        return emit(node, node.input(0), axis)
    # Before opset 13 the operand is seen as a matrix, split before `axis`.
    flat = (math.prod(x.shape[:axis]), math.prod(x.shape[axis:]))
    matrix = node.emit("Reshape", ReshapeAttrs(flat), [node.input(0)])
    return node.emit("Reshape", ReshapeAttrs(x.shape), emit(node, matrix[0], 1))


def _emit_softmax(node: Importing, x: str, axis: int) -> list[str]:
    return node.emit("Softmax", SoftmaxAttrs(axis), [x])


def _emit_half_softmax(node: Importing, x: str, axis: int) -> list[str]:
    """The standard's definition step by step, each rounded to half precision."""
    attrs = ReduceAttrs((axis,), True)
    below = node.emit("Sub", BinaryAttrs(), [x, *node.emit("ReduceMax", attrs, [x])])
    exps = node.emit("Exp", UnaryAttrs(), below)
    return node.emit("Div", BinaryAttrs(), [*exps, *node.emit("ReduceSum", attrs, exps)])


def _emit_log_softmax(node: Importing, x: str, axis: int) -> list[str]:
    """x - max - log(sum(exp(x - max))): the logarithm of a Softmax would lose small values."""
    attrs = ReduceAttrs((axis,), True)
    below = node.emit("Sub", BinaryAttrs(), [x, *node.emit("ReduceMax", attrs, [x])])
    total = node.emit("ReduceSum", attrs, node.emit("Exp", UnaryAttrs(), below))
    return node.emit("Sub", BinaryAttrs(), [*below, *node.emit("Log", UnaryAttrs(), total)])
