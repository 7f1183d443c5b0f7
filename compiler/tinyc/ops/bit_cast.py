# SPDX-License-Identifier: Apache-2.0
"""BitCast: the same bytes as elements of another type of the same size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Types, array, imports, need, register


@dataclass(frozen=True)
class BitCastAttrs:
    dtype: DType


@register
class BitCast(Operator):
    name = "BitCast"
    elementwise = True

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x, target = need(types[0], "input"), node.attrs.dtype
        if DType.STRING in (x.dtype, target) or x.dtype.size != target.size:
            raise ShapeError(f"{x.dtype.label} and {target.label} differ in size")
        return [TensorType(target, x.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        x = np.ascontiguousarray(array(inputs[0]))
        return [x.reshape(-1).view(outputs[0].dtype.numpy).reshape(outputs[0].shape)]


@imports("BitCast")
def _bit_cast(node: Importing) -> Sequence[str]:
    return node.emit("BitCast", BitCastAttrs(node.dtype(int(node.attributes["to"]))), [node.input(0)])
