# SPDX-License-Identifier: Apache-2.0
"""Element-wise operators of two operands with broadcasting (a table), and Clip.

Add, Sub and Mul have an integer form: TFLite's fixed-point arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import (
    OPERATORS, Arrays, Importing, Operator, ShapeError, Types, array, imports, need, quant_of, register, scale_zero,
)
from tinyc.quantize.numbers import clamp_limits, quantize_multiplier, requantize, saturate

ADD_LEFT_SHIFT = 20


@dataclass(frozen=True)
class BinaryAttrs:
    clamp: tuple[float, float] | None = None


@dataclass(frozen=True)
class AddParameters:
    """Fixed-point parameters of an int8 Add or Sub: each operand's and the output's (multiplier, shift)."""

    first: tuple[int, int]
    second: tuple[int, int]
    output: tuple[int, int]


def add_parameters(first: float, second: float, output: float, sign: int = 1) -> AddParameters:
    """Parameters for scales of both operands and the output; `sign` -1 subtracts the second."""
    twice_max = 2.0 * max(first, second)
    second_multiplier, second_shift = quantize_multiplier(second / twice_max)
    return AddParameters(
        quantize_multiplier(first / twice_max),
        (sign * second_multiplier, second_shift),
        quantize_multiplier(twice_max / ((1 << ADD_LEFT_SHIFT) * output)),
    )


class Binary(Operator):
    """One row of the table: a NumPy function of two arrays."""

    function: Callable[[Array, Array], Array]

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a, b = need(types[0], "first operand"), need(types[1], "second operand")
        if a.dtype is not b.dtype:
            raise ShapeError(f"operands of types {a.dtype.label} and {b.dtype.label}")
        try:
            shape = np.broadcast_shapes(a.shape, b.shape)
        except ValueError:
            raise ShapeError(f"{a.shape} and {b.shape} do not broadcast") from None
        return [TensorType(a.dtype, shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        result = type(self).function(array(inputs[0]), array(inputs[1]))
        clamp = node.attrs.clamp
        return [(result if clamp is None else np.clip(result, *clamp)).astype(outputs[0].dtype.numpy)]

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        if self.name not in ("Add", "Sub", "Mul"):
            return f"{self.name} has no integer form"
        for type_ in (*types, output):
            if type_ is None or type_.dtype is not DType.INT8:
                return "operands and result are not all int8"
            if not quant_of(type_).per_tensor:
                return "an operand is quantized per channel"
        return None

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        (s1, z1), (s2, z2), (s3, z3) = (scale_zero(t) for t in (*types, outputs[0]))
        a, b = array(inputs[0]).astype(np.int64) - z1, array(inputs[1]).astype(np.int64) - z2
        if self.name == "Mul":
            result = requantize(a * b, *quantize_multiplier(s1 * s2 / s3)) + z3
        else:
            p = add_parameters(s1, s2, s3, 1 if self.name == "Add" else -1)
            total = requantize(a << ADD_LEFT_SHIFT, *p.first) + requantize(b << ADD_LEFT_SHIFT, *p.second)
            result = requantize(total, *p.output) + z3
        return [saturate(result, *clamp_limits(node.attrs.clamp, s3, z3, (-128, 127)))]


def _integer_divide(a: Array, b: Array) -> Array:
    if a.dtype.kind == "f":
        with np.errstate(all="ignore"):
            return np.asarray(a / b)
    return np.asarray(np.sign(a) * np.sign(b) * (np.abs(a) // np.where(b == 0, 1, np.abs(b))))


BINARY_FUNCTIONS: dict[str, Callable[[Array, Array], Array]] = {
    "Add": lambda a, b: a + b,
    "Sub": lambda a, b: a - b,
    "Mul": lambda a, b: a * b,
    "Div": _integer_divide,
}

for _name, _function in BINARY_FUNCTIONS.items():
    OPERATORS[_name] = type(_name, (Binary,), {"name": _name, "function": staticmethod(_function)})()


@imports(*BINARY_FUNCTIONS)
def _binary(node: Importing) -> Sequence[str]:
    return node.emit(node.op_type, BinaryAttrs(), [node.input(0), node.input(1)])


@dataclass(frozen=True)
class ClipAttrs:
    low: float = -math.inf
    high: float = math.inf


@register
class Clip(Operator):
    """Clamp to an interval; ReLU and ReLU6 are this. Its integer form also requantizes."""

    name = "Clip"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x = need(types[0], "input")
        return [TensorType(x.dtype, x.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        x = array(inputs[0])
        low, high = (node.attrs.low, node.attrs.high)
        if x.dtype.kind in "iu":
            info = np.iinfo(x.dtype)
            low, high = max(low, info.min), min(high, info.max)
        return [np.minimum(np.maximum(x, x.dtype.type(low)), x.dtype.type(high))]

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        x = need(types[0], "input")
        if x.dtype is not DType.INT8 or output.dtype is not DType.INT8:
            return f"activations are {x.dtype.label} and {output.dtype.label}, not int8"
        return None if quant_of(x).per_tensor and quant_of(output).per_tensor else "quantized per channel"

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        (s1, z1), (s2, z2) = scale_zero(types[0]), scale_zero(outputs[0])
        x = array(inputs[0]).astype(np.int64) - z1
        result = requantize(x, *quantize_multiplier(s1 / s2)) + z2
        return [saturate(result, *clamp_limits((node.attrs.low, node.attrs.high), s2, z2, (-128, 127)))]


@imports("Relu")
def _relu(node: Importing) -> Sequence[str]:
    return node.emit("Clip", ClipAttrs(0.0, math.inf), [node.input(0)])


@imports("Clip")
def _clip(node: Importing) -> Sequence[str]:
    if node.opset >= 11:
        bounds = [float(node.constant(i, what).reshape(())) if node.has(i) else None
                  for i, what in ((1, "min"), (2, "max"))]
    else:
        bounds = [node.attributes.get("min"), node.attributes.get("max")]
    low = -math.inf if bounds[0] is None else float(bounds[0])
    high = math.inf if bounds[1] is None else float(bounds[1])
    return node.emit("Clip", ClipAttrs(low, high), [node.input(0)])
