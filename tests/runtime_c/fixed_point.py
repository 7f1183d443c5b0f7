# SPDX-License-Identifier: Apache-2.0
"""The int8 specification's arithmetic on Python integers and NumPy arrays, as the reference of the C code."""

from __future__ import annotations

import numpy as np

IntArray = np.ndarray


def doubling_high_mult(a: IntArray, b: IntArray | int) -> IntArray:
    """a * b / 2^31, rounded to nearest by a nudge and truncation, as gemmlowp states it."""
    product = np.asarray(a, dtype=object) * b
    quotient = [(p + 2**30) // 2**31 if p >= 0 else -((-(p + 1 - 2**30)) // 2**31) for p in np.ravel(product)]
    return np.array(quotient, dtype=np.int64).reshape(np.shape(product))


def rounding_divide(value: IntArray, exponent: int) -> IntArray:
    """value / 2^exponent, rounded to nearest, halves away from zero."""
    value = np.asarray(value, np.int64)
    return np.sign(value) * ((np.abs(value) + (2**exponent >> 1)) >> exponent)


def requantize(value: IntArray, multiplier: int, shift: int) -> IntArray:
    """value * multiplier * 2^(shift - 31) with both roundings."""
    left, right = max(shift, 0), max(-shift, 0)
    return rounding_divide(doubling_high_mult(np.asarray(value, np.int64) << left, multiplier), right)


def quantize_multiplier(real: float) -> tuple[int, int]:
    """A factor as Q31 multiplier and shift."""
    mantissa, exponent = np.frexp(real)
    multiplier = int(np.floor(mantissa * 2**31 + 0.5))
    if multiplier == 2**31:
        return 2**30, int(exponent) + 1
    return multiplier, int(exponent)


def rounding_mean(total: IntArray, count: int) -> IntArray:
    """total / count, rounded by adding the truncated half count to the magnitude."""
    total = np.asarray(total, np.int64)
    return np.sign(total) * ((np.abs(total) + count // 2) // count)
