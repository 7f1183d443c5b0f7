# SPDX-License-Identifier: Apache-2.0
"""Picking and replacing by index: GatherElements, GatherND, ScatterElements, ScatterND."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

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

REDUCTIONS: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "mul": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
}


@dataclass(frozen=True)
class ElementsAttrs:
    """`axis` counts from 0. `reduction`: what a scattered element does to the one there; "none" replaces it."""

    axis: int = 0
    reduction: str = "none"


@dataclass(frozen=True)
class NdAttrs:
    batch_dims: int = 0
    reduction: str = "none"


def check_indices(indices: TensorType, known: Array | None, sizes: Array | int) -> None:
    """Raises ShapeError where the operand is no index, or a constant one lies outside."""
    if indices.dtype not in (DType.INT32, DType.INT64):
        raise ShapeError(f"indices of type {indices.dtype.label}")
    if known is not None and ((known < -np.asarray(sizes)) | (known >= np.asarray(sizes))).any():
        raise ShapeError("an index lies outside")


def _check_reduction(reduction: str, dtype: DType) -> None:
    if reduction != "none" and reduction not in REDUCTIONS:
        raise ShapeError(f"reduction {reduction!r} is unknown")
    if reduction != "none" and not (dtype.is_float or dtype.is_integer):
        raise ShapeError(f"reduction {reduction!r} of {dtype.label}")


class _Picks(Operator):
    """Moves elements of operand 0; operand 1 has indices."""

    keeps_quant = True
    selects = True
    plain_operands = frozenset({1})

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        return None if types[0] and types[0].quant and types[0].quant.per_tensor else "quantized per channel"

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        return self.evaluate(node, inputs, outputs)


@register
class GatherElements(_Picks):
    name = "GatherElements"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x, indices, axis = need(types[0], "data"), need(types[1], "indices"), node.attrs.axis
        if indices.rank != x.rank or not 0 <= axis < x.rank:
            raise ShapeError(f"indices {indices.shape} along axis {axis} of {x.shape}")
        if any(i > d for k, (i, d) in enumerate(zip(indices.shape, x.shape, strict=True)) if k != axis):
            raise ShapeError(f"indices {indices.shape} exceed {x.shape}")
        check_indices(indices, constants[1], x.shape[axis])
        return [TensorType(x.dtype, indices.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        x, axis = array(inputs[0]), node.attrs.axis
        indices = array(inputs[1]).astype(np.int64) % x.shape[axis]
        place = list(np.indices(indices.shape))
        place[axis] = indices
        return [np.asarray(x[tuple(place)])]


@register
class GatherND(_Picks):
    name = "GatherND"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x, indices, batch = need(types[0], "data"), need(types[1], "indices"), node.attrs.batch_dims
        if not indices.rank or not 0 <= batch < min(x.rank, indices.rank):
            raise ShapeError(f"{batch} batch axes of {x.shape} and {indices.shape}")
        depth = indices.shape[-1]
        if x.shape[:batch] != indices.shape[:batch] or not 1 <= depth <= x.rank - batch:
            raise ShapeError(f"indices {indices.shape} into {x.shape} with {batch} batch axes")
        check_indices(indices, constants[1], np.array(x.shape[batch : batch + depth]))
        return [TensorType(x.dtype, (*indices.shape[:-1], *x.shape[batch + depth :]))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        x, indices, batch = array(inputs[0]), array(inputs[1]).astype(np.int64), node.attrs.batch_dims
        result = np.empty(outputs[0].shape, x.dtype)
        for place in np.ndindex(*indices.shape[:-1]):
            result[place] = x[(*place[:batch], *indices[place])]
        return [result]


class _Scatters(Operator):
    """Operands: data, indices, updates; the result is the data with the updates in it."""

    plain_operands = frozenset({1})


@register
class ScatterElements(_Scatters):
    name = "ScatterElements"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x, indices, updates = (need(types[k], w) for k, w in enumerate(("data", "indices", "updates")))
        axis = node.attrs.axis
        if indices.rank != x.rank or not 0 <= axis < x.rank or updates.shape != indices.shape:
            raise ShapeError(f"indices {indices.shape}, updates {updates.shape}, axis {axis} of {x.shape}")
        if any(i > d for k, (i, d) in enumerate(zip(indices.shape, x.shape, strict=True)) if k != axis):
            raise ShapeError(f"indices {indices.shape} exceed {x.shape}")
        if updates.dtype is not x.dtype:
            raise ShapeError(f"updates of {updates.dtype.label} for data of {x.dtype.label}")
        _check_reduction(node.attrs.reduction, x.dtype)
        check_indices(indices, constants[1], x.shape[axis])
        return [TensorType(x.dtype, x.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        result, axis = array(inputs[0]).copy(), node.attrs.axis
        indices, updates = array(inputs[1]).astype(np.int64), array(inputs[2])
        for place in np.ndindex(*indices.shape):
            target = (*place[:axis], indices[place], *place[axis + 1 :])
            _put(result, target, updates[place], node.attrs.reduction)
        return [result]


@register
class ScatterND(_Scatters):
    name = "ScatterND"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x, indices, updates = (need(types[k], w) for k, w in enumerate(("data", "indices", "updates")))
        if not indices.rank or not 1 <= indices.shape[-1] <= x.rank:
            raise ShapeError(f"indices {indices.shape} into {x.shape}")
        wanted = (*indices.shape[:-1], *x.shape[indices.shape[-1] :])
        if updates.shape != wanted or updates.dtype is not x.dtype:
            raise ShapeError(f"updates {updates}, not {x.dtype.label}{list(wanted)}")
        _check_reduction(node.attrs.reduction, x.dtype)
        check_indices(indices, constants[1], np.array(x.shape[: indices.shape[-1]]))
        return [TensorType(x.dtype, x.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        result = array(inputs[0]).copy()
        indices, updates = array(inputs[1]).astype(np.int64), array(inputs[2])
        for place in np.ndindex(*indices.shape[:-1]):
            _put(result, tuple(indices[place]), updates[place], node.attrs.reduction)
        return [result]


def _put(result: Array, target: tuple[Any, ...], update: Any, reduction: str) -> None:
    with np.errstate(all="ignore"):
        result[target] = update if reduction == "none" else REDUCTIONS[reduction](result[target], update)


@imports("GatherElements", "ScatterElements", "Scatter")
def _elements(node: Importing) -> Sequence[str]:
    rank = node.type(0).rank
    axis = int(node.attributes.get("axis", 0))
    attrs = ElementsAttrs(axis + rank if axis < 0 else axis, node.attributes.get("reduction", "none"))
    if node.op_type == "GatherElements":
        return node.emit("GatherElements", attrs, [node.input(0), node.input(1)])
    return node.emit("ScatterElements", attrs, [node.input(0), node.input(1), node.input(2)])


@imports("GatherND")
def _gather_nd(node: Importing) -> Sequence[str]:
    attrs = NdAttrs(int(node.attributes.get("batch_dims", 0)))
    return node.emit("GatherND", attrs, [node.input(0), node.input(1)])


@imports("ScatterND")
def _scatter_nd(node: Importing) -> Sequence[str]:
    attrs = NdAttrs(0, node.attributes.get("reduction", "none"))
    return node.emit("ScatterND", attrs, [node.input(0), node.input(1), node.input(2)])
