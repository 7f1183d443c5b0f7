# SPDX-License-Identifier: Apache-2.0
"""Element-wise operators of two operands with broadcasting: a table.

Add, Sub and Mul have an integer form in TFLite's fixed-point arithmetic, Max and Min compare integers
of one scale.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, Quant, TensorType
from tinyc.ops.c_text import choose, fill
from tinyc.ops.cast import CastAttrs
from tinyc.ops.legacy import second_operand, slope
from tinyc.ops.registry import (
    OPERATORS,
    Arrays,
    Importing,
    Operator,
    ShapeError,
    Types,
    array,
    imports,
    int8_obstacle,
    need,
    quantized_obstacle,
    scale_zero,
)
from tinyc.quantize.numbers import (
    clamp_limits,
    quantize_multiplier,
    reduce_multiplier,
    requantize,
    requantize_wide,
    saturate,
)

ADD_LEFT_SHIFT = 20


@dataclass(frozen=True)
class BinaryAttrs:
    """`clamp` bounds the result; only where that is float or quantized."""

    clamp: tuple[float, float] | None = None


@dataclass(frozen=True)
class Binary:
    """A row: a function of two arrays; expressions name the operands {a} and {b}.

    An empty expression means that the operator does not take such element types, except that an
    empty `c_unsigned` is `c_int`. `result` is the result's element type where it is not the operands'.
    """

    name: str
    function: Callable[[Array, Array], Array]
    c_float: str = ""
    c_int: str = ""
    c_unsigned: str = ""
    c_bool: str = ""
    result: DType | None = None

    def template(self, dtype: DType) -> str:
        """The expression for operands of this type; "" if there is none."""
        return choose(dtype, self.c_float, self.c_int, self.c_unsigned, self.c_bool)


def _divide(a: Array, b: Array) -> Array:
    """Quotient; of integers truncated towards zero, and 0 where the divisor is 0."""
    if a.dtype.kind == "f":
        return np.asarray(a / b)
    if a.dtype.kind == "u":
        return np.asarray(a // np.where(b == 0, 1, b) * (b != 0))
    divisor = np.where(b == 0, 1, b).astype(b.dtype)
    quotient = a // divisor
    remainder = a - quotient * divisor
    return np.asarray((quotient + ((remainder != 0) & ((a < 0) != (b < 0)))) * (b != 0))


def _modulo(a: Array, b: Array) -> Array:
    """Remainder with the divisor's sign, 0 where an integer divisor is 0."""
    return np.asarray(np.mod(a, b) if a.dtype.kind == "f" else np.mod(a, np.where(b == 0, 1, b)))


def _remainder(a: Array, b: Array) -> Array:
    """Remainder with the dividend's sign (C's fmod and %), 0 where an integer divisor is 0."""
    return np.asarray(np.fmod(a, b) if a.dtype.kind == "f" else np.fmod(a, np.where(b == 0, 1, b)))


def _power(a: Array, b: Array) -> Array:
    if a.dtype.kind == "f":
        return np.power(a, b)
    return np.power(a.astype(np.float64), b.astype(np.float64)).astype(a.dtype)


def _shift_left(a: Array, b: Array) -> Array:
    """0 where the shift is negative, or not less than the width: in C and in NumPy that is undefined."""
    inside = (b >= 0) & (b < 8 * a.dtype.itemsize)
    return np.asarray(np.where(inside, np.left_shift(a, np.where(inside, b, 0)), 0).astype(a.dtype))


def _shift_right(a: Array, b: Array) -> Array:
    """Copies of the sign where the shift is negative, or not less than the width."""
    inside = (b >= 0) & (b < 8 * a.dtype.itemsize)
    rest = np.where(a < 0, -1, 0) if a.dtype.kind == "i" else 0
    return np.asarray(np.where(inside, np.right_shift(a, np.where(inside, b, 0)), rest).astype(a.dtype))


def _prelu(x: Array, slope: Array) -> Array:
    return np.where(x < 0, x * slope, x)


def _compare(name: str, function: Callable[[Array, Array], Array], symbol: str) -> Binary:
    c = f"(uint8_t)({{a}} {symbol} {{b}})"
    return Binary(name, function, c, c, c_bool=c if symbol == "==" else "", result=DType.BOOL)


# Division by 0 gives 0, and by -1 is a negation: neither traps nor overflows.
ROWS: tuple[Binary, ...] = (
    Binary("Add", np.add, "({a} + {b})", "({t})(({u}){a} + ({u}){b})"),
    Binary("Sub", np.subtract, "({a} - {b})", "({t})(({u}){a} - ({u}){b})"),
    Binary("Mul", np.multiply, "({a} * {b})", "({t})(({u}){a} * ({u}){b})"),
    Binary(
        "Div",
        _divide,
        "({a} / {b})",
        "({t})({b} == 0 ? ({t})0 : {b} == -1 ? ({t})(({u})0 - ({u}){a}) : ({t})({a} / {b}))",
        "({t})({b} == 0 ? ({t})0 : ({t})({a} / {b}))",
    ),
    Binary(
        "Mod",
        _modulo,
        "(fmodf({a}, {b}) == 0.0f ? copysignf(0.0f, {b}) : "
        "(fmodf({a}, {b}) < 0.0f) != ({b} < 0.0f) ? fmodf({a}, {b}) + {b} : fmodf({a}, {b}))",
        "({t})({b} == 0 || {b} == -1 ? ({t})0 : "
        "({t})({a} % {b} + ({a} % {b} != 0 && ({a} % {b} < 0) != ({b} < 0) ? {b} : 0)))",
        "({t})({b} == 0 ? ({t})0 : ({t})({a} % {b}))",
    ),
    Binary(
        "Fmod",
        _remainder,
        "fmodf({a}, {b})",
        "({t})({b} == 0 || {b} == -1 ? ({t})0 : ({t})({a} % {b}))",
        "({t})({b} == 0 ? ({t})0 : ({t})({a} % {b}))",
    ),
    Binary("Pow", _power, "powf({a}, {b})", "({t})pow((double){a}, (double){b})"),
    Binary("Max", np.maximum, "({a} > {b} ? {a} : {b})", "({t})({a} > {b} ? {a} : {b})"),
    Binary("Min", np.minimum, "({a} < {b} ? {a} : {b})", "({t})({a} < {b} ? {a} : {b})"),
    Binary("PRelu", _prelu, "({a} < 0.0f ? {a} * {b} : {a})"),
    Binary("And", np.logical_and, c_bool="(uint8_t)({a} && {b})"),
    Binary("Or", np.logical_or, c_bool="(uint8_t)({a} || {b})"),
    Binary("Xor", np.logical_xor, c_bool="(uint8_t)({a} != {b})"),
    Binary("BitwiseAnd", np.bitwise_and, c_int="({t})({a} & {b})"),
    Binary("BitwiseOr", np.bitwise_or, c_int="({t})({a} | {b})"),
    Binary("BitwiseXor", np.bitwise_xor, c_int="({t})({a} ^ {b})"),
    Binary("ShiftLeft", _shift_left, c_int="(({u}){b} < 8 * sizeof({t}) ? ({t})(({u}){a} << {b}) : ({t})0)"),
    Binary(
        "ShiftRight",
        _shift_right,
        c_int="(({u}){b} < 8 * sizeof({t}) ? ({t})({a} >> {b}) : ({t})({a} < 0 ? -1 : 0))",
        c_unsigned="({b} < 8 * sizeof({t}) ? ({t})({a} >> {b}) : ({t})0)",
    ),
    _compare("Equal", np.equal, "=="),
    _compare("Less", np.less, "<"),
    _compare("LessOrEqual", np.less_equal, "<="),
    _compare("Greater", np.greater, ">"),
    _compare("GreaterOrEqual", np.greater_equal, ">="),
)
TABLE: dict[str, Binary] = {row.name: row for row in ROWS}


@dataclass(frozen=True)
class AddParameters:
    """Fixed-point parameters of an integer Add or Sub: each operand's and the output's (multiplier, shift)."""

    first: tuple[int, int]
    second: tuple[int, int]
    output: tuple[int, int]


def add_parameters(
    first: float, second: float, output: float, sign: int = 1, bits: int = ADD_LEFT_SHIFT
) -> AddParameters:
    """Parameters for scales of both operands and the output; `sign` -1 subtracts the second."""
    twice_max = 2.0 * max(first, second)
    second_multiplier, second_shift = quantize_multiplier(second / twice_max)
    return AddParameters(
        quantize_multiplier(first / twice_max),
        (sign * second_multiplier, second_shift),
        quantize_multiplier(twice_max / ((1 << bits) * output)),
    )


class BinaryOperator(Operator):
    """Behaviour shared by all rows."""

    elementwise = True

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a, b = need(types[0], "first operand"), need(types[1], "second operand")
        if a.dtype is not b.dtype:
            raise ShapeError(f"operands of types {a.dtype.label} and {b.dtype.label}")
        row = TABLE[self.name]
        if not node.integer and not row.template(a.dtype):
            raise ShapeError(f"element type {a.dtype.label} is not supported")
        try:
            shape = np.broadcast_shapes(a.shape, b.shape)
        except ValueError:
            raise ShapeError(f"{a.shape} and {b.shape} do not broadcast") from None
        return [TensorType(row.result or a.dtype, shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        with np.errstate(all="ignore"):
            result = TABLE[self.name].function(array(inputs[0]), array(inputs[1]))
            clamp = node.attrs.clamp
            return [(result if clamp is None else np.clip(result, *clamp)).astype(outputs[0].dtype.numpy)]


def left_shift(types: Types) -> int:
    """Bits by which an integer Add lifts its operands: as many as 32 bits hold."""
    if need(types[0], "operand").dtype is DType.INT8:
        return ADD_LEFT_SHIFT
    return 14 if any(scale_zero(t)[1] for t in types) else 15


class Arithmetic(BinaryOperator):
    """Add and Sub in integers: both operands brought to a common scale, 20 bits up (int16: 15 or 14)."""

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        return quantized_obstacle(types, output)

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        (s1, z1), (s2, z2), (s3, z3) = (scale_zero(t) for t in (*types, outputs[0]))
        a, b = array(inputs[0]).astype(np.int64) - z1, array(inputs[1]).astype(np.int64) - z2
        bits, dtype = left_shift(types), outputs[0].dtype
        p = add_parameters(s1, s2, s3, 1 if self.name == "Add" else -1, bits)
        total = requantize(a << bits, *p.first) + requantize(b << bits, *p.second)
        result = requantize(total, *p.output) + z3
        return [saturate(result, *clamp_limits(node.attrs.clamp, s3, z3, dtype.limits), dtype.label)]


def is_wide(types: Types) -> bool:
    """Whether products need 64 bits: those of int16 with zero points."""
    return need(types[0], "operand").dtype is DType.INT16 and any(scale_zero(t)[1] for t in types)


class Product(BinaryOperator):
    """Mul in integers."""

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        obstacle = quantized_obstacle(types, output)
        if obstacle is None and output.dtype is DType.INT16:
            (s1, _), (s2, _), (s3, _) = (scale_zero(t) for t in (*types, output))
            if quantize_multiplier(s1 * s2 / s3)[1] > 0:
                return "the result's scale is below that of the products"
        return obstacle

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        (s1, z1), (s2, z2), (s3, z3) = (scale_zero(t) for t in (*types, outputs[0]))
        a, b = array(inputs[0]).astype(np.int64) - z1, array(inputs[1]).astype(np.int64) - z2
        multiplier, shift = quantize_multiplier(s1 * s2 / s3)
        if is_wide(types):
            result = requantize_wide(a * b, reduce_multiplier(multiplier), shift)
        else:
            result = requantize(a * b, multiplier, shift)
        dtype = outputs[0].dtype
        return [saturate(result + z3, *clamp_limits(node.attrs.clamp, s3, z3, dtype.limits), dtype.label)]


class Quotient(BinaryOperator):
    """Div in integers: the quotient with 20 fractional bits, halves away from zero, requantized once.

    A division by zero gives the largest magnitude with the dividend's sign, zero by zero gives zero.
    """

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        return int8_obstacle(types, output)

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        (_, z1), (_, z2), (s3, z3) = (scale_zero(t) for t in (*types, outputs[0]))
        a, b = array(inputs[0]).astype(np.int64) - z1, array(inputs[1]).astype(np.int64) - z2
        size = np.abs(b)
        part = ((np.abs(a) << QUOTIENT_BITS) + size // 2) // np.maximum(size, 1)
        signed = np.where((a < 0) != (b < 0), -part, part)
        multiplier = quotient_multiplier(need(types[0], "dividend"), need(types[1], "divisor"), outputs[0])
        low, high = clamp_limits(node.attrs.clamp, s3, z3, (-128, 127))
        beyond = np.where(a > 0, high, np.where(a < 0, low, np.clip(z3, low, high)))
        return [np.where(b == 0, beyond, saturate(requantize(signed, *multiplier) + z3, low, high)).astype(np.int8)]


QUOTIENT_BITS = 20


def quotient_multiplier(a: TensorType, b: TensorType, y: TensorType) -> tuple[int, int]:
    """(multiplier, shift) from a quotient of integers with QUOTIENT_BITS to the result of an integer Div."""
    (s1, _), (s2, _), (s3, _) = (scale_zero(t) for t in (a, b, y))
    return quantize_multiplier(s1 / (s2 * s3 * (1 << QUOTIENT_BITS)))


class Slope(BinaryOperator):
    """PRelu in integers: positive values are requantized, negative ones times the slope."""

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        return int8_obstacle(types, output)

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        (s1, z1), (s2, z2), (s3, z3) = (scale_zero(t) for t in (*types, outputs[0]))
        x, slope = array(inputs[0]).astype(np.int64) - z1, array(inputs[1]).astype(np.int64) - z2
        positive = requantize(x, *quantize_multiplier(s1 / s3))
        negative = requantize(x * slope, *quantize_multiplier(s1 * s2 / s3))
        low, high = clamp_limits(node.attrs.clamp, s3, z3, (-128, 127))
        return [saturate(np.where(x >= 0, positive, negative) + z3, low, high)]


class Extremum(BinaryOperator):
    """Max and Min in integers: operands and result have one scale."""

    shares_quant = True

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        return quantized_obstacle(types, output)

    def natural_quant(self, node: Node, types: Types, wanted: Quant) -> Quant:
        return shared_quant(types, wanted)

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        result = TABLE[self.name].function(array(inputs[0]), array(inputs[1]))
        dtype = outputs[0].dtype
        limits = clamp_limits(node.attrs.clamp, *scale_zero(outputs[0]), dtype.limits)
        return [saturate(result, *limits, dtype.label)]


def shared_quant(types: Types, wanted: Quant) -> Quant:
    """The operands' common quantization if they have one, else the wanted one."""
    quants = {t.quant for t in types if t is not None and t.quant is not None}
    return quants.pop() if len(quants) == 1 else wanted


_FORMS: dict[str, type[BinaryOperator]] = {
    "Add": Arithmetic,
    "Sub": Arithmetic,
    "Mul": Product,
    "Div": Quotient,
    "PRelu": Slope,
    "Max": Extremum,
    "Min": Extremum,
}
for _row in ROWS:
    OPERATORS[_row.name] = type(_row.name, (_FORMS.get(_row.name, BinaryOperator),), {"name": _row.name})()


def c_expression(node: Node, dtype: DType, a: str, b: str) -> str:
    """The node's function of C variables `a` and `b` of element type `dtype`, without its clamp."""
    return fill(TABLE[node.op].template(dtype), {"a": a, "b": b}, {}, dtype)


@imports(*(row.name for row in ROWS if row.name not in ("Fmod", "Max", "Min", "Pow", "ShiftLeft", "ShiftRight")))
def _binary(node: Importing) -> Sequence[str]:
    op = "Fmod" if node.op_type == "Mod" and node.attributes.get("fmod", 0) else node.op_type
    operands = [node.input(0), slope(node) if op == "PRelu" else second_operand(node)]
    if op == "PRelu" and node.type(1).rank > node.type(0).rank:
        raise ShapeError(f"slope {node.type(1).shape} for an input {node.type(0).shape}")
    return node.emit(op, BinaryAttrs(), operands)


@imports("BitShift")
def _bit_shift(node: Importing) -> Sequence[str]:
    direction = node.attributes.get("direction")
    if direction not in ("LEFT", "RIGHT"):
        raise node.fail(f"direction {direction!r}", "LEFT or RIGHT")
    return node.emit(f"Shift{direction.capitalize()}", BinaryAttrs(), [node.input(0), node.input(1)])


@imports("Pow")
def _pow(node: Importing) -> Sequence[str]:
    """The exponent may be of another type: it is converted to the base's, but for a real power of an integer, which
    is computed in real numbers and converted back."""
    base, exponent = node.type(0), second_operand(node)
    if base.dtype.is_integer and node.type(1).dtype.is_float:
        operands = [node.emit("Cast", CastAttrs(DType.FLOAT64), [v])[0] for v in (node.input(0), exponent)]
        return node.emit("Cast", CastAttrs(base.dtype), node.emit("Pow", BinaryAttrs(), operands))
    if node.type(1).dtype is not base.dtype:
        exponent = node.emit("Cast", CastAttrs(base.dtype), [exponent])[0]
    return node.emit("Pow", BinaryAttrs(), [node.input(0), exponent])


@imports("Max", "Min", "Sum", "Mean")
def _variadic(node: Importing) -> Sequence[str]:
    op = {"Sum": "Add", "Mean": "Add"}.get(node.op_type, node.op_type)
    result = node.input(0)
    for index in range(1, len(node.inputs)):
        result = node.emit(op, BinaryAttrs(), [result, node.input(index)])[0]
    if node.op_type == "Mean" and len(node.inputs) > 1:
        count = node.const(np.array(len(node.inputs), node.type(0).dtype.numpy))
        result = node.emit("Div", BinaryAttrs(), [result, count])[0]
    return [result]
