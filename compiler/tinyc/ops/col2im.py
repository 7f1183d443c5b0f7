# SPDX-License-Identifier: Apache-2.0
"""Col2Im: columns of blocks added up to an image; CenterCropPad: an image cut or padded alike on both sides."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, TensorType
from tinyc.ops.pad import PadAttrs
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Types, array, imports, need, register
from tinyc.ops.spatial import output_extents, window_attributes


@dataclass(frozen=True)
class Col2ImAttrs:
    image: tuple[int, ...]
    block: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[int, ...]

    @property
    def blocks(self) -> tuple[int, ...]:
        """How many blocks there are along each axis."""
        return output_extents(self.image, self.block, self.strides, self.dilations, self.pads)


@register
class Col2Im(Operator):
    """[N, C * elements of a block, blocks] to [N, C, image...]."""

    name = "Col2Im"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: Col2ImAttrs = node.attrs
        x = need(types[0], "input")
        size = math.prod(a.block)
        if x.rank != 3 or min(a.image) < 1 or x.shape[1] % size or x.shape[2] != math.prod(a.blocks):
            raise ShapeError(f"{x.shape} as {a.blocks} blocks of {a.block}")
        if not (x.dtype.is_float or x.dtype.is_integer):
            raise ShapeError(f"element type {x.dtype.label} is not supported")
        return [TensorType(x.dtype, (x.shape[0], x.shape[1] // size, *a.image))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: Col2ImAttrs = node.attrs
        rank, x = len(a.image), array(inputs[0])
        n, channels = outputs[0].shape[:2]
        parts = x.reshape(n, channels, math.prod(a.block), *a.blocks)
        reach = [(b - 1) * s + (k - 1) * d + 1
                 for b, s, k, d in zip(a.blocks, a.strides, a.block, a.dilations, strict=True)]
        wide = [max(r, i + a.pads[k]) for k, (r, i) in enumerate(zip(reach, a.image, strict=True))]
        total = np.zeros((n, channels, *wide), np.float64 if x.dtype.kind == "f" else x.dtype)
        for flat, tap in enumerate(itertools.product(*(range(k) for k in a.block))):
            place = tuple(slice(t * d, t * d + (b - 1) * s + 1, s)
                          for t, d, b, s in zip(tap, a.dilations, a.blocks, a.strides, strict=True))
            total[(slice(None), slice(None), *place)] += parts[:, :, flat]
        cut = tuple(slice(a.pads[k], a.pads[k] + a.image[k]) for k in range(rank))
        return [np.ascontiguousarray(total[(slice(None), slice(None), *cut)]).astype(x.dtype)]


@imports("Col2Im")
def _col2im(node: Importing) -> Sequence[str]:
    image, block = (tuple(int(v) for v in node.constant(k, what).reshape(-1))
                    for k, what in ((1, "image_shape"), (2, "block_shape")))
    strides, dilations, pads = window_attributes(node.attributes, block, image)
    return node.emit("Col2Im", Col2ImAttrs(image, block, strides, dilations, pads), [node.input(0)])


@imports("CenterCropPad")
def _center_crop_pad(node: Importing) -> Sequence[str]:
    """A Pad whose amounts are negative where it crops."""
    shape = node.type(0).shape
    rank = len(shape)
    axes = [int(a) + rank * (a < 0) for a in node.attributes.get("axes", range(rank))]
    wanted = [int(d) for d in node.constant(1, "shape").reshape(-1)]
    if len(wanted) != len(axes) or len(set(axes)) != len(axes) or not all(0 <= a < rank for a in axes):
        raise ShapeError(f"a shape {wanted} for axes {axes} of {shape}")
    pads = [0] * (2 * rank)
    for axis, target in zip(axes, wanted, strict=True):
        if target < 0:
            raise ShapeError(f"a shape {wanted}")
        missing = abs(target - shape[axis])
        sign = 1 if target > shape[axis] else -1
        pads[axis], pads[rank + axis] = sign * (missing // 2), sign * (missing - missing // 2)
    if not any(pads):
        return [node.input(0)]
    return node.emit("Pad", PadAttrs(tuple(pads)), [node.input(0)])
