# SPDX-License-Identifier: Apache-2.0
"""Gemm: rows of x [..., K] times weights [N, K], plus a bias [N], with a fused clamp.

The fully connected layer of the field. ONNX's Gemm and MatMul with a constant right operand become
this; Gemm's alpha and beta are folded into constants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, TensorType
from tinyc.ops.conv import channel_multipliers, rescaled, weights_obstacle, weights_zero
from tinyc.ops.registry import Arrays, Operator, ShapeError, Types, array, need, register, scale_zero


@dataclass(frozen=True)
class GemmAttrs:
    clamp: tuple[float, float] | None = None


@register
class Gemm(Operator):
    name = "Gemm"
    bias_operand = 2
    stored_operand = 1

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x, w = need(types[0], "input"), need(types[1], "weights")
        if x.rank < 1 or w.rank != 2 or x.shape[-1] != w.shape[1]:
            raise ShapeError(f"input {x.shape} does not fit weights {w.shape} ([N, K])")
        if len(types) > 2 and types[2] is not None and types[2].shape != (w.shape[0],):
            raise ShapeError(f"bias {types[2].shape} for {w.shape[0]} outputs")
        return [TensorType(x.dtype, (*x.shape[:-1], w.shape[0]))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: GemmAttrs = node.attrs
        acc = array(inputs[0]).astype(np.float64) @ array(inputs[1]).astype(np.float64).T
        if len(inputs) > 2 and inputs[2] is not None:
            acc = acc + inputs[2].astype(np.float64)
        if a.clamp is not None:
            acc = np.clip(acc, *a.clamp)
        return [acc.astype(outputs[0].dtype.numpy)]

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        return weights_obstacle(types, output, 0, general=True)

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        a: GemmAttrs = node.attrs
        x_type, w_type = need(types[0], "x"), need(types[1], "w")
        x = array(inputs[0]).astype(np.float64) - scale_zero(x_type)[1]
        w = array(inputs[1]).astype(np.float64) - weights_zero(w_type, 2)
        acc = (x @ w.T).astype(np.int64)
        if len(inputs) > 2 and inputs[2] is not None:
            acc = acc + inputs[2].astype(np.int64)
        multiplier, shift = channel_multipliers(x_type, w_type, outputs[0], w.shape[0])
        return [rescaled(acc, multiplier, shift, x_type, outputs[0], a.clamp)]

    def macs(self, node: Node, types: Types, outputs: Sequence[TensorType]) -> int:
        return outputs[0].elements * need(types[1], "weights").shape[1]
