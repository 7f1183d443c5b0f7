# SPDX-License-Identifier: Apache-2.0
"""The integer arithmetic of normalizations (mean 0, variance 1, then a factor and an offset), in NumPy, exact.

For `count` integers x with the sums S1 of x and S2 of x * x, and the steps' size s,

    d = count * x - S1                                    count times the distance from the mean
    V = count * S2 - S1^2 + round(epsilon / s^2 * count^2)    count^2 times the variance, epsilon included
    k: the even number of bits 2k that lift V to [2^60, 2^62)
    r = min(2^61 // isqrt(V * 2^2k), 2^31 - 1)
    z = d * r / 2^(41 - k), rounded half upwards          (x - mean) / deviation with 20 fractional bits; 0 where V is 0
    y = z * (factor / step of the result), by a multiplier and two roundings, with 8 fractional bits,
        + round(256 * offset / step), / 2^8 rounded half away from zero, + zero point, saturated.
"""

from __future__ import annotations

import math

import numpy as np

from tinyc.ir.types import Array
from tinyc.quantize.numbers import divide_by_power_of_two, quantize_multiplier, requantize

FRACTION, GUARD = 20, 8
MAX_COUNT = 1 << 16
MAX_GAIN = 1 << 11


def epsilon_steps(epsilon: float, step: float, count: int) -> int:
    """What V gets for epsilon."""
    return int(min(round(epsilon / (step * step) * count * count), 1 << 58))


def standardized(x: Array, epsilon: int, centred: bool = True) -> Array:
    """Rows [rows, count] of integers as z; not `centred`: with 0 for S1."""
    x = x.astype(np.int64)
    count = x.shape[1]
    total = x.sum(1, keepdims=True) * int(centred)
    variance = count * (x * x).sum(1, keepdims=True) - total * total + epsilon
    result = np.zeros(x.shape, np.int64)
    for row, v in enumerate(variance[:, 0]):
        if v > 0:
            k = (62 - int(v).bit_length()) // 2
            reciprocal = min((1 << 61) // math.isqrt(int(v) << (2 * k)), (1 << 31) - 1)
            shift = 61 - FRACTION - k
            result[row] = ((count * x[row] - total[row]) * reciprocal + (1 << (shift - 1))) >> shift
    return result


def channel_parameters(factor: Array, offset: Array, step: float) -> tuple[Array, Array, Array]:
    """(multiplier, negative for negative factors; shift; offset) of each channel, int32."""
    gains = factor.astype(np.float64) / float(step)
    pairs = [quantize_multiplier(abs(float(g)) * 2.0 ** (GUARD - FRACTION)) for g in gains]
    multiplier = np.array([m if g >= 0 else -m for (m, _), g in zip(pairs, gains, strict=True)], np.int32)
    shift = np.array([s for _, s in pairs], np.int32)
    steps = np.rint(offset.astype(np.float64) / float(step) * (1 << GUARD))
    return multiplier, shift, np.clip(steps, -(1 << 30), 1 << 30).astype(np.int32)


def scaled(z: Array, multiplier: Array, shift: Array, offset: Array, zero_point: int) -> Array:
    """z as the result's int8; the parameters broadcast against it."""
    size = requantize(z, np.abs(multiplier.astype(np.int64)), shift)
    steps = np.where(multiplier < 0, -size, size) + offset
    result: Array = np.clip(divide_by_power_of_two(steps, GUARD) + zero_point, -128, 127).astype(np.int8)
    return result
