# SPDX-License-Identifier: Apache-2.0
"""Short forms for generated loops: C text over local variables as statements and expressions."""

from __future__ import annotations

import re

import numpy as np

from tinyc.backend.program import Affine, Expr, Formula, If, Let, Load, Name, Set, Stmt
from tinyc.ir.types import Array, DType
from tinyc.kernels.base import Builder
from tinyc.kernels.loops import computed


def double_form(text: str) -> str:
    """A C expression of floats with the functions and constants of doubles."""
    return re.sub(r"(?<=[0-9.])f\b", "", re.sub(r"\b(?!isinf)([a-z][a-z0-9]*)f\(", r"\1(", text))


def formula(text: str, dtype: DType = DType.FLOAT32, *operands: Expr) -> Formula:
    """C text written for floats, for variables of the type in which loops over `dtype` compute."""
    return Formula(double_form(text) if computed(dtype) is DType.FLOAT64 else text, operands)


def whole(name: str, text: str, *operands: Expr, mutable: bool = False) -> Let:
    """An int32 variable."""
    return Let(name, "int32_t", Formula(text, operands), mutable)


def real(name: str, dtype: DType, text: str, *operands: Expr, mutable: bool = False) -> Let:
    """A variable of the type in which loops over `dtype` compute; the text is written for floats."""
    return Let(name, computed(dtype).c_type, formula(text, dtype, *operands), mutable)


def put(name: str, text: str, dtype: DType = DType.FLOAT32, *operands: Expr) -> Set:
    """Assigns C text, written for floats, to a variable."""
    return Set(name, formula(text, dtype, *operands))


def when(condition: str, then: tuple[Stmt, ...], otherwise: tuple[Stmt, ...] = ()) -> If:
    """If, with a condition in C."""
    return If(Formula(condition, ()), then, otherwise)


def at(**terms: int) -> Affine:
    """An index: the sum of coefficient * variable."""
    return Affine(0, tuple((name, step) for name, step in terms.items() if step))


# -- indices that are operands -------------------------------------------------------------------


def narrow(values: Array) -> Array:
    """Integers from 0 on in the smallest type that holds them."""
    top = int(values.max(initial=0))
    return values.astype(np.uint8 if top < 256 else np.uint16 if top < 65536 else np.int32)


def normalized(values: Array, sizes: Array | int) -> Array:
    """Indices of which negative ones count from the end."""
    wide = values.astype(np.int64)
    return np.where(wide < 0, wide + sizes, wide)


def picked(name: str, index: Expr, dtype: DType, size: int, from_end: bool = True) -> tuple[Stmt, ...]:
    """int32 `name` from an index read at run time: negative counts from the end, one outside is the nearest inside."""
    raw = f"{name}_raw"
    up = f"({raw} < 0 ? {raw} + {size} : {raw})" if from_end else raw
    return (
        Let(raw, "int64_t" if dtype.size == 8 else "int32_t", index),
        whole(name, f"(int32_t)({up} < 0 ? 0 : {up} >= {size} ? {size - 1} : {up})"),
    )


def index_of(
    build: Builder, operand: int, place: Affine, size: int, name: str, from_end: bool = True
) -> tuple[Stmt, ...]:
    """int32 `name`, the index at `place` of an operand.

    Constants have been checked and lie in a table, normalized; others are bounded, so that nothing outside is touched.
    """
    known = build.graph.value(build.node.inputs[operand]).data
    if known is None:
        return picked(name, Load(build.input(operand).buffer, place, build.type(operand).dtype),
                      build.type(operand).dtype, size, from_end)
    table = build.table(f"indices{operand}", narrow(normalized(known, size)), "constants")
    dtype = next(t.dtype for t in build.tables if t.name == table.buffer)
    return (Let(name, "int32_t", Formula("(int32_t){0}", (Load(table.buffer, place, dtype),))),)


__all__ = ["Name", "at", "double_form", "formula", "index_of", "narrow", "normalized", "picked", "put", "real", "when",
           "whole"]
