# SPDX-License-Identifier: Apache-2.0
"""Det: determinants of square matrices; EyeLike: a diagonal of ones, known at compile time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyc.ir.graph import NoAttrs, Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Types, array, imports, need, register


@register
class Det(Operator):
    name = "Det"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x = need(types[0], "input")
        if x.rank < 2 or x.shape[-1] != x.shape[-2] or not x.dtype.is_float:
            raise ShapeError(f"an input {x}, not square matrices")
        return [TensorType(x.dtype, x.shape[:-2])]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        return [np.asarray(np.linalg.det(array(inputs[0]).astype(np.float64))).astype(outputs[0].dtype.numpy)]


@imports("Det")
def _det(node: Importing) -> Sequence[str]:
    return node.emit("Det", NoAttrs(), [node.input(0)])


@imports("EyeLike")
def _eye_like(node: Importing) -> Sequence[str]:
    x = node.type(0)
    if x.rank != 2:
        raise ShapeError(f"an input of rank {x.rank}")
    given = node.attributes.get("dtype")
    dtype = x.dtype if given is None else node.dtype(int(given))
    if dtype is DType.STRING:
        raise ShapeError("a diagonal of strings")
    rows, columns = x.shape
    return [node.const(np.eye(rows, columns, k=int(node.attributes.get("k", 0)), dtype=dtype.numpy))]
