# SPDX-License-Identifier: Apache-2.0
"""What generated loops are made of: strides, loop nests, elements read and written.

Local variables of generated code begin with t_, so that they never meet a parameter's name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tinyc.backend.program import (
    Affine,
    Apply,
    Copy,
    Expr,
    For,
    Formula,
    Let,
    Literal,
    Load,
    Name,
    Pointer,
    Stmt,
    Store,
)
from tinyc.ir.types import DType, TensorType
from tinyc.kernels.base import Builder

Loops = list[tuple[int, list[int]]]

# Below this many bytes a run of elements is copied in a loop rather than by memcpy.
MEMCPY_BYTES = 8


def strides_of(shape: Sequence[int], output: Sequence[int]) -> list[int]:
    """Element strides of an operand along the output's axes; 0 where it is broadcast."""
    padded = (1,) * (len(output) - len(shape)) + tuple(shape)
    strides, step = [], 1
    for extent in reversed(padded):
        strides.append(0 if extent == 1 else step)
        step *= extent
    return strides[::-1]


def row_strides(shape: Sequence[int]) -> list[int]:
    """Element strides of a dense tensor, also along axes of extent 1."""
    return [math.prod(shape[k + 1:]) for k in range(len(shape))]


def merged_axes(output: Sequence[int], strides: Sequence[Sequence[int]]) -> Loops:
    """(extent, stride of each operand) per loop, outermost first, neighbours joined where they are one run."""
    loops: Loops = []
    for axis, extent in enumerate(output):
        steps = [s[axis] for s in strides]
        if extent == 1:
            continue
        if loops and all(outer == inner * extent for outer, inner in zip(loops[-1][1], steps, strict=True)):
            loops[-1] = (loops[-1][0] * extent, steps)
        else:
            loops.append((extent, steps))
    return loops


def nest(loops: Loops, operand: int, prefix: str = "t_", constant: int = 0) -> Affine:
    """The index of an operand inside the loops t_0, t_1, ..."""
    return Affine(constant, tuple((f"{prefix}{k}", steps[operand])
                                  for k, (_, steps) in enumerate(loops) if steps[operand]))


def wrap(loops: Loops, body: tuple[Stmt, ...], prefix: str = "t_") -> tuple[Stmt, ...]:
    """`body` inside the loops."""
    for k in range(len(loops) - 1, -1, -1):
        body = (For(f"{prefix}{k}", loops[k][0], body),)
    return body


# -- elements ------------------------------------------------------------------------------------


def computed(dtype: DType) -> DType:
    """The type in which loops compute: half precision is storage only."""
    return DType.FLOAT32 if dtype is DType.FLOAT16 else dtype


def load(buffer: str, index: Affine, dtype: DType) -> Expr:
    """An element, in the type in which loops compute."""
    element = Load(buffer, index, dtype)
    return Apply("tinyc_half_to_float", (element,)) if dtype is DType.FLOAT16 else element


def store(buffer: str, index: Affine, dtype: DType, value: Expr) -> Store:
    """Writes a value of the type in which loops compute."""
    return Store(buffer, index, dtype, Apply("tinyc_float_to_half", (value,)) if dtype is DType.FLOAT16 else value)


def let(name: str, dtype: DType, value: Expr, mutable: bool = False) -> Let:
    """A local variable of the type in which loops compute, explicitly converted."""
    c_type = computed(dtype).c_type
    plain = isinstance(value, (Load, Apply, Literal, Name))
    return Let(name, c_type, value if plain else Formula(f"({c_type})({{0}})", (value,)), mutable)


def bounded(name: str, dtype: DType, clamp: tuple[float, float] | None) -> tuple[tuple[Stmt, ...], Expr]:
    """Bounds the local variable `name`; the statements and the bounded expression."""
    value: Expr = Name(name)
    statements: list[Stmt] = []
    own = computed(dtype)
    for k, (bound, sign) in enumerate(zip(clamp or (), "<>", strict=False)):
        if not math.isfinite(bound) or (not own.is_float and _beyond(bound, own, sign)):
            continue
        text = f"({own.c_type})({{0}} {sign} {{1}} ? {{1}} : {{0}})"
        statements.append(Let(f"{name}{k}", own.c_type, Formula(text, (value, Literal(bound, own)))))
        value = Name(f"{name}{k}")
    return tuple(statements), value


def _beyond(bound: float, dtype: DType, sign: str) -> bool:
    """Whether no value of an integer type lies on the far side of a bound."""
    low, high = dtype.limits
    return bound <= low if sign == "<" else bound >= high


def lowest(dtype: DType) -> Literal:
    """What every value of a type is at least."""
    own = computed(dtype)
    return Literal(-math.inf if own.is_float else 0 if own is DType.BOOL else own.limits[0], own)


def in_place(types: Sequence[TensorType], y: TensorType) -> tuple[tuple[int, int, int], ...]:
    """Operands on which the output may lie: those read element by element in the output's order."""
    return tuple((i, 0, 0) for i, t in enumerate(types) if t.elements == y.elements and t.dtype.size >= y.dtype.size)


# -- moving elements -----------------------------------------------------------------------------


def address(build: Builder, pointer: Pointer, index: Affine, dtype: DType) -> Pointer:
    """The address of an element: bytes from a buffer, elements from a table."""
    unit = 1 if build.is_table(pointer) else dtype.size
    return Pointer(pointer.buffer, pointer.offset + index.constant * unit, pointer.c_type,
                   tuple((name, step * unit) for name, step in index.terms))


def copy_strided(
    build: Builder, source: Pointer, target: Pointer, dtype: DType, extents: Sequence[int],
    steps: tuple[Sequence[int], Sequence[int]], start: tuple[Affine, Affine] = (Affine(), Affine()),
    prefix: str = "t_",
) -> tuple[Stmt, ...]:
    """Copies a box of elements. `steps`: strides in source and target; `start`: where each begins."""
    if math.prod(extents) == 0:
        return ()
    loops = merged_axes(extents, steps)
    run = loops[-1][0] if loops and loops[-1][1] == [1, 1] else 1
    if run * dtype.size >= MEMCPY_BYTES or not loops:
        loops = loops[:-1] if run > 1 else loops
        places = [start[k].plus(nest(loops, k, prefix)) for k in (0, 1)]
        copy = Copy(address(build, target, places[1], dtype), address(build, source, places[0], dtype),
                    run * dtype.size)
        return wrap(loops, (copy,), prefix)
    places = [start[k].plus(nest(loops, k, prefix)) for k in (0, 1)]
    element = Store(target.buffer, places[1], dtype, Load(source.buffer, places[0], dtype))
    return wrap(loops, (element,), prefix)
