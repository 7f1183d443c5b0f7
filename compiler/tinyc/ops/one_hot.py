# SPDX-License-Identifier: Apache-2.0
"""OneHot: an axis on which the index has one value and all other places another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, TensorType
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Types, array, imports, need, register


@dataclass(frozen=True)
class OneHotAttrs:
    """`axis`, of `depth` places, counts from 0 in the result."""

    axis: int
    depth: int


@register
class OneHot(Operator):
    """Operands: indices of any numeric type (negative ones count from the end), and [value off, value on]."""

    name = "OneHot"
    plain_operands = frozenset({0})

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: OneHotAttrs = node.attrs
        indices, values = need(types[0], "indices"), need(types[1], "values")
        if not (indices.dtype.is_float or indices.dtype.is_integer) or values.shape != (2,):
            raise ShapeError(f"indices {indices}, values {values}")
        if not 0 <= a.axis <= indices.rank or a.depth < 0:
            raise ShapeError(f"axis {a.axis} of depth {a.depth} for indices {indices.shape}")
        return [TensorType(values.dtype, (*indices.shape[: a.axis], a.depth, *indices.shape[a.axis :]))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: OneHotAttrs = node.attrs
        indices, values = array(inputs[0]).astype(np.int64), array(inputs[1])
        wanted = np.expand_dims(np.where(indices < 0, indices + a.depth, indices), a.axis)
        places = np.arange(a.depth).reshape([-1 if k == a.axis else 1 for k in range(indices.ndim + 1)])
        return [np.where(wanted == places, values[1], values[0]).astype(values.dtype)]


@imports("OneHot")
def _one_hot(node: Importing) -> Sequence[str]:
    rank = node.type(0).rank + 1
    axis = int(node.attributes.get("axis", -1))
    depth = int(node.constant(1, "depth").reshape(-1)[0])
    attrs = OneHotAttrs(axis + rank if axis < 0 else axis, depth)
    return node.emit("OneHot", attrs, [node.input(0), node.input(2)])
