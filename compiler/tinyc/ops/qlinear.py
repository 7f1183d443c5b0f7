# SPDX-License-Identifier: Apache-2.0
"""ONNX's and onnxruntime's QLinear* operators: DequantizeLinear, the float operator, QuantizeLinear.

They say the same as a model in QDQ form; the pass qdq_to_integer makes the operator's integer form of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinyc.ir.types import Array, DType, Quant, TensorType
from tinyc.ops import quantize_run_time
from tinyc.ops.cast import CastAttrs
from tinyc.ops.elementwise import BinaryAttrs
from tinyc.ops.quantize_linear import QuantAttrs, quant_attrs
from tinyc.ops.registry import IMPORTERS, Importing, ShapeError, imports
from tinyc.ops.transpose import TransposeAttrs

MICROSOFT = "com.microsoft"


@dataclass
class Inner:
    """The float operator inside a quantized one, as its importer sees it: an `Importing`."""

    outer: Importing
    op_type: str
    inputs: tuple[str, ...]  # IR values, "" where omitted
    attributes: dict[str, Any]
    opset: int
    domain: str = ""
    name: str = ""
    outputs: tuple[str, ...] = field(default=("result",))

    def __post_init__(self) -> None:
        self.name = self.outer.name

    def has(self, index: int) -> bool:
        return index < len(self.inputs) and self.inputs[index] != ""

    def input(self, index: int) -> str:
        return self.inputs[index] if self.has(index) else ""

    def type(self, index: int) -> TensorType:
        if not self.has(index):
            raise self.fail(f"operand {index} is missing")
        return self.type_of(self.inputs[index])

    def type_of(self, value: str) -> TensorType:
        return self.outer.type_of(value)

    def constant(self, index: int, what: str) -> Array:
        data = self.constant_or_none(index)
        if data is None:
            raise self.fail(f"{what} is not a constant")
        return data

    def constant_or_none(self, index: int) -> Array | None:
        return self.outer.constant_value(self.inputs[index]) if self.has(index) else None

    def constant_value(self, value: str) -> Array | None:
        return self.outer.constant_value(value)

    def declared(self, index: int) -> tuple[int, ...]:
        return self.outer.declared(index)

    def const(self, array: Array, quant: Quant | None = None) -> str:
        return self.outer.const(array, quant)

    def with_labels(self, value: str, labels: Sequence[str] | None) -> str:
        return self.outer.with_labels(value, labels)

    def note(self, text: str) -> None:
        self.outer.note(text)

    def as_map(self, output: str, keys: Sequence[int | str]) -> None:
        self.outer.as_map(output, keys)

    def emit(self, op: str, attrs: Any, inputs: Sequence[str], count: int = 1) -> list[str]:
        return self.outer.emit(op, attrs, inputs, count)

    def dtype(self, onnx_code: int | str) -> DType:
        return self.outer.dtype(onnx_code)

    def fail(self, what: str, hint: str = "") -> Exception:
        return self.outer.fail(what, hint)


def _parameters(node: Importing, scale: int, zero: int, dtype: DType) -> tuple[Array, Array]:
    """Scale and zero point of operands `scale` and `zero`; a zero point that is left out is 0."""
    scales = node.constant(scale, "a scale").astype(np.float32)
    zeros = node.constant(zero, "a zero point") if node.has(zero) else np.zeros((), dtype.numpy)
    return scales, zeros


def _dequantized(node: Importing, value: int, scale: int, zero: int, axis: int = 0) -> str:
    """Operand `value` as real numbers. `axis` is that of its scales, where it has more than one."""
    type_ = node.type(value)
    if _at_run_time(node, scale, zero):
        operands = (node.input(value), _real_scale(node, scale), node.input(zero))
        return quantize_run_time.dequantize(Inner(node, "DequantizeLinear", operands, {"axis": axis}, 21))[0]
    scales, zeros = _parameters(node, scale, zero, type_.dtype)
    attrs = quant_attrs(node, type_, type_.dtype, scales, zeros, axis)
    return node.emit("DequantizeLinear", attrs, [node.input(value)])[0]


def _quantized(node: Importing, value: str, scale: int, zero: int, like: int) -> Sequence[str]:
    """A real value as the result: of the zero point's type, or that of operand `like`."""
    dtype = node.type(zero if node.has(zero) else like).dtype
    if _at_run_time(node, scale, zero):
        operands = (value, _real_scale(node, scale), node.input(zero))
        return quantize_run_time.quantize(Inner(node, "QuantizeLinear", operands, {"axis": 0}, 21), dtype)
    scales, zeros = _parameters(node, scale, zero, dtype)
    return node.emit("QuantizeLinear", quant_attrs(node, node.type_of(value), dtype, scales, zeros, 0), [value])


def _at_run_time(node: Importing, scale: int, zero: int) -> bool:
    return any(node.has(k) and node.constant_or_none(k) is None for k in (scale, zero))


def _real_scale(node: Importing, index: int) -> str:
    """A scale as float32: the product of quantized values is computed in that."""
    if node.type(index).dtype is DType.FLOAT32:
        return node.input(index)
    return node.emit("Cast", CastAttrs(DType.FLOAT32), [node.input(index)])[0]


def _float(node: Importing, op: str, operands: Sequence[str], opset: int, drop: Sequence[str] = ()) -> str:
    """The result of the float operator with the node's attributes but `drop`."""
    attributes = {k: v for k, v in node.attributes.items() if k not in drop}
    return IMPORTERS["", op](Inner(node, op, tuple(operands), attributes, opset))[0]


def _channels_first(node: Importing, value: str) -> str:
    rank = node.type_of(value).rank
    return node.emit("Transpose", TransposeAttrs((0, rank - 1, *range(1, rank - 1))), [value])[0]


def _channels_last(node: Importing, value: str) -> str:
    rank = node.type_of(value).rank
    return node.emit("Transpose", TransposeAttrs((0, *range(2, rank), 1)), [value])[0]


def _bias(node: Importing, index: int, scales: tuple[int, int], alpha: float = 1.0) -> str:
    """An int32 bias at scale alpha * data * weights, as real numbers."""
    if not node.has(index):
        return ""
    bias = node.type(index)
    if bias.dtype is not DType.INT32:
        raise ShapeError(f"a bias of type {bias.dtype.label}")
    if any(node.constant_or_none(s) is None for s in scales):
        factor = node.emit("Mul", BinaryAttrs(), [_real_scale(node, s) for s in scales])[0]
        if alpha != 1.0:
            factor = node.emit("Mul", BinaryAttrs(), [factor, node.const(np.array(alpha, np.float32))])[0]
        steps = node.emit("Cast", CastAttrs(DType.FLOAT32), [node.input(index)])
        return node.emit("Mul", BinaryAttrs(), [*steps, factor])[0]
    first, second = (node.constant(s, "a scale").astype(np.float64).reshape(-1) for s in scales)
    if 1 not in (len(first), len(second)):
        raise node.fail(f"{len(first)} scales of the data and {len(second)} of the weights",
                        "quantize the data per tensor")
    product = np.asarray(alpha * first * second, np.float64)
    rank_axis = bias.rank - 1
    count = product.size if bias.rank and bias.shape[rank_axis] == product.size else 1
    if product.size not in (1, count):
        raise ShapeError(f"a bias {bias.shape} for {product.size} scales")
    if not (np.all(product > 0) and np.all(np.isfinite(product))):
        raise node.fail("a scale is zero, negative or not finite")
    scale = tuple(float(np.float32(s)) for s in product[:count])
    quant = Quant(scale, (0,) * count, rank_axis if count > 1 else None)
    return node.emit("DequantizeLinear", QuantAttrs(quant, DType.INT32), [node.input(index)])[0]


@imports("QLinearConv", domain=MICROSOFT)
@imports("QLinearConv")
def _conv(node: Importing) -> Sequence[str]:
    """x, its scale and zero point; w, ...; the result's scale and zero point; the bias."""
    last = bool(node.attributes.get("channels_last", 0))
    x, w = _dequantized(node, 0, 1, 2), _dequantized(node, 3, 4, 5, 0)
    x = _channels_first(node, x) if last else x
    y = _float(node, "Conv", [x, w, _bias(node, 8, (1, 4))], 11, ["channels_last"])
    return _quantized(node, _channels_last(node, y) if last else y, 6, 7, 0)


@imports("QLinearMatMul", domain=MICROSOFT)
@imports("QLinearMatMul")
def _matmul(node: Importing) -> Sequence[str]:
    """The left operand may have a scale for each row, the right one for each column."""
    a = _dequantized(node, 0, 1, 2, max(node.type(0).rank - 2, 0))
    b = _dequantized(node, 3, 4, 5, max(node.type(3).rank - 1, 0))
    return _quantized(node, _float(node, "MatMul", [a, b], 13), 6, 7, 0)


@imports("QGemm", domain=MICROSOFT)
def _gemm(node: Importing) -> Sequence[str]:
    """A, B, the bias, the result's scale and zero point (without them the result is float)."""
    a = _dequantized(node, 0, 1, 2)
    b = _dequantized(node, 3, 4, 5, 0 if node.attributes.get("transB", 0) else 1)
    bias = _bias(node, 6, (1, 4), float(node.attributes.get("alpha", 1.0)))
    y = _float(node, "Gemm", [a, b, bias], 13)
    return _quantized(node, y, 7, 8, 0) if node.has(7) else [y]


@imports("QLinearAdd", "QLinearMul", domain=MICROSOFT)
def _binary(node: Importing) -> Sequence[str]:
    a, b = _dequantized(node, 0, 1, 2), _dequantized(node, 3, 4, 5)
    return _quantized(node, _float(node, node.op_type.removeprefix("QLinear"), [a, b], 14), 6, 7, 0)


@imports("QLinearSigmoid", "QLinearLeakyRelu", "QLinearReduceMean", domain=MICROSOFT)
def _unary(node: Importing) -> Sequence[str]:
    op = node.op_type.removeprefix("QLinear")
    return _quantized(node, _float(node, op, [_dequantized(node, 0, 1, 2)], 13), 3, 4, 0)


@imports("QLinearSoftmax", domain=MICROSOFT)
def _softmax(node: Importing) -> Sequence[str]:
    opset = int(node.attributes.get("opset", 13))
    y = _float(node, "Softmax", [_dequantized(node, 0, 1, 2)], opset, ["opset"])
    return _quantized(node, y, 3, 4, 0)


@imports("QLinearAveragePool", "QLinearGlobalAveragePool", domain=MICROSOFT)
def _pool(node: Importing) -> Sequence[str]:
    last = bool(node.attributes.get("channels_last", 0))
    x = _dequantized(node, 0, 1, 2)
    x = _channels_first(node, x) if last else x
    y = _float(node, node.op_type.removeprefix("QLinear"), [x], 13, ["channels_last"])
    return _quantized(node, _channels_last(node, y) if last else y, 3, 4, 0)


@imports("QLinearConcat", domain=MICROSOFT)
def _concat(node: Importing) -> Sequence[str]:
    """The result's scale and zero point, then three operands for each part."""
    if len(node.inputs) < 5 or len(node.inputs) % 3 != 2:
        raise ShapeError(f"{len(node.inputs)} operands")
    parts = [_dequantized(node, k, k + 1, k + 2) for k in range(2, len(node.inputs), 3)]
    return _quantized(node, _float(node, "Concat", parts, 13), 0, 1, 2)


@imports("QLinearWhere", domain=MICROSOFT)
def _where(node: Importing) -> Sequence[str]:
    a, b = _dequantized(node, 1, 2, 3), _dequantized(node, 4, 5, 6)
    return _quantized(node, _float(node, "Where", [node.input(0), a, b], 16), 7, 8, 1)

