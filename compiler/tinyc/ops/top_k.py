# SPDX-License-Identifier: Apache-2.0
"""TopK: the k largest or smallest elements along an axis, in order, and where they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Types, array, imports, need, register


@dataclass(frozen=True)
class TopKAttrs:
    """`axis` counts from 0. Results are always sorted, the first of equal elements first."""

    axis: int
    k: int
    largest: bool = True


@register
class TopK(Operator):
    """Two results: values in the operand's type, indices in int64."""

    name = "TopK"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: TopKAttrs = node.attrs
        x = need(types[0], "input")
        if not (x.dtype.is_float or x.dtype.is_integer):
            raise ShapeError(f"element type {x.dtype.label} is not supported")
        if not 0 <= a.axis < x.rank or not 0 <= a.k <= x.shape[a.axis]:
            raise ShapeError(f"{a.k} elements along axis {a.axis} of {x.shape}")
        shape = (*x.shape[: a.axis], a.k, *x.shape[a.axis + 1 :])
        return [TensorType(x.dtype, shape), TensorType(DType.INT64, shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: TopKAttrs = node.attrs
        x = array(inputs[0])
        if a.largest:
            back = np.argsort(np.flip(x, a.axis), axis=a.axis, kind="stable")
            order = np.flip(x.shape[a.axis] - 1 - back, a.axis)
        else:
            order = np.argsort(x, axis=a.axis, kind="stable")
        places = np.take(order, np.arange(a.k), axis=a.axis)
        return [np.take_along_axis(x, places, a.axis), places.astype(np.int64)]


@imports("TopK")
def _top_k(node: Importing) -> Sequence[str]:
    rank = node.type(0).rank
    axis = int(node.attributes.get("axis", -1))
    k = int(node.attributes["k"]) if node.opset < 10 else int(node.constant(1, "k").reshape(-1)[0])
    attrs = TopKAttrs(axis + rank if axis < 0 else axis, k, bool(node.attributes.get("largest", 1)))
    return node.emit("TopK", attrs, [node.input(0)], 2)
