# SPDX-License-Identifier: Apache-2.0
"""The integer arithmetic of recurrent layers, in NumPy, exact: what both the evaluation and the C compute.

Inputs x and states h are int8; h has the scale s_y and zero point of the result. Row r of the weights W and R is
quantized with one scale s[r], so that one sum has both products:

    s[r] = max(largest |W[r]| * s_x, largest |R[r]| * s_y) / 127
    W8[r] = round(W[r] * s_x / s[r]),  R8[r] = round(R[r] * s_y / s[r])
    sum = W8[r] . x + R8[r] . h + round(bias / s[r]) - zero_x * sum of W8[r] - zero_y * sum of R8[r]

A gate's operand is sum * s[r] * 2^12, by a multiplier and two roundings, saturated to 16 bits: from -8 to 8 in steps of
2^-12. Sigmoid and tanh give 15 fractional bits, by linear interpolation in tables of 257 values, 1/16 apart. Products
of those are rounded half upwards where they are shifted.

    LSTM: c = f * c + i * g with 11 fractional bits, saturated to 16 bits (-16 to 16, where tanh is 1);
          h = o * tanh(c) by a multiplier and two roundings
    GRU:  the state is also kept with 15 fractional bits, h = (1 - z) * n + z * h; with the variant
          n = tanh(n_x + r * n_h) where both parts saturate, without it the product r * h is made int8 like h
    RNN:  h = tanh(sum)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyc.ir.types import Array
from tinyc.quantize.numbers import quantize_multiplier, requantize

GATE_BITS, CELL_BITS, UNIT_BITS = 12, 11, 15
LEAST, MOST = -(1 << 15), (1 << 15) - 1


def _table(function: Array) -> Array:
    return np.asarray(np.clip(np.rint(function * (1 << UNIT_BITS)), LEAST, MOST)).astype(np.int16)


_POINTS = np.arange(-128, 129, dtype=np.float64) / 16
SIGMOID = _table(1.0 / (1.0 + np.exp(-_POINTS)))
TANH = _table(np.tanh(_POINTS))


@dataclass(frozen=True)
class Rows:
    """Quantized rows [gates, hidden, ...]; `bias` [gates or more, hidden] with the zero points in it."""

    w: Array
    r: Array
    bias: Array
    multiplier: Array
    shift: Array


@dataclass(frozen=True)
class Scales:
    x: float
    x_zero: int
    y: float
    y_zero: int

    def output(self, bits: int) -> tuple[int, int]:
        """(multiplier, shift) from a number with so many fractional bits to the result's steps."""
        return quantize_multiplier(1.0 / (float(self.y) * 2.0**bits))


def quantized_rows(w: Array, r: Array, bias: Array | None, scales: Scales, gates: int, apart: bool) -> Rows:
    """One direction's weights [gates * hidden, ...] and bias; `apart`: the last gate's products have a bias each."""
    w, r = w.astype(np.float64) * scales.x, r.astype(np.float64) * scales.y
    hidden = r.shape[1]
    largest = np.maximum(np.abs(w).max(1), np.abs(r).max(1))
    step = np.where(largest > 0, largest / 127.0, 1.0)
    w8, r8 = (np.rint(m / step[:, None]).astype(np.int64) for m in (w, r))
    from_x, from_h = -scales.x_zero * w8.sum(1), -scales.y_zero * r8.sum(1)
    real = np.zeros(gates * hidden + apart * hidden) if bias is None else bias.astype(np.float64)
    steps = step if not apart else np.concatenate([step, step[-hidden:]])
    whole = np.clip(np.rint(real / steps), -(1 << 29), 1 << 29).astype(np.int64)
    if apart:
        from_h, last = from_h.copy(), from_h[-hidden:].copy()
        from_h[-hidden:] = 0
        whole[: gates * hidden] += from_x + from_h
        whole[gates * hidden :] += last
    else:
        whole += from_x + from_h
    pairs = [quantize_multiplier(float(s) * (1 << GATE_BITS)) for s in step]
    multiplier, shift = (np.array([p[k] for p in pairs], np.int32).reshape(gates, hidden) for k in (0, 1))
    return Rows(w8.astype(np.int8).reshape(gates, hidden, -1), r8.astype(np.int8).reshape(gates, hidden, -1),
                whole.astype(np.int32).reshape(-1, hidden), multiplier, shift)


def look_up(table: Array, x: Array) -> Array:
    """A table's function of numbers with 12 fractional bits."""
    place, rest = (x >> 8) + 128, x & 255
    low, high = table[place].astype(np.int64), table[place + 1].astype(np.int64)
    return np.asarray(low + (((high - low) * rest + 128) >> 8))


def saturated(x: Array) -> Array:
    return np.asarray(np.clip(x, LEAST, MOST))


def half_up(x: Array, bits: int) -> Array:
    """x / 2^bits, rounded half upwards."""
    return np.asarray((x + (1 << (bits - 1))) >> bits)


class State:
    """One sequence's state: int8 `h`, and `wide` with more bits (an LSTM's cell, a GRU's h)."""

    def __init__(self, rows: Rows, scales: Scales, h: Array, wide: Array) -> None:
        self.rows, self.scales = rows, scales
        self.h, self.wide = h.astype(np.int64), wide.astype(np.int64)

    def _gate(self, gate: int, x: Array | None, h: Array | None, bias: int) -> Array:
        total = self.rows.bias[bias].astype(np.int64)
        if x is not None:
            total = total + self.rows.w[gate].astype(np.int64) @ x.astype(np.int64)
        if h is not None:
            total = total + self.rows.r[gate].astype(np.int64) @ h
        return saturated(requantize(total, self.rows.multiplier[gate], self.rows.shift[gate]))

    def _int8(self, value: Array, bits: int) -> Array:
        return np.asarray(np.clip(requantize(value, *self.scales.output(bits)) + self.scales.y_zero, -128, 127))

    def lstm(self, x: Array) -> None:
        i, o, f = (look_up(SIGMOID, self._gate(g, x, self.h, g)) for g in range(3))
        candidate = look_up(TANH, self._gate(3, x, self.h, 3))
        up = 2 * UNIT_BITS - (UNIT_BITS + CELL_BITS)
        self.wide = saturated(half_up(f * self.wide + half_up(i * candidate, up), UNIT_BITS))
        inside = saturated(self.wide << (GATE_BITS - CELL_BITS))
        self.h = self._int8(o * look_up(TANH, inside), 2 * UNIT_BITS)

    def gru(self, x: Array, variant: bool) -> None:
        z, r = (look_up(SIGMOID, self._gate(g, x, self.h, g)) for g in range(2))
        if variant:
            more = half_up(r * self._gate(2, None, self.h, 3), UNIT_BITS)
            candidate = saturated(self._gate(2, x, None, 2) + more)
        else:
            reset = self._int8(half_up(r * self.wide, UNIT_BITS), UNIT_BITS)
            candidate = self._gate(2, x, reset, 2)
        n = look_up(TANH, candidate)
        self.wide = saturated(half_up(((1 << UNIT_BITS) - z) * n + z * self.wide, UNIT_BITS))
        self.h = self._int8(self.wide, UNIT_BITS)

    def rnn(self, x: Array) -> None:
        self.h = self._int8(look_up(TANH, self._gate(0, x, self.h, 0)), UNIT_BITS)


def first_states(h: Array | None, c: Array | None, hidden: int, scales: Scales, lstm: bool) -> tuple[Array, Array]:
    """(int8 h, wide state) before the first step, of real numbers or zeros."""
    start = np.zeros(hidden) if h is None else h.astype(np.float64)
    steps = np.clip(np.rint(start / float(scales.y)) + scales.y_zero, -128, 127).astype(np.int8)
    cell = np.zeros(hidden) if c is None else c.astype(np.float64)
    wide = cell * (1 << CELL_BITS) if lstm else start * (1 << UNIT_BITS)
    return steps, np.clip(np.rint(wide), LEAST, MOST).astype(np.int16)
