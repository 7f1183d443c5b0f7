# SPDX-License-Identifier: Apache-2.0
"""Concat: operands joined along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, Quant, TensorType
from tinyc.ops.elementwise import shared_quant
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
    quantized_obstacle,
    register,
)


@dataclass(frozen=True)
class ConcatAttrs:
    """`axis` counts from 0."""

    axis: int


@register
class Concat(Operator):
    name = "Concat"
    shares_quant = True

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        first, axis = need(types[0], "first operand"), node.attrs.axis
        if not 0 <= axis < first.rank:
            raise ShapeError(f"axis {axis} of operands of rank {first.rank}")
        total = 0
        for type_ in types:
            other = need(type_, "operand")
            if (
                other.dtype is not first.dtype
                or other.rank != first.rank
                or any(
                    a != b for i, (a, b) in enumerate(zip(first.shape, other.shape, strict=True)) if i != axis
                )
            ):
                raise ShapeError(f"{first} and {other} cannot be joined along axis {axis}")
            total += other.shape[axis]
        return [TensorType(first.dtype, (*first.shape[:axis], total, *first.shape[axis + 1 :]))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        return [np.concatenate([array(i) for i in inputs], node.attrs.axis)]

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        return quantized_obstacle(types, output)

    def natural_quant(self, node: Node, types: Types, wanted: Quant) -> Quant:
        return shared_quant(types, wanted)

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        return self.evaluate(node, inputs, outputs)

    def through_transpose(
        self, node: Node, perm: tuple[int, ...], types: Types, output: TensorType
    ) -> Sunk | None:
        return Sunk(ConcatAttrs(perm[node.attrs.axis]), perm)


@imports("Concat")
def _concat(node: Importing) -> Sequence[str]:
    rank = node.type(0).rank
    axis = int(node.attributes.get("axis", 1) if node.opset < 4 else node.attributes["axis"])
    operands = [i for i in node.inputs if i and node.type_of(i).shape != (0,)] or [node.input(0)]
    return node.emit("Concat", ConcatAttrs(axis + rank if axis < 0 else axis), operands)
