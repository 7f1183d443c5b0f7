# SPDX-License-Identifier: Apache-2.0
"""DepthToSpace and SpaceToDepth: blocks of pixels to channels and back, in either layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, TensorType
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Sunk, Types, array, imports, need, register
from tinyc.ops.spatial import to_first, to_last

TO_LAST, TO_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)


@dataclass(frozen=True)
class BlockAttrs:
    """`depth_first`: the block is the outer part of the channels (DCR), else the inner one (CRD).

    `to_depth`: SpaceToDepth. `last`: channels-last.
    """

    block: int
    depth_first: bool = True
    to_depth: bool = False
    last: bool = False


@register
class DepthToSpace(Operator):
    name = "DepthToSpace"
    keeps_quant = True
    selects = True

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: BlockAttrs = node.attrs
        x = need(types[0], "input")
        if x.rank != 4 or a.block < 1:
            raise ShapeError(f"blocks of {a.block} of an input {x.shape}")
        n, c, h, w = (x.shape[p] for p in (TO_FIRST if a.last else range(4)))
        area = a.block * a.block
        if a.to_depth:
            if h % a.block or w % a.block:
                raise ShapeError(f"blocks of {a.block} do not divide {h}x{w}")
            shape = (n, c * area, h // a.block, w // a.block)
        else:
            if c % area:
                raise ShapeError(f"{c} channels are no multiple of {area}")
            shape = (n, c // area, h * a.block, w * a.block)
        return [TensorType(x.dtype, tuple(shape[p] for p in TO_LAST) if a.last else shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: BlockAttrs = node.attrs
        x, b = to_first(array(inputs[0]), a.last), a.block
        n, c, h, w = x.shape
        if a.to_depth:
            order = (0, 3, 5, 1, 2, 4) if a.depth_first else (0, 1, 3, 5, 2, 4)
            y = x.reshape(n, c, h // b, b, w // b, b).transpose(order).reshape(n, c * b * b, h // b, w // b)
        else:
            split = (n, b, b, c // (b * b), h, w) if a.depth_first else (n, c // (b * b), b, b, h, w)
            order = (0, 3, 4, 1, 5, 2) if a.depth_first else (0, 1, 4, 2, 5, 3)
            y = x.reshape(split).transpose(order).reshape(n, c // (b * b), h * b, w * b)
        return [np.ascontiguousarray(to_last(y, a.last))]

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        return None if types[0] and types[0].quant and types[0].quant.per_tensor else "quantized per channel"

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        return self.evaluate(node, inputs, outputs)

    def through_transpose(
        self, node: Node, perm: tuple[int, ...], types: Types, output: TensorType
    ) -> Sunk | None:
        a: BlockAttrs = node.attrs
        if perm != (TO_LAST if a.last else TO_FIRST):
            return None
        return Sunk(replace(a, last=not a.last), perm)


@imports("DepthToSpace", "SpaceToDepth")
def _blocks(node: Importing) -> Sequence[str]:
    to_depth = node.op_type == "SpaceToDepth"
    mode = node.attributes.get("mode", "DCR")
    if mode not in ("DCR", "CRD"):
        raise node.fail(f"mode {mode!r}", "DCR or CRD")
    attrs = BlockAttrs(int(node.attributes["blocksize"]), mode == "DCR", to_depth)
    return node.emit("DepthToSpace", attrs, [node.input(0)])
