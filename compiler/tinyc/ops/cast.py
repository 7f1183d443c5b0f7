# SPDX-License-Identifier: Apache-2.0
"""Cast: another element type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import (
    Arrays,
    Importing,
    Operator,
    ShapeError,
    Types,
    array,
    imports,
    need,
    register,
)


@dataclass(frozen=True)
class CastAttrs:
    dtype: DType


@register
class Cast(Operator):
    """Float to integer truncates and wraps as C does where it fits; to bool is "not zero"."""

    name = "Cast"
    elementwise = True

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x = need(types[0], "input")
        if DType.STRING in (x.dtype, node.attrs.dtype):
            raise ShapeError("strings cannot be converted")
        return [TensorType(node.attrs.dtype, x.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        with np.errstate(all="ignore"):
            return [array(inputs[0]).astype(node.attrs.dtype.numpy)]


@imports("Cast")
def _cast(node: Importing) -> Sequence[str]:
    to = node.attributes["to"]  # a name before opset 6
    dtype = node.dtype(to if isinstance(to, str) else int(to))
    return (
        [node.input(0)]
        if node.type(0).dtype is dtype
        else node.emit("Cast", CastAttrs(dtype), [node.input(0)])
    )


@imports("CastLike")
def _cast_like(node: Importing) -> Sequence[str]:
    dtype = node.type(1).dtype
    return (
        [node.input(0)]
        if node.type(0).dtype is dtype
        else node.emit("Cast", CastAttrs(dtype), [node.input(0)])
    )
