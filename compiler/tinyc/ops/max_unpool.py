# SPDX-License-Identifier: Apache-2.0
"""MaxPool with indices, and MaxUnpool, which puts the maxima back to where they were."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.pool import PoolAttrs
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Types, array, imports, need, register
from tinyc.ops.spatial import output_extents, window_attributes, windows


@dataclass(frozen=True)
class UnpoolAttrs:
    """`pooled`: the shape that indices refer to; `shape`: that of the result, not smaller."""

    pooled: tuple[int, ...]
    shape: tuple[int, ...]


@register
class MaxPoolIndices(Operator):
    """Two results: the maxima, and int64 places in the flat input [N,C,...]; always channels-first."""

    name = "MaxPoolIndices"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: PoolAttrs = node.attrs.pool
        x = need(types[0], "input")
        if x.rank != len(a.kernel) + 2 or not (x.dtype.is_float or x.dtype.is_integer):
            raise ShapeError(f"a window of rank {len(a.kernel)} on an input {x}")
        out = output_extents(x.shape[2:], a.kernel, a.strides, a.dilations, a.pads, a.ceil_mode)
        shape = (*x.shape[:2], *out)
        return [TensorType(x.dtype, shape), TensorType(DType.INT64, shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: PoolAttrs = node.attrs.pool
        x = array(inputs[0])
        rank, out = len(a.kernel), outputs[0].shape[2:]
        if node.attrs.column_major:
            plane = np.arange(math.prod(x.shape[2:])).reshape(x.shape[:1:-1]).T
        else:
            plane = np.arange(math.prod(x.shape[2:])).reshape(x.shape[2:])
        first = np.arange(math.prod(x.shape[:2])).reshape(x.shape[:2]) * plane.size
        places = first.reshape(*x.shape[:2], *[1] * rank) + plane
        lowest = -math.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
        window = (a.kernel, a.strides, a.dilations, a.pads, out)
        values = windows(x, *window, lowest).reshape(*x.shape[:2], *out, -1)
        inside = windows(np.ones(x.shape), *window, 0.0).reshape(values.shape) > 0
        where = windows(places, *window, 0.0).reshape(values.shape)
        # The first of those inside that is largest.
        top = np.where(inside, values, lowest).max(-1, keepdims=True)
        best = np.argmax(inside & (values == top), axis=-1)[..., None]
        return [top[..., 0].astype(x.dtype), np.take_along_axis(where, best, -1)[..., 0].astype(np.int64)]


@register
class MaxUnpool(Operator):
    """Operands: x, and int64 indices into the pooled shape; elsewhere the result is 0."""

    name = "MaxUnpool"
    plain_operands = frozenset({1})

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: UnpoolAttrs = node.attrs
        x, indices = need(types[0], "input"), need(types[1], "indices")
        if indices.shape != x.shape or indices.dtype is not DType.INT64 or not x.dtype.is_float:
            raise ShapeError(f"indices {indices} for an input {x}")
        if len(a.shape) != x.rank or a.shape[:2] != x.shape[:2] or any(
            s < p or p < 0 for s, p in zip(a.shape, a.pooled, strict=True)
        ):
            raise ShapeError(f"a result of shape {a.shape} from {x.shape}")
        known = constants[1]
        if known is not None and known.size and not 0 <= known.min() <= known.max() < math.prod(a.pooled):
            raise ShapeError("an index lies outside")
        return [TensorType(x.dtype, a.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: UnpoolAttrs = node.attrs
        x, indices = array(inputs[0]), array(inputs[1])
        result = np.zeros(a.shape, x.dtype)
        pooled = np.zeros(math.prod(a.pooled), x.dtype)
        pooled[np.clip(indices.reshape(-1), 0, pooled.size - 1)] = x.reshape(-1)
        result[tuple(slice(0, p) for p in a.pooled)] = pooled.reshape(a.pooled)
        return [result]


@imports("MaxUnpool")
def _max_unpool(node: Importing) -> Sequence[str]:
    x = node.type(0)
    kernel = tuple(int(k) for k in node.attributes["kernel_shape"])
    strides, _, pads = window_attributes({**node.attributes, "dilations": None}, kernel, x.shape[2:])
    rank = len(kernel)
    pooled = (*x.shape[:2], *((d - 1) * strides[k] + kernel[k] - pads[k] - pads[rank + k]
                              for k, d in enumerate(x.shape[2:])))
    shape = tuple(int(d) for d in node.constant(2, "output_shape").reshape(-1)) if node.has(2) else pooled
    return node.emit("MaxUnpool", UnpoolAttrs(pooled, shape), [node.input(0), node.input(1)])
