# SPDX-License-Identifier: Apache-2.0
"""Clip: clamp to a constant interval; ReLU and ReLU6 are this. Its integer form also requantizes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, TensorType
from tinyc.ops.elementwise import BinaryAttrs
from tinyc.ops.registry import (
    Arrays,
    Importing,
    Operator,
    Types,
    array,
    imports,
    need,
    quantized_obstacle,
    register,
    scale_zero,
)
from tinyc.quantize.numbers import clamp_limits, quantize_multiplier, requantize, saturate


@dataclass(frozen=True)
class ClipAttrs:
    low: float = -math.inf
    high: float = math.inf


@register
class Clip(Operator):
    name = "Clip"
    elementwise = True

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x = need(types[0], "input")
        return [TensorType(x.dtype, x.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        x = array(inputs[0])
        low, high = (node.attrs.low, node.attrs.high)
        if x.dtype.kind in "iu":
            info = np.iinfo(x.dtype)
            low, high = (min(max(v, info.min), info.max) for v in (low, high))
        return [np.minimum(np.maximum(x, x.dtype.type(low)), x.dtype.type(high))]

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        return quantized_obstacle(types, output)

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        (s1, z1), (s2, z2) = scale_zero(types[0]), scale_zero(outputs[0])
        x = array(inputs[0]).astype(np.int64) - z1
        result = requantize(x, *quantize_multiplier(s1 / s2)) + z2
        dtype = outputs[0].dtype
        limits = clamp_limits((node.attrs.low, node.attrs.high), s2, z2, dtype.limits)
        return [saturate(result, *limits, dtype.label)]


@imports("Relu")
def _relu(node: Importing) -> Sequence[str]:
    return node.emit("Clip", ClipAttrs(0.0, math.inf), [node.input(0)])


@imports("Clip")
def _clip(node: Importing) -> Sequence[str]:
    """Bounds that are computed at run time become Max and Min."""
    if node.opset < 11:
        low, high = node.attributes.get("min", -math.inf), node.attributes.get("max", math.inf)
        return node.emit("Clip", ClipAttrs(float(low), float(high)), [node.input(0)])
    constants = [node.constant_or_none(1), node.constant_or_none(2)]
    if any(node.has(i) and c is None for i, c in zip((1, 2), constants, strict=True)):
        result = [node.input(0)]
        for op, index in (("Max", 1), ("Min", 2)):
            if node.has(index):
                result = node.emit(op, BinaryAttrs(), [*result, node.input(index)])
        return result
    low, high = (
        default if c is None else float(c.reshape(()))
        for c, default in zip(constants, (-math.inf, math.inf), strict=True)
    )
    return node.emit("Clip", ClipAttrs(low, high), [node.input(0)])
