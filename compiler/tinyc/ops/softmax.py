# SPDX-License-Identifier: Apache-2.0
"""Softmax along one axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Types, array, imports, need, register, scale_zero
from tinyc.ops.view import ReshapeAttrs
from tinyc.quantize.numbers import (
    divide_by_power_of_two, exp_on_negative_values, leading_zeros, one_over_one_plus_x, doubling_high_mul,
    quantize_multiplier,
)


@dataclass(frozen=True)
class SoftmaxAttrs:
    axis: int = -1


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
        if not -x.rank <= a.axis < x.rank:
            raise ShapeError(f"axis {a.axis} of an input of rank {x.rank}")
        return [TensorType(x.dtype, x.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: SoftmaxAttrs = node.attrs
        x = array(inputs[0]).astype(np.float64)
        e = np.exp(x - x.max(a.axis, keepdims=True))
        return [(e / e.sum(a.axis, keepdims=True)).astype(outputs[0].dtype.numpy)]

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        x = need(types[0], "input")
        if x.dtype is not DType.INT8 or output.dtype is not DType.INT8:
            return f"activations are {x.dtype.label} and {output.dtype.label}, not int8"
        if scale_zero(output) != (1 / 256, -128):
            return "the output's scale and zero point are not 1/256 and -128"
        if node.attrs.axis not in (-1, x.rank - 1):
            return f"axis {node.attrs.axis} is not the last"
        if softmax_parameters(scale_zero(x)[0])[1] < 0:
            return "the input's scale is below 2^-26"
        return None

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        multiplier, shift, diff_min = softmax_parameters(scale_zero(types[0])[0])
        x = array(inputs[0]).astype(np.int64)
        diff = x - x.max(-1, keepdims=True)
        used = diff >= diff_min
        rescaled = doubling_high_mul(np.where(used, diff, 0) << shift, multiplier)
        exps = np.where(used, exp_on_negative_values(rescaled), 0)
        total = np.where(used, divide_by_power_of_two(exps, 12), 0).sum(-1, keepdims=True)
        headroom = leading_zeros(total)
        reciprocal = one_over_one_plus_x((total << headroom) - (1 << 31))
        bits = 12 - headroom + 23
        result = divide_by_power_of_two(doubling_high_mul(reciprocal, exps), bits) - 128
        return [np.where(used, np.clip(result, -128, 127), -128).astype(np.int8)]


@imports("Softmax")
def _softmax(node: Importing) -> Sequence[str]:
    x = node.type(0)
    if node.opset >= 13:
        return node.emit("Softmax", SoftmaxAttrs(int(node.attributes.get("axis", -1))), [node.input(0)])
    # Before opset 13 the operand is seen as a matrix, split before `axis`.
    axis = int(node.attributes.get("axis", 1)) % max(x.rank, 1)
    flat = (math.prod(x.shape[:axis]), math.prod(x.shape[axis:]))
    if axis == x.rank - 1:
        return node.emit("Softmax", SoftmaxAttrs(-1), [node.input(0)])
    matrix = node.emit("Reshape", ReshapeAttrs(flat), [node.input(0)])
    return node.emit("Reshape", ReshapeAttrs(x.shape), node.emit("Softmax", SoftmaxAttrs(-1), matrix))
