# SPDX-License-Identifier: Apache-2.0
"""int8 Add and Sub on cores with the DSP extension, by a table for one operand: tinyc_add_table_s8.

Of the operands, the one of the larger scale counts half, which is exact; what the other contributes is a number for
each of its 256 values. The table is a kilobyte, and saves one of the two requantizations.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyc.backend.program import Call, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array, DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import in_place
from tinyc.ops.elementwise import ADD_LEFT_SHIFT, AddParameters, add_parameters
from tinyc.ops.registry import scale_zero
from tinyc.quantize.numbers import clamp_limits, requantize

HALF = (1 << 30, 0)  # as multiplier and shift
MOST_RIGHT_SHIFT = 22


def parameters_of(graph: Graph[Any], node: Node) -> AddParameters:
    (s1, _), (s2, _), (s3, _) = (scale_zero(graph.type(name)) for name in (*node.inputs, node.outputs[0]))
    return add_parameters(s1, s2, s3, 1 if node.op == "Add" else -1)


def linear_operand(p: AddParameters) -> int | None:
    """The operand that counts half; None where that is neither, or the one that is subtracted."""
    return 0 if p.first == HALF else 1 if p.second == HALF else None


def contributions(p: AddParameters, linear: int, zero_points: tuple[int, int]) -> Array:
    """What each value of the other operand adds to twice the sum, with what the linear one's zero point takes away."""
    values = np.arange(-128, 128, dtype=np.int64) - zero_points[1 - linear]
    other = requantize(values << ADD_LEFT_SHIFT, *(p.first, p.second)[1 - linear])
    return np.asarray(2 * other - (zero_points[linear] << ADD_LEFT_SHIFT)).astype(np.int32)


@KERNELS.add
class AddTableS8(Kernel):
    name = "tinyc_add_table_s8"
    ops = ("Add", "Sub")

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if options.kernels != "auto" or options.variant != "dsp":
            return "for the DSP extension only"
        types = [graph.type(name) for name in (*node.inputs, node.outputs[0])]
        if not node.integer or any(t.dtype is not DType.INT8 for t in types):
            return "not int8"
        if any(t.shape != types[2].shape for t in types):
            return "an operand is broadcast"
        p = parameters_of(graph, node)
        if linear_operand(p) is None:
            return "no operand counts half"
        return None if -MOST_RIGHT_SHIFT <= p.output[1] <= -1 else "sums are not scaled down by 2 to 2^22"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        elements, clamp = graph.type(node.outputs[0]).elements, node.attrs.clamp
        return Cost((11.5 if clamp is None else 14.0) * elements + 100, 1024, calls=(self.name,))

    def lower(self, build: Builder) -> Lowered:
        a, b, y = build.type(0), build.type(1), build.output_type()
        p = parameters_of(build.graph, build.node)
        linear = linear_operand(p)
        assert linear is not None
        low, high = clamp_limits(build.node.attrs.clamp, *scale_zero(y), (-128, 127))
        table = build.table("table", contributions(p, linear, (scale_zero(a)[1], scale_zero(b)[1])), "constants")
        parameters = Struct("tinyc_add_table_s8_params", (
            ("multiplier", p.output[0]), ("right", -p.output[1]), ("zero_point", scale_zero(y)[1]),
            ("lowest", low), ("highest", high),
        ))
        call = Call(self.name, (parameters, build.input(linear), build.input(1 - linear), table, build.output(),
                                y.elements))
        return Lowered((call,), 0, in_place([a, b], y))
