# SPDX-License-Identifier: Apache-2.0
"""Resize and Upsample: the elements along some axes interpolated, by tables of indices and weights for each axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, Quant, TensorType
from tinyc.ops.expect import ExpectAttrs, Values
from tinyc.ops.registry import (
    Arrays,
    Importing,
    Operator,
    ShapeError,
    Sunk,
    Types,
    array,
    imports,
    int8_obstacle,
    need,
    register,
    scale_zero,
)
from tinyc.ops.resize_taps import NEAREST, TRANSFORMS, ResizeAxis, ResizeTapsAttrs, axis_taps

FIXED_BITS = 11  # weights of the integer form


@dataclass(frozen=True)
class ResampleAttrs:
    """`axes` count from 0. `extrapolation`: the result where an index is -1."""

    axes: tuple[int, ...]
    extrapolation: float | None = None


class _Resample(Operator):
    """Operands: x, then for each of the axes its indices [after, taps] and, if it has weights, those."""

    keeps_quant = True
    plain_operands = frozenset(range(1, 17))
    tables: int  # operands for each axis

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: ResampleAttrs = node.attrs
        x = need(types[0], "input")
        if len(types) != 1 + self.tables * len(a.axes) or len(set(a.axes)) != len(a.axes):
            raise ShapeError(f"{len(types)} operands for axes {a.axes}")
        if not (x.dtype.is_float or x.dtype.is_integer or x.dtype is DType.BOOL):
            raise ShapeError(f"element type {x.dtype.label} is not supported")
        shape = list(x.shape)
        for k, axis in enumerate(a.axes):
            index = need(types[1 + self.tables * k], "indices")
            known = constants[1 + self.tables * k]
            if not 0 <= axis < x.rank or index.rank != 2 or not x.shape[axis]:
                raise ShapeError(f"indices {index} along axis {axis} of {x.shape}")
            low = 0 if a.extrapolation is None else -1
            if known is not None and known.size and not low <= known.min() <= known.max() < x.shape[axis]:
                raise ShapeError("an index lies outside")
            shape[axis] = index.shape[0]
        return [TensorType(x.dtype, tuple(shape))]

    def layout_operands(self, node: Node) -> tuple[int, ...]:
        return (0,)

    def through_transpose(
        self, node: Node, perm: tuple[int, ...], types: Types, output: TensorType
    ) -> Sunk | None:
        return Sunk(replace(node.attrs, axes=tuple(perm[a] for a in node.attrs.axes)), perm)

    def _outside(self, node: Node, x: Array, inputs: Arrays) -> Array:
        """Where the result is extrapolated, in a shape that broadcasts."""
        outside = np.zeros((1,) * x.ndim, bool)
        for k, axis in enumerate(node.attrs.axes):
            own = array(inputs[1 + self.tables * k])[:, 0] < 0
            outside = outside | own.reshape([-1 if d == axis else 1 for d in range(x.ndim)])
        return outside


@register
class ResampleNearest(_Resample):
    """One tap for each element, without weight."""

    name = "ResampleNearest"
    selects = True
    tables = 1

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: ResampleAttrs = node.attrs
        x = array(inputs[0])
        result = x
        for k, axis in enumerate(a.axes):
            result = np.take(result, np.maximum(array(inputs[1 + k])[:, 0], 0), axis=axis)
        if a.extrapolation is not None:
            result = np.where(self._outside(node, x, inputs), np.array(a.extrapolation).astype(x.dtype), result)
        return [result]

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        if node.attrs.extrapolation is not None:
            return "places outside the input are extrapolated"
        return None if types[0] and types[0].quant and types[0].quant.per_tensor else "quantized per channel"

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        return self.evaluate(node, inputs, outputs)


def fixed_weights(weights: Array) -> Array:
    """Weights in 2^-FIXED_BITS, each row summing to 1 exactly, so that a zero point stays what it is."""
    one = 1 << FIXED_BITS
    fixed = np.rint(weights.astype(np.float64) * one).astype(np.int64)
    rows, largest = np.arange(len(fixed)), np.argmax(fixed, 1)
    fixed[rows, largest] += one - fixed.sum(1)
    return fixed.astype(np.int16)


@register
class Resample(_Resample):
    """Weighted sums of taps; integers are rounded to nearest, ties to even, and saturated."""

    name = "Resample"
    averages = True
    tables = 2

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        for k in range(len(node.attrs.axes)):
            index, weights = need(types[1 + 2 * k], "indices"), need(types[2 + 2 * k], "weights")
            if index.shape != weights.shape or not weights.dtype.is_float:
                raise ShapeError(f"weights {weights} for indices {index}")
        return super().infer(node, types, constants)

    def _sums(self, node: Node, x: Array, inputs: Arrays, tables: Sequence[Array]) -> Array:
        for k, axis in enumerate(node.attrs.axes):
            index = np.maximum(array(inputs[1 + 2 * k]), 0)
            taken = np.take(x, index.reshape(-1), axis=axis)
            shape = (*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])
            weights = tables[k].reshape((*index.shape, *[1] * (x.ndim - axis - 1)))
            x = (taken.reshape(shape) * weights).sum(axis + 1)
        return x

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: ResampleAttrs = node.attrs
        x = array(inputs[0])
        tables = [array(inputs[2 + 2 * k]).astype(np.float64) for k in range(len(a.axes))]
        y = self._sums(node, x.astype(np.float64), inputs, tables)
        if a.extrapolation is not None:
            y = np.where(self._outside(node, x, inputs), a.extrapolation, y)
        dtype = outputs[0].dtype
        if not dtype.is_float:
            low, high = (0, 1) if dtype is DType.BOOL else dtype.limits
            y = np.clip(np.rint(y), low, high)
        return [y.astype(dtype.numpy)]

    def natural_quant(self, node: Node, types: Types, wanted: Quant) -> Quant:
        """Cubic interpolation leaves its input's range, which must not cut off what the model's result can hold."""
        cubic = any(need(types[2 + 2 * k], "weights").shape[1] > 2 for k in range(len(node.attrs.axes)))
        return wanted if cubic else super().natural_quant(node, types, wanted)

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        if node.attrs.extrapolation is not None or len(node.attrs.axes) > 2:
            return "places outside the input are extrapolated, or more than two axes resized"
        if types[0] is not None and output.quant != types[0].quant:
            return "cubic interpolation reaches beyond the range of its quantized input"
        return int8_obstacle(types[:1], output)

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        """Sums in fixed point, rounded to nearest with halves up."""
        count = len(node.attrs.axes)
        tables = [fixed_weights(array(inputs[2 + 2 * k])).astype(np.int64) for k in range(count)]
        total = self._sums(node, array(inputs[0]).astype(np.int64), inputs, tables)
        shift = FIXED_BITS * count
        rounded = (total + (1 << (shift - 1))) >> shift
        assert scale_zero(types[0]) == scale_zero(outputs[0])
        return [np.clip(rounded, -128, 127).astype(np.int8)]


# -- import --------------------------------------------------------------------------------------


def _given(node: Importing, index: int) -> bool:
    """Whether an optional operand is there and has elements; older models omit it as an empty tensor."""
    return node.has(index) and node.type(index).elements > 0


def _plan(node: Importing, axes: Sequence[int], scales: Array | None, sizes: Sequence[int] | None) -> dict[int, Any]:
    """(result's extent, scale, width) for each axis; scale is an index where it is read in run."""
    shape = node.type(0).shape
    plan: dict[int, Any] = {}
    if sizes is not None:
        if len(sizes) != len(axes) or min(sizes) < 1 or 0 in shape:
            raise ShapeError(f"sizes {list(sizes)} for axes {list(axes)} of {shape}")
        policy = node.attributes.get("keep_aspect_ratio_policy", "stretch")
        factors = [size / shape[axis] for axis, size in zip(axes, sizes, strict=True)]
        if policy not in ("stretch", "not_larger", "not_smaller"):
            raise node.fail(f"keep_aspect_ratio_policy {policy!r}")
        for axis, size, factor in zip(axes, sizes, factors, strict=True):
            if policy != "stretch":
                factor = min(factors) if policy == "not_larger" else max(factors)
                size = max(1, int(factor * shape[axis] + 0.5))
            plan[axis] = (size, float(np.float32(factor)), float(size))
        return plan
    if scales is not None:
        if len(scales) != len(axes) or not np.isfinite(scales).all() or scales.min() <= 0:
            raise ShapeError(f"scales {scales.tolist()} for axes {list(axes)}")
        for axis, scale in zip(axes, scales.astype(np.float64), strict=True):
            plan[axis] = (math.floor(shape[axis] * scale), float(scale), None)
        return plan
    declared = node.declared(0)
    if len(declared) != len(shape) or node.type(2 if node.opset > 10 else 1).elements != len(axes):
        raise ShapeError(f"a result of shape {declared} from {shape}")
    if any(d != s for k, (d, s) in enumerate(zip(declared, shape, strict=True)) if k not in axes):
        raise ShapeError(f"a result of shape {declared} from {shape} along axes {list(axes)}")
    for k, axis in enumerate(axes):
        plan[axis] = (declared[axis], k, None)
    return plan


@imports("Resize", "Upsample")
def _resize(node: Importing) -> Sequence[str]:
    old = node.op_type == "Upsample" or node.opset < 11
    mode = {"bilinear": "linear"}.get(node.attributes.get("mode", "nearest"), node.attributes.get("mode", "nearest"))
    transform = node.attributes.get("coordinate_transformation_mode", "half_pixel")
    nearest = node.attributes.get("nearest_mode", "round_prefer_floor")
    if old:
        transform, nearest = "asymmetric", "simple"
    if mode not in ("nearest", "linear", "cubic") or transform not in TRANSFORMS or nearest not in NEAREST:
        raise node.fail(f"mode {mode!r}, {transform!r}, {nearest!r}")
    rank = node.type(0).rank
    axes = [int(a) + rank * (a < 0) for a in node.attributes.get("axes", range(rank))]
    if not all(0 <= a < rank for a in axes) or len(set(axes)) != len(axes):
        raise node.fail(f"axes {axes} of an input of rank {rank}")
    where = (1 if node.has(1) else None) if old else 2 if _given(node, 2) else None
    scales = None if where is None else node.constant_or_none(where)
    sizes = None
    if "scales" in node.attributes:
        scales, where = np.array(node.attributes["scales"], np.float32), None
    elif where is None:
        if old or not _given(node, 3):
            raise node.fail("neither scales nor sizes are given")
        sizes = [int(v) for v in node.constant(3, "sizes").reshape(-1)]
    plan = _plan(node, axes, None if scales is None else scales.reshape(-1), sizes)
    crop = transform == "tf_crop_and_resize"
    axis = ResizeAxis(1, 1, mode, transform, nearest, float(node.attributes.get("cubic_coeff_a", -0.75)),
                      bool(node.attributes.get("antialias", 0)) and mode != "nearest",
                      bool(node.attributes.get("exclude_outside", 0)))
    region = node.constant_or_none(1) if crop and node.has(1) else None
    if crop and (not node.has(1) or node.type(1).elements != 2 * len(axes)):
        raise node.fail("tf_crop_and_resize without a region for each axis")
    return _emit(node, axes, plan, axis, where, region)


def _emit(
    node: Importing, axes: Sequence[int], plan: dict[int, Any], common: ResizeAxis, where: int | None,
    region: Array | None,
) -> Sequence[str]:
    """The tables and the operator that applies them, along the axes that change."""
    x = node.type(0)
    crop = common.extrapolates
    changed: list[tuple[int, ResizeAxis]] = []
    unchanged: list[int] = []  # places among `axes`, of scales that have to be 1 in run
    whole: list[int] = []  # those of regions that have to be all of the axis in run
    for k, axis in enumerate(axes):
        size, scale, width = plan[axis]
        bounds: Any = (0.0, 1.0)
        if crop:
            bounds = (k, k + len(axes))
            if region is not None:
                bounds = tuple(float(region.reshape(-1)[i]) for i in bounds)
        same = size == x.shape[axis]
        if same and isinstance(scale, int):
            unchanged.append(k)
            scale = 1.0
        if same and crop and isinstance(bounds[0], int) and axis < 2:
            whole.append(k)
            bounds = (0.0, 1.0)
        if not same or scale != 1.0 or (crop and bounds != (0.0, 1.0)):
            spec = replace(common, before=x.shape[axis], after=size, scale=scale, roi=bounds, width=width)
            changed.append((axis, spec))
    scales = node.input(where) if where is not None else ""
    if unchanged:
        scales = _expect(node, scales, [(k, 1) for k in unchanged])
    roi = node.input(1) if crop and region is None else ""
    if whole:
        roi = _expect(node, roi, [(k, 0) for k in whole] + [(k + len(axes), 1) for k in whole])
    if not changed:
        return [node.input(0)]
    nearest = common.mode == "nearest"
    dtype = DType.FLOAT64 if x.dtype is DType.FLOAT64 else DType.FLOAT32
    operands = [node.input(0)]
    for _, spec in changed:
        if isinstance(spec.scale, int) or isinstance(spec.roi[0], int):
            tables = node.emit("ResizeTaps", ResizeTapsAttrs(spec, dtype), [scales, roi], 2)
        else:
            index, weights = axis_taps(spec, spec.scale, spec.roi)
            tables = [node.const(index), node.const(weights.astype(dtype.numpy))]
        operands += tables[:1] if nearest else tables
    outside = float(node.attributes.get("extrapolation_value", 0.0)) if crop else None
    attrs = ResampleAttrs(tuple(axis for axis, _ in changed), outside)
    return node.emit("ResampleNearest" if nearest else "Resample", attrs, operands)


def _expect(node: Importing, operand: str, fixed: Sequence[tuple[int, int]]) -> str:
    """The operand, checked in run: elements that have to have these values."""
    allowed: list[tuple[int, ...] | None] = [None] * node.type_of(operand).elements
    for place, value in fixed:
        allowed[place] = (value,)
    return node.emit("Expect", ExpectAttrs(((Values(tuple(allowed)),),)), [operand, operand])[0]
