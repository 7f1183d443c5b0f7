# SPDX-License-Identifier: Apache-2.0
"""TwoClassScores: the probability of the second of two classes to what a classifier gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import Arrays, Operator, ShapeError, Types, array, need, register

THRESHOLD = 0.5


@register
class TwoClassScores(Operator):
    """Probabilities p [N, 1] (float32, from 0 to less than 2) to p > 0.5 (bool [N, 1]) and rows of 1 - p and p."""

    name = "TwoClassScores"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x = need(types[0], "probabilities")
        if x.dtype is not DType.FLOAT32 or x.rank != 2 or x.shape[1] != 1:
            raise ShapeError(f"probabilities {x}")
        return [TensorType(DType.BOOL, x.shape), TensorType(DType.FLOAT32, (x.shape[0], 2))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        p = array(inputs[0])
        return [p > THRESHOLD, np.concatenate([np.float32(1) - p, p], axis=1)]
