# SPDX-License-Identifier: Apache-2.0
"""Trilu: the upper or lower triangle of matrices, zero elsewhere; which diagonal bounds it may be computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Types, array, imports, need, register


@dataclass(frozen=True)
class TriluAttrs:
    upper: bool = True


@register
class Trilu(Operator):
    """Operands: matrices [..., M, N], and the diagonal as an int64 of one element, or none for 0."""

    name = "Trilu"
    plain_operands = frozenset({1})

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x = need(types[0], "input")
        if x.rank < 2:
            raise ShapeError(f"an input of rank {x.rank}")
        if len(types) > 1 and types[1] is not None and (types[1].elements != 1 or types[1].dtype is not DType.INT64):
            raise ShapeError(f"the diagonal is {types[1]}, not one int64")
        return [TensorType(x.dtype, x.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        x = array(inputs[0])
        given = inputs[1] if len(inputs) > 1 else None
        k = 0 if given is None else int(np.clip(given.reshape(-1)[0], -x.shape[-2] - 1, x.shape[-1] + 1))
        return [np.triu(x, k) if node.attrs.upper else np.tril(x, k)]


@imports("Trilu")
def _trilu(node: Importing) -> Sequence[str]:
    attrs = TriluAttrs(bool(node.attributes.get("upper", 1)))
    return node.emit("Trilu", attrs, [node.input(0), *([node.input(1)] if node.has(1) else [])])
