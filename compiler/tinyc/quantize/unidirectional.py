# SPDX-License-Identifier: Apache-2.0
"""The integer arithmetic of CMSIS-NN's (and TensorFlow Lite's) int8 LSTM, in NumPy, exact.

Weights W and R are int8 with one scale each, as the model has them; h has the scale s_y of the result.

    gate = requantize(W . x + bias', s_x * s_w * 2^12) + requantize(R . h + zero points', s_y * s_r * 2^12)

saturated to 16 bits behind each of the two, from -8 to 8 in steps of 2^-12; biases have the zero points in them. Before
the first step there is no second part. Sigmoid and tanh give 15 fractional bits, by linear interpolation in one table.
The cell has 11 fractional bits (-16 to 16):

    c = saturate(requantize(f * c, 2^-15)), then saturate(c + requantize(i * g, 2^-19)) without the lowest number
    h = requantize(o * tanh(c), 2^-30 / s_y) + zero point
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyc.ir.types import Array
from tinyc.quantize.numbers import quantize_multiplier, requantize

GATE_BITS, CELL_BITS, UNIT_BITS = 12, 11, 15
CELL_CLIP = (1 << 15) - 1
FORGET_TO_CELL = quantize_multiplier(2.0**-UNIT_BITS)
INPUT_TO_CELL = quantize_multiplier(2.0 ** (CELL_BITS - 2 * UNIT_BITS))
MOST_BIAS = 1 << 29

# 65536 * sigmoid(i / 24) to within 1.2.
SIGMOID = np.array((
    32768, 33451, 34133, 34813, 35493, 36169, 36843, 37513, 38180, 38841, 39498, 40149, 40794, 41432, 42064, 42688,
    43304, 43912, 44511, 45102, 45683, 46255, 46817, 47369, 47911, 48443, 48964, 49475, 49975, 50464, 50942, 51409,
    51865, 52311, 52745, 53169, 53581, 53983, 54374, 54755, 55125, 55485, 55834, 56174, 56503, 56823, 57133, 57433,
    57724, 58007, 58280, 58544, 58800, 59048, 59288, 59519, 59743, 59959, 60168, 60370, 60565, 60753, 60935, 61110,
    61279, 61441, 61599, 61750, 61896, 62036, 62172, 62302, 62428, 62549, 62666, 62778, 62886, 62990, 63090, 63186,
    63279, 63368, 63454, 63536, 63615, 63691, 63765, 63835, 63903, 63968, 64030, 64090, 64148, 64204, 64257, 64308,
    64357, 64405, 64450, 64494, 64536, 64576, 64614, 64652, 64687, 64721, 64754, 64786, 64816, 64845, 64873, 64900,
    64926, 64950, 64974, 64997, 65019, 65039, 65060, 65079, 65097, 65115, 65132, 65149, 65164, 65179, 65194, 65208,
    65221, 65234, 65246, 65258, 65269, 65280, 65291, 65301, 65310, 65319, 65328, 65337, 65345, 65352, 65360, 65367,
    65374, 65381, 65387, 65393, 65399, 65404, 65410, 65415, 65420, 65425, 65429, 65433, 65438, 65442, 65445, 65449,
    65453, 65456, 65459, 65462, 65465, 65468, 65471, 65474, 65476, 65479, 65481, 65483, 65485, 65488, 65489, 65491,
    65493, 65495, 65497, 65498, 65500, 65501, 65503, 65504, 65505, 65507, 65508, 65509, 65510, 65511, 65512, 65513,
    65514, 65515, 65516, 65517, 65517, 65518, 65519, 65520, 65520, 65521, 65522, 65522, 65523, 65523, 65524, 65524,
    65525, 65525, 65526, 65526, 65526, 65527, 65527, 65528, 65528, 65528, 65529, 65529, 65529, 65529, 65530, 65530,
    65530, 65530, 65531, 65531, 65531, 65531, 65531, 65532, 65532, 65532, 65532, 65532, 65532, 65533, 65533, 65533,
    65533, 65533, 65533, 65533, 65533, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65535,
), np.int64)


@dataclass(frozen=True)
class Scales:
    """Of input, result (with their zero points) and the two weights."""

    x: float
    x_zero: int
    y: float
    y_zero: int
    w: float
    r: float

    @property
    def input(self) -> tuple[int, int]:
        """(multiplier, shift) from products with the input to a gate's operand."""
        return quantize_multiplier(float(self.x) * float(self.w) * (1 << GATE_BITS))

    @property
    def hidden(self) -> tuple[int, int]:
        """The same for products with the state."""
        return quantize_multiplier(float(self.y) * float(self.r) * (1 << GATE_BITS))

    @property
    def output(self) -> tuple[int, int]:
        """(multiplier, shift) from a product of two gates to the result's steps."""
        return quantize_multiplier(2.0 ** (-2 * UNIT_BITS) / float(self.y))

    def fit(self, inputs: int, hidden: int) -> bool:
        """Whether sums over so many elements stay within 32 bits where their shift is to the left."""
        pairs = ((self.input, inputs), (self.hidden, hidden))
        return all(-31 <= shift <= 14 and size << max(shift, 0) <= 1 << 15 for (_, shift), size in pairs)


def biases(w: Array, r: Array, bias: Array | None, scales: Scales) -> tuple[Array, Array]:
    """int32 [gates * hidden] beside the input's products (with a real bias) and beside the state's."""
    real = np.zeros(len(w)) if bias is None else bias.astype(np.float64)
    most = MOST_BIAS >> max(scales.input[1], 0)
    whole = np.clip(np.rint(real / (float(scales.x) * float(scales.w))), -most, most).astype(np.int64)
    first = whole - scales.x_zero * w.astype(np.int64).sum(1)
    return first.astype(np.int32), (-scales.y_zero * r.astype(np.int64).sum(1)).astype(np.int32)


def activation(x: Array, left_shift: int, tanh: bool) -> Array:
    """Sigmoid or tanh (2 * sigmoid(2x) - 1) of x * 2^(left_shift - 12)."""
    bits = 8 if tanh else 9
    scaled = x * (3 << left_shift)
    magnitude = np.abs(scaled)
    place = np.minimum(magnitude >> bits, len(SIGMOID) - 2)
    low, high = SIGMOID[place], SIGMOID[place + 1]
    value = (low << bits) + (magnitude & ((1 << bits) - 1)) * (high - low)
    value = np.where(magnitude >> bits >= 255, 0xFFFF << 8 if tanh else 0x7FFF << 10, value)
    if tanh:
        return np.asarray(np.where(scaled >= 0, value - (1 << 23) + 128, (1 << 23) - value + 127) >> 8)
    return np.asarray(np.where(scaled >= 0, value + 512, (1 << 25) - value + 511) >> 10)


def _saturated(x: Array) -> Array:
    return np.asarray(np.clip(x, -(1 << 15), (1 << 15) - 1))


def run(x: Array, w: Array, r: Array, bias: Array | None, scales: Scales) -> Array:
    """The states behind each step: x [steps, batch, inputs], weights of ONNX's gates i, o, f, c; int8."""
    first, second = biases(w, r, bias, scales)
    hidden = r.shape[1]
    cell, h = np.zeros((x.shape[1], hidden), np.int64), None
    states = np.zeros((*x.shape[:2], hidden), np.int8)
    for t, step in enumerate(x.astype(np.int64)):
        total = _saturated(requantize(step @ w.T.astype(np.int64) + first, *scales.input))
        if h is not None:
            total = _saturated(total + requantize(h @ r.T.astype(np.int64) + second, *scales.hidden))
        i, o, f, candidate = (activation(part, 0, k == 3) for k, part in enumerate(np.split(total, 4, 1)))
        kept = _saturated(requantize(f * cell, *FORGET_TO_CELL))
        cell = np.clip(kept + requantize(i * candidate, *INPUT_TO_CELL), -CELL_CLIP, CELL_CLIP)
        inside = activation(cell, GATE_BITS - CELL_BITS, True)
        h = np.clip(requantize(o * inside, *scales.output) + scales.y_zero, -128, 127)
        states[t] = h
    return states
