# SPDX-License-Identifier: Apache-2.0
"""What operators that slide a window have in common: padding, output extents, window views.

Arrays here are channels-first, [N, C, spatial...]; `to_first`/`to_last` convert.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinyc.ir.types import Array
from tinyc.ops.registry import ShapeError


def to_first(x: Array, channels_last: bool) -> Array:
    return np.moveaxis(x, -1, 1) if channels_last else x


def to_last(x: Array, channels_last: bool) -> Array:
    return np.ascontiguousarray(np.moveaxis(x, 1, -1)) if channels_last else x


def spatial(shape: Sequence[int], channels_last: bool) -> tuple[int, ...]:
    return tuple(shape[1:-1] if channels_last else shape[2:])


def with_spatial(n: int, c: int, extents: Sequence[int], channels_last: bool) -> tuple[int, ...]:
    return (n, *extents, c) if channels_last else (n, c, *extents)


def window_attributes(
    attributes: Mapping[str, Any], kernel: Sequence[int], extents: Sequence[int]
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """(strides, dilations, explicit pads: all begins, then all ends) of an ONNX node."""
    rank = len(kernel)
    strides = tuple(attributes.get("strides") or [1] * rank)
    dilations = tuple(attributes.get("dilations") or [1] * rank)
    pads = tuple(attributes.get("pads") or [0] * (2 * rank))
    auto = attributes.get("auto_pad", "NOTSET")
    auto = auto.decode() if isinstance(auto, bytes) else auto
    if not (len(strides) == len(dilations) == rank == len(extents) and len(pads) == 2 * rank):
        raise ShapeError(f"strides, dilations, pads and input do not have the kernel's rank {rank}")
    if min((*strides, *dilations, *kernel), default=1) < 1 or min(pads, default=0) < 0:
        raise ShapeError("strides, dilations and kernel must be positive, pads not negative")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        begins, ends = [], []
        for extent, k, s, d in zip(extents, kernel, strides, dilations, strict=True):
            total = max(0, (math.ceil(extent / s) - 1) * s + (k - 1) * d + 1 - extent)
            small, large = total // 2, total - total // 2
            begins.append(small if auto == "SAME_UPPER" else large)
            ends.append(large if auto == "SAME_UPPER" else small)
        pads = (*begins, *ends)
    elif auto == "VALID":
        pads = (0,) * (2 * rank)
    return strides, dilations, pads


def output_extents(
    extents: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    pads: Sequence[int],
    ceil_mode: bool = False,
) -> tuple[int, ...]:
    """Spatial extents of the result. Raises ShapeError where the window does not fit."""
    rank, result = len(kernel), []
    for i in range(rank):
        span = extents[i] + pads[i] + pads[rank + i] - ((kernel[i] - 1) * dilations[i] + 1)
        if span < 0:
            raise ShapeError(f"a window of {kernel[i]} does not fit the padded extent of axis {i}")
        out = (math.ceil(span / strides[i]) if ceil_mode else span // strides[i]) + 1
        if ceil_mode and (out - 1) * strides[i] >= extents[i] + pads[i]:
            out -= 1  # a window must not begin in the end padding
        result.append(out)
    return tuple(result)


def windows(
    x: Array,
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    pads: Sequence[int],
    out: Sequence[int],
    fill: float,
) -> Array:
    """View [N, C, out..., kernel...] of the padded input; end padding grows where ceil_mode needs it."""
    rank = len(kernel)
    ends = []
    for i in range(rank):
        reach = (out[i] - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1
        ends.append(max(pads[rank + i], reach - x.shape[2 + i] - pads[i]))
    width = [(0, 0), (0, 0)] + [(pads[i], ends[i]) for i in range(rank)]
    padded = np.pad(x, width, constant_values=fill)
    spans = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True))
    view = np.lib.stride_tricks.sliding_window_view(padded, spans, axis=tuple(range(2, 2 + rank)))
    pick = [slice(None), slice(None)]
    pick += [slice(0, (out[i] - 1) * strides[i] + 1, strides[i]) for i in range(rank)]
    pick += [slice(None, None, dilations[i]) for i in range(rank)]
    return view[tuple(pick)]
