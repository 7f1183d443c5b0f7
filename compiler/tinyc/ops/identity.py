# SPDX-License-Identifier: Apache-2.0
"""Identity: a copy, where a graph output would else be an input, a constant or another output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, TensorType
from tinyc.ops.registry import Arrays, Importing, Operator, Types, array, imports, need, register


@register
class Identity(Operator):
    name = "Identity"
    keeps_quant = True
    selects = True
    elementwise = True

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        return [replace(need(types[0], "input"), quant=None)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        return [array(inputs[0])]

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        return None if types[0] and types[0].quant and types[0].quant.per_tensor else "quantized per channel"

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        return self.evaluate(node, inputs, outputs)


@imports("Identity", "Dropout")
def _identity(node: Importing) -> Sequence[str]:
    """The front end needs no copy: the value has two names. Dropout does nothing at inference."""
    mask = len([o for o in node.outputs if o]) > 1
    if mask and node.opset < 10:
        raise node.fail("Dropout with a mask output", "export the model in inference mode")
    if node.op_type == "Dropout" and node.opset < 7 and not node.attributes.get("is_test", 0):
        raise node.fail("Dropout without is_test trains", "export the model in inference mode")
    if node.op_type == "Dropout" and node.has(2):
        training = node.constant(2, "training_mode")
        if training.any():
            raise node.fail("Dropout in training mode", "export the model in inference mode")
    kept = [node.const(np.ones(node.type(0).shape, np.bool_))] if mask else []  # at inference nothing is dropped
    return [node.input(0), *kept]
