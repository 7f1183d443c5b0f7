# SPDX-License-Identifier: Apache-2.0
"""DeformConv: a convolution over two axes whose taps lie where another tensor moves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, TensorType
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Types, array, imports, need, register
from tinyc.ops.spatial import output_extents, window_attributes


@dataclass(frozen=True)
class DeformConvAttrs:
    """`moved`: groups of input channels, each with offsets of its own."""

    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[int, ...]
    group: int = 1
    moved: int = 1


@register
class DeformConv(Operator):
    """Operands: x [N,C,H,W], weights [O,C/g,kh,kw], offsets [N, moved*kh*kw*2, oh, ow], bias [O] or "", mask or "".

    The mask [N, moved*kh*kw, oh, ow] is a factor of each tap. Places outside the image count as 0.
    """

    name = "DeformConv"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: DeformConvAttrs = node.attrs
        x, w, offset = (need(types[k], what) for k, what in enumerate(("input", "weights", "offsets")))
        if x.rank != 4 or w.rank != 4 or not x.dtype.is_float or 0 in x.shape:
            raise ShapeError(f"input {x} with weights {w}: only two spatial axes are supported")
        if min(a.group, a.moved) < 1 or x.shape[1] != w.shape[1] * a.group or w.shape[0] % a.group:
            raise ShapeError(f"{x.shape[1]} channels in {a.group} groups do not fit weights {w.shape}")
        out = output_extents(x.shape[2:], w.shape[2:], a.strides, a.dilations, a.pads)
        taps = a.moved * w.shape[2] * w.shape[3]
        if x.shape[1] % a.moved or offset.shape != (x.shape[0], 2 * taps, *out):
            raise ShapeError(f"offsets {offset.shape} for a result of {out}")
        bias, mask = (types[k] if len(types) > k else None for k in (3, 4))
        if bias is not None and bias.shape != (w.shape[0],):
            raise ShapeError(f"bias {bias.shape} for {w.shape[0]} output channels")
        if mask is not None and mask.shape != (x.shape[0], taps, *out):
            raise ShapeError(f"a mask {mask.shape} for a result of {out}")
        return [TensorType(x.dtype, (x.shape[0], w.shape[0], *out))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: DeformConvAttrs = node.attrs
        x, w, offset = (array(i).astype(np.float64) for i in inputs[:3])
        kh, kw = w.shape[2:]
        n, o, oh, ow = outputs[0].shape
        offset = offset.reshape(n, a.moved, kh, kw, 2, oh, ow)
        mask = np.ones((n, a.moved, kh, kw, oh, ow))
        if len(inputs) > 4 and inputs[4] is not None:
            mask = inputs[4].astype(np.float64).reshape(mask.shape)
        columns = np.zeros((n, x.shape[1], kh, kw, oh, ow))
        share = x.shape[1] // a.moved
        for b, c, ky, kx in np.ndindex(n, x.shape[1], kh, kw):
            m = c // share
            y = (np.arange(oh) * a.strides[0] - a.pads[0] + ky * a.dilations[0])[:, None] + offset[b, m, ky, kx, 0]
            v = (np.arange(ow) * a.strides[1] - a.pads[1] + kx * a.dilations[1])[None, :] + offset[b, m, ky, kx, 1]
            columns[b, c, ky, kx] = _bilinear(x[b, c], y, v) * mask[b, m, ky, kx]
        per, outs = w.shape[1], o // a.group
        result = np.zeros((n, o, oh, ow))
        for g in range(a.group):
            part = columns[:, g * per : (g + 1) * per]
            result[:, g * outs : (g + 1) * outs] = np.einsum("ncklhw,ockl->nohw", part, w[g * outs : (g + 1) * outs])
        if len(inputs) > 3 and inputs[3] is not None:
            result += inputs[3].astype(np.float64).reshape(1, -1, 1, 1)
        return [result.astype(outputs[0].dtype.numpy)]

    def macs(self, node: Node, types: Types, outputs: Sequence[TensorType]) -> int:
        w = need(types[1], "weights")
        return outputs[0].elements * (w.elements // w.shape[0])


def _bilinear(image: Array, y: Array, x: Array) -> Array:
    """Values between pixels, 0 outside."""
    y0, x0 = np.floor(y), np.floor(x)
    total = np.zeros(y.shape)
    for dy, dx in np.ndindex(2, 2):
        row, column = y0 + dy, x0 + dx
        weight = (1 - np.abs(y - row)) * (1 - np.abs(x - column))
        inside = (row >= 0) & (row < image.shape[0]) & (column >= 0) & (column < image.shape[1])
        place = (np.where(inside, row, 0).astype(int), np.where(inside, column, 0).astype(int))
        total += np.where(inside, weight * image[place], 0)
    return total


@imports("DeformConv")
def _deform_conv(node: Importing) -> Sequence[str]:
    x, w = node.type(0), node.type(1)
    strides, dilations, pads = window_attributes(node.attributes, w.shape[2:], x.shape[2:])
    attrs = DeformConvAttrs(strides, dilations, pads, int(node.attributes.get("group", 1)),
                            int(node.attributes.get("offset_group", 1)))
    return node.emit("DeformConv", attrs, [node.input(k) for k in range(5)])
