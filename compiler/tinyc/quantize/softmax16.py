# SPDX-License-Identifier: Apache-2.0
"""TFLite's softmax of int16 values in NumPy, exact: two tables of 513 entries, between which is interpolated."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyc.ir.types import Array
from tinyc.ops.unary import interpolate
from tinyc.quantize.numbers import leading_zeros, quantize_multiplier, requantize

STEPS = 512
REACH = 10.0  # exp(-REACH) counts as nothing


def _round(x: Array) -> Array:
    """Halves away from zero, of float32 values."""
    return np.asarray(np.trunc(x + np.copysign(np.float32(0.5), x)), np.float32)


def _table(low: float, span: float, function: Callable[[Array], Array]) -> Array:
    """A function on [low, low + span] in steps of 2^-15, moved by half the error in the middle of each step."""
    step = np.float32(span / STEPS)
    places = np.float32(low) + np.arange(STEPS + 1, dtype=np.float32) * step
    inverse = np.float32(32768.0)
    values = function(places) * inverse
    middle = _round(function(places[:-1] + step / 2) * inverse)
    error = _round((values[1:] + _round(values[:-1])) / 2) - middle
    entries = np.append(_round(values[:-1]) - _round(error / 2), _round(values[-1:]))
    return np.asarray(np.clip(entries, -32768, 32767), np.int16)


EXPONENTIAL = _table(-REACH, REACH, np.exp)
RECIPROCAL = _table(0.0, 1.0, lambda x: np.float32(1.0) / (np.float32(1.0) + x))


def parameters(scale: float) -> tuple[int, int]:
    """(multiplier, shift) from differences of the input to steps of REACH / 65535."""
    return quantize_multiplier(float(np.float32(scale)) / float(np.float32(REACH / 65535.0)))


def softmax(x: Array, multiplier: int, shift: int) -> Array:
    """Along the last axis; int16 in steps of 2^-15."""
    below = x.astype(np.int64) - x.max(-1, keepdims=True)
    place = np.clip(requantize(below, multiplier, shift) + 32767, -32768, 32767)
    exps = interpolate(EXPONENTIAL, place).astype(np.int64)
    total = exps.sum(-1, keepdims=True)
    headroom = leading_zeros(total)
    lifted = ((total << (headroom - 1)) + (1 << 13)) >> 14
    inverse = interpolate(RECIPROCAL, np.clip(lifted - (1 << 15) - (1 << 16), -32768, 32767)).astype(np.int64)
    right = 31 - headroom
    return np.asarray(np.clip((exps * inverse + (np.int64(1) << (right - 1))) >> right, 0, 32767), np.int16)
