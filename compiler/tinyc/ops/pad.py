# SPDX-License-Identifier: Apache-2.0
"""Pad: elements added at (or, where negative, taken from) both ends of each axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, Quant, TensorType
from tinyc.ops.registry import (
    Arrays,
    Importing,
    Operator,
    ShapeError,
    Sunk,
    Types,
    array,
    imports,
    need,
    normalized_axes,
    quantized_obstacle,
    register,
    scale_zero,
)
from tinyc.ops.run_time import RunTimeAttrs
from tinyc.quantize.numbers import quantize_linear

MODES = ("constant", "edge", "reflect", "wrap")


@dataclass(frozen=True)
class PadAttrs:
    """`pads`: begins of all axes, then ends. `value` is a real number in the integer form too."""

    pads: tuple[int, ...]
    mode: str = "constant"
    value: float = 0.0


def integer_value(attrs: PadAttrs, type_: TensorType) -> int:
    """The quantized constant that the integer form pads with."""
    scale, zero = scale_zero(type_)
    return int(quantize_linear(attrs.value, scale, zero, *type_.dtype.limits))


@register
class Pad(Operator):
    name = "Pad"
    keeps_quant = True

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: PadAttrs = node.attrs
        x = need(types[0], "input")
        if len(a.pads) != 2 * x.rank or a.mode not in MODES:
            raise ShapeError(f"{len(a.pads)} pads, mode {a.mode!r}, for an input of rank {x.rank}")
        shape = []
        for size, begin, end in zip(x.shape, a.pads[: x.rank], a.pads[x.rank :], strict=True):
            kept = size + min(begin, 0) + min(end, 0)
            limit = {"reflect": kept - 1, "wrap": kept}.get(a.mode)
            if (
                size + begin + end < 0
                or kept < 0
                or (limit is not None and max(begin, end) > limit)
                or (a.mode == "edge" and kept == 0 and max(begin, end) > 0)
            ):
                raise ShapeError(f"{a.mode} pads {begin} and {end} on an axis of {size}")
            shape.append(size + begin + end)
        return [TensorType(x.dtype, tuple(shape))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        return [self._pad(node.attrs, array(inputs[0]), node.attrs.value)]

    def _pad(self, a: PadAttrs, x: Array, value: float) -> Array:
        begins, ends = a.pads[: x.ndim], a.pads[x.ndim :]
        kept = x[
            tuple(slice(max(0, -b), n - max(0, -e)) for n, b, e in zip(x.shape, begins, ends, strict=True))
        ]
        widths = [(max(0, b), max(0, e)) for b, e in zip(begins, ends, strict=True)]
        if a.mode == "constant":
            return np.pad(kept, widths, constant_values=x.dtype.type(value))
        mode: Any = a.mode
        return np.pad(kept, widths, mode=mode)

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        obstacle = quantized_obstacle(types, output)
        if obstacle or node.attrs.mode != "constant":
            return obstacle
        scale, zero = scale_zero(types[0])
        low, high = output.dtype.limits
        if not (low - 0.5 - zero) * scale <= node.attrs.value <= (high + 0.5 - zero) * scale:
            return f"the padding {node.attrs.value:g} is outside the range of the quantized input"
        return None

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        constant = node.attrs.mode == "constant"
        return [
            self._pad(node.attrs, array(inputs[0]), integer_value(node.attrs, outputs[0]) if constant else 0)
        ]

    def as_integer(self, node: Node, quant: Quant) -> Node:
        """The value that was given in steps becomes the real number that they stand for."""
        real = (node.attrs.value - quant.zero_point[0]) * quant.scale[0]
        return replace(node, integer=True, attrs=replace(node.attrs, value=float(real)))

    def through_transpose(
        self, node: Node, perm: tuple[int, ...], types: Types, output: TensorType
    ) -> Sunk | None:
        rank, pads = len(perm), node.attrs.pads
        moved = [0] * (2 * rank)
        for i, p in enumerate(perm):
            moved[p], moved[rank + p] = pads[i], pads[rank + i]
        return Sunk(replace(node.attrs, pads=tuple(moved)), perm)


@imports("Pad")
def _pad(node: Importing) -> Sequence[str]:
    rank = node.type(0).rank
    mode = str(node.attributes.get("mode", "constant"))
    if node.opset < 11:
        pads = [int(p) for p in node.attributes["paddings" if node.opset < 2 else "pads"]]
        value = float(node.attributes.get("value", 0.0))
    elif any(node.has(k) and node.constant_or_none(k) is None for k in (1, 2, 3)):
        return _run_time(node, mode)
    else:
        pads = [int(p) for p in node.constant(1, "pads").reshape(-1)]
        value = float(node.constant(2, "constant_value").reshape(())) if node.has(2) else 0.0
    if node.has(3):
        given = [int(a) for a in node.constant(3, "axes").reshape(-1)]
        if len(pads) != 2 * len(given):
            raise ShapeError(f"{len(pads)} pads for {len(given)} axes")
        normalized_axes(node, given, rank)
        full = [0] * (2 * rank)
        for i, axis in enumerate(given):
            full[axis % rank], full[rank + axis % rank] = pads[i], pads[len(given) + i]
        pads = full
    return node.emit("Pad", PadAttrs(tuple(pads), mode, value), [node.input(0)])


def _run_time(node: Importing, mode: str) -> Sequence[str]:
    """Operands that are known only at run time; with constant pads the result's shape follows from them."""
    x = node.type(0)
    pads, axes = node.constant_or_none(1), node.constant_or_none(3)
    if mode not in MODES:
        raise ShapeError(f"mode {mode!r}")
    if pads is None or (node.has(3) and axes is None):
        shape = node.declared(0)
    else:
        extents = list(x.shape)
        given = range(x.rank) if axes is None else normalized_axes_in_order(node, axes.reshape(-1).tolist(), x.rank)
        for axis, begin, end in zip(given, *pads.reshape(2, -1).tolist(), strict=True):
            extents[axis] += begin + end
        shape = tuple(extents)
    value = node.input(2) if node.has(2) else node.const(np.zeros((), x.dtype.numpy))
    return node.emit("PadAny", RunTimeAttrs(shape, mode), [node.input(0), node.input(1), value, node.input(3)])


def normalized_axes_in_order(node: Importing, axes: Sequence[int], rank: int) -> list[int]:
    """Axes made non-negative, in their order."""
    normalized_axes(node, axes, rank)
    return [a % rank for a in axes]
