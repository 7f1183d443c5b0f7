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
    first = ((rows[:, None] * width + columns[None, :]) * channels).reshape(-1)
    # The lowest input address that this pixel or any later one reads; after the last, none.
    needed = np.minimum.accumulate(np.append(first, np.iinfo(np.int64).max)[::-1])[::-1]
    written = (np.arange(len(first), dtype=np.int64) + 1) * out_channels
    held = needed[1:] if consumed else needed[:-1]
    delta = int((held - written).min())
    return min(delta, x[1] * width * channels)


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
