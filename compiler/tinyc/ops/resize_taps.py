# SPDX-License-Identifier: Apache-2.0
"""Along one axis of a Resize: which elements of the input make each one of the result, and with which weights.

Coordinates are single precision, as in onnxruntime, so that ties fall on the same side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import Arrays, Operator, ShapeError, Types, array, need, register

TRANSFORMS = (
    "half_pixel",
    "half_pixel_symmetric",
    "pytorch_half_pixel",
    "align_corners",
    "asymmetric",
    "tf_crop_and_resize",
    "tf_half_pixel_for_nn",
)
NEAREST = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil", "simple")


@dataclass(frozen=True)
class ResizeAxis:
    """How an axis is resized. `nearest` "simple": floor where it grows, ceil where it shrinks.

    `scale`: the factor, or the index of an element of operand 0. `roi`: bounds, or indices of elements of operand 1;
    only for tf_crop_and_resize. `width`: length of the result in coordinates, None for scale times the input's.
    """

    before: int
    after: int
    mode: str = "linear"
    transform: str = "half_pixel"
    nearest: str = "round_prefer_floor"
    cubic_a: float = -0.75
    antialias: bool = False
    exclude_outside: bool = False
    scale: float | int = 1.0
    roi: tuple[float, float] | tuple[int, int] = (0.0, 1.0)
    width: float | None = None

    @property
    def taps(self) -> int:
        """Elements of the input for one of the result; with antialias as many as the smallest possible scale needs."""
        if self.mode == "nearest":
            return 1
        reach = 1 if self.mode == "linear" else 2
        if not self.antialias:
            return 2 * reach
        scale = min(1.0, self.scale if isinstance(self.scale, float) else self.after / self.before)
        return 2 - 2 * (math.floor(-reach / scale) + 1)

    @property
    def extrapolates(self) -> bool:
        """Whether a place outside the input has no element."""
        return self.transform == "tf_crop_and_resize"


def coordinates(a: ResizeAxis, scale: float, roi: Sequence[float]) -> Array:
    """Place in the input of each element of the result."""
    f = np.float32
    y, s = np.arange(a.after, dtype=f), f(scale)
    width = f(a.width) if a.width is not None else s * f(a.before)
    last = f(a.before - 1)
    if a.transform == "asymmetric":
        return np.asarray(y / s)
    if a.transform == "tf_half_pixel_for_nn":
        return np.asarray((y + f(0.5)) / s)
    if a.transform == "align_corners":
        return np.asarray(np.zeros_like(y) if width == 1 else y * last / (width - f(1)))
    if a.transform == "tf_crop_and_resize":
        first, end = f(roi[0]), f(roi[1])
        if width == 1:
            return np.full_like(y, f(0.5) * (first + end) * last)
        return np.asarray(first * last + y * (end - first) * last / (width - f(1)))
    if a.transform == "pytorch_half_pixel" and a.after <= 1:
        return np.zeros_like(y)
    offset = f(0)
    if a.transform == "half_pixel_symmetric":
        offset = f(a.before / 2) * (f(1) - f(a.after) / width)
    return np.asarray(offset + (y + f(0.5)) / s - f(0.5))


def nearest_index(x: Array, rule: str, scale: float) -> Array:
    """The element that stands for a place."""
    if rule == "simple":
        rule = "ceil" if scale < 1 else "floor"
    half = np.float32(0.5)
    rounded = {
        "round_prefer_floor": lambda: np.ceil(x - half),
        "round_prefer_ceil": lambda: np.floor(x + half),
        "floor": lambda: np.floor(x),
        "ceil": lambda: np.ceil(x),
    }[rule]()
    return np.asarray(rounded)


def tap_weight(a: ResizeAxis, distance: Array) -> Array:
    """Weight of an element at a distance."""
    d = np.abs(distance)
    if a.mode == "linear":
        return np.maximum(0.0, 1.0 - d)
    near = ((a.cubic_a + 2) * d - (a.cubic_a + 3)) * d * d + 1
    far = ((a.cubic_a * d - 5 * a.cubic_a) * d + 8 * a.cubic_a) * d - 4 * a.cubic_a
    return np.where(d <= 1, near, np.where(d < 2, far, 0.0))


def axis_taps(a: ResizeAxis, scale: float, roi: Sequence[float]) -> tuple[Array, Array]:
    """(indices int32, weights float64), both [after, taps]; all indices are -1 where the result is extrapolated."""
    x = coordinates(a, scale, roi)
    bounded = np.clip(x, -2.0, a.before + 1.0)
    if a.mode == "nearest":
        index = np.clip(nearest_index(bounded, a.nearest, scale), 0, a.before - 1)[:, None]
        weights = np.ones((a.after, 1))
    else:
        base = np.ceil(bounded) - 1
        step = min(scale, 1.0) if a.antialias else 1.0
        places = np.arange(a.taps) - (a.taps // 2 - 1)
        weights = tap_weight(a, (places - (bounded - base).astype(np.float64)[:, None]) * step)
        index = base[:, None] + places
        if a.exclude_outside:
            weights = np.where((index >= 0) & (index < a.before), weights, 0.0)
        if a.exclude_outside or a.antialias:
            weights = weights / weights.sum(1, keepdims=True)
        index = np.clip(index, 0, a.before - 1)
    if a.extrapolates:
        index = np.where(((x < 0) | (x > a.before - 1))[:, None], -1, index)
    return index.astype(np.int32), weights


@dataclass(frozen=True)
class ResizeTapsAttrs:
    axis: ResizeAxis
    dtype: DType


@register
class ResizeTaps(Operator):
    """Indices (int32) and weights, both [after, taps], from scales (operand 0) or a region (operand 1) read in run."""

    name = "ResizeTaps"
    plain_operands = frozenset({0, 1})

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: ResizeAxis = node.attrs.axis
        if isinstance(a.scale, int):
            scales = need(types[0], "scales")
            if not scales.dtype.is_float or not 0 <= a.scale < scales.elements:
                raise ShapeError(f"scales {scales}")
        if isinstance(a.roi[0], int):
            roi = need(types[1], "region")
            if not roi.dtype.is_float or not all(0 <= i < roi.elements for i in a.roi):
                raise ShapeError(f"a region {roi}")
        shape = (a.after, a.taps)
        return [TensorType(DType.INT32, shape), TensorType(node.attrs.dtype, shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: ResizeAxis = node.attrs.axis
        scale: Any = array(inputs[0]).reshape(-1)[a.scale] if isinstance(a.scale, int) else a.scale
        roi: Any = a.roi
        if isinstance(a.roi[0], int):
            roi = [array(inputs[1]).reshape(-1)[int(i)] for i in a.roi]
        index, weights = axis_taps(a, float(scale), [float(v) for v in roi])
        return [index, weights.astype(outputs[1].dtype.numpy)]
