# SPDX-License-Identifier: Apache-2.0
"""TensorScatter: a cache with new slices written into it, as transformers keep their keys and values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Types, array, imports, need, register


@dataclass(frozen=True)
class TensorScatterAttrs:
    """`axis` counts from 0 and is not 0, the batch. `circular`: beyond the end the cache begins again."""

    axis: int
    circular: bool = False


@register
class TensorScatter(Operator):
    """Operands: cache [B,...], update, and for each of the batch the index of its first slice (0 if omitted).

    A first index beyond the last possible one counts as that one.
    """

    name = "TensorScatter"
    plain_operands = frozenset({2})

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: TensorScatterAttrs = node.attrs
        x, update = need(types[0], "cache"), need(types[1], "update")
        if x.rank != update.rank or x.dtype is not update.dtype or not 1 <= a.axis < x.rank:
            raise ShapeError(f"cache {x}, update {update}, axis {a.axis}")
        if any(u > d or (k != a.axis and u != d) for k, (u, d) in enumerate(zip(update.shape, x.shape, strict=True))):
            raise ShapeError(f"an update {update.shape} of a cache {x.shape} along axis {a.axis}")
        if len(types) > 2 and types[2] is not None:
            if types[2].shape != (x.shape[0],) or types[2].dtype not in (DType.INT32, DType.INT64):
                raise ShapeError(f"indices {types[2]} for a batch of {x.shape[0]}")
            known, last = constants[2], x.shape[a.axis] - (1 if a.circular else update.shape[a.axis])
            if known is not None and known.size and not 0 <= known.min() <= known.max() <= last:
                raise ShapeError("an index lies outside")
        return [TensorType(x.dtype, x.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: TensorScatterAttrs = node.attrs
        result, update = array(inputs[0]).copy(), array(inputs[1])
        given = inputs[2] if len(inputs) > 2 else None
        size, steps = result.shape[a.axis], update.shape[a.axis]
        for b in range(result.shape[0]):
            first = 0 if given is None else int(given[b])
            first = min(max(first, 0), size - (1 if a.circular else steps))
            places = (first + np.arange(steps)) % size
            np.moveaxis(result[b], a.axis - 1, 0)[places] = np.moveaxis(update[b], a.axis - 1, 0)
        return [result]


@imports("TensorScatter")
def _tensor_scatter(node: Importing) -> Sequence[str]:
    rank = node.type(0).rank
    axis = int(node.attributes.get("axis", -2))
    mode = node.attributes.get("mode", "linear")
    if mode not in ("linear", "circular"):
        raise node.fail(f"mode {mode!r}", "linear or circular")
    attrs = TensorScatterAttrs(axis + rank if axis < 0 else axis, mode == "circular")
    return node.emit("TensorScatter", attrs, [node.input(0), node.input(1), *([node.input(2)] if node.has(2) else [])])
