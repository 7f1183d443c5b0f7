# SPDX-License-Identifier: Apache-2.0
"""Table: any function of one int8 or int16 value, by its results; made by the pass fuse_tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import Arrays, Operator, ShapeError, Types, array, need, register
from tinyc.ops.unary import interpolate


@register
class Table(Operator):
    """Operands: values, and the results: int8[256], indexed by the value plus 128, or for int16 values int16[513], for
    every 128th value from -32768 to 32768, with those between interpolated."""

    name = "Table"
    elementwise = True
    plain_operands = frozenset({1})

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x, table = need(types[0], "input"), need(types[1], "table")
        if (x.dtype, table.shape) not in ((DType.INT8, (256,)), (DType.INT16, (513,))) or table.dtype is not x.dtype:
            raise ShapeError(f"a table {table} for {x}")
        return [TensorType(x.dtype, x.shape)]

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        if outputs[0].dtype is DType.INT16:
            return [interpolate(array(inputs[1]), array(inputs[0]))]
        return [array(inputs[1])[array(inputs[0]).astype(np.int64) + 128]]

    def layout_operands(self, node: Node) -> tuple[int, ...]:
        return (0,)
