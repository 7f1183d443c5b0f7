# SPDX-License-Identifier: Apache-2.0
"""Where: a choice between two operands, element by element, with broadcasting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyc.ir.graph import NoAttrs, Node
from tinyc.ir.types import Array, DType, Quant, TensorType
from tinyc.ops.elementwise import shared_quant
from tinyc.ops.registry import (
    Arrays,
    Importing,
    Operator,
    ShapeError,
    Types,
    array,
    imports,
    need,
    quantized_obstacle,
    register,
)


@register
class Where(Operator):
    """Operands: condition (bool), value where it holds, value where it does not."""

    name = "Where"
    shares_quant = True
    elementwise = True
    plain_operands = frozenset({0})

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        condition, a, b = (need(t, "operand") for t in types)
        if condition.dtype is not DType.BOOL or a.dtype is not b.dtype:
            raise ShapeError(
                f"operands of types {condition.dtype.label}, {a.dtype.label} and {b.dtype.label}"
            )
        try:
            return [TensorType(a.dtype, np.broadcast_shapes(condition.shape, a.shape, b.shape))]
        except ValueError:
            raise ShapeError(f"{condition.shape}, {a.shape} and {b.shape} do not broadcast") from None

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        return [np.where(array(inputs[0]), array(inputs[1]), array(inputs[2]))]

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        return quantized_obstacle(types[1:], output)

    def natural_quant(self, node: Node, types: Types, wanted: Quant) -> Quant:
        return shared_quant(types[1:], wanted)

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        return self.evaluate(node, inputs, outputs)


@imports("Where")
def _where(node: Importing) -> Sequence[str]:
    return node.emit("Where", NoAttrs(), [node.input(0), node.input(1), node.input(2)])
