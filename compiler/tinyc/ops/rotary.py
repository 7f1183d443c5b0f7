# SPDX-License-Identifier: Apache-2.0
"""RotaryEmbedding: pairs of a head's elements are rotated by angles that belong to the position.

Operands in the IR: x [B, H, S, D] or [B, S, H * D], cos and sin [positions, dim / 2] with position ids [B, S] (int64),
or [B, S, dim / 2] without. The pair i consists of elements i and i + dim / 2, interleaved of 2 * i and 2 * i + 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.attention import canonical, split_heads
from tinyc.ops.cast import CastAttrs
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Types, array, imports, need, register


@dataclass(frozen=True)
class RotaryAttrs:
    """`dim`: so many elements of a head are rotated, the rest stays. `layout` as in AttentionAttrs."""

    heads: int
    dim: int
    layout: str
    interleaved: bool = False


@register
class RotaryEmbedding(Operator):
    name = "RotaryEmbedding"
    plain_operands = frozenset({3})

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: RotaryAttrs = node.attrs
        x, cos, sin = (need(t, "operand") for t in types[:3])
        batch, _, rows, size = split_heads(x.shape, a.layout, a.heads)
        if not x.dtype.is_float or cos != sin or cos.dtype is not x.dtype or not 0 < a.dim <= size or a.dim % 2:
            raise ShapeError(f"{a.dim} elements of {x} to rotate by {cos} and {sin}")
        ids = types[3] if len(types) > 3 else None
        wanted = (batch, rows, a.dim // 2) if ids is None else (cos.shape[0], a.dim // 2)
        if cos.shape != wanted or (ids is not None and ids.shape != (batch, rows)):
            raise ShapeError(f"cosines {cos.shape} for {x} and positions {ids}")
        if ids is not None and (not ids.dtype.is_integer or cos.shape[0] == 0):
            raise ShapeError(f"positions {ids}")
        known = constants[3] if len(constants) > 3 else None
        if known is not None and known.size and not (-cos.shape[0] <= known.min() and known.max() < cos.shape[0]):
            raise ShapeError(f"a position beyond the {cos.shape[0]} in the tables")
        return [TensorType(x.dtype, x.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: RotaryAttrs = node.attrs
        x = canonical(array(inputs[0]).astype(np.float64), a.layout, a.heads)
        cos, sin = (array(t).astype(np.float64) for t in inputs[1:3])
        if len(inputs) > 3 and inputs[3] is not None:
            size = cos.shape[0]
            ids = np.where(inputs[3] < 0, inputs[3] + size, inputs[3]).clip(0, size - 1)
            cos, sin = cos[ids], sin[ids]
        cos, sin = cos[:, None], sin[:, None]
        half = a.dim // 2
        first, second = slice(0, half), slice(half, a.dim)
        if a.interleaved:
            first, second = slice(0, a.dim, 2), slice(1, a.dim, 2)
        y = x.copy()
        y[..., first] = cos * x[..., first] - sin * x[..., second]
        y[..., second] = sin * x[..., first] + cos * x[..., second]
        y = y.transpose(0, 2, 1, 3) if a.layout == "BSC" else y
        return [y.reshape(outputs[0].shape).astype(outputs[0].dtype.numpy)]


@imports("RotaryEmbedding")
def _rotary(node: Importing) -> Sequence[str]:
    x, attributes = node.type(0), node.attributes
    layout = "BHSD" if x.rank == 4 else "BSC"
    heads = x.shape[1] if x.rank == 4 else int(attributes.get("num_heads", 0))
    size = split_heads(x.shape, layout, heads)[3]
    dim = int(attributes.get("rotary_embedding_dim", 0)) or size
    operands = [node.input(0), node.input(1), node.input(2)]
    for k in (1, 2):
        if node.type(k).dtype is not x.dtype:
            operands[k] = node.emit("Cast", CastAttrs(x.dtype), [operands[k]])[0]
    if node.has(3):
        operands.append(node.input(3) if node.type(3).dtype is DType.INT64
                        else node.emit("Cast", CastAttrs(DType.INT64), [node.input(3)])[0])
    attrs = RotaryAttrs(heads, dim, layout, bool(attributes.get("interleaved", 0)))
    return node.emit("RotaryEmbedding", attrs, operands)
