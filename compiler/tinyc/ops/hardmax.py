# SPDX-License-Identifier: Apache-2.0
"""Hardmax: 1 at the first largest element along an axis, 0 elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, TensorType
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Sunk, Types, array, imports, need, register
from tinyc.ops.softmax import SoftmaxAttrs
from tinyc.ops.view import ReshapeAttrs


@register
class Hardmax(Operator):
    name = "Hardmax"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x = need(types[0], "input")
        if not 0 <= node.attrs.axis < x.rank or not x.dtype.is_float:
            raise ShapeError(f"axis {node.attrs.axis} of an input {x}")
        return [TensorType(x.dtype, x.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        x, axis = array(inputs[0]), node.attrs.axis
        if not x.size:
            return [x.copy()]
        result = np.zeros_like(x)
        np.put_along_axis(result, np.argmax(x, axis=axis, keepdims=True), np.array(1, x.dtype), axis)
        return [result]

    def through_transpose(
        self, node: Node, perm: tuple[int, ...], types: Types, output: TensorType
    ) -> Sunk | None:
        return Sunk(SoftmaxAttrs(perm[node.attrs.axis]), perm)


@imports("Hardmax")
def _hardmax(node: Importing) -> Sequence[str]:
    x = node.type(0)
    axis = int(node.attributes.get("axis", -1 if node.opset >= 13 else 1))
    axis = axis + x.rank if axis < 0 else axis
    if node.opset >= 13 or axis == x.rank - 1:
        return node.emit("Hardmax", SoftmaxAttrs(axis), [node.input(0)])
    # Before opset 13 the operand is seen as a matrix, split before `axis`.
    flat = (math.prod(x.shape[:axis]), math.prod(x.shape[axis:]))
    matrix = node.emit("Reshape", ReshapeAttrs(flat), [node.input(0)])
    return node.emit("Reshape", ReshapeAttrs(x.shape), node.emit("Hardmax", SoftmaxAttrs(1), matrix))
