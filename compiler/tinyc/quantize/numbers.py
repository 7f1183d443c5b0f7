# SPDX-License-Identifier: Apache-2.0
"""The int8 specification's integer arithmetic, in NumPy, exact.

Source: the TFLite quantization specification and gemmlowp's fixed-point functions as CMSIS-NN
implements them with double rounding (CMSIS_NN_USE_SINGLE_ROUNDING not defined).
"""

from __future__ import annotations

import math

import numpy as np

from tinyc.ir.types import Array

INT32_MAX = (1 << 31) - 1
INT32_MIN = -(1 << 31)


def quantize_multiplier(real: float) -> tuple[int, int]:
    """(multiplier, shift) with real ~ multiplier * 2^(shift - 31), multiplier in [2^30, 2^31)."""
    if real == 0.0:
        return 0, 0
    mantissa, shift = math.frexp(real)
    multiplier = math.floor(mantissa * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier, shift = multiplier // 2, shift + 1
    if shift < -31:
        return 0, 0
    if shift > 30:
        return INT32_MAX, 30
    return multiplier, shift


def doubling_high_mul(a: Array | int, b: Array | int) -> Array:
    """Rounding high half of 2*a*b, saturated: gemmlowp's SaturatingRoundingDoublingHighMul."""
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    return np.asarray(np.minimum((product + (1 << 30)) >> 31, INT32_MAX))


def divide_by_power_of_two(x: Array | int, exponent: Array | int) -> Array:
    """x / 2^exponent, rounded to nearest, ties away from zero."""
    value, power = np.asarray(x, np.int64), np.asarray(exponent, np.int64)
    mask = (np.int64(1) << power) - 1
    threshold = (mask >> 1) + (value < 0)
    return (value >> power) + ((value & mask) > threshold)


def _wrap32(x: Array) -> Array:
    return x.astype(np.int64).astype(np.int32).astype(np.int64)


def requantize(acc: Array, multiplier: Array | int, shift: Array | int) -> Array:
    """MultiplyByQuantizedMultiplier: an int32 accumulator times multiplier * 2^(shift - 31)."""
    shifts = np.asarray(shift, np.int64)
    left, right = np.maximum(shifts, 0), np.maximum(-shifts, 0)
    wide = _wrap32(np.asarray(acc, np.int64) << left)
    return divide_by_power_of_two(doubling_high_mul(wide, multiplier), right)


def reduce_multiplier(multiplier: Array | int) -> Array:
    """A multiplier in Q31 as one in Q15, for accumulators of 64 bits (TFLite's int16 activations)."""
    wide = np.asarray(multiplier, np.int64)
    return np.where(wide < 0x7FFF0000, (wide + (1 << 15)) >> 16, 0x7FFF)


MAX_WIDE_SHIFT = 14


def requantize_wide(acc: Array, multiplier: Array | int, shift: Array | int) -> Array:
    """An int64 accumulator times multiplier * 2^(shift - 15), rounded half upwards; shift at most MAX_WIDE_SHIFT."""
    right = 15 - np.asarray(shift, np.int64)
    total = np.asarray(acc, np.int64) * np.asarray(multiplier, np.int64)
    return np.asarray((total + (np.int64(1) << (right - 1))) >> right)


def saturate(x: Array, low: int, high: int, dtype: str = "int8") -> Array:
    return np.clip(x, low, high).astype(dtype)


def round_half_away(x: float) -> int:
    """C's round()."""
    return int(math.floor(abs(x) + 0.5)) * (1 if x >= 0 else -1)


def quantize_linear(
    x: Array | float, scale: Array | float, zero_point: Array | int, low: int, high: int
) -> Array:
    """ONNX QuantizeLinear in float32: round half to even, then saturate; int64 result."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        steps = np.rint(np.asarray(x, np.float32) / np.asarray(scale, np.float32))
    steps = np.nan_to_num(steps.astype(np.float64), nan=-(2.0**40), posinf=2.0**40, neginf=-(2.0**40))
    return np.asarray(np.clip(steps + np.asarray(zero_point, np.float64), low, high)).astype(np.int64)


def clamp_limits(
    clamp: tuple[float, float] | None, scale: float, zero_point: int, limits: tuple[int, int]
) -> tuple[int, int]:
    """Activation limits in integers, as TFLite's CalculateActivationRangeQuantized."""
    low, high = limits
    if clamp is None:
        return low, high
    if math.isfinite(clamp[0]):
        low = max(low, min(high, zero_point + _round_f32(clamp[0], scale)))
    if math.isfinite(clamp[1]):
        high = max(low, min(high, zero_point + _round_f32(clamp[1], scale)))
    return low, high


def _round_f32(value: float, scale: float) -> int:
    return round_half_away(float(np.float32(value) / np.float32(scale)))


# -- fixed-point exponential and reciprocal (gemmlowp) -------------------------------------------


def _rescale_saturating(x: Array, exponent: int) -> Array:
    """x * 2^exponent, saturated to int32, for exponent > 0."""
    return np.asarray(np.clip(np.asarray(x, np.int64) << exponent, INT32_MIN, INT32_MAX))


def exp_on_negative_values(x: Array) -> Array:
    """exp of a Q5.26 value in (-32, 0]; result in Q0.31."""
    a = np.asarray(x, np.int64)
    quarter = 1 << 24
    mod = (a & (quarter - 1)) - quarter
    result = _exp_on_interval(mod << 5)
    remainder = mod - a
    for bit, factor in enumerate((1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)):
        result = np.where(remainder & (1 << (24 + bit)), doubling_high_mul(result, factor), result)
    return np.where(a == 0, INT32_MAX, result)


def _exp_on_interval(a: Array) -> Array:
    """exp on [-1/4, 0) in Q0.31, a fourth-order Taylor expansion around -1/8."""
    x = a + (1 << 28)
    x2 = doubling_high_mul(x, x)
    x3 = doubling_high_mul(x2, x)
    x4 = doubling_high_mul(x2, x2)
    x4_over_4 = divide_by_power_of_two(x4, 2)
    poly = divide_by_power_of_two(doubling_high_mul(x4_over_4 + x3, 715827883) + x2, 1)
    return np.int64(1895147668) + doubling_high_mul(1895147668, x + poly)


def one_over_one_plus_x(x: Array) -> Array:
    """1 / (1 + x) for x in [0, 1], Q0.31, by three Newton-Raphson steps."""
    a = np.asarray(x, np.int64)
    total = a + INT32_MAX
    half = (total + np.where(total >= 0, 1, -1)) // 2
    estimate = 1515870810 + doubling_high_mul(half, -1010580540)
    for _ in range(3):
        error = (1 << 29) - doubling_high_mul(half, estimate)
        estimate = _wrap32(estimate + _rescale_saturating(doubling_high_mul(estimate, error), 2))
    return _rescale_saturating(estimate, 1)


def leading_zeros(x: Array) -> Array:
    """Leading zero bits of positive int32 values."""
    return 31 - np.floor(np.log2(np.asarray(x, np.float64))).astype(np.int64)
