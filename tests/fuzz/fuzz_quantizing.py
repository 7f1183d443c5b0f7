# SPDX-License-Identifier: Apache-2.0
"""Quantized graphs: values behind QuantizeLinear and DequantizeLinear, with random scales."""

from __future__ import annotations

import numpy as np
import onnx
from fuzz_source import Source
from fuzz_values import RECURRENT, Value
from onnx import helper


class Quantizing:
    """The part of a growing graph (fuzz_growing.Growing) that quantizes."""

    source: Source
    opset: int
    quantized: bool
    op: str
    values: list[Value]
    nodes: list[onnx.NodeProto]
    operators: list[tuple[str, str]]
    known: dict[str, np.ndarray]
    stepped: set[str]

    def name(self, stem: str) -> str:
        raise NotImplementedError

    def constant(self, array: np.ndarray) -> Value:
        raise NotImplementedError

    def _input(self, array: np.ndarray) -> Value:
        raise NotImplementedError

    def _pair(self, op: str, operands: list[str], array: np.ndarray) -> Value:
        """A QuantizeLinear or DequantizeLinear node."""
        result = self.name("q")
        self.nodes.append(helper.make_node(op, operands, [result], name=self.name(op)))
        self.operators.append(("", op))
        self.known[result] = array
        return Value(result, array)

    def parameters(self, low: float, high: float, dtype: str, cut: bool = True) -> tuple[np.float32, np.ndarray]:
        """A scale and zero point for about this interval; sometimes too narrow, so that values saturate (`cut`)."""
        info = np.iinfo(dtype)
        span = max(high, 0.0) - min(low, 0.0) or 1.0
        factor = self.source.pick([1.0, 1.2, 0.7 if cut else 1.5, 3.0])
        scale = np.float32(max(span / (int(info.max) - int(info.min)) * factor, 1e-7))
        if dtype in ("int16", "uint16"):
            return scale, np.array(0 if dtype == "int16" else 32768, dtype)
        zero = int(np.clip(round(info.min - min(low, 0.0) / float(scale)), info.min, info.max))
        return scale, np.array(0 if dtype == "int8" and self.source.chance(1, 4) else zero, dtype)

    def _dequantized(self, integers: np.ndarray, scale: np.float32, zero: np.ndarray, stored: str) -> Value:
        names = [stored, self.constant(np.float32(scale)).name, self.constant(zero).name]
        real = np.asarray((integers.astype(np.int64) - int(zero)).astype(np.float32) * scale, np.float32)
        value = self._pair("DequantizeLinear", names, real)
        return Value(value.name, real, False, float(scale))

    def quantize(self, array: np.ndarray, scale: np.float32, zero: np.ndarray) -> np.ndarray:
        info = np.iinfo(zero.dtype)
        steps = np.rint(array.astype(np.float32) / scale).astype(np.float64) + int(zero)
        return np.clip(steps, info.min, info.max).astype(zero.dtype)

    def _quantized_fresh(self, array: np.ndarray, held: bool) -> Value:
        dtype = self.activation_type()
        scale, zero = self.parameters(float(array.min(initial=0)), float(array.max(initial=0)), dtype)
        integers = self.quantize(array, scale, zero)
        if held:
            value = self._dequantized(integers, scale, zero, self.constant(integers).name)
        elif self.source.chance(1, 2):
            value = self._dequantized(integers, scale, zero, self._input(integers).name)
        else:
            names = [self._input(array).name, self.constant(np.float32(scale)).name, self.constant(zero).name]
            value = self._dequantized(integers, scale, zero, self._pair("QuantizeLinear", names, integers).name)
        self.values.append(value)
        return value

    def activation_type(self) -> str:
        if self.opset >= 21 and self.source.chance(1, 12):
            return "int16"
        return "uint8" if self.source.chance(1, 3) else "int8"

    def _requantized(self, value: Value) -> Value:
        """The value behind a QuantizeLinear and a DequantizeLinear, mostly."""
        if not self.quantized or value.dtype != "float32" or not value.finite or self.source.chance(1, 12):
            return value
        low, high = float(value.array.min()), float(value.array.max())
        recurrent = self.op in RECURRENT
        if recurrent:  # integer recurrences keep their state as the result is quantized: it must hold every step's
            low, high = min(low, -1.0), max(high, 1.0)
        scale, zero = self.parameters(low, high, self.activation_type(), not recurrent)
        integers = self.quantize(value.array, scale, zero)
        names = [value.name, self.constant(np.float32(scale)).name, self.constant(zero).name]
        stored = self._pair("QuantizeLinear", names, integers)
        self.stepped.add(stored.name)
        return self._dequantized(integers, scale, zero, stored.name)

    def weights(self, array: np.ndarray, axis: int) -> Value:
        """A constant; in a quantized graph symmetric int8, with a scale for each slice along `axis` or one."""
        if not self.quantized or self.source.chance(1, 10):
            return self.constant(array)
        per_channel = self.opset >= 13 and self.source.chance(1, 2)
        other = tuple(k for k in range(array.ndim) if k != axis)
        largest = np.abs(array).max(other, keepdims=True) if per_channel else np.abs(array).max(keepdims=True)
        scale = np.maximum(largest / 127, 1e-3).astype(np.float32)
        integers = np.clip(np.rint(array / scale), -127, 127).astype(np.int8)
        real = (integers.astype(np.float32) * scale).astype(np.float32)
        flat = scale.reshape(-1) if per_channel else scale.reshape(())
        names = [self.constant(a).name for a in (integers, flat, np.zeros(flat.shape, np.int8))]
        result = self.name("q")
        attributes = {"axis": axis} if per_channel else {}
        self.nodes.append(helper.make_node("DequantizeLinear", names, [result], name=self.name("Dq"), **attributes))
        self.known[result] = real
        return Value(result, real, False, float(flat) if flat.ndim == 0 else 0.0)

    def bias(self, x: Value, w: Value, array: np.ndarray) -> Value:
        """A constant; in a quantized graph int32 at the product of the operands' scales, mostly."""
        if not (self.quantized and x.scale and w.scale) or self.source.chance(1, 4):
            return self.constant(array)
        scale = np.float32(np.float32(x.scale) * np.float32(w.scale))
        integers = np.clip(np.rint(array / scale), -(1 << 30), 1 << 30).astype(np.int32)
        return self._dequantized(integers, scale, np.array(0, np.int32), self.constant(integers).name)
