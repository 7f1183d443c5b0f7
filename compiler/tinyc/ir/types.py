# SPDX-License-Identifier: Apache-2.0
"""Element types, quantization parameters and tensor types."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, replace
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class DType(enum.Enum):
    """An element type, with its size in bytes and its type in the generated C.

    INT4 is for weights: NumPy arrays have a byte for each, generated tables are packed where a kernel reads them so.
    """

    FLOAT32 = ("float32", 4, "float")
    FLOAT64 = ("float64", 8, "double")
    FLOAT16 = ("float16", 2, "uint16_t")
    INT4 = ("int4", 1, "int8_t")
    INT8 = ("int8", 1, "int8_t")
    INT16 = ("int16", 2, "int16_t")
    INT32 = ("int32", 4, "int32_t")
    INT64 = ("int64", 8, "int64_t")
    UINT8 = ("uint8", 1, "uint8_t")
    UINT16 = ("uint16", 2, "uint16_t")
    UINT32 = ("uint32", 4, "uint32_t")
    UINT64 = ("uint64", 8, "uint64_t")
    BOOL = ("bool", 1, "uint8_t")
    STRING = ("str", 0, "const char *")

    def __init__(self, label: str, size: int, c_type: str) -> None:
        self.label = label
        self.size = size
        self.c_type = c_type

    @property
    def numpy(self) -> np.dtype[Any]:
        special: dict[DType, Any] = {DType.STRING: object, DType.INT4: ml_dtypes.int4}
        dtype: np.dtype[Any] = np.dtype(special.get(self, self.label))
        return dtype

    @property
    def is_float(self) -> bool:
        return self in (DType.FLOAT32, DType.FLOAT64, DType.FLOAT16)

    @property
    def is_integer(self) -> bool:
        return not self.is_float and self not in (DType.BOOL, DType.STRING)

    @property
    def limits(self) -> tuple[int, int]:
        """Smallest and largest value of an integer type."""
        if self is DType.INT4:
            return -8, 7
        info = np.iinfo(self.numpy)
        return int(info.min), int(info.max)

    @staticmethod
    def of(array: Array) -> DType:
        """The element type of a NumPy array."""
        if array.dtype.kind in "OUS":
            return DType.STRING
        for member in DType:
            if member is not DType.STRING and member.numpy == array.dtype:
                return member
        raise ValueError(f"no element type for {array.dtype}")


@dataclass(frozen=True)
class Quant:
    """Affine quantization: real = (q - zero_point) * scale.

    One scale and zero point for the tensor, or one for each slice along `axis`.
    """

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int | None = None

    @property
    def per_tensor(self) -> bool:
        return len(self.scale) == 1

    def with_axis(self, axis: int | None) -> Quant:
        return replace(self, axis=axis)

    def real(self, stored: Array) -> Array:
        """What integers stored so stand for, float32."""
        scale, zero = self.broadcast(stored.ndim, stored.shape[self.axis] if self.axis is not None else 1)
        return np.asarray((stored.astype(np.int64) - zero).astype(np.float32) * scale, np.float32)

    def broadcast(self, rank: int, extent: int) -> tuple[Array, Array]:
        """(scale float32, zero point int64), shaped to broadcast against a tensor of `rank`."""
        scale, zero = np.array(self.scale, np.float32), np.array(self.zero_point, np.int64)
        if self.axis is None or self.per_tensor:
            return scale.reshape(()), zero.reshape(())
        shape = [1] * rank
        shape[self.axis] = extent
        return scale.reshape(shape), zero.reshape(shape)


@dataclass(frozen=True)
class TensorType:
    """Element type, static shape and, for quantized tensors, the scale of their integers.

    `labels`: the integers are places in this list of strings, -1 for any other string. That is how
    strings exist at run time; DType.STRING is for constants of the front end only.
    """

    dtype: DType
    shape: tuple[int, ...]
    quant: Quant | None = None
    labels: tuple[str, ...] | None = None

    @property
    def elements(self) -> int:
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        return (self.elements + 1) // 2 if self.dtype is DType.INT4 else self.elements * self.dtype.size

    @property
    def rank(self) -> int:
        return len(self.shape)

    def with_shape(self, shape: tuple[int, ...]) -> TensorType:
        return replace(self, shape=tuple(shape))

    def __str__(self) -> str:
        text = f"{self.dtype.label}[{','.join(map(str, self.shape))}]"
        if self.labels is not None:
            return f"{text} labels({len(self.labels)})"
        if self.quant is None:
            return text
        if self.quant.per_tensor:
            return f"{text} q({self.quant.scale[0]:.6g},{self.quant.zero_point[0]})"
        return f"{text} q(axis {self.quant.axis})"
