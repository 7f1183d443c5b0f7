# SPDX-License-Identifier: Apache-2.0
"""Operands that are known only at run time although shapes depend on them: conditions on their values.

Where the declared shape of a result leaves one value for such an operand, the front end computes with that
value, and Expect checks it in run; where it leaves a few, Matches tells which one is there and Select takes
the result that belongs to it. What fits nothing makes the generated function return N_E_SHAPE.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import Arrays, Operator, ShapeError, Sunk, Types, array, need, register


class UnexpectedOperand(Exception):
    """Evaluation met an operand that the model's static shapes do not allow."""


@dataclass(frozen=True)
class Values:
    """Element i is one of `allowed[i]`, and at most one element is -1. None: any value."""

    allowed: tuple[tuple[int, ...] | None, ...]

    def holds(self, operand: Array) -> bool:
        given = operand.reshape(-1).tolist()
        fits = all(a is None or v in a for a, v in zip(self.allowed, given, strict=True))
        return fits and sum(v == -1 for v, a in zip(given, self.allowed, strict=True) if a is not None) <= 1


@dataclass(frozen=True)
class Axes:
    """The elements are distinct axes of a tensor of `rank`, in any order, negative ones counting from the end.

    They are exactly `axes`, or without `exact` some of them.
    """

    rank: int
    axes: frozenset[int]
    exact: bool = True

    def holds(self, operand: Array) -> bool:
        given = [int(v) + self.rank * (v < 0) for v in operand.reshape(-1)]
        found = set(given)
        return len(found) == len(given) and (found == self.axes if self.exact else found <= self.axes)


@dataclass(frozen=True)
class Between:
    """Every element lies in the interval, its ends included."""

    low: float
    high: float

    def holds(self, operand: Array) -> bool:
        return bool(((operand >= self.low) & (operand <= self.high)).all())


@dataclass(frozen=True)
class Ratio:
    """Sizes for `extents` that are at least (with `least`, else at most) extents * over / under, one of them equal."""

    extents: tuple[int, ...]
    over: int
    under: int
    least: bool

    def holds(self, operand: Array) -> bool:
        wanted = np.array(self.extents, np.int64) * self.over
        given = operand.astype(np.int64).reshape(-1) * self.under
        return bool(((given >= wanted) if self.least else (given <= wanted)).all() and (given == wanted).any())


Rule = Values | Axes | Between | Ratio
Case = tuple[Rule, ...]  # one rule for each operand


def holds(case: Case, operands: Sequence[Array | None]) -> bool:
    return all(rule.holds(array(o)) for rule, o in zip(case, operands, strict=True))


@dataclass(frozen=True)
class ExpectAttrs:
    """The operands behind the first fit one of the cases."""

    cases: tuple[Case, ...]


@dataclass(frozen=True)
class MatchesAttrs:
    case: Case


@register
class Expect(Operator):
    """Operand 0, once the others have been checked."""

    name = "Expect"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        for case in node.attrs.cases:
            _check_operands(case, types[1:])
        x = need(types[0], "operand")
        return [TensorType(x.dtype, x.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        if not any(holds(case, inputs[1:]) for case in node.attrs.cases):
            raise UnexpectedOperand(f"{node.name}: operands that do not fit the static shapes")
        return [array(inputs[0])]

    def layout_operands(self, node: Node) -> tuple[int, ...]:
        return (0,)

    def through_transpose(
        self, node: Node, perm: tuple[int, ...], types: Types, output: TensorType
    ) -> Sunk | None:
        return Sunk(node.attrs, perm)


@register
class Matches(Operator):
    """Whether the operands fit a case: one bool."""

    name = "Matches"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        _check_operands(node.attrs.case, types)
        return [TensorType(DType.BOOL, ())]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        return [np.array(holds(node.attrs.case, inputs))]


def _check_operands(case: Case, types: Types) -> None:
    if len(case) != len(types):
        raise ShapeError(f"{len(types)} operands for {len(case)} rules")
    for rule, type_ in zip(case, types, strict=True):
        operand = need(type_, "operand")
        count = {Values: "allowed", Ratio: "extents"}.get(type(rule))
        if count and len(getattr(rule, count)) != operand.elements:
            raise ShapeError(f"{operand.elements} elements where {len(getattr(rule, count))} are needed")
        if not (operand.dtype.is_integer or operand.dtype.is_float):
            raise ShapeError(f"an operand of type {operand.dtype.label}")


@register
class Select(Operator):
    """Operand 1 where the one bool of operand 0 is true, else operand 2. Only that one is computed."""

    name = "Select"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        condition, a, b = (need(t, "operand") for t in types)
        if condition.elements != 1 or condition.dtype is not DType.BOOL:
            raise ShapeError(f"a condition of type {condition}")
        if a.dtype is not b.dtype or a.shape != b.shape:
            raise ShapeError(f"branches of types {a} and {b}")
        return [TensorType(a.dtype, a.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        return [array(inputs[1]) if array(inputs[0]).reshape(()) else array(inputs[2])]

    def layout_operands(self, node: Node) -> tuple[int, ...]:
        return (1, 2)

    def through_transpose(
        self, node: Node, perm: tuple[int, ...], types: Types, output: TensorType
    ) -> Sunk | None:
        return Sunk(node.attrs, perm)
