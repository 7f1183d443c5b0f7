# SPDX-License-Identifier: Apache-2.0
"""Two products in one 32-bit multiplication, for cores without SIMD: when it is exact, and how taps are divided.

runtime_c/include/tinyc_lanes.h has the idea and the layout of the tables.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyc.ir.types import Array
from tinyc.kernels.base import Options
from tinyc.quantize.numbers import requantize

VARIANT = "scalar"  # of targets that these kernels are for
LANE_WEIGHTS = 255  # with inputs in [-128, 127], weights of this total magnitude keep a sum within 16 bits
LONGEST_RUN = 16
TAP_BYTES = 14  # of unrolled code that a tap less skips
END = 238
MOST_EVEN_RUNS = 4095  # in a channel of even runs: 12 bits
EXPONENTS = range(1, 15)
SUM_LIMIT = 1 << 20  # what the requantization on Armv6-M multiplies exactly


def target_obstacle(options: Options) -> str | None:
    if options.kernels != "auto":
        return "only with --kernels auto"
    return None if VARIANT in options.variants else "the target is no core without SIMD"


@dataclass(frozen=True)
class Channels:
    """Filters, and what turns sums of products of an output channel into its output: int32 [channel] each.

    bias: with the input's zero point folded in. weights: int8 [channel][tap].
    """

    weights: Array
    bias: Array
    multiplier: Array
    shift: Array
    offset: int
    lowest: int
    highest: int

    def obstacle(self, limited: bool = True) -> str | None:
        """Why the requantization of tinyc_requantize_armv6m.h would not be exact. limited: greater sums are clamped."""
        if any(-int(s) not in EXPONENTS for s in self.shift):
            return "a scale is outside [2^-15, 1/2)"
        weights = self.weights.astype(np.int64)
        positive, negative = np.maximum(weights, 0).sum(1), np.maximum(-weights, 0).sum(1)
        greatest = self.bias + 127 * positive + 128 * negative
        least = self.bias - 128 * positive - 127 * negative
        if greatest.max() >= 1 << 31 or least.min() < -(1 << 31):
            return "sums may exceed 32 bits"
        for sums, edge, result in ((greatest, SUM_LIMIT - 1, self.highest), (-1 - least, -SUM_LIMIT, self.lowest)):
            at_edge = requantize(np.full(len(self.bias), edge), self.multiplier, self.shift) + self.offset
            within = at_edge < result if edge > 0 else at_edge > result
            if np.any((sums >= SUM_LIMIT) & (within | (not limited))):
                return "sums beyond 20 bits that are not clamped"
        return None

    def table(self) -> Array:
        """[channel][bias, multiplier]"""
        return np.stack([self.bias, self.multiplier], axis=1).astype(np.int32)

    def exponents(self) -> Array:
        return np.asarray(-self.shift, np.uint8)

    def even_runs(self) -> Array:
        """Of each channel: the taps of its first run, those of any other, and the number of runs; [channel, 3]."""
        found = []
        for row in np.abs(self.weights.astype(np.int64)):
            total, taps = np.concatenate([[0], row.cumsum()]), len(row)
            for length in range(min(LONGEST_RUN, taps), 0, -1):
                first = taps % length or length
                ends = np.concatenate([[0], np.arange(first, taps + 1, length)])
                if np.diff(total[ends]).max() <= LANE_WEIGHTS:
                    found.append((first, length, len(ends) - 1))
                    break
        return np.array(found, np.int64)

    def even_table(self) -> Array:
        """[channel][bias, runs, multiplier]"""
        first, length, count = self.even_runs().T
        skips = TAP_BYTES * (LONGEST_RUN - first) + (TAP_BYTES * (LONGEST_RUN - length) << 8)
        runs = (skips + (16 * count - self.shift << 16)).astype(np.uint32).view(np.int32)
        return np.stack([self.bias, runs, self.multiplier], axis=1).astype(np.int32)

    def runs(self) -> Array:
        """Each channel's runs of taps, end mark and exponent, as bytes."""
        found: list[int] = []
        for row, shift in zip(np.abs(self.weights.astype(np.int64)), self.shift, strict=True):
            total = np.concatenate([[0], row.cumsum()])
            start = 0
            while start < len(row):
                stop = int(np.searchsorted(total, total[start] + LANE_WEIGHTS, side="right")) - 1
                stop = min(stop, start + LONGEST_RUN)
                found.append(TAP_BYTES * (LONGEST_RUN - (stop - start)))
                start = stop
            found += [END, -int(shift)]
        return np.array(found, np.uint8)
