# SPDX-License-Identifier: Apache-2.0
"""Element-wise operators of one operand: a table.

A row gives the function in NumPy and as a C expression. The integer form of each is a table of 256
entries (`lookup_table`), so every one of them runs on int8.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.c_text import choose, fill
from tinyc.ops.registry import (
    OPERATORS,
    Arrays,
    Importing,
    Operator,
    ShapeError,
    Types,
    array,
    imports,
    need,
    quantized_obstacle,
    scale_zero,
)
from tinyc.quantize.numbers import quantize_linear


@dataclass(frozen=True)
class UnaryAttrs:
    """Values of the row's parameters, in its order."""

    parameters: tuple[float, ...] = ()


@dataclass(frozen=True)
class Unary:
    """A row: `function(x, *parameters)` on arrays; `c_float` and `c_int` name the operand {x}.

    `parameters` are ONNX's attributes with their defaults. An empty expression means that the
    operator does not take such element types, except that an empty `c_unsigned` is `c_int`. `result`
    is the result's element type where it is not the operand's.
    """

    name: str
    function: Callable[..., Array]
    c_float: str = ""
    c_int: str = ""
    c_unsigned: str = ""
    c_bool: str = ""
    parameters: dict[str, float] = field(default_factory=dict)
    result: DType | None = None

    def template(self, dtype: DType) -> str:
        """The expression for an operand of this type; "" if there is none."""
        return choose(dtype, self.c_float, self.c_int, self.c_unsigned, self.c_bool)


def _erf(x: Array) -> Array:
    return np.asarray(np.vectorize(math.erf, otypes=[np.float64])(np.asarray(x, np.float64)))


def _sigmoid(x: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-x)))


def _softplus(x: Array) -> Array:
    return np.asarray(np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x))))


def _gelu_tanh(x: Array) -> Array:
    return np.asarray(0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3))))


def _is_infinite(x: Array, negative: float, positive: float) -> Array:
    return np.asarray((np.isneginf(x) & bool(negative)) | (np.isposinf(x) & bool(positive)))


def _probit(p: Array) -> Array:
    """The normal distribution's quantile by onnxruntime's approximation of the inverse error function (a = 0.147)."""
    x = 2.0 * p - 1.0
    log = np.log((1.0 - x) * (1.0 + x))
    v = 2.0 / (3.14159 * 0.147) + 0.5 * log
    return np.asarray(np.where(x < 0, -1.0, 1.0) * math.sqrt(2.0) * np.sqrt(np.sqrt(v * v - log / 0.147) - v))


_LOG_C = "logf(4.0f * {x} * (1.0f - {x}))"
_V_C = f"(4.330751f + 0.5f * {_LOG_C})"
_W_C = f"({_LOG_C} / 0.147f)"
PROBIT_C = (
    "(({x} < 0.5f ? -1.41421356f : 1.41421356f)"
    f" * sqrtf(-{_W_C} / (sqrtf({_V_C} * {_V_C} - {_W_C}) + {_V_C})))"
)
SOFTPLUS_C = "(({x} > 0.0f ? {x} : 0.0f) + log1pf(expf(-fabsf({x}))))"

ROWS: tuple[Unary, ...] = (
    Unary("Abs", np.abs, "fabsf({x})", "({t})({x} < 0 ? ({u})0 - ({u}){x} : ({u}){x})", "{x}"),
    Unary("Neg", np.negative, "-{x}", "({t})(({u})0 - ({u}){x})"),
    Unary(
        "Sign",
        np.sign,
        "(({x} > 0.0f ? 1.0f : 0.0f) - ({x} < 0.0f ? 1.0f : 0.0f))",
        "({t})(({x} > 0) - ({x} < 0))",
        "({t})({x} > 0)",
    ),
    Unary("Not", np.logical_not, c_bool="(uint8_t)!{x}"),
    Unary("BitwiseNot", np.invert, c_int="({t})~({u}){x}"),
    Unary("Exp", np.exp, "expf({x})"),
    Unary("Log", np.log, "logf({x})"),
    Unary("Sqrt", np.sqrt, "sqrtf({x})"),
    Unary("Reciprocal", np.reciprocal, "(1.0f / {x})"),
    Unary("Floor", np.floor, "floorf({x})"),
    Unary("Ceil", np.ceil, "ceilf({x})"),
    Unary("Round", np.rint, "rintf({x})"),
    Unary("Sin", np.sin, "sinf({x})"),
    Unary("Cos", np.cos, "cosf({x})"),
    Unary("Tan", np.tan, "tanf({x})"),
    Unary("Asin", np.arcsin, "asinf({x})"),
    Unary("Acos", np.arccos, "acosf({x})"),
    Unary("Atan", np.arctan, "atanf({x})"),
    Unary("Sinh", np.sinh, "sinhf({x})"),
    Unary("Cosh", np.cosh, "coshf({x})"),
    Unary("Tanh", np.tanh, "tanhf({x})"),
    Unary("Asinh", np.arcsinh, "asinhf({x})"),
    Unary("Acosh", np.arccosh, "acoshf({x})"),
    Unary("Atanh", np.arctanh, "atanhf({x})"),
    Unary("Erf", _erf, "erff({x})"),
    Unary("Probit", _probit, PROBIT_C),
    Unary("Sigmoid", _sigmoid, "(1.0f / (1.0f + expf(-{x})))"),
    Unary(
        "HardSigmoid",
        lambda x, alpha, beta: np.clip(alpha * x + beta, 0.0, 1.0),
        "fminf(fmaxf({alpha} * {x} + {beta}, 0.0f), 1.0f)",
        parameters={"alpha": 0.2, "beta": 0.5},
    ),
    Unary(
        "HardSwish",
        lambda x: x * np.clip(x / 6.0 + 0.5, 0.0, 1.0),
        "({x} * fminf(fmaxf({x} * (1.0f / 6.0f) + 0.5f, 0.0f), 1.0f))",
    ),
    Unary(
        "LeakyRelu",
        lambda x, alpha: np.where(x < 0, alpha * x, x),
        "({x} < 0.0f ? {alpha} * {x} : {x})",
        parameters={"alpha": 0.01},
    ),
    Unary(
        "Elu",
        lambda x, alpha: np.where(x < 0, alpha * np.expm1(x), x),
        "({x} < 0.0f ? {alpha} * expm1f({x}) : {x})",
        parameters={"alpha": 1.0},
    ),
    Unary(
        "Celu",
        lambda x, alpha: np.where(x < 0, alpha * np.expm1(x / alpha), x),
        "({x} < 0.0f ? {alpha} * expm1f({x} / {alpha}) : {x})",
        parameters={"alpha": 1.0},
    ),
    Unary(
        "Selu",
        lambda x, alpha, gamma: gamma * np.where(x < 0, alpha * np.expm1(x), x),
        "({gamma} * ({x} < 0.0f ? {alpha} * expm1f({x}) : {x}))",
        parameters={"alpha": 1.67326319217681884765625, "gamma": 1.05070102214813232421875},
    ),
    Unary(
        "ThresholdedRelu",
        lambda x, alpha: np.where(x > alpha, x, 0.0),
        "({x} > {alpha} ? {x} : 0.0f)",
        parameters={"alpha": 1.0},
    ),
    Unary(
        "Shrink",
        lambda x, bias, lambd: np.where(x < -lambd, x + bias, np.where(x > lambd, x - bias, 0.0)),
        "({x} < -{lambd} ? {x} + {bias} : {x} > {lambd} ? {x} - {bias} : 0.0f)",
        parameters={"bias": 0.0, "lambd": 0.5},
    ),
    Unary("Softplus", _softplus, SOFTPLUS_C),
    Unary("Softsign", lambda x: x / (1.0 + np.abs(x)), "({x} / (1.0f + fabsf({x})))"),
    Unary("Mish", lambda x: x * np.tanh(_softplus(x)), "({x} * tanhf(" + SOFTPLUS_C + "))"),
    Unary(
        "Swish",
        lambda x, alpha: x * _sigmoid(alpha * x),
        "({x} / (1.0f + expf(-{alpha} * {x})))",
        parameters={"alpha": 1.0},
    ),
    Unary(
        "Gelu",
        lambda x: 0.5 * x * (1.0 + _erf(x / math.sqrt(2.0))),
        "(0.5f * {x} * (1.0f + erff({x} * 0.70710678f)))",
    ),
    Unary(
        "GeluTanh",
        _gelu_tanh,
        "(0.5f * {x} * (1.0f + tanhf(0.7978845608f * ({x} + 0.044715f * {x} * {x} * {x}))))",
    ),
    Unary("IsNaN", np.isnan, "(uint8_t)(isnan({x}) != 0)", result=DType.BOOL),
    Unary(
        "IsInf",
        _is_infinite,
        "(uint8_t)(isinf({x}) != 0 && ({x} < 0.0f ? {detect_negative} : {detect_positive}) > 0.0f)",
        parameters={"detect_negative": 1.0, "detect_positive": 1.0},
        result=DType.BOOL,
    ),
)
TABLE: dict[str, Unary] = {row.name: row for row in ROWS}


class UnaryOperator(Operator):
    """Behaviour shared by all rows."""

    elementwise = True

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x = need(types[0], "input")
        if not node.integer and not TABLE[self.name].template(x.dtype):
            raise ShapeError(f"element type {x.dtype.label} is not supported")
        return [TensorType(TABLE[self.name].result or x.dtype, x.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        x = array(inputs[0])
        wide = x.astype(np.float64) if x.dtype.kind == "f" else x
        with np.errstate(all="ignore"):
            result = TABLE[self.name].function(wide, *node.attrs.parameters)
            return [np.asarray(result).astype(outputs[0].dtype.numpy)]

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        return (
            quantized_obstacle(types, output) if TABLE[self.name].c_float else f"{self.name} has no integer form"
        )

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        if outputs[0].dtype is DType.INT16:
            return [interpolate(interpolation_table(node, need(types[0], "input"), outputs[0]), array(inputs[0]))]
        return [
            lookup_table(node, need(types[0], "input"), outputs[0])[array(inputs[0]).astype(np.int64) + 128]
        ]


def lookup_table(node: Node, in_type: TensorType, out_type: TensorType) -> Array:
    """The integer form of a unary operator: int8[256], indexed by the input plus 128.

    The function is computed in float64 of the dequantized input (a float32, which decides where a
    step like Ceil's lies), then rounded to float32 and quantized as ONNX's QuantizeLinear does.
    """
    in_scale, in_zero = scale_zero(in_type)
    out_scale, out_zero = scale_zero(out_type)
    real = _dequantized(np.arange(-128, 128), in_scale, in_zero)
    with np.errstate(all="ignore"):
        result = np.asarray(TABLE[node.op].function(real, *node.attrs.parameters)).astype(np.float32)
    return quantize_linear(result, out_scale, out_zero, -128, 127).astype(np.int8)


def _dequantized(steps: Array, scale: float, zero: int) -> Array:
    """What DequantizeLinear gives, in float64."""
    return ((steps - zero).astype(np.float32) * np.float32(scale)).astype(np.float64)


STEP_BITS = 7  # entries of an int16 table are 2^STEP_BITS apart


def interpolation_table(node: Node, in_type: TensorType, out_type: TensorType) -> Array:
    """The integer form on int16: results, int16[513], for every 128th value from -32768 to 32768."""
    in_scale, in_zero = scale_zero(in_type)
    out_scale, out_zero = scale_zero(out_type)
    real = _dequantized(np.arange(-(1 << 15), (1 << 15) + 1, 1 << STEP_BITS), in_scale, in_zero)
    with np.errstate(all="ignore"):
        result = np.asarray(TABLE[node.op].function(real, *node.attrs.parameters)).astype(np.float32)
    return quantize_linear(result, out_scale, out_zero, *DType.INT16.limits).astype(np.int16)


def interpolate(table: Array, x: Array) -> Array:
    """Values between the entries of a table, linearly, rounded half upwards."""
    place = x.astype(np.int64) + (1 << 15)
    index, part = place >> STEP_BITS, place & ((1 << STEP_BITS) - 1)
    first, second = table[index].astype(np.int64), table[index + 1].astype(np.int64)
    return np.asarray(first + (((second - first) * part + (1 << (STEP_BITS - 1))) >> STEP_BITS), np.int16)


def c_expression(node: Node, dtype: DType, x: str) -> str:
    """The node's function of the C variable `x`, whose element type is `dtype`."""
    row = TABLE[node.op]
    return fill(
        row.template(dtype), {"x": x}, dict(zip(row.parameters, node.attrs.parameters, strict=True)), dtype
    )


for _row in ROWS:
    OPERATORS[_row.name] = type(_row.name, (UnaryOperator,), {"name": _row.name})()


@imports(*(row.name for row in ROWS if row.name not in ("GeluTanh", "Probit")))
def _unary(node: Importing) -> Sequence[str]:
    op = node.op_type
    if op == "Gelu" and node.attributes.get("approximate", "none") == "tanh":
        op = "GeluTanh"
    defaults = TABLE[op].parameters
    if op == "Selu" and node.opset < 6:
        defaults = {"alpha": 1.6732, "gamma": 1.0507}
    values = tuple(
        float(node.attributes.get(name, default)) for name, default in defaults.items()
    )
    return node.emit(op, UnaryAttrs(values), [node.input(0)])
