# SPDX-License-Identifier: Apache-2.0
"""A row of the operator table, and what rows are commonly made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from fuzz_growing import FLOATS, Growing, Value

Build = Callable[[Growing], None]
Drawn = Callable[[Growing], Any]


@dataclass(frozen=True)
class Row:
    """An ONNX operator and how a graph gets a node of it.

    exact: every implementation gives the same bits (moves, comparisons, ...).
    prefer_onnx: why the ONNX reference implementation decides, and not onnxruntime.
    onnx_since: from which opset on the ONNX reference implementation does as that opset says.
    weight: how often it is drawn, in relation to the others.
    """

    op: str
    build: Build
    domain: str = ""
    exact: bool = False
    prefer_onnx: str = ""
    onnx_since: int = 0
    weight: int = 2


def real(low: float, high: float) -> Drawn:
    return lambda g: g.source.real(low, high)


def flag(g: Growing) -> int:
    return g.integer(0, 1)


def drawn(g: Growing, attributes: dict[str, Drawn], often: bool = False) -> dict[str, Any]:
    """Some of the attributes (so that defaults are tried too), with values."""
    return {name: make(g) for name, make in attributes.items() if often or g.chance(1, 2)}


def unary(low: float | None = None, high: float | None = None, special: str = "", types: Sequence[str] = (),
          **attributes: Drawn) -> Build:
    """An element-wise operator of one operand with elements in [low, high]."""

    def build(g: Growing) -> None:
        allowed = [t for t in g.types() if not types or t in types]
        x = g.operand(allowed, low=low, high=high, special=special)
        g.add([x], **drawn(g, attributes))

    return build


def binary(special: str = "", types: Sequence[str] = (), attributes: Drawn = lambda _: {},
           **second: Any) -> Build:
    """An element-wise operator of two operands that broadcast; `second` bounds the second one."""

    def build(g: Growing) -> None:
        x = g.operand([t for t in g.types() if not types or t in types], special=special)
        y = g.partner(x, special=special, **second)
        swap = not second and g.chance(1, 2)
        g.add([y, x] if swap else [x, y], **attributes(g))

    return build


def vector_or_attribute(g: Growing, since: int, name: str, values: Sequence[int],
                        operands: list[Value | None]) -> dict[str, Any]:
    """Integers as an attribute, or from an opset on as an operand that is appended to `operands`."""
    if g.opset < since:
        return {name: list(values)}
    operands.append(g.integers(values))
    return {}


def small(array: np.ndarray) -> bool:
    """Not too large for an operator that repeats it."""
    return array.size <= 200


def float_types(g: Growing, index: int = 0) -> list[str]:
    return [t for t in g.types(index) if t in FLOATS]
