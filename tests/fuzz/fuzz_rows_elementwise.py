# SPDX-License-Identifier: Apache-2.0
"""Rows of element-wise operators."""

from __future__ import annotations

from typing import Any

import numpy as np
from fuzz_growing import ANY, FLOATS, INTEGERS, NUMBERS, Growing, Value
from fuzz_reference import Dropped
from fuzz_row import Row, binary, drawn, flag, real, unary
from onnx import helper


def _nonzero(array: np.ndarray) -> bool:
    return bool((np.abs(array.astype(np.float64)) >= 0.05).all())


def _division(g: Growing) -> None:
    """No integer division by zero, and not of the smallest integer by -1: ONNX leaves both undefined."""
    x = g.operand(g.types(), special="" if g.chance(1, 2) else "inf")
    y = _divisor(g, x)
    g.add([x, y])


def _divisor(g: Growing, x: Value) -> Value:
    y = g.partner(x, low=1, high=9)
    if not _nonzero(y.array):
        raise Dropped("a divisor of zero")
    if y.array.dtype.kind == "i" and g.chance(1, 2) and x.array.min() > np.iinfo(x.dtype).min:
        y = g.constant(-y.array)
    return y


def _modulo(g: Growing) -> None:
    x = g.operand(g.types())
    y = _divisor(g, x)
    real_ = x.dtype in FLOATS
    if real_:
        fraction = np.abs(np.remainder(x.array.astype(np.float64) / y.array, 1))
        if ((fraction < 1e-3) | (fraction > 1 - 1e-3)).any() and not (x.array == np.rint(x.array)).all():
            raise Dropped("a remainder that rounding decides")
    g.add([x, y], **({"fmod": 1} if real_ or g.chance(1, 2) else {}))


def _power(g: Growing) -> None:
    """Bases above zero, or small integers; the exponent may have a type of its own from opset 12 on."""
    x = g.operand([t for t in g.types(0) if t in FLOATS or t in ("int32", "int64")], low=0.1, high=5)
    types = [t for t in g.types(1) if t in NUMBERS] if g.opset >= 12 else [x.dtype]
    dtype = x.dtype if g.chance(1, 2) else g.dtype(types)
    shape = g.pick([x.shape, (), (1,), x.shape[1:]])
    whole = x.dtype not in FLOATS or dtype not in FLOATS
    y = g.fresh(g.content(dtype, shape, 0 if whole else -2, 3))
    g.add([x, y])


def _prelu(g: Growing) -> None:
    x = g.operand([t for t in g.types() if t in FLOATS], 1)
    shape = g.pick([(), (1,), x.shape, (1,) * (x.rank - 1) + x.shape[-1:], (x.shape[1], *[1] * (x.rank - 2))
                    if x.rank > 1 else x.shape])
    g.add([x, g.fresh(g.content(x.dtype, shape))])


def _variadic(g: Growing) -> None:
    x = g.operand([t for t in g.types() if g.op not in ("Sum", "Mean") or t in FLOATS],
                  special="inf" if g.op in ("Max", "Min") and g.chance(1, 4) else "")
    operands = [x, *(g.partner(x) for _ in range(g.integer(0, 3)))]
    try:
        np.broadcast_shapes(*(v.shape for v in operands))
    except ValueError:
        operands = operands[:2]
    g.add(operands)


def _clip(g: Growing) -> None:
    # A missing bound is the largest number in onnxruntime, and none in tinyc: infinities pass.
    missing = g.source.some((0, 1))
    x = g.operand(g.types(), special="" if missing else "inf")
    low, high = sorted([g.integer(-4, 4), g.integer(-4, 4)])
    if np.dtype(x.dtype).kind == "u":
        low, high = sorted([abs(low), abs(high)])
    if g.opset < 11:
        given = {"min": float(low), "max": float(high)}
        g.add([x], **{name: value for k, (name, value) in enumerate(given.items()) if k not in missing})
        return
    bounds: list[Value | None] = [x]
    limits: list[Any] = [low, high]
    if np.dtype(x.dtype).kind in "iu" and g.chance(1, 4):
        limits = [np.iinfo(x.dtype).min, np.iinfo(x.dtype).max - 1]
    for k, bound in enumerate(limits):
        array = np.array(bound, x.dtype)
        value = g.constant(array) if not g.chance(1, 6) else g.fresh(array, False)
        bounds.append(None if k in missing else value)
    g.add(bounds)


def _cast_types(g: Growing, x: Value) -> str:
    """A type that can hold the values: out of range is undefined."""
    fitting = []
    for t in ANY:
        if t in g.types() and t != x.dtype:
            if t == "bool" or t in FLOATS or x.dtype == "bool":
                fitting.append(t)
            elif x.finite and np.iinfo(t).min - 1 < float(x.array.min()) and (
                    float(x.array.max()) < np.iinfo(t).max - 128):
                fitting.append(t)
    if not fitting:
        raise Dropped("no type to cast to")
    return g.pick(fitting)


def _cast(g: Growing) -> None:
    x = g.operand(g.types())
    g.add([x], to=helper.np_dtype_to_tensor_dtype(np.dtype(_cast_types(g, x))))


def _cast_like(g: Growing) -> None:
    x = g.operand(g.types())
    g.add([x, g.operand([_cast_types(g, x)])])


def _where(g: Growing) -> None:
    x = g.operand(g.types(1), special="nan")
    y = g.partner(x)
    shape = g.pick([x.shape, y.shape, (), x.shape[-1:]])
    g.add([g.operand(["bool"], shape=shape), x, y])


def _shift(g: Growing) -> None:
    x = g.operand(g.types())
    y = g.partner(x, low=0, high=np.iinfo(x.dtype).bits - 1)
    if (y.array >= np.iinfo(x.dtype).bits).any():
        raise Dropped("a shift by more than the width")
    g.add([x, y], direction=g.pick(["LEFT", "RIGHT"]))


def _dropout(g: Growing) -> None:
    x = g.operand(g.types(), special="nan")
    if g.opset < 12:
        g.add([x], **drawn(g, {"ratio": real(0, 1)}))
        return
    operands: list[Value | None] = [x]
    if g.chance(1, 2):
        operands.append(g.constant(np.array(0.25, np.float32)))
        if g.chance(1, 2):
            operands.append(g.constant(np.array(False)))
    g.add(operands)


def _not_tiny(g: Growing) -> None:
    """Divides by the operand: not near zero."""
    g.add([g.operand(g.types(), accept=_nonzero)] if g.chance(1, 2) else [g.operand(g.types(), low=0.1, high=8)])


_alpha = real(0.125, 2)
_MILD = {"low": -9.0, "high": 9.0}
ROWS = (
    Row("Abs", unary(special="nan"), exact=True),
    Row("Neg", unary(special="nan"), exact=True),
    Row("Sign", unary(special="inf"), exact=True),
    Row("Floor", unary(special="inf"), exact=True),
    Row("Ceil", unary(special="inf"), exact=True),
    Row("Round", unary(special="inf"), exact=True),
    Row("Not", unary(), exact=True),
    Row("BitwiseNot", unary(special="limits"), exact=True),
    Row("IsNaN", unary(special="nan"), exact=True),
    Row("IsInf", unary(special="nan", detect_negative=flag, detect_positive=flag), exact=True),
    Row("Identity", unary(special="nan"), exact=True),
    Row("Relu", unary(special="inf"), exact=True, weight=4),
    Row("Exp", unary(**_MILD)),
    Row("Log", unary(low=0.01, high=1e4)),
    Row("Sqrt", unary(low=0.0, high=1e4)),
    Row("Reciprocal", _not_tiny),
    Row("Sin", unary(low=-60, high=60)),
    Row("Cos", unary(low=-60, high=60)),
    Row("Tan", unary(low=-1.3, high=1.3)),
    Row("Asin", unary(low=-1, high=1)),
    Row("Acos", unary(low=-1, high=1)),
    Row("Atan", unary(special="inf")),
    Row("Sinh", unary(**_MILD)),
    Row("Cosh", unary(**_MILD)),
    Row("Tanh", unary(special="inf")),
    Row("Asinh", unary()),
    Row("Acosh", unary(low=1.0625, high=50)),
    Row("Atanh", unary(low=-0.9375, high=0.9375)),
    Row("Erf", unary(types=("float32", "float16"))),
    Row("Sigmoid", unary(special="inf")),
    Row("HardSigmoid", unary(alpha=_alpha, beta=real(0, 1))),
    Row("HardSwish", unary()),
    Row("LeakyRelu", unary(alpha=real(-0.25, 1))),
    Row("Elu", unary(high=9.0, alpha=_alpha)),
    Row("Celu", unary(high=9.0, alpha=_alpha)),
    Row("Selu", unary(high=9.0, alpha=_alpha, gamma=_alpha)),
    Row("ThresholdedRelu", unary(alpha=real(-1, 2))),
    Row("Shrink", unary(bias=real(-1, 1), lambd=real(0, 2), types=FLOATS)),
    Row("Softplus", unary()),
    Row("Softsign", unary()),
    Row("Mish", unary()),
    Row("Swish", unary(alpha=_alpha)),
    Row("Gelu", unary(approximate=lambda g: g.pick(["none", "tanh"]))),
    Row("Add", binary(special="limits"), weight=5),
    Row("Sub", binary(special="limits"), weight=3),
    Row("Mul", binary(), weight=4),
    Row("Div", _division),
    Row("Mod", _modulo),
    Row("Pow", _power),
    Row("PRelu", _prelu),
    *(Row(op, binary(), exact=True) for op in ("And", "Or", "Xor")),
    *(Row(f"Bitwise{op}", binary(special="limits", types=INTEGERS), exact=True) for op in ("And", "Or", "Xor")),
    *(Row(op, binary(special="inf"), exact=True)
      for op in ("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual")),
    Row("BitShift", _shift, exact=True),
    *(Row(op, _variadic, exact=op in ("Max", "Min"), weight=3) for op in ("Max", "Min", "Sum", "Mean")),
    Row("Clip", _clip, exact=True, weight=3),
    Row("Cast", _cast, exact=True),
    Row("CastLike", _cast_like, exact=True),
    Row("Where", _where, exact=True),
    Row("Dropout", _dropout, exact=True),
)
