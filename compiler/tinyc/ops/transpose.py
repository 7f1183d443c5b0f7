# SPDX-License-Identifier: Apache-2.0
"""Transpose: axes in another order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, TensorType
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Types, array, imports, need, register


@dataclass(frozen=True)
class TransposeAttrs:
    perm: tuple[int, ...]


@register
class Transpose(Operator):
    name = "Transpose"
    keeps_quant = True
    selects = True

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: TransposeAttrs = node.attrs
        x = need(types[0], "input")
        if sorted(a.perm) != list(range(x.rank)):
            raise ShapeError(f"perm {a.perm} is no permutation of the axes of {x.shape}")
        return [TensorType(x.dtype, tuple(x.shape[p] for p in a.perm))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        return [np.asarray(array(inputs[0]).transpose(node.attrs.perm), order="C")]

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        return None if types[0] and types[0].quant and types[0].quant.per_tensor else "quantized per channel"

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        return self.evaluate(node, inputs, outputs)


@imports("Transpose")
def _transpose(node: Importing) -> Sequence[str]:
    rank = node.type(0).rank
    perm = tuple(node.attributes.get("perm") or range(rank)[::-1])
    return node.emit("Transpose", TransposeAttrs(perm), [node.input(0)])
