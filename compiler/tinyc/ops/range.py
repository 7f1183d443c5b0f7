# SPDX-License-Identifier: Apache-2.0
"""Range with operands that are known only at run time, its length by the declared shape; checked in run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, TensorType
from tinyc.ops.expect import UnexpectedOperand
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Types, array, imports, need, register

MAX_ELEMENTS = 1 << 24


@dataclass(frozen=True)
class RangeAttrs:
    count: int


@register
class Range(Operator):
    """Operands: start, limit, delta; start + i * delta for i below the one count that fits them."""

    name = "Range"
    plain_operands = frozenset({0, 1, 2})

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        start, limit, delta = (need(t, "operand") for t in types)
        if any(t.elements != 1 or t.dtype is not start.dtype for t in (start, limit, delta)):
            raise ShapeError(f"operands of types {start}, {limit} and {delta}")
        return [TensorType(start.dtype, (node.attrs.count,))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        start, limit, delta = (array(i).reshape(())[()] for i in inputs)
        if length(float(start), float(limit), float(delta)) != node.attrs.count:
            raise UnexpectedOperand(f"{node.name}: a range that has not {node.attrs.count} elements")
        steps = np.arange(node.attrs.count).astype(start.dtype)
        return [np.asarray(start + steps * delta)]


def length(start: float, limit: float, delta: float) -> int:
    """Elements of a range; -1 where there is none such."""
    if not delta or not all(math.isfinite(v) for v in (start, limit, delta)):
        return -1
    return max(0, math.ceil((float(limit) - float(start)) / float(delta)))


@imports("Range")
def _range(node: Importing) -> Sequence[str]:
    known = [node.constant_or_none(i) for i in range(3)]
    if any(k is None for k in known):
        shape = node.declared(0)
        if len(shape) != 1:
            raise ShapeError(f"a range of shape {shape}")
        return node.emit("Range", RangeAttrs(shape[0]), [node.input(i) for i in range(3)])
    start, limit, delta = (array(k).reshape(())[()] for k in known)
    if delta == 0:
        raise ShapeError("a range with step 0")
    count = max(0, math.ceil((limit - start) / delta))
    if count > MAX_ELEMENTS:
        raise ShapeError(f"a range of {count} elements")
    return [node.const((start + np.arange(count) * delta).astype(start.dtype))]
