# SPDX-License-Identifier: Apache-2.0
"""How a layer may be quantized: the element types of its activations and of its weights.

A scheme is a property of a node. Activations of int16 are symmetric; weights of int4 use the 15 values from -7 to 7, as
those of int8 use the 255 from -127 to 127.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyc.ir.types import DType


@dataclass(frozen=True)
class Scheme:
    """`activations`: of what a node reads and gives; `weights`: of a Conv's or Gemm's constant operand."""

    name: str
    activations: DType
    weights: DType

    @property
    def levels(self) -> int:
        """The largest weight."""
        return self.weights.limits[1]


WEIGHTS_ONLY = "weights"  # no scheme of nodes: weights are stored as int8, and everything is computed in float
INT8 = Scheme("int8", DType.INT8, DType.INT8)
INT16X8 = Scheme("int16x8", DType.INT16, DType.INT8)
INT4W = Scheme("int4w", DType.INT8, DType.INT4)
SCHEMES: dict[str, Scheme] = {scheme.name: scheme for scheme in (INT8, INT16X8, INT4W)}
