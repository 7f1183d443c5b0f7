# SPDX-License-Identifier: Apache-2.0
"""Reshape: the same bytes under another shape. Flatten, Squeeze and Unsqueeze become this too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, TensorType
from tinyc.ops.registry import (
    Arrays,
    Importing,
    Operator,
    ShapeError,
    Sunk,
    Types,
    array,
    constant_or_attribute,
    imports,
    need,
    normalized_axes,
    register,
)


@dataclass(frozen=True)
class ReshapeAttrs:
    shape: tuple[int, ...]


@register
class Reshape(Operator):
    name = "Reshape"
    keeps_quant = True
    selects = True
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

    def through_transpose(
        self, node: Node, perm: tuple[int, ...], types: Types, output: TensorType
    ) -> Sunk | None:
        """Only a Reshape that adds or drops axes of extent 1 lets a Transpose pass.

        Axes of extent 1 at the front of the result stay there; another one goes with the axis
        that follows it, so that [N,L,C] widened to height 1 becomes [N,1,L,C].
        """
        seen = need(types[0], "input").shape
        sources = [perm[i] for i, d in enumerate(seen) if d != 1]
        if [d for d in seen if d != 1] != [d for d in output.shape if d != 1]:
            return None
        groups: list[tuple[int, list[int]]] = []  # (place in the source, axes of the result)
        pending: list[int] = []
        for axis, d in enumerate(output.shape):
            pending.append(axis)
            if d != 1:
                leading = [] if groups else pending[:-1]
                if leading:
                    groups.append((-1, leading))
                real = len([g for g in groups if g[0] >= 0])
                groups.append((sources[real], [a for a in pending if a not in leading]))
                pending = []
        groups.append((len(seen), pending))
        order = [axis for _, axes in sorted(groups) for axis in axes]
        shape = tuple(output.shape[axis] for axis in order)
        return Sunk(ReshapeAttrs(shape), tuple(order.index(axis) for axis in range(output.rank)))


def reshape_to(node: Importing, shape: Sequence[int]) -> Sequence[str]:
    return node.emit("Reshape", ReshapeAttrs(tuple(int(d) for d in shape)), [node.input(0)])


@imports("Reshape")
def _reshape(node: Importing) -> Sequence[str]:
    x = node.type(0)
    given = constant_or_attribute(node, 1, "shape", 5)
    if given is None:
        raise node.fail("the shape is missing")
    wanted = given
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
    if not 0 <= axis <= len(shape):
        raise node.fail(f"axis {axis} of an input of rank {len(shape)}")
    return reshape_to(node, (math.prod(shape[:axis]), math.prod(shape[axis:])))


@imports("Squeeze")
def _squeeze(node: Importing) -> Sequence[str]:
    shape = node.type(0).shape
    axes = constant_or_attribute(node, 1, "axes", 13)
    drop = (
        [i for i, d in enumerate(shape) if d == 1]
        if axes is None
        else normalized_axes(node, axes, len(shape))
    )
    if any(shape[i] != 1 for i in drop):
        raise node.fail(f"an axis of {axes} is not 1 in {list(shape)}")
    return reshape_to(node, [d for i, d in enumerate(shape) if i not in drop])


@imports("Unsqueeze")
def _unsqueeze(node: Importing) -> Sequence[str]:
    axes = constant_or_attribute(node, 1, "axes", 13)
    if axes is None:
        raise node.fail("the axes are missing")
    rest = list(node.type(0).shape)
    for axis in normalized_axes(node, axes, len(rest) + len(axes)):
        rest.insert(axis, 1)
    return reshape_to(node, rest)
