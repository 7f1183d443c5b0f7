# SPDX-License-Identifier: Apache-2.0
"""Table: any function of one int8 value, by its 256 results; made by the pass fuse_tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import Arrays, Operator, ShapeError, Types, array, need, register


@register
class Table(Operator):
    """Operands: int8 values, and the results int8[256], indexed by the value plus 128."""

    name = "Table"
    elementwise = True
    plain_operands = frozenset({1})

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x, table = need(types[0], "input"), need(types[1], "table")
        if x.dtype is not DType.INT8 or table.dtype is not DType.INT8 or table.shape != (256,):
            raise ShapeError(f"a table {table} for {x}")
        return [TensorType(DType.INT8, x.shape)]

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        return [array(inputs[1])[array(inputs[0]).astype(np.int64) + 128]]

    def layout_operands(self, node: Node) -> tuple[int, ...]:
        return (0,)
