# SPDX-License-Identifier: Apache-2.0
"""Rows of operators on quantized integers. (QuantizeLinear and DequantizeLinear also come with quantized graphs.)"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from fuzz_growing import Growing, Value
from fuzz_reference import Dropped
from fuzz_row import Build, Row, drawn, flag, real

BYTES = ("int8", "uint8")
MICROSOFT = "com.microsoft"


def _zero(g: Growing, dtype: str) -> np.ndarray:
    info = np.iinfo(dtype)
    return np.array(g.integer(int(info.min), int(info.max)) if g.chance(1, 2) else 0, dtype)


def _quantize(g: Growing) -> None:
    x = g.operand(["float32"])
    allowed = [t for t in ("int8", "uint8", "int16", "uint16") if t in g.types(2)]
    if g.domain:
        allowed = list(BYTES)
    dtype = allowed[0] if g.chance(1, 2) else g.pick(allowed)
    scale = np.float32(g.pick([0.05, 0.125, 1.0, 0.004]))
    if g.opset >= 13 and x.rank and g.chance(1, 3):
        axis = g.axis(x.rank)
        scales = np.full(x.shape[axis], scale) * np.float32(g.integer(1, 3))
        g.add([x, g.constant(scales.astype(np.float32)), g.constant(np.zeros(scales.shape, dtype))], axis=axis,
              stepped=True)
    else:
        g.add([x, g.constant(scale), g.constant(_zero(g, dtype))], stepped=True)


def _dequantize(g: Growing) -> None:
    allowed = BYTES if g.domain else [t for t in ("int8", "uint8", "int16", "uint16", "int32") if t in g.types()]
    x = g.operand(allowed)
    scale = np.float32(g.pick([0.05, 0.125, 1.0]))
    zero = np.array(0, "int32") if x.dtype == "int32" else _zero(g, x.dtype)
    attributes: dict[str, Any] = {}
    if g.opset >= 13 and x.rank and g.chance(1, 3):
        attributes["axis"] = g.axis(x.rank)
        extent = x.shape[attributes["axis"]]
        parameters = [np.full(extent, scale, np.float32), np.full(extent, zero, x.dtype)]
        g.add([x, *(g.constant(p) for p in parameters)], **attributes)
    else:
        g.add([x, g.constant(scale), g.constant(zero)])


# -- the operands of QLinear operators -----------------------------------------------------------


def _integers(g: Growing, dtype: str, shape: tuple[int, ...], constant: bool | None = None) -> Value:
    array = g.source.numpy().integers(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    known = [v for v in g.values if v.dtype == dtype and v.shape == shape and not v.constant]
    return g.pick(known) if known and not constant and g.chance(2, 3) else g.fresh(array, constant)


def _parameters(g: Growing, dtype: str) -> tuple[list[Value], float, int]:
    """Scale and zero point as operands, and as numbers."""
    scale, zero = np.float32(g.pick([0.02, 0.05, 0.11, 0.0078])), _zero(g, dtype)
    return [g.constant(np.asarray(scale)), g.constant(zero)], float(scale), int(zero)


def _operand(g: Growing, dtype: str, shape: tuple[int, ...]) -> tuple[list[Value], np.ndarray]:
    """Integers, scale and zero point; and what they stand for."""
    x = _integers(g, dtype, shape)
    operands, scale, zero = _parameters(g, dtype)
    return [x, *operands], (x.array.astype(np.float64) - zero) * scale


def _result(g: Growing, dtype: str, array: np.ndarray) -> list[Value]:
    """Scale and zero point for a result like this."""
    scale, zero = g.parameters(float(array.min(initial=0)), float(array.max(initial=0)), dtype)
    return [g.constant(np.asarray(scale)), g.constant(zero)]


def _elementwise(function: Callable[[np.ndarray], np.ndarray], **attributes: Any) -> Build:
    """A QLinear operator of one operand."""

    def build(g: Growing) -> None:
        dtype = g.pick(BYTES)
        x, value = _operand(g, dtype, g.shape(1, 4))
        g.add([*x, *_result(g, dtype, function(value))], stepped=True, **drawn(g, attributes))

    return build


def _q_binary(g: Growing) -> None:
    dtype = g.pick(BYTES)
    shape = g.shape(1, 4)
    second = g.pick([shape, shape, (1,), shape[1:], tuple(d if g.integer(0, 1) else 1 for d in shape)])
    a, x = _operand(g, dtype, shape)
    b, y = _operand(g, dtype, second)
    g.add([*a, *b, *_result(g, dtype, x + y if g.op == "QLinearAdd" else x * y)], stepped=True)


def _q_matmul(g: Growing) -> None:
    dtype = g.pick(BYTES)
    rows, inner, columns = (g.integer(1, 5) for _ in range(3))
    lead = g.shape(0, 1, 2)
    a, x = _operand(g, dtype, (*lead, rows, inner))
    other = "int8" if dtype == "int8" or g.chance(1, 2) else "uint8"
    w = _integers(g, other, (inner, columns), True)
    scale = np.full(columns, 0.02, np.float32) * np.arange(1, columns + 1, dtype=np.float32) if g.chance(
        1, 3) else np.asarray(np.float32(0.02))
    zero = np.zeros(scale.shape, other) if other == "int8" else np.full(scale.shape, g.integer(100, 150), other)
    y = x @ ((w.array.astype(np.float64) - zero) * scale)
    g.add([*a, w, g.constant(scale), g.constant(zero), *_result(g, dtype, y)], stepped=True)


def _q_conv(g: Growing) -> None:
    dtype = g.pick(BYTES)
    rank = g.pick([2, 2, 1, 3])
    group = g.pick([1, 1, 2, 4])
    channels = group * g.integer(1, 2)
    shape = (1, channels, *(g.integer(3, 6) for _ in range(rank)))
    a, x = _operand(g, dtype, shape)
    outputs = group * g.integer(1, 2)
    other = "int8" if dtype == "int8" or g.chance(2, 3) else "uint8"
    w = _integers(g, other, (outputs, channels // group, *(g.integer(1, 3) for _ in range(rank))), True)
    scale = np.linspace(0.005, 0.02, outputs, dtype=np.float32) if g.chance(1, 2) and other == "int8" else np.asarray(
        np.float32(0.01))
    zero = np.zeros(scale.shape, other) if other == "int8" else np.asarray(_zero(g, other))
    bound = float(np.abs(x).mean()) * 0.7 * float(np.sqrt(w.array[0].size))
    operands = [*a, w, g.constant(scale), g.constant(zero), *_result(g, dtype, np.array([-bound, bound]))]
    if g.chance(1, 2):
        operands.append(g.constant(g.source.numpy().integers(-2000, 2000, outputs).astype(np.int32)))
    attributes: dict[str, Any] = {"group": group} if group > 1 else {}
    attributes |= drawn(g, {"strides": lambda g: [g.integer(1, 2)] * rank,
                            "pads": lambda g: [g.integer(0, 1) for _ in range(2 * rank)]})
    g.add(operands, stepped=True, **attributes)


def _q_gemm(g: Growing) -> None:
    dtype = g.pick(BYTES)
    rows, inner, columns = (g.integer(1, 6) for _ in range(3))
    flip = g.integer(0, 1)
    a, x = _operand(g, dtype, (rows, inner))
    other = "int8" if dtype == "int8" or g.chance(1, 2) else "uint8"
    w = _integers(g, other, (columns, inner) if flip else (inner, columns), True)
    zero = np.asarray(np.zeros((), other) if other == "int8" else np.array(121, other))
    y = x @ ((w.array.T if flip else w.array).astype(np.float64) - int(zero)) * 0.02
    operands: list[Value | None] = [*a, w, g.constant(np.asarray(np.float32(0.02))), g.constant(zero)]
    operands.append(g.constant(g.source.numpy().integers(-900, 900, columns).astype(np.int32)) if g.chance(1, 2)
                    else None)
    if g.chance(4, 5):
        operands += _result(g, dtype, y)
    g.add(operands, stepped=True, **({"transB": 1} if flip else {}))


def _q_pool(g: Growing) -> None:
    dtype = g.pick(BYTES)
    x, value = _operand(g, dtype, (1, g.integer(1, 4), g.integer(3, 6), g.integer(3, 6)))
    result = _result(g, dtype, value) if g.chance(1, 2) else x[1:]
    if g.op == "QLinearGlobalAveragePool":
        g.add([*x, *result], stepped=True, channels_last=0)
        return
    kernel = [g.integer(1, 3), g.integer(1, 3)]
    g.add([*x, *result], stepped=True, kernel_shape=kernel, **drawn(g, {
        "strides": lambda g: [g.integer(1, 2)] * 2, "count_include_pad": flag,
        "pads": lambda g: [g.integer(0, k - 1) for _ in range(2) for k in kernel]}))


def _q_concat(g: Growing) -> None:
    dtype = g.pick(BYTES)
    shape = list(g.shape(1, 4))
    axis = g.axis(len(shape))
    operands, values = [], []
    for _ in range(g.integer(1, 3)):
        shape[axis] = g.integer(1, 3)
        part, value = _operand(g, dtype, tuple(shape))
        operands += part
        values.append(value.reshape(-1))
    g.add([*_result(g, dtype, np.concatenate(values)), *operands], stepped=True, axis=axis)


def _q_softmax(g: Growing) -> None:
    dtype = g.pick(BYTES)
    shape = g.shape(1, 4)
    x, _ = _operand(g, dtype, shape)
    axis = g.axis(len(shape))
    if shape[axis] == 1:
        raise Dropped("onnxruntime wraps the quantized 1.0 of a single element to 0")
    zero = np.array(-128 if dtype == "int8" else 0, dtype)
    version = g.opset if g.opset >= 13 else 12
    g.add([*x, g.constant(np.asarray(np.float32(1 / 256))), g.constant(zero)], stepped=True, opset=version,
          axis=axis)


def _q_where(g: Growing) -> None:
    dtype = g.pick(BYTES)
    shape = g.shape(1, 4)
    a, x = _operand(g, dtype, shape)
    b, y = _operand(g, dtype, g.pick([shape, (1,), shape[1:]]))
    condition = g.operand(["bool"], shape=g.pick([shape, shape[-1:]]))
    g.add([condition, *a, *b, *_result(g, dtype, np.concatenate([x.reshape(-1), y.reshape(-1)]))], stepped=True)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    """Not near zero only: onnxruntime's approximation has an absolute error."""
    return np.maximum(1 / (1 + np.exp(-x)), 0.05)


# -- integers without scales, and scales that are computed ---------------------------------------


def _pair(g: Growing) -> tuple[str, str]:
    return g.pick([("uint8", "int8"), ("uint8", "uint8"), ("int8", "int8")])


def _matmul_integer(g: Growing) -> None:
    first, second = _pair(g)
    shape = g.shape(2, 3, 5)
    a = _integers(g, first, shape)
    b = _integers(g, second, (shape[-1], g.integer(1, 5)), g.chance(1, 2))
    operands: list[Value | None] = [a, b]
    if g.chance(2, 3):
        operands += [g.constant(_zero(g, first)), g.constant(_zero(g, second)) if g.chance(1, 2) else None]
    g.add(operands)


def _conv_integer(g: Growing) -> None:
    first, second = ("uint8", g.pick(["uint8", "int8"]))
    x = _integers(g, first, (1, 2, g.integer(3, 6), g.integer(3, 6)))
    w = _integers(g, second, (g.integer(1, 3), 2, g.integer(1, 3), g.integer(1, 3)), g.chance(1, 2))
    operands: list[Value | None] = [x, w]
    if g.chance(2, 3):
        operands += [g.constant(_zero(g, first)), g.constant(_zero(g, second)) if g.chance(1, 2) else None]
    g.add(operands, **drawn(g, {"strides": lambda g: [g.integer(1, 2)] * 2,
                                "pads": lambda g: [g.integer(0, 1) for _ in range(4)]}))


def _dynamic_quantize(g: Growing) -> None:
    g.add([g.operand(["float32"], 1)], count=3, stepped=True)


def _matmul_to_float(g: Growing) -> None:
    first, second = g.pick([("uint8", "int8"), ("uint8", "uint8"), ("int8", "int8")])
    shape = g.shape(2, 3, 5)
    columns = g.integer(1, 4)
    a, b = _integers(g, first, shape), _integers(g, second, (shape[-1], columns), True)
    scales = [np.float32(0.05), np.full(columns, 0.02, np.float32) if g.chance(1, 2) else np.float32(0.02)]
    operands: list[Value | None] = [a, b, *(g.constant(np.asarray(s)) for s in scales)]
    operands += [g.constant(_zero(g, first)) if g.chance(1, 2) else None, None]
    if g.chance(1, 2):
        operands.append(g.constant(g.content("float32", (columns,))))
    g.add(operands)


def _dynamic_matmul(g: Growing) -> None:
    a = g.operand(["float32"], 2, 3)
    if not np.abs(a.array).max():
        raise Dropped("all zeros")
    columns = g.integer(1, 4)
    b = _integers(g, g.pick(BYTES), (a.shape[-1], columns), True)
    g.add([a, b, g.constant(np.asarray(np.float32(0.02)))], stepped=True)


ROWS = (
    Row("QuantizeLinear", _quantize),
    Row("DequantizeLinear", _dequantize),
    Row("QuantizeLinear", _quantize, MICROSOFT),
    Row("DequantizeLinear", _dequantize, MICROSOFT),
    Row("QLinearConv", _q_conv),
    Row("QLinearConv", _q_conv, MICROSOFT),
    Row("QLinearMatMul", _q_matmul),
    Row("QGemm", _q_gemm, MICROSOFT),
    Row("QLinearAdd", _q_binary, MICROSOFT),
    Row("QLinearMul", _q_binary, MICROSOFT),
    Row("QLinearSigmoid", _elementwise(_sigmoid), MICROSOFT),
    Row("QLinearLeakyRelu", _elementwise(lambda x: x, alpha=real(0.125, 0.5)), MICROSOFT),
    Row("QLinearAveragePool", _q_pool, MICROSOFT),
    Row("QLinearGlobalAveragePool", _q_pool, MICROSOFT),
    Row("QLinearConcat", _q_concat, MICROSOFT),
    Row("QLinearSoftmax", _q_softmax, MICROSOFT),
    Row("QLinearWhere", _q_where, MICROSOFT),
    Row("MatMulInteger", _matmul_integer, exact=True),
    Row("ConvInteger", _conv_integer, exact=True),
    Row("DynamicQuantizeLinear", _dynamic_quantize),
    Row("MatMulIntegerToFloat", _matmul_to_float, MICROSOFT),
    Row("DynamicQuantizeMatMul", _dynamic_matmul, MICROSOFT),
)
