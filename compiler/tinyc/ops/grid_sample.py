# SPDX-License-Identifier: Apache-2.0
"""GridSample: an image read at places that another tensor gives; AffineGrid: such places from a matrix."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, TensorType
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Sunk, Types, array, imports, need, register

CUBIC = -0.75
MODES = {"nearest": "nearest", "linear": "linear", "bilinear": "linear", "cubic": "cubic", "bicubic": "cubic"}


@dataclass(frozen=True)
class GridSampleAttrs:
    """`padding`: zeros, border or reflection. `last`: channels-last."""

    mode: str = "linear"
    padding: str = "zeros"
    align_corners: bool = False
    last: bool = False


def cubic_weights(f: Array) -> list[Array]:
    """Weights of the elements at -1, 0, 1 and 2 for a place `f` behind the one at 0."""
    a = CUBIC
    near = [((a + 2) * t - (a + 3)) * t * t + 1 for t in (f, 1 - f)]
    far = [((a * t - 5 * a) * t + 8 * a) * t - 4 * a for t in (f + 1, 2 - f)]
    return [far[0], near[0], near[1], far[1]]


def _reflected(x: Array, low: float, high: float) -> Array:
    """Places mirrored at the borders until they lie inside."""
    span = high - low
    if span <= 0:
        return np.full_like(x, low)
    t = np.mod(x - low, 2 * span)
    return np.asarray(low + np.where(t > span, 2 * span - t, t))


@register
class GridSample(Operator):
    """Operands: x [N,C,spatial...], grid [N,out...,rank] with the last spatial axis first."""

    name = "GridSample"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: GridSampleAttrs = node.attrs
        x, grid = need(types[0], "input"), need(types[1], "grid")
        rank = x.rank - 2
        if rank < 1 or grid.rank != x.rank or grid.shape[0] != x.shape[0] or grid.shape[-1] != rank:
            raise ShapeError(f"a grid {grid.shape} for an input {x.shape}")
        if not x.dtype.is_float or not grid.dtype.is_float:
            raise ShapeError(f"an input {x}, a grid {grid}")
        if 0 in x.shape[1:]:
            raise ShapeError(f"an empty input {x.shape}")
        out = grid.shape[1:-1]
        shape = (x.shape[0], *out, x.shape[-1]) if a.last else (*x.shape[:2], *out)
        return [TensorType(x.dtype, shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: GridSampleAttrs = node.attrs
        x = np.moveaxis(array(inputs[0]), -1, 1) if a.last else array(inputs[0])
        grid = array(inputs[1]).astype(np.float64)
        extents = x.shape[2:]
        rank = len(extents)
        axes = [self._taps(a, grid[..., rank - 1 - k], extents[k]) for k in range(rank)]
        batch = np.arange(x.shape[0]).reshape(-1, *[1] * rank)
        total = np.zeros((x.shape[0], *grid.shape[1:-1], x.shape[1]))
        channels = np.moveaxis(x, 1, -1).astype(np.float64)
        for taps in itertools.product(*axes):
            weight = np.ones(grid.shape[:-1])
            for _, w in taps:
                weight = weight * w
            total += weight[..., None] * channels[(batch, *(i for i, _ in taps))]
        return [np.ascontiguousarray(total if a.last else np.moveaxis(total, -1, 1)).astype(x.dtype)]

    def _taps(self, a: GridSampleAttrs, grid: Array, size: int) -> list[tuple[Array, Array]]:
        """(index, weight) of each element along an axis that makes one of the result."""
        x = (grid + 1) / 2 * (size - 1) if a.align_corners else ((grid + 1) * size - 1) / 2
        low, high = (0.0, size - 1.0) if a.align_corners else (-0.5, size - 0.5)
        x = np.rint(x) if a.mode == "nearest" else x
        if a.padding == "border" and a.mode != "cubic":  # cubic's taps are moved to the border one by one
            x = np.clip(x, 0, size - 1)
        elif a.padding == "reflection":
            x = _reflected(x, low, high)
        x = np.clip(np.where(np.isnan(x), -3.0, x), -3.0, size + 2.0)  # farther away makes no difference
        first = np.floor(x + (0.25 if a.mode == "nearest" else 0)).astype(np.int64)
        f = x - first
        if a.mode == "nearest":
            taps = [(first, np.ones_like(x))]
        elif a.mode == "linear":
            taps = [(first, 1 - f), (first + 1, f)]
        else:
            taps = list(zip((first - 1, first, first + 1, first + 2), cubic_weights(f), strict=True))
        result = []
        for index, weight in taps:
            if a.padding == "zeros":
                weight = np.where((index >= 0) & (index < size), weight, 0)
            elif a.padding == "reflection":
                index = np.rint(_reflected(index.astype(np.float64), low, high)).astype(np.int64)
            result.append((np.clip(index, 0, size - 1), weight))
        return result

    def layout_operands(self, node: Node) -> tuple[int, ...]:
        return (0,)

    def through_transpose(
        self, node: Node, perm: tuple[int, ...], types: Types, output: TensorType
    ) -> Sunk | None:
        rank = len(perm)
        to_first = (0, rank - 1, *range(1, rank - 1))
        if node.attrs.last or perm != to_first:
            return None
        return Sunk(replace(node.attrs, last=True), perm)


@imports("GridSample")
def _grid_sample(node: Importing) -> Sequence[str]:
    mode = node.attributes.get("mode", "linear")
    padding = node.attributes.get("padding_mode", "zeros")
    if mode not in MODES or padding not in ("zeros", "border", "reflection"):
        raise node.fail(f"mode {mode!r} with padding {padding!r}")
    attrs = GridSampleAttrs(MODES[mode], padding, bool(node.attributes.get("align_corners", 0)))
    return node.emit("GridSample", attrs, [node.input(0), node.input(1)])


@dataclass(frozen=True)
class AffineGridAttrs:
    """`size`: the spatial extents of the image that the grid is for."""

    size: tuple[int, ...]
    align_corners: bool = False


@register
class AffineGrid(Operator):
    """theta [N,rank,rank+1] times the homogeneous places of the pixels, the last spatial axis first."""

    name = "AffineGrid"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: AffineGridAttrs = node.attrs
        theta = need(types[0], "theta")
        rank = len(a.size)
        if theta.rank != 3 or theta.shape[1:] != (rank, rank + 1) or not theta.dtype.is_float or min(a.size) < 1:
            raise ShapeError(f"theta {theta} for a grid of {a.size}")
        return [TensorType(theta.dtype, (theta.shape[0], *a.size, rank))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: AffineGridAttrs = node.attrs
        theta = array(inputs[0]).astype(np.float64)
        axes = [np.array([place(k, size, a.align_corners) for k in range(size)]) for size in a.size]
        grid = np.stack([*np.meshgrid(*axes, indexing="ij")[::-1], np.ones(a.size)], -1)
        return [np.einsum("...j,nij->n...i", grid, theta).astype(outputs[0].dtype.numpy)]


def place(k: int, size: int, align_corners: bool) -> float:
    """Pixel k of `size` between -1 and 1."""
    if align_corners:
        return -1.0 + 2.0 * k / (size - 1) if size > 1 else -1.0
    return (2.0 * k + 1.0) / size - 1.0


@imports("AffineGrid")
def _affine_grid(node: Importing) -> Sequence[str]:
    size = [int(d) for d in node.constant(1, "size").reshape(-1)]
    if len(size) not in (4, 5) or size[0] != node.type(0).shape[0] or math.prod(size) < 1:
        raise ShapeError(f"a grid for a shape {size}")
    return node.emit("AffineGrid", AffineGridAttrs(tuple(size[2:]), bool(node.attributes.get("align_corners", 0))),
                     [node.input(0)])
