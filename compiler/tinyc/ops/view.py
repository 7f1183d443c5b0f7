# SPDX-License-Identifier: Apache-2.0
"""Reshape: the same bytes under another shape. Flatten, Squeeze and Unsqueeze become this too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, TensorType
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Types, array, imports, need, register


@dataclass(frozen=True)
class ReshapeAttrs:
    shape: tuple[int, ...]


@register
class Reshape(Operator):
    name = "Reshape"
    keeps_quant = True
    is_view = True

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: ReshapeAttrs = node.attrs
        x = need(types[0], "input")
        if math.prod(a.shape) != x.elements:
            raise ShapeError(f"{x.shape} cannot become {a.shape}")
        return [TensorType(x.dtype, a.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        return [array(inputs[0]).reshape(node.attrs.shape)]

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        return None if types[0] and types[0].quant and types[0].quant.per_tensor else "quantized per channel"

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        return self.evaluate(node, inputs, outputs)


def reshape_to(node: Importing, shape: Sequence[int]) -> Sequence[str]:
    return node.emit("Reshape", ReshapeAttrs(tuple(int(d) for d in shape)), [node.input(0)])


def normalized_axes(node: Importing, axes: Sequence[int], rank: int) -> list[int]:
    """Axes made non-negative; an error where one is out of range or given twice."""
    result = [int(a) + rank if a < 0 else int(a) for a in axes]
    if any(not 0 <= a < rank for a in result) or len(set(result)) != len(result):
        raise node.fail(f"axes {list(axes)} do not fit rank {rank}")
    return sorted(result)


@imports("Reshape")
def _reshape(node: Importing) -> Sequence[str]:
    x = node.type(0)
    wanted = node.attributes["shape"] if node.opset < 5 else node.constant(1, "shape").tolist()
    keep_zero = bool(node.attributes.get("allowzero", 0))
    shape = [x.shape[i] if d == 0 and not keep_zero and i < x.rank else int(d) for i, d in enumerate(wanted)]
    if shape.count(-1) == 1:
        known = math.prod(d for d in shape if d != -1)
        shape[shape.index(-1)] = x.elements // known if known else 0
    if min(shape, default=1) < 0 or math.prod(shape) != x.elements:
        raise node.fail(f"shape {list(wanted)} does not fit an input of shape {list(x.shape)}")
    return reshape_to(node, shape)


@imports("Flatten")
def _flatten(node: Importing) -> Sequence[str]:
    shape = node.type(0).shape
    axis = int(node.attributes.get("axis", 1))
    axis += len(shape) if axis < 0 else 0
    return reshape_to(node, (math.prod(shape[:axis]), math.prod(shape[axis:])))


@imports("Squeeze")
def _squeeze(node: Importing) -> Sequence[str]:
    shape = node.type(0).shape
    if node.opset >= 13:
        axes = node.constant(1, "axes").reshape(-1).tolist() if node.has(1) else None
    else:
        axes = node.attributes.get("axes")
    drop = [i for i, d in enumerate(shape) if d == 1] if axes is None else normalized_axes(node, axes, len(shape))
    if any(shape[i] != 1 for i in drop):
        raise node.fail(f"an axis of {axes} is not 1 in {list(shape)}")
    return reshape_to(node, [d for i, d in enumerate(shape) if i not in drop])


@imports("Unsqueeze")
def _unsqueeze(node: Importing) -> Sequence[str]:
    axes = (node.constant(1, "axes").reshape(-1).tolist() if node.opset >= 13 else node.attributes["axes"])
    rest = list(node.type(0).shape)
    for axis in normalized_axes(node, axes, len(rest) + len(axes)):
        rest.insert(axis, 1)
    return reshape_to(node, rest)


@imports("Identity", "Dropout")
def _identity(node: Importing) -> Sequence[str]:
    if len([o for o in node.outputs if o]) > 1:
        raise node.fail("Dropout with a mask output", "export the model in inference mode")
    return [node.input(0)]


__all__ = ["Reshape", "ReshapeAttrs", "normalized_axes", "reshape_to"]
