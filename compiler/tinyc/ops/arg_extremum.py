# SPDX-License-Identifier: Apache-2.0
"""ArgMax and ArgMin: where along an axis the largest or the smallest element is."""

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
    imports,
    need,
    register,
)


@dataclass(frozen=True)
class ArgAttrs:
    """`axis` counts from 0. Of equal elements the first one counts, or the last."""

    axis: int
    keepdims: bool = True
    last: bool = False


class _ArgExtremum(Operator):
    """The result has type int64 and extent 1 along the axis (or no such axis)."""

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: ArgAttrs = node.attrs
        x = need(types[0], "input")
        if not (x.dtype.is_float or x.dtype.is_integer):
            raise ShapeError(f"element type {x.dtype.label} is not supported")
        if not 0 <= a.axis < x.rank:
            raise ShapeError(f"axis {a.axis} of an input of rank {x.rank}")
        if not x.shape[a.axis]:
            raise ShapeError(f"no elements along axis {a.axis} of {x.shape}")
        kept = (1,) if a.keepdims else ()
        return [TensorType(DType.INT64, (*x.shape[: a.axis], *kept, *x.shape[a.axis + 1 :]))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: ArgAttrs = node.attrs
        x = array(inputs[0])
        function = np.argmax if self.name == "ArgMax" else np.argmin
        if a.last:
            return [
                x.shape[a.axis] - 1 - function(np.flip(x, a.axis), axis=a.axis, keepdims=a.keepdims)
            ]
        return [np.asarray(function(x, axis=a.axis, keepdims=a.keepdims), np.int64)]

    def through_transpose(
        self, node: Node, perm: tuple[int, ...], types: Types, output: TensorType
    ) -> Sunk | None:
        a: ArgAttrs = node.attrs
        attrs = ArgAttrs(perm[a.axis], a.keepdims, a.last)
        if a.keepdims:
            return Sunk(attrs, perm)
        kept = [p for i, p in enumerate(perm) if i != a.axis]
        return Sunk(attrs, tuple(sorted(kept).index(k) for k in kept))


@register
class ArgMax(_ArgExtremum):
    name = "ArgMax"


@register
class ArgMin(_ArgExtremum):
    name = "ArgMin"


@imports("ArgMax", "ArgMin")
def _arg_extremum(node: Importing) -> Sequence[str]:
    rank = node.type(0).rank
    axis = int(node.attributes.get("axis", 0))
    attrs = ArgAttrs(
        axis + rank if axis < 0 else axis,
        bool(node.attributes.get("keepdims", 1)),
        bool(node.attributes.get("select_last_index", 0)),
    )
    return node.emit(node.op_type, attrs, [node.input(0)])
