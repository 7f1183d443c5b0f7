# SPDX-License-Identifier: Apache-2.0
"""Slice and Pad with operands that are known only at run time; the result's shape is the declared one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.expect import UnexpectedOperand
from tinyc.ops.registry import Arrays, Operator, ShapeError, Types, array, need, register

MAX_RANK = 8  # of the runtime's functions


@dataclass(frozen=True)
class RunTimeAttrs:
    """`shape` of the result; `mode` of a Pad."""

    shape: tuple[int, ...]
    mode: str = "constant"


def full_axes(axes: Array | None, count: int, rank: int, name: str) -> list[int]:
    """The axes that `count` elements belong to, from 0. Raises UnexpectedOperand."""
    given = list(range(count)) if axes is None else [int(a) for a in axes.reshape(-1)]
    found = [a + rank if a < 0 else a for a in given]
    if len(set(found)) != len(found) or any(not 0 <= a < rank for a in found):
        raise UnexpectedOperand(f"{name}: axes {given} of a tensor of rank {rank}")
    return found


class _RunTime(Operator):
    indices: tuple[int, ...]

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x, shape = need(types[0], "input"), node.attrs.shape
        if len(shape) != x.rank or x.rank > MAX_RANK:
            raise ShapeError(f"a result of shape {shape} for an input of shape {x.shape}")
        widths = {t.dtype for k in self.indices if k < len(types) and (t := types[k]) is not None}
        if not widths <= {DType.INT32, DType.INT64} or len(widths) > 1:
            raise ShapeError("operands that are not all int32 or all int64")
        return [TensorType(x.dtype, shape)]


@register
class SliceAny(_RunTime):
    """Operands: data, starts, ends, axes, steps."""

    name = "SliceAny"
    plain_operands = frozenset({1, 2, 3, 4})
    indices = (1, 2, 3, 4)

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        counts = {t.shape for t in types[1:] if t is not None}
        if len(counts) != 1 or need(types[1], "starts").rank != 1:
            raise ShapeError("starts, ends, axes and steps differ in length")
        return super().infer(node, types, constants)

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        x, starts, ends = (array(i) for i in inputs[:3])
        axes, steps = (inputs[k] if len(inputs) > k else None for k in (3, 4))
        for k, axis in enumerate(full_axes(axes, starts.size, x.ndim, node.name)):
            step = 1 if steps is None else int(steps[k])
            if step == 0:
                raise UnexpectedOperand(f"{node.name}: step 0")
            taken = range(*slice(int(starts[k]), int(ends[k]), step).indices(x.shape[axis]))
            x = np.take(x, np.asarray(taken, np.int64), axis)
        if x.shape != node.attrs.shape:
            raise UnexpectedOperand(f"{node.name}: a slice of shape {x.shape}, not {node.attrs.shape}")
        return [x]


@register
class PadAny(_RunTime):
    """Operands: data, pads (int64), value (one element), axes."""

    name = "PadAny"
    plain_operands = frozenset({1, 3})
    indices = (3,)

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x, pads, value = need(types[0], "input"), need(types[1], "pads"), need(types[2], "value")
        count = x.rank if len(types) < 4 or types[3] is None else types[3].elements
        if pads.dtype is not DType.INT64 or pads.elements != 2 * count:
            raise ShapeError(f"pads of type {pads} for {count} axes")
        if value.elements != 1 or value.dtype is not x.dtype:
            raise ShapeError(f"a padding of type {value} for {x}")
        return super().infer(node, types, constants)

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        x, pads, value = (array(i) for i in inputs[:3])
        axes = inputs[3] if len(inputs) > 3 else None
        full = np.zeros((2, x.ndim), np.int64)
        full[:, full_axes(axes, pads.size // 2, x.ndim, node.name)] = pads.reshape(2, -1)
        begins, ends = full.tolist()
        for size, begin, end, wanted in zip(x.shape, begins, ends, node.attrs.shape, strict=True):
            kept, more = size + min(begin, 0) + min(end, 0), max(begin, end)
            limit = {"reflect": kept - 1, "wrap": kept, "edge": 1 << 30 if kept else 0}.get(node.attrs.mode, 1 << 30)
            if size + begin + end != wanted or kept < 0 or more > limit:
                raise UnexpectedOperand(f"{node.name}: pads {begin} and {end} on an axis of {size}")
        x = x[tuple(slice(max(0, -b), n - max(0, -e)) for n, b, e in zip(x.shape, begins, ends, strict=True))]
        widths = [(max(0, b), max(0, e)) for b, e in zip(begins, ends, strict=True)]
        if node.attrs.mode == "constant":
            return [np.pad(x, widths, constant_values=value.reshape(()))]
        return [np.pad(x, widths, mode=node.attrs.mode)]
