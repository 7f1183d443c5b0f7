# SPDX-License-Identifier: Apache-2.0
"""UnidirectionalLSTM: an LSTM whose weights the model has in int8, with one scale for W and one for R.

It runs forward from zeros and gives Y. Operands: 0 X, 1 W [1, 4 * H, I], 2 R [1, 4 * H, H], 3 real bias [1, 4 * H].
The integer form is CMSIS-NN's arm_lstm_unidirectional_s8 (tinyc.quantize.unidirectional), which takes the weights as
they are; tinyc.passes.lstm_as_written makes the operator where that form applies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.recurrent import RecurrentAttrs
from tinyc.ops.registry import Arrays, Operator, Types, array, int8_obstacle, need, operator, register, scale_zero
from tinyc.quantize.unidirectional import Scales, run


@dataclass(frozen=True)
class UnidirectionalAttrs:
    """`lstm`: the attributes of the LSTM that it was."""

    lstm: RecurrentAttrs


def scales_of(types: Types, output: TensorType) -> Scales:
    x, w, r = (need(t, "operand") for t in types[:3])
    return Scales(*scale_zero(x), *scale_zero(output), scale_zero(w)[0], scale_zero(r)[0])


@register
class UnidirectionalLstm(Operator):
    name = "UnidirectionalLSTM"
    real_operands = frozenset({3})

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x = need(types[0], "X")
        real = [None if t is None else replace(t, dtype=DType.FLOAT32) for t in types]
        return [replace(t, dtype=x.dtype) for t in operator("LSTM").infer(_lstm(node), real, constants)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        return operator("LSTM").evaluate(_lstm(node), inputs, outputs)

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        obstacle = operator("LSTM").integer_obstacle(_lstm(node), types[:1], output) or int8_obstacle(
            types[:3], output)
        if obstacle:
            return obstacle
        w = need(types[1], "W")
        if any(scale_zero(t)[1] for t in types[1:3]):
            return "its weights have zero points"
        fits = scales_of(types, output).fit(w.shape[2], node.attrs.lstm.hidden)
        return None if fits else "its scales are too large"

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        first = node.attrs.lstm.batch_first
        x = array(inputs[0])
        bias = inputs[3] if len(inputs) > 3 else None
        y = run(x.swapaxes(0, 1) if first else x, array(inputs[1])[0], array(inputs[2])[0],
                None if bias is None else bias[0], scales_of(types, outputs[0]))
        return [(y.swapaxes(0, 1) if first else y).reshape(outputs[0].shape)]

    def macs(self, node: Node, types: Types, outputs: Sequence[TensorType]) -> int:
        return operator("LSTM").macs(_lstm(node), types, outputs)


def _lstm(node: Node) -> Node:
    return replace(node, op="LSTM", attrs=node.attrs.lstm, integer=False)
