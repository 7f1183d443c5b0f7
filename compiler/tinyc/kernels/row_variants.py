# SPDX-License-Identifier: Apache-2.0
"""Statements for one row in place of whole images: moved to where the row lies, and joined over all rows.

The rows at an image's edges differ from the others in some numbers only; those become a choice by the row.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tinyc.backend.program import (
    ROW,
    Affine,
    Block,
    Call,
    For,
    Formula,
    If,
    Let,
    Load,
    Name,
    Pick,
    Pointer,
    Stmt,
    Store,
)

Terms = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Place:
    """Where a row lies: `offset` bytes into a buffer, plus coefficient * local variable for each of `terms`."""

    buffer: str
    offset: int = 0
    terms: Terms = ()
    c_type: str = ""  # of a pointer to its elements


def moved(tree: Any, places: Mapping[str, Place]) -> Any:
    """A tree of statements whose accesses to the buffers named in `places` go there."""
    if isinstance(tree, tuple):
        return tuple(moved(t, places) for t in tree)
    if isinstance(tree, Pointer):
        place = places.get(tree.buffer)
        if place is None:
            return tree
        return Pointer(place.buffer, place.offset + tree.offset, tree.c_type or place.c_type,
                       (*place.terms, *tree.terms))
    if isinstance(tree, (Load, Store)) and tree.buffer in places:
        place = places[tree.buffer]
        size = tree.dtype.size
        start = Affine(place.offset // size, tuple((name, step // size) for name, step in place.terms))
        tree = replace(tree, buffer=place.buffer, index=start.plus(tree.index))
        return replace(tree, value=moved(tree.value, places)) if isinstance(tree, Store) else tree
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        changed = {f.name: moved(getattr(tree, f.name), places) for f in dataclasses.fields(tree)}
        return replace(tree, **changed)
    return tree


def joined(variants: Sequence[tuple[int, tuple[Stmt, ...]]]) -> tuple[Stmt, ...]:
    """One body for all rows from (limit, body for the rows below it and not below earlier limits)."""
    bodies = [body for _, body in variants]
    if all(body == bodies[0] for body in bodies):
        return bodies[0]
    limits = [limit for limit, _ in variants[:-1]]
    merged = _join_statements(limits, bodies)
    if merged is not None:
        return merged
    result = _scoped(bodies[-1])
    for limit, body in reversed(list(zip(limits, bodies, strict=False))):
        result = (If(Formula(f"{{0}} < {limit}", (Name(ROW),)), body, result),)
    return result


def _scoped(body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    return (Block(body),) if any(isinstance(s, Let) for s in body) else body


def _join_statements(limits: Sequence[int], bodies: Sequence[tuple[Stmt, ...]]) -> tuple[Stmt, ...] | None:
    if any(len(body) != len(bodies[0]) for body in bodies):
        return None
    result: list[Stmt] = []
    for statements in zip(*bodies, strict=True):
        first = statements[0]
        if all(s == first for s in statements):
            result.append(first)
        elif isinstance(first, Call):
            calls = [s for s in statements if isinstance(s, Call) and s.function == first.function
                     and len(s.arguments) == len(first.arguments)]
            if len(calls) < len(statements):
                return None
            arguments = tuple(_pick(limits, column) for column in zip(*(c.arguments for c in calls), strict=True))
            result.append(replace(first, arguments=arguments))
        elif isinstance(first, (For, Block)):
            same = [s for s in statements if type(s) is type(first)
                    and (not isinstance(first, For) or (s.variable, s.count) == (first.variable, first.count))]  # type: ignore[union-attr]
            inner = _join_statements(limits, [s.body for s in same]) if len(same) == len(statements) else None
            if inner is None:
                return None
            result.append(replace(first, body=inner))
        else:
            return None
    return tuple(result)


def _pick(limits: Sequence[int], arguments: Iterable[Any]) -> Any:
    """A choice by the row, or the argument that all rows share."""
    *early, last = arguments
    cases: list[tuple[int, Any]] = []
    for limit, argument in zip(limits, early, strict=True):
        if cases and cases[-1][1] == argument:
            cases[-1] = (limit, argument)
        else:
            cases.append((limit, argument))
    while cases and cases[-1][1] == last:
        cases.pop()
    return Pick(ROW, tuple(cases), last) if cases else last


def piecewise(values: Sequence[int]) -> list[tuple[int, int, int]]:
    """Numbers by row as (limit, constant, slope): constant + slope * row for the rows below the limit."""
    pieces: list[tuple[int, int, int]] = []
    row = 0
    while row < len(values):
        slope = values[row + 1] - values[row] if row + 1 < len(values) else 0
        end = row + 1
        while end < len(values) and values[end] == values[end - 1] + slope:
            end += 1
        if end - row == 1:
            slope = 0
        pieces.append((end, values[row] - slope * row, slope))
        row = end
    return pieces


def mentions(tree: Any, name: str) -> bool:
    """Whether a local variable is used anywhere in a tree."""
    if isinstance(tree, str):
        return name in tree
    if isinstance(tree, tuple):
        return any(mentions(t, name) for t in tree)
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        return any(mentions(getattr(tree, f.name), name) for f in dataclasses.fields(tree))
    return False
