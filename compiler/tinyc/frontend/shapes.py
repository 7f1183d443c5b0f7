# SPDX-License-Identifier: Apache-2.0
"""Static shapes of values before they are computed: stated by the model, or following from those behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx

if TYPE_CHECKING:
    from tinyc.frontend.scope import Scope

# Operators of one operand (and parameters) whose result has its shape.
SAME_SHAPE = frozenset({
    "Abs", "Cast", "CastLike", "Ceil", "Clip", "Cos", "Dropout", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid",
    "Identity", "LeakyRelu", "Log", "Neg", "Not", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid", "Sign", "Sin",
    "Softmax", "LogSoftmax", "Softplus", "Softsign", "Sqrt", "Tan", "Tanh", "QuantizeLinear", "DequantizeLinear",
})
BROADCAST = frozenset({"Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Mod"})


def declared_shape(scope: Scope, name: str) -> tuple[int, ...] | None:
    """The shape of a value by what the model states of it or of values computed from it; None if unknown."""
    if name in scope.declared:
        return scope.declared[name]
    same = {name}  # values that have its shape, whatever that is
    for node in scope.nodes:
        if same.isdisjoint(node.input) or not node.output or not _keeps_shape(scope, node, same):
            continue
        if node.output[0] in scope.declared:
            return scope.declared[node.output[0]]
        same.add(node.output[0])
    return None


def _keeps_shape(scope: Scope, node: onnx.NodeProto, same: set[str]) -> bool:
    """Whether the node's result certainly has the shape that the values of `same` have."""
    if node.op_type in SAME_SHAPE:
        return node.input[0] in same
    if node.op_type not in BROADCAST:
        return False
    others = [i for i in node.input if i not in same]
    types = [scope.lowering.editor.view().type(found) for i in others if (found := scope.find(i))]
    return len(types) == len(others) and all(t.rank == 0 for t in types)
