# SPDX-License-Identifier: Apache-2.0
"""Fused: a chain of element-wise operators as one; made by the pass fuse_elementwise.

An expression over broadcast operands: each step applies an operator to operands and earlier steps, with the rounding
of its own element type. The last step is the result and has the result's shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import Arrays, Operator, ShapeError, Types, array, need, operator, register


@dataclass(frozen=True)
class FusedStep:
    """An operator applied to values: the node's operands come first, then the steps, counted through."""

    op: str
    attrs: Any
    values: tuple[int, ...]
    dtype: DType

    def node(self) -> Node:
        """The step as a node, for the operator's own functions."""
        return Node(self.op, self.op, self.attrs, tuple(map(str, self.values)), ("",))


@dataclass(frozen=True)
class FusedAttrs:
    steps: tuple[FusedStep, ...]

    @property
    def label(self) -> str:
        """The operators, for people."""
        return " ".join(step.op for step in self.steps)

    @property
    def dtypes(self) -> tuple[DType, ...]:
        """Element types of what is computed inside."""
        return tuple(step.dtype for step in self.steps)


@register
class Fused(Operator):
    name = "Fused"
    elementwise = True

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        known = [need(t, "operand") for t in types]
        for step in node.attrs.steps:
            if any(not 0 <= v < len(known) for v in step.values):
                raise ShapeError("a step of values that are not there yet")
            operands = [known[v] for v in step.values]
            result = operator(step.op).infer(step.node(), operands, [None] * len(operands))[0]
            if result.dtype is not step.dtype:
                raise ShapeError(f"{step.op} gives {result.dtype.label}, not {step.dtype.label}")
            known.append(result)
        return [known[-1]]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        known = [array(a) for a in inputs]
        types: list[TensorType | None] = [TensorType(DType.of(a), tuple(a.shape)) for a in known]
        for step in node.attrs.steps:
            kind, operands = operator(step.op), [types[v] for v in step.values]
            result = kind.infer(step.node(), operands, [None] * len(operands))
            known.append(kind.evaluate(step.node(), [known[v] for v in step.values], result)[0])
            types.append(result[0])
        return [known[-1]]
