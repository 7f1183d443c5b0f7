# SPDX-License-Identifier: Apache-2.0
"""DFT and STFT: discrete Fourier transforms of one axis, and of windowed frames of a signal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, TensorType
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Types, array, imports, need, register
from tinyc.ops.view import ReshapeAttrs


@dataclass(frozen=True)
class DftAttrs:
    """Of `length` elements along `axis`, zeros added or the end left out. `onesided`: the half that determines all."""

    axis: int
    length: int
    inverse: bool = False
    onesided: bool = False


@dataclass(frozen=True)
class StftAttrs:
    """Frames of `length` elements, each `step` behind the one before."""

    length: int
    step: int
    onesided: bool = True


def bins(length: int, onesided: bool) -> int:
    return length // 2 + 1 if onesided else length


def _complex(x: Array) -> Array:
    """Real (last axis 1) or interleaved (2) as complex numbers, without the last axis."""
    wide = x.astype(np.float64)
    return wide[..., 0] + (1j * wide[..., 1] if x.shape[-1] == 2 else 0)


def _interleaved(z: Array) -> Array:
    return np.stack([z.real, z.imag], -1)


@register
class DFT(Operator):
    """x [..., n, ..., 1 or 2]; the result has a last axis of 2, or of 1 for the inverse of a half."""

    name = "DFT"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: DftAttrs = node.attrs
        x = need(types[0], "input")
        if x.rank < 2 or x.shape[-1] not in (1, 2) or not x.dtype.is_float or not 0 <= a.axis < x.rank - 1:
            raise ShapeError(f"axis {a.axis} of an input {x}")
        if a.length < 1 or not x.shape[a.axis]:
            raise ShapeError(f"a transform of length {a.length} of {x.shape}")
        if a.inverse and a.onesided and x.shape[-1] != 2:
            raise ShapeError("the inverse of a half needs complex numbers")
        extent = a.length if a.inverse else bins(a.length, a.onesided)
        last = 1 if a.inverse and a.onesided else 2
        return [TensorType(x.dtype, (*x.shape[: a.axis], extent, *x.shape[a.axis + 1 : -1], last))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: DftAttrs = node.attrs
        z = _complex(array(inputs[0]))
        if a.inverse and a.onesided:
            result = np.fft.irfft(z, a.length, a.axis)[..., None]
        elif a.inverse:
            result = _interleaved(np.fft.ifft(z, a.length, a.axis))
        else:
            full = np.fft.fft(z, a.length, a.axis)
            result = _interleaved(np.take(full, np.arange(bins(a.length, a.onesided)), axis=a.axis))
        return [result.astype(outputs[0].dtype.numpy)]


@register
class STFT(Operator):
    """Operands: signal [batch, n, 1 or 2], window [length] or none. The result is [batch, frames, bins, 2]."""

    name = "STFT"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: StftAttrs = node.attrs
        x = need(types[0], "signal")
        if x.rank != 3 or x.shape[-1] not in (1, 2) or not x.dtype.is_float:
            raise ShapeError(f"a signal {x}")
        if a.step < 1 or not 1 <= a.length <= x.shape[1]:
            raise ShapeError(f"frames of {a.length} each {a.step} in a signal of {x.shape[1]}")
        if a.onesided and x.shape[-1] != 1:
            raise ShapeError("one side of the transform of a complex signal")
        if len(types) > 1 and types[1] is not None and (types[1].shape != (a.length,) or types[1].dtype is not x.dtype):
            raise ShapeError(f"a window {types[1]} for frames of {a.length}")
        frames = (x.shape[1] - a.length) // a.step + 1
        return [TensorType(x.dtype, (x.shape[0], frames, bins(a.length, a.onesided), 2))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: StftAttrs = node.attrs
        z = _complex(array(inputs[0]))
        frames = np.lib.stride_tricks.sliding_window_view(z, a.length, axis=1)[:, :: a.step]
        if len(inputs) > 1 and inputs[1] is not None:
            frames = frames * inputs[1].astype(np.float64)
        full = np.fft.fft(frames)[..., : bins(a.length, a.onesided)]
        return [_interleaved(full).astype(outputs[0].dtype.numpy)]


@imports("DFT")
def _dft(node: Importing) -> Sequence[str]:
    x = node.type(0)
    if node.opset >= 20:
        axis = int(node.constant(2, "axis").reshape(-1)[0]) if node.has(2) else -2
    else:
        axis = int(node.attributes.get("axis", 1))
    axis += x.rank if axis < 0 else 0
    inverse, onesided = (bool(node.attributes.get(k, 0)) for k in ("inverse", "onesided"))
    if not 0 <= axis < x.rank - 1:
        raise ShapeError(f"axis {axis} of an input {x}")
    length = 2 * (x.shape[axis] - 1) if inverse and onesided else x.shape[axis]
    if node.has(1):
        length = int(node.constant(1, "dft_length").reshape(-1)[0])
    return node.emit("DFT", DftAttrs(axis, length, inverse, onesided), [node.input(0)])


@imports("STFT")
def _stft(node: Importing) -> Sequence[str]:
    step = int(node.constant(1, "frame_step").reshape(-1)[0])
    if node.has(3):
        length = int(node.constant(3, "frame_length").reshape(-1)[0])
    elif node.has(2):
        length = node.type(2).elements
    else:
        raise node.fail("neither window nor frame_length is given")
    signal = node.input(0)
    if node.type(0).rank == 2:
        signal = node.emit("Reshape", ReshapeAttrs((*node.type(0).shape, 1)), [signal])[0]
    attrs = StftAttrs(length, step, bool(node.attributes.get("onesided", 1)))
    return node.emit("STFT", attrs, [signal, *([node.input(2)] if node.has(2) else [])])
