# SPDX-License-Identifier: Apache-2.0
"""RoiAlign: regions of an image, each brought to one size by averages or maxima of bilinear samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Types, array, imports, need, register


@dataclass(frozen=True)
class RoiAlignAttrs:
    """`samples` along each axis of an element of the result; 0 for as many as it covers pixels."""

    height: int
    width: int
    samples: int = 0
    scale: float = 1.0
    half_pixel: bool = True
    maximum: bool = False


@register
class RoiAlign(Operator):
    """Operands: x [N,C,H,W], regions [R,4] as x1, y1, x2, y2, and for each the index of its image."""

    name = "RoiAlign"
    plain_operands = frozenset({2})

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: RoiAlignAttrs = node.attrs
        x, rois, batch = (need(types[k], w) for k, w in enumerate(("input", "regions", "batch indices")))
        if x.rank != 4 or 0 in x.shape or rois.rank != 2 or rois.shape[1] != 4 or batch.shape != rois.shape[:1]:
            raise ShapeError(f"regions {rois.shape} with indices {batch.shape} of an input {x.shape}")
        if not x.dtype.is_float or rois.dtype is not x.dtype or batch.dtype is not DType.INT64:
            raise ShapeError(f"element types of {x}, {rois} and {batch}")
        if min(a.height, a.width) < 1 or a.samples < 0:
            raise ShapeError(f"{a.height}x{a.width} elements of {a.samples} samples")
        known = constants[2]
        if known is not None and known.size and not 0 <= known.min() <= known.max() < x.shape[0]:
            raise ShapeError("the index of an image lies outside")
        return [TensorType(x.dtype, (rois.shape[0], x.shape[1], a.height, a.width))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: RoiAlignAttrs = node.attrs
        x, rois = array(inputs[0]).astype(np.float64), array(inputs[1]).astype(np.float64)
        images = np.clip(array(inputs[2]), 0, x.shape[0] - 1)
        result = np.zeros(outputs[0].shape)
        for r, (left, top, right, bottom) in enumerate(rois * a.scale - (0.5 if a.half_pixel else 0.0)):
            high, wide = bottom - top, right - left
            if not a.half_pixel:
                high, wide = max(high, 1.0), max(wide, 1.0)
            rows, columns = _taps(top, high, a.height, a.samples, x.shape[2]), _taps(
                left, wide, a.width, a.samples, x.shape[3])
            image = x[images[r]]
            for ph, pw in np.ndindex(a.height, a.width):
                terms = [[wy * wx * image[:, y, v] for y, wy in ys for v, wx in xs]
                         for ys in rows[ph] for xs in columns[pw]]
                if not terms:
                    continue
                stacked = np.array([t if t else [np.zeros(x.shape[1])] * 4 for t in terms])
                if a.maximum:
                    result[r, :, ph, pw] = stacked.max((0, 1))
                else:
                    result[r, :, ph, pw] = stacked.sum((0, 1)) / max(1, len(terms))
        return [result.astype(outputs[0].dtype.numpy)]


def _taps(start: float, size: float, count: int, samples: int, extent: int) -> list[list[list[tuple[int, float]]]]:
    """For each element of the result, for each sample, the two pixels with their weights; none far outside."""
    grid = samples or math.ceil(size / count)
    result = []
    for p in range(count):
        own: list[list[tuple[int, float]]] = []
        for k in range(grid):
            at = start + p * size / count + (k + 0.5) * size / count / grid
            if at < -1.0 or at > extent:
                own.append([])
                continue
            at = max(at, 0.0)
            low = min(int(at), extent - 1)
            f = 0.0 if low >= extent - 1 else at - low
            own.append([(low, 1.0 - f), (min(low + 1, extent - 1), f)])
        result.append(own)
    return result


@imports("RoiAlign")
def _roi_align(node: Importing) -> Sequence[str]:
    mode = node.attributes.get("mode", "avg")
    half = node.attributes.get("coordinate_transformation_mode",
                               "half_pixel" if node.opset >= 16 else "output_half_pixel")
    if mode not in ("avg", "max") or half not in ("half_pixel", "output_half_pixel"):
        raise node.fail(f"mode {mode!r}, {half!r}")
    attrs = RoiAlignAttrs(int(node.attributes.get("output_height", 1)), int(node.attributes.get("output_width", 1)),
                          int(node.attributes.get("sampling_ratio", 0)),
                          float(node.attributes.get("spatial_scale", 1.0)), half == "half_pixel", mode == "max")
    return node.emit("RoiAlign", attrs, [node.input(0), node.input(1), node.input(2)])
