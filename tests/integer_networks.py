# SPDX-License-Identifier: Apache-2.0
"""Random channels-last int8 networks, built in the IR."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyc.ir import DType, Editor, Graph, Node, Quant, TensorType, Value
from tinyc.ops.conv import ConvAttrs
from tinyc.ops.pool import PoolAttrs


class Network:
    """Builds a channels-last int8 network with random weights, some filters of which are zero."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.editor = Editor("pruned")
        self.count = 0

    def quant(self) -> Quant:
        return Quant((float(self.rng.uniform(0.02, 0.1)),), (int(self.rng.integers(-20, 20)),))

    def value(self, shape: tuple[int, ...], quant: Quant | None = None) -> str:
        self.count += 1
        type_ = TensorType(DType.INT8, shape, quant or self.quant())
        return self.editor.set_value(Value(f"v{self.count}", type_))

    def add(self, op: str, attrs: Any, inputs: list[str], shape: tuple[int, ...], quant: Quant | None = None) -> str:
        output = self.value(shape, quant)
        self.editor.add(Node(f"n{self.count}", op, attrs, tuple(inputs), (output,), True, self.count))
        return output

    def weights(self, shape: tuple[int, ...], zero: float, per_channel: bool = True) -> tuple[str, str]:
        w = self.rng.integers(-127, 128, shape).astype(np.int8)
        w[self.rng.random(shape[0]) < zero] = 0
        w[..., self.rng.random(shape[-1]) < zero / 2] = 0
        scale = tuple(float(s) for s in self.rng.uniform(0.001, 0.01, shape[0]))
        quant = Quant(scale, (0,) * shape[0], 0) if per_channel else Quant(scale[:1], (0,))
        weights = self.editor.const("w", w, TensorType(DType.INT8, shape, quant))
        bias = self.rng.integers(-3000, 3000, shape[0]).astype(np.int32)
        return weights, self.editor.const("b", bias, TensorType(DType.INT32, bias.shape))

    def conv(
        self, x: str, channels: int, kernel: int = 1, pad: int = 0, zero: float = 0.4, stride: int = 1
    ) -> str:
        n, h, w, c = self.editor.view().type(x).shape
        weights, bias = self.weights((channels, kernel, kernel, c), zero)
        high, wide = ((e + 2 * pad - kernel) // stride + 1 for e in (h, w))
        clamp = (0.0, 6.0) if self.rng.random() < 0.7 else None
        attrs = ConvAttrs((stride,) * 2, (1, 1), (pad,) * 4, 1, clamp, True)
        quant = Quant((0.05,), (-128,)) if clamp else None
        return self.add("Conv", attrs, [x, weights, bias], (n, high, wide, channels), quant)

    def depthwise(
        self, x: str, zero: float = 0.3, kernel: int = 3, stride: int = 1, dilation: int = 1
    ) -> str:
        n, h, w, c = self.editor.view().type(x).shape
        weights, bias = self.weights((c, kernel, kernel, 1), zero)
        pad, span = (kernel - 1) * dilation // 2, (kernel - 1) * dilation + 1
        high, wide = ((e + 2 * pad - span) // stride + 1 for e in (h, w))
        attrs = ConvAttrs((stride,) * 2, (dilation,) * 2, (pad,) * 4, c, (0.0, 6.0), True)
        return self.add("Conv", attrs, [x, weights, bias], (n, high, wide, c), Quant((0.05,), (-128,)))

    def pool(self, x: str, op: str, kernel: int, stride: int) -> str:
        type_ = self.editor.view().type(x)
        n, h, w, c = type_.shape
        high, wide = ((e - kernel) // stride + 1 for e in (h, w))
        attrs = PoolAttrs((kernel,) * 2, (stride,) * 2, (1, 1), (0,) * 4, channels_last=True)
        return self.add(op, attrs, [x], (n, high, wide, c), type_.quant)

    def done(self, inputs: list[str], output: str) -> Graph[Any]:
        self.editor.inputs, self.editor.outputs = tuple(inputs), (output,)
        return self.editor.done()
