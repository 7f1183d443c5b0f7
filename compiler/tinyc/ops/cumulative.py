# SPDX-License-Identifier: Apache-2.0
"""CumSum and CumProd: sums and products of all elements up to each, along an axis that may be computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.expect import ExpectAttrs, Values
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Sunk, Types, array, imports, need, register


@dataclass(frozen=True)
class CumulativeAttrs:
    """`axis` counts from 0; None where it is operand 1. `exclusive`: without the element itself."""

    axis: int | None
    exclusive: bool = False
    reverse: bool = False


class _Cumulative(Operator):
    plain_operands = frozenset({1})

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: CumulativeAttrs = node.attrs
        x = need(types[0], "input")
        if not (x.dtype.is_float or x.dtype.is_integer):
            raise ShapeError(f"element type {x.dtype.label} is not supported")
        if a.axis is None:
            axis = need(types[1], "axis")
            if axis.elements != 1 or axis.dtype not in (DType.INT32, DType.INT64) or not x.rank:
                raise ShapeError(f"an axis {axis} of an input {x}")
        elif not 0 <= a.axis < x.rank:
            raise ShapeError(f"axis {a.axis} of an input of rank {x.rank}")
        return [TensorType(x.dtype, x.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: CumulativeAttrs = node.attrs
        x = array(inputs[0])
        axis = int(array(inputs[1]).reshape(-1)[0]) % x.ndim if a.axis is None else a.axis
        product = self.name == "CumProd"
        x = np.flip(x, axis) if a.reverse else x
        with np.errstate(all="ignore"):
            result = (np.cumprod if product else np.cumsum)(x, axis=axis, dtype=x.dtype)
        if a.exclusive:
            shifted = np.full_like(result, 1 if product else 0)
            np.moveaxis(shifted, axis, 0)[1:] = np.moveaxis(result, axis, 0)[:-1]
            result = shifted
        return [np.ascontiguousarray(np.flip(result, axis) if a.reverse else result)]

    def layout_operands(self, node: Node) -> tuple[int, ...]:
        return (0,)

    def through_transpose(
        self, node: Node, perm: tuple[int, ...], types: Types, output: TensorType
    ) -> Sunk | None:
        a: CumulativeAttrs = node.attrs
        return None if a.axis is None else Sunk(CumulativeAttrs(perm[a.axis], a.exclusive, a.reverse), perm)


@register
class CumSum(_Cumulative):
    name = "CumSum"


@register
class CumProd(_Cumulative):
    name = "CumProd"


@imports("CumSum", "CumProd")
def _cumulative(node: Importing) -> Sequence[str]:
    known, rank = node.constant_or_none(1), node.type(0).rank
    exclusive, reverse = bool(node.attributes.get("exclusive", 0)), bool(node.attributes.get("reverse", 0))
    if known is None:
        result = node.emit(node.op_type, CumulativeAttrs(None, exclusive, reverse), [node.input(0), node.input(1)])
        inside = ExpectAttrs(((Values((tuple(range(-rank, rank)),)),),))
        return node.emit("Expect", inside, [*result, node.input(1)])
    axis = int(known.reshape(-1)[0])
    attrs = CumulativeAttrs(axis + rank if axis < 0 else axis, exclusive, reverse)
    return node.emit(node.op_type, attrs, [node.input(0)])
