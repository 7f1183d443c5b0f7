# SPDX-License-Identifier: Apache-2.0
"""Checks of run-time operands, and the choice between results: Expect, Matches and Select."""

from __future__ import annotations

from typing import Any

from tinyc.backend.program import Affine, Block, Expr, Fail, For, Formula, If, Let, Literal, Move, Name, Set, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType, TensorType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import load, store
from tinyc.ops.expect import Axes, Between, Case, Ratio, Rule, Values

OK, NO = Literal(1, DType.INT32), Literal(0, DType.INT32)


class _Check(Kernel):
    name = "loops"

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(20.0)


@KERNELS.add
class ExpectLoops(_Check):
    ops = ("Expect",)

    def lower(self, build: Builder) -> Lowered:
        body: list[Stmt] = [Let("t_fits", "int", NO, True)]
        for case in build.node.attrs.cases:
            body.append(Block((*case_statements(build, case, 1), Set("t_fits", Formula("t_fits | t_ok", ())))))
        body.append(If(Formula("t_fits == 0", ()), (Fail("SHAPE"),)))
        return Lowered((*body, *_moved(build, 0)), 0, ((0, 0, 0),))


@KERNELS.add
class MatchesLoops(_Check):
    ops = ("Matches",)

    def lower(self, build: Builder) -> Lowered:
        check = case_statements(build, build.node.attrs.case, 0)
        return Lowered((*check, store(build.output().buffer, Affine(), DType.BOOL, Name("t_ok"))))


@KERNELS.add
class SelectBranch(_Check):
    ops = ("Select",)

    def lower(self, build: Builder) -> Lowered:
        condition = Formula("{0} != 0", (load(build.input(0).buffer, Affine(), DType.BOOL),))
        return Lowered((If(condition, _moved(build, 1), _moved(build, 2)),), 0, ((1, 0, 0), (2, 0, 0)))


def _moved(build: Builder, operand: int) -> tuple[Stmt, ...]:
    """The operand's bytes brought to the result, which may lie on it."""
    size = build.output_type().bytes
    return (Move(build.output(), build.input(operand), size),) if size else ()


def case_statements(build: Builder, case: Case, first: int) -> tuple[Stmt, ...]:
    """Statements that declare t_ok: whether the operands from `first` on fit the case."""
    body: list[Stmt] = [Let("t_ok", "int", OK, True)]
    for k, rule in enumerate(case):
        body += _rule(build.input(first + k).buffer, build.type(first + k), rule)
    return tuple(body)


def _rule(buffer: str, type_: TensorType, rule: Rule) -> tuple[Stmt, ...]:
    """Statements that set t_ok to 0 where an operand breaks the rule."""
    wrong = Set("t_ok", NO)
    if isinstance(rule, Axes):
        return _axes(buffer, type_, rule)
    if isinstance(rule, Ratio):
        return _ratio(buffer, type_, rule)
    if isinstance(rule, Between):
        element = load(buffer, Affine(0, (("t_i", 1),)), type_.dtype)
        inside = Formula(f"!({{0}} >= {rule.low!r} && {{0}} <= {rule.high!r})", (element,))
        return (For("t_i", type_.elements, (If(inside, (wrong,)),)),)
    body: list[Stmt] = []
    open_ends: list[Expr] = []
    for i, allowed in enumerate(rule.allowed):
        if allowed is None:
            continue
        element = load(buffer, Affine(i), type_.dtype)
        possible = [v for v in dict.fromkeys(allowed) if not type_.dtype.is_integer or _within(v, type_.dtype)]
        text = " && ".join(f"{{0}} != {v}" for v in possible) or "1"
        body.append(If(Formula(text, (element,)), (wrong,)))
        if -1 in possible:
            open_ends.append(element)
    if len(open_ends) > 1:
        count = " + ".join(f"({{{k}}} == -1)" for k in range(len(open_ends)))
        body.append(If(Formula(f"{count} > 1", tuple(open_ends)), (wrong,)))
    return tuple(body)


def _ratio(buffer: str, type_: TensorType, rule: Ratio) -> tuple[Stmt, ...]:
    """Each size against its bound; sizes beyond 32 bits are wrong whatever the bound."""
    wrong = Set("t_ok", NO)
    body: list[Stmt] = [Let("t_equal", "int", NO, True)]
    for k, extent in enumerate(rule.extents):
        size = load(buffer, Affine(k), type_.dtype)
        body.append(If(Formula("{0} < 0 || {0} > INT32_MAX", (size,)), (wrong,), (
            Let("t_side", "int64_t", Formula(f"(int64_t){{0}} * {rule.under} - {extent * rule.over}", (size,))),
            If(Formula(f"t_side {'<' if rule.least else '>'} 0", ()), (wrong,)),
            If(Formula("t_side == 0", ()), (Set("t_equal", OK),)))))
    return (Block((*body, If(Formula("t_equal == 0", ()), (wrong,)))),)


def _within(value: int, dtype: DType) -> bool:
    low, high = dtype.limits
    return low <= value <= high


def _axes(buffer: str, type_: TensorType, rule: Axes) -> tuple[Stmt, ...]:
    """A bit for each axis that is there."""
    wrong = Set("t_ok", NO)
    c_type = type_.dtype.c_type
    wanted = sum(1 << a for a in rule.axes)
    element = load(buffer, Affine(0, (("t_i", 1),)), type_.dtype)
    outside = Formula(f"t_axis < -{rule.rank} || t_axis >= {rule.rank}", ())
    bit = Formula(f"(uint32_t)1 << (t_axis < 0 ? t_axis + {rule.rank} : t_axis)", ())
    inside: tuple[Stmt, ...] = (
        Let("t_bit", "uint32_t", bit),
        If(Formula("(t_seen & t_bit) != 0U", ()), (wrong,)),
        Set("t_seen", Formula("t_seen | t_bit", ())),
    )
    each = (Let("t_axis", c_type, element), If(outside, (wrong,), inside))
    last = f"t_seen != {wanted}U" if rule.exact else f"(t_seen & ~(uint32_t){wanted}U) != 0U"
    return (Block((Let("t_seen", "uint32_t", Literal(0, DType.UINT32), True), For("t_i", type_.elements, each),
                   If(Formula(last, ()), (wrong,)))),)


__all__ = ["Values", "case_statements"]
