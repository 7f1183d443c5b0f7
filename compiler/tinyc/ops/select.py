# SPDX-License-Identifier: Apache-2.0
"""Operators whose result is made of elements of the operand: Slice, Gather and Expand.

Split becomes Slices, Tile becomes Expand between Reshapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import (
    Arrays,
    Importing,
    Operator,
    ShapeError,
    Sunk,
    Types,
    array,
    constant_or_attribute,
    imports,
    need,
    register,
)
from tinyc.ops.run_time import RunTimeAttrs
from tinyc.ops.view import ReshapeAttrs


class _Select(Operator):
    keeps_quant = True
    selects = True

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        return None if types[0] and types[0].quant and types[0].quant.per_tensor else "quantized per channel"

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        return self.evaluate(node, inputs, outputs)


@dataclass(frozen=True)
class SliceAttrs:
    """For each axis the index of the first element, the (perhaps negative) step and the count."""

    starts: tuple[int, ...]
    steps: tuple[int, ...]
    counts: tuple[int, ...]


@register
class Slice(_Select):
    name = "Slice"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: SliceAttrs = node.attrs
        x = need(types[0], "input")
        if not len(a.starts) == len(a.steps) == len(a.counts) == x.rank:
            raise ShapeError(f"a slice of {len(a.counts)} axes of an input of rank {x.rank}")
        for start, step, count, size in zip(a.starts, a.steps, a.counts, x.shape, strict=True):
            if count and not (0 <= start < size and 0 <= start + step * (count - 1) < size):
                raise ShapeError(f"a slice beyond {x.shape}")
        return [TensorType(x.dtype, a.counts)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: SliceAttrs = node.attrs
        x = array(inputs[0])
        for axis, (start, step, count) in enumerate(zip(a.starts, a.steps, a.counts, strict=True)):
            x = np.take(x, start + step * np.arange(count), axis=axis)
        return [x]

    def through_transpose(
        self, node: Node, perm: tuple[int, ...], types: Types, output: TensorType
    ) -> Sunk | None:
        a: SliceAttrs = node.attrs
        back = [perm.index(i) for i in range(len(perm))]
        starts, steps, counts = (tuple(field[b] for b in back) for field in (a.starts, a.steps, a.counts))
        return Sunk(SliceAttrs(starts, steps, counts), perm)


@dataclass(frozen=True)
class GatherAttrs:
    """`axis` counts from 0."""

    axis: int = 0


@register
class Gather(_Select):
    """Slices of operand 0 along an axis, picked by the integers of operand 1 (negative: from the end)."""

    name = "Gather"
    plain_operands = frozenset({1})

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x, indices, axis = need(types[0], "data"), need(types[1], "indices"), node.attrs.axis
        if not 0 <= axis < x.rank:
            raise ShapeError(f"axis {axis} of an input of rank {x.rank}")
        if indices.dtype not in (DType.INT32, DType.INT64):
            raise ShapeError(f"indices of type {indices.dtype.label}")
        known, size = constants[1], x.shape[axis]
        if known is not None and known.size and not (-size <= known.min() and known.max() < size):
            raise ShapeError(f"an index beyond axis {axis} of {x.shape}")
        return [TensorType(x.dtype, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        return [np.take(array(inputs[0]), array(inputs[1]), axis=node.attrs.axis)]

    def layout_operands(self, node: Node) -> tuple[int, ...]:
        return (0,)

    def through_transpose(
        self, node: Node, perm: tuple[int, ...], types: Types, output: TensorType
    ) -> Sunk | None:
        axis, rank = node.attrs.axis, need(types[1], "indices").rank
        if rank == 1:
            return Sunk(GatherAttrs(perm[axis]), perm)
        if rank == 0:
            kept = [p for i, p in enumerate(perm) if i != axis]
            return Sunk(GatherAttrs(perm[axis]), tuple(sorted(kept).index(k) for k in kept))
        return None


@dataclass(frozen=True)
class ExpandAttrs:
    shape: tuple[int, ...]


@register
class Expand(_Select):
    """The operand broadcast to a shape."""

    name = "Expand"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x, shape = need(types[0], "input"), node.attrs.shape
        padded = (1,) * (len(shape) - x.rank) + x.shape
        if len(padded) != len(shape) or any(d not in (1, s) for d, s in zip(padded, shape, strict=True)):
            raise ShapeError(f"{x.shape} cannot be broadcast to {shape}")
        return [TensorType(x.dtype, shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        return [np.array(np.broadcast_to(array(inputs[0]), node.attrs.shape))]

    def through_transpose(
        self, node: Node, perm: tuple[int, ...], types: Types, output: TensorType
    ) -> Sunk | None:
        if output.rank != len(perm):
            return None
        return Sunk(ExpandAttrs(tuple(node.attrs.shape[perm.index(i)] for i in range(len(perm)))), perm)


def slice_axis(size: int, start: int, end: int, step: int) -> tuple[int, int, int]:
    """(start, step, count) of ONNX's slice of an axis: negative bounds count from the end."""
    if step == 0:
        raise ShapeError("a slice with step 0")
    taken = range(*slice(start, end, step).indices(size))
    return (taken.start if len(taken) else 0, step, len(taken))


@imports("Slice")
def _slice(node: Importing) -> Sequence[str]:
    shape = node.type(0).shape
    operands = range(1, len(node.inputs)) if node.opset >= 10 else ()
    if any(node.has(k) and node.constant_or_none(k) is None for k in operands):
        return node.emit("SliceAny", RunTimeAttrs(node.declared(0)), node.inputs)
    if node.opset < 10:
        starts, ends = list(node.attributes["starts"]), list(node.attributes["ends"])
    else:
        starts, ends = ([int(v) for v in node.constant(i, "bounds").reshape(-1)] for i in (1, 2))
    given = constant_or_attribute(node, 3, "axes", 10)
    axes = [a + len(shape) if a < 0 else a for a in given] if given is not None else list(range(len(starts)))
    steps = constant_or_attribute(node, 4, "steps", 10) or [1] * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps) == len(set(axes)):
        raise ShapeError("starts, ends, axes and steps differ in length")
    parts = [(0, 1, size) for size in shape]
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if not 0 <= axis < len(shape):
            raise ShapeError(f"axis {axis} of an input of rank {len(shape)}")
        parts[axis] = slice_axis(shape[axis], int(start), int(end), int(step))
    return _emit_slice(node, parts)


def _emit_slice(node: Importing, parts: Sequence[tuple[int, int, int]]) -> list[str]:
    starts, steps, counts = (tuple(p[i] for p in parts) for i in range(3))
    return node.emit("Slice", SliceAttrs(starts, steps, counts), [node.input(0)])


@imports("Split")
def _split(node: Importing) -> Sequence[str]:
    """One Slice for each output."""
    shape = node.type(0).shape
    axis = int(node.attributes.get("axis", 0))
    axis += len(shape) if axis < 0 else 0
    if not 0 <= axis < len(shape):
        raise ShapeError(f"axis {axis} of an input of rank {len(shape)}")
    sizes = [int(v) for v in node.constant(1, "split")] if node.opset >= 13 and node.has(1) else None
    sizes = node.attributes.get("split") if node.opset < 13 else sizes
    if node.opset < 2 and node.has(1):
        sizes = [int(v) for v in node.constant(1, "split")]
    if sizes is None:
        parts = int(node.attributes.get("num_outputs", len(node.outputs)))
        chunk = -(-shape[axis] // parts)
        sizes = [max(0, min(chunk, shape[axis] - i * chunk)) for i in range(parts)]
    if sum(sizes) != shape[axis] or min(sizes) < 0 or len(sizes) < len(node.outputs):
        raise ShapeError(f"parts of {list(sizes)} do not make an axis of {shape[axis]}")
    results, first = [], 0
    for size in sizes:
        whole = [(0, 1, d) for d in shape]
        whole[axis] = (first if size else 0, 1, size)
        results += _emit_slice(node, whole)
        first += size
    return results


@imports("Gather")
def _gather(node: Importing) -> Sequence[str]:
    rank = node.type(0).rank
    axis = int(node.attributes.get("axis", 0))
    return node.emit("Gather", GatherAttrs(axis + rank if axis < 0 else axis), [node.input(0), node.input(1)])


@imports("Expand")
def _expand(node: Importing) -> Sequence[str]:
    wanted = tuple(int(d) for d in node.constant(1, "shape").reshape(-1))
    try:
        shape = np.broadcast_shapes(node.type(0).shape, wanted)
    except ValueError:
        raise ShapeError(f"{node.type(0).shape} cannot be broadcast to {wanted}") from None
    return (
        [node.input(0)]
        if shape == node.type(0).shape
        else node.emit("Expand", ExpandAttrs(shape), [node.input(0)])
    )


@imports("Tile")
def _tile(node: Importing) -> Sequence[str]:
    """Repeats along axes: each axis d becomes [repeats, d] by broadcasting."""
    shape, repeats = node.type(0).shape, [int(r) for r in node.constant(1, "repeats").reshape(-1)]
    if node.opset < 6:  # one number of tiles, along one axis
        axis = int(node.constant(2, "axis").reshape(()))
        if len(repeats) != 1 or not 0 <= axis < len(shape):
            raise ShapeError(f"{repeats} tiles along axis {axis} of {shape}")
        repeats = [repeats[0] if k == axis else 1 for k in range(len(shape))]
    if len(repeats) != len(shape) or min(repeats, default=1) < 0:
        raise ShapeError(f"repeats {repeats} for an input of shape {shape}")
    apart = tuple(d for size in shape for d in (1, size))
    wide = tuple(d for size, r in zip(shape, repeats, strict=True) for d in (r, size))
    value = node.emit("Reshape", ReshapeAttrs(apart), [node.input(0)])
    value = node.emit("Expand", ExpandAttrs(wide), value)
    return node.emit(
        "Reshape", ReshapeAttrs(tuple(s * r for s, r in zip(shape, repeats, strict=True))), value
    )
