# SPDX-License-Identifier: Apache-2.0
"""C expressions of the element-wise tables: numbers as literals, templates filled in.

Templates name their operands ({x}, or {a} and {b}) and parameters ({alpha}, ...); an operand may
occur several times, so it must be the name of a variable. Integer templates also use {t}, the
element type in C, and {u}, an unsigned type that is at least 32 bits wide and as wide as {t}.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from tinyc.ir.types import DType


def float_literal(value: float) -> str:
    """A float32 constant, the shortest text that reads back as the same bits."""
    if math.isnan(value):
        return "NAN"
    if math.isinf(value):
        return "INFINITY" if value > 0 else "(-INFINITY)"
    text = repr(float(np.float32(value))) if float(np.float32(value)).is_integer() else str(np.float32(value))
    text = text if any(c in text for c in ".e") else f"{text}.0"
    return f"{text}f" if value >= 0 else f"({text}f)"


def fill(template: str, names: Mapping[str, str], parameters: Mapping[str, float], dtype: DType) -> str:
    """The template with its operands named and its parameters written out."""
    unsigned = "uint64_t" if dtype.size == 8 else "uint32_t"
    literals = {name: float_literal(value) for name, value in parameters.items()}
    return template.format(**names, **literals, t=dtype.c_type, u=unsigned)


def choose(dtype: DType, c_float: str, c_int: str, c_unsigned: str, c_bool: str) -> str:
    """The template for an element type; "" if there is none."""
    if dtype is DType.BOOL:
        return c_bool
    if dtype.is_float:
        return c_float
    if not dtype.is_integer:
        return ""
    return (c_unsigned or c_int) if dtype.limits[0] == 0 else c_int
