# SPDX-License-Identifier: Apache-2.0
"""ReverseSequence: each sequence of a batch backwards, as far as its length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Types, array, imports, need, register


@dataclass(frozen=True)
class ReverseSequenceAttrs:
    """The axes of the batch and of time: 0 and 1, in either order."""

    batch_axis: int
    time_axis: int


@register
class ReverseSequence(Operator):
    """Operands: the sequences, and their lengths (int64, one for each of the batch)."""

    name = "ReverseSequence"
    plain_operands = frozenset({1})

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: ReverseSequenceAttrs = node.attrs
        x, lengths = need(types[0], "input"), need(types[1], "lengths")
        if x.rank < 2 or {a.batch_axis, a.time_axis} != {0, 1}:
            raise ShapeError(f"axes {a.batch_axis} and {a.time_axis} of an input of rank {x.rank}")
        if lengths.dtype is not DType.INT64 or lengths.shape != (x.shape[a.batch_axis],):
            raise ShapeError(f"lengths {lengths} for an input {x.shape}")
        known = constants[1]
        if known is not None and known.size and not 0 <= known.min() <= known.max() <= x.shape[a.time_axis]:
            raise ShapeError(f"a length beyond {x.shape[a.time_axis]}")
        return [TensorType(x.dtype, x.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: ReverseSequenceAttrs = node.attrs
        x = array(inputs[0])
        lengths = np.clip(array(inputs[1]), 0, x.shape[a.time_axis])
        result = x.copy()
        source, target = (np.moveaxis(v, a.batch_axis, 0) for v in (x, result))
        for b, length in enumerate(lengths):
            target[b, :length] = source[b, :length][::-1]
        return [result]


@imports("ReverseSequence")
def _reverse_sequence(node: Importing) -> Sequence[str]:
    attrs = ReverseSequenceAttrs(int(node.attributes.get("batch_axis", 1)), int(node.attributes.get("time_axis", 0)))
    return node.emit("ReverseSequence", attrs, [node.input(0), node.input(1)])
