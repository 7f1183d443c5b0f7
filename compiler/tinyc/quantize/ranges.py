# SPDX-License-Identifier: Apache-2.0
"""From observed values to a range, and from a range to a scale and zero point.

A method sees a tensor's values over the calibration samples, [sample, ...], and names the interval that the integers
shall span. None of them is the best for all tensors: `tinyc.quantize.measured` measures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinyc.ir.types import Array, DType, Quant

Range = tuple[float, float]
HISTOGRAM_BINS = 2048


def minmax(values: Array, grow: float = 1.0) -> Range:
    """The extremes; `grow` widens them: few samples do not show the largest values to come."""
    return float(values.min()) * grow, float(values.max()) * grow


def percentile(values: Array, percent: float = 99.99) -> Range:
    """The extremes without the outermost (100 - percent) % of the values, half on each side."""
    outside = (100.0 - percent) / 2
    low, high = np.percentile(values, [outside, 100.0 - outside])
    return float(low), float(high)


def mse(values: Array) -> Range:
    """The extremes scaled down by the factor with the least squared error of rounding and clipping."""
    low, high = minmax(values)
    flat = values.reshape(-1).astype(np.float32)
    if flat.size > 1 << 16:  # a regular sample is enough to compare factors
        flat = flat[:: flat.size // (1 << 16) + 1]
    best = (np.inf, 1.0)
    for factor in np.linspace(0.3, 1.0, 15):
        quant = quant_of_range((low * factor, high * factor), DType.INT8)
        error = float(np.square(fake(flat, quant, DType.INT8) - flat).sum(dtype=np.float64))
        best = min(best, (error, -float(factor)))
    return -low * best[1], -high * best[1]


def entropy(values: Array) -> Range:
    """The symmetric cut whose 255 levels lose the least information (Kullback-Leibler divergence).

    Source: Migacz, 8-bit Inference with TensorRT (2017), on a histogram of magnitudes.
    """
    magnitude = np.abs(values.reshape(-1))
    top = float(magnitude.max())
    if top == 0.0:
        return 0.0, 0.0
    magnitude = magnitude[magnitude >= top / HISTOGRAM_BINS]  # 0 is exact in every range, and often most of all
    counts = np.histogram(magnitude, HISTOGRAM_BINS, (0.0, top))[0].astype(np.float64)
    levels = 128
    best = (np.inf, HISTOGRAM_BINS)
    for cut in range(levels, HISTOGRAM_BINS + 1, 16):
        kept = counts[:cut].copy()
        kept[-1] += counts[cut:].sum()
        groups = (np.arange(cut) * levels) // cut
        filled = counts[:cut] > 0
        totals = np.bincount(groups, counts[:cut], levels)
        members = np.maximum(np.bincount(groups, filled, levels), 1)
        spread = np.where(filled, (totals / members)[groups], 0.0)
        both = (kept > 0) & (spread > 0)
        p, q = kept / kept.sum(), spread / max(spread.sum(), 1.0)
        lost = float(p[(kept > 0) & ~both].sum())  # mass that the levels cannot show at all
        best = min(best, (float((p[both] * np.log(p[both] / q[both])).sum()) + 10.0 * lost, cut))
    limit = top * best[1] / HISTOGRAM_BINS
    return max(float(values.min()), -limit), min(float(values.max()), limit)


METHODS: dict[str, Callable[[Array], Range]] = {
    "minmax": minmax,
    "mse": mse,
    "percentile": percentile,
    "entropy": entropy,
    "minmax*0.9": lambda v: minmax(v, 0.9),
    "minmax*1.0625": lambda v: minmax(v, 1.0625),
    "minmax*1.125": lambda v: minmax(v, 1.125),
    "minmax*1.25": lambda v: minmax(v, 1.25),
    "minmax*1.5": lambda v: minmax(v, 1.5),
    "minmax*1.75": lambda v: minmax(v, 1.75),
}


@dataclass(frozen=True)
class Room:
    """For values larger than all that samples show. `inputs`: factor on the ranges of the model's inputs. How much it
    counts for the ranges of other values that one half of the samples exceeds the other (`halves`), and that further
    inputs are mostly found to exceed all samples (`prior`): from 0 to 1."""

    inputs: float = 1.0
    halves: float = 1.0
    prior: float = 1.0

    def __str__(self) -> str:
        return f"room {self.inputs:g} {self.halves:g} {self.prior:g}"


def quant_of_range(bounds: Range, dtype: DType) -> Quant:
    """Scale and zero point of a tensor. The range is widened to contain 0, which is exact."""
    low, high = min(bounds[0], 0.0), max(bounds[1], 0.0)
    smallest, largest = dtype.limits
    if dtype is DType.INT16:
        scale = np.float32(max(-low, high) / largest)
        return Quant((float(scale) if scale > 0 else 1.0,), (0,))
    scale = np.float32((high - low) / (largest - smallest))
    if not scale > 0:
        return Quant((1.0,), (0,))
    zero = int(np.clip(np.rint(smallest - low / float(scale)), smallest, largest))
    return Quant((float(scale),), (zero,))


def fake(values: Array, quant: Quant, dtype: DType) -> Array:
    """The values after quantizing and dequantizing, float32."""
    low, high = dtype.limits
    steps = np.rint(values / np.float32(quant.scale[0])) + quant.zero_point[0]
    return np.asarray((np.clip(steps, low, high) - quant.zero_point[0]) * np.float32(quant.scale[0]), np.float32)
