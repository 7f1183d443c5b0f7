# SPDX-License-Identifier: Apache-2.0
"""How far the result of a sliding window may run over its input.

The bundled windowed kernels compute output pixels in raster order, or exactly the other way round, all
channels of a pixel together. So a result byte may take the place of an input byte as soon as no later
pixel reads that byte. (Others call it diagonal memory optimisation.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def _first_taps(extent: int, stride: int, pad: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.arange(extent, dtype=np.int64) * stride - pad


def below(
    x: Sequence[int], y: Sequence[int], strides: Sequence[int], pads: Sequence[int], consumed: bool
) -> int:
    """For work in raster order: the largest result address minus input address at which nothing is lost.

    x, y: NHWC shapes of one image, one byte an element; pads begin (top, left, ...). `consumed`: a pixel
    is read completely before any of it is written. Usually negative: the result begins that many bytes
    before the input.
    """
    _, _, width, channels = x
    _, out_h, out_w, out_channels = y
    rows = np.maximum(_first_taps(out_h, strides[0], pads[0]), 0)
    columns = np.maximum(_first_taps(out_w, strides[1], pads[1]), 0)
    needed = _needed(((rows[:, None] * width + columns[None, :]) * channels).reshape(-1))
    written = (np.arange(out_h * out_w, dtype=np.int64) + 1) * out_channels
    held = needed[1:] if consumed else needed[:-1]
    delta = int((held - written).min())
    return min(delta, x[1] * width * channels)


def below_tiles(x: Sequence[int], y: Sequence[int], pads: Sequence[int], size: int, together: int) -> int:
    """As `below`, for tiles of size * size results with stride 1, in raster order.

    together: so many tiles are read completely before any of them is written.
    """
    _, _, width, channels = x
    _, out_h, out_w, out_channels = y
    rows, columns = np.arange(0, out_h, size), np.arange(0, out_w, size)
    taps = np.maximum(rows - pads[0], 0)[:, None] * width + np.maximum(columns - pads[1], 0)[None, :]
    last_rows, ends = np.minimum(rows + size, out_h) - 1, np.minimum(columns + size, out_w)
    written = np.maximum.accumulate(((last_rows[:, None] * out_w + ends[None, :]) * out_channels).reshape(-1))
    last = np.minimum(np.arange(together - 1, len(written) + together - 1, together), len(written) - 1)
    delta = int((_needed((taps * channels).reshape(-1))[last + 1] - written[last]).min())
    return min(delta, x[1] * width * channels)


def _needed(first: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """From the first input address that each pixel or tile reads: the lowest from it on, and after the last, none."""
    return np.minimum.accumulate(np.append(first, np.iinfo(np.int64).max)[::-1])[::-1]


def above(
    x: Sequence[int], y: Sequence[int], kernel: Sequence[int], strides: Sequence[int],
    dilations: Sequence[int], pads: Sequence[int],
) -> int:
    """For work from the last pixel to the first: the smallest result address minus input address.

    At least 1: the kernels work in raster order where both begin at the same address.
    """
    _, height, width, channels = x
    _, out_h, out_w, out_channels = y
    rows = np.minimum(_first_taps(out_h, strides[0], pads[0]) + (kernel[0] - 1) * dilations[0], height - 1)
    columns = np.minimum(_first_taps(out_w, strides[1], pads[1]) + (kernel[1] - 1) * dilations[1], width - 1)
    last = ((rows[:, None] * width + columns[None, :] + 1) * channels).reshape(-1)
    # The end of what this pixel or any earlier one, still to be computed, reads.
    needed = np.maximum.accumulate(last)
    return max(1, int((needed - np.arange(len(last), dtype=np.int64) * out_channels).max()))
