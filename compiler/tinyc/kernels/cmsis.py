# SPDX-License-Identifier: Apache-2.0
"""CMSIS-NN's structs as Program arguments."""

from __future__ import annotations

from collections.abc import Sequence

from tinyc.backend.program import Field, Null, Pointer, Struct
from tinyc.ir.types import TensorType
from tinyc.kernels.base import Builder
from tinyc.ops.registry import scale_zero
from tinyc.quantize.numbers import clamp_limits


def dims(n: int, h: int, w: int, c: int) -> Struct:
    return Struct("cmsis_nn_dims", (("n", n), ("h", h), ("w", w), ("c", c)))


def dims_of(shape: Sequence[int]) -> Struct:
    """NHWC dimensions of a 4-D shape."""
    n, h, w, c = shape
    return dims(n, h, w, c)


def tile(h: int, w: int) -> Struct:
    return Struct("cmsis_nn_tile", (("w", w), ("h", h)))


def context(scratch: Pointer | None, size: int) -> Struct:
    buffer: Field = Null() if scratch is None or size == 0 else scratch
    return Struct("cmsis_nn_context", (("buf", buffer), ("size", size)))


def activation(clamp: tuple[float, float] | None, output: TensorType) -> Struct:
    low, high = clamp_limits(clamp, *scale_zero(output), output.dtype.limits)
    return Struct("cmsis_nn_activation", (("min", low), ("max", high)))


def per_channel(build: Builder, multiplier: Pointer, shift: Pointer) -> Struct:
    return Struct(
        "cmsis_nn_per_channel_quant_params",
        (("multiplier", Pointer(multiplier.buffer, 0, "int32_t *")), ("shift", Pointer(shift.buffer, 0, "int32_t *"))),
    )
