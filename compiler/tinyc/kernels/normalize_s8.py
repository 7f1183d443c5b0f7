# SPDX-License-Identifier: Apache-2.0
"""int8 InstanceNormalization as generated loops, in the arithmetic of tinyc.quantize.normalize."""

from __future__ import annotations

import math
from typing import Any

from tinyc.backend.program import Affine, Apply, Expr, For, Formula, Let, Literal, Load, Name, Set, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import store
from tinyc.kernels.rescale import number
from tinyc.kernels.writing import at
from tinyc.ops.registry import scale_zero
from tinyc.quantize.normalize import channel_parameters, epsilon_steps


def row_statistics(source: str, place: Affine, over: list[tuple[str, int]], epsilon: int) -> tuple[Stmt, ...]:
    """Variables t_sum, t_pairs and t_scale of the elements at `place` for the loops `over`, innermost first."""
    count = math.prod(n for _, n in over)
    take: tuple[Stmt, ...] = (
        Let("t_x", "int32_t", Load(source, place, DType.INT8)),
        Set("t_sum", Formula("t_sum + t_x", ())),
        Set("t_squares", Formula("t_squares + t_x * t_x", ())),
    )
    variance = f"(int64_t)t_squares * {count} - (int64_t)t_sum * t_sum + {{0}}"
    return (
        Let("t_sum", "int32_t", Formula("0", ()), True),
        Let("t_squares", "int32_t", Formula("0", ()), True),
        *nested(over, take),
        Let("t_variance", "int64_t", Formula(variance, (Literal(epsilon, DType.INT64),))),
        Let("t_pairs", "int32_t", Apply("tinyc_variance_shift", (Name("t_variance"),))),
        Let("t_scale", "int32_t", Apply("tinyc_variance_reciprocal", (Name("t_variance"), Name("t_pairs")))),
    )


def nested(over: list[tuple[str, int]], body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    """`body` in loops, the innermost first."""
    for name, extent in over:
        body = (For(name, extent, body),)
    return body


def normalized(source: str, place: Affine, count: int, parameters: tuple[Expr, Expr, Expr], zero: int) -> Expr:
    """An element of the result."""
    distance = Formula(f"{{0}} * {count} - t_sum", (Load(source, place, DType.INT8),))
    return Apply("tinyc_normalize_one", (distance, Name("t_scale"), Name("t_pairs"), *parameters, number(zero)))


@KERNELS.add
class InstanceNormS8(Kernel):
    name = "loops"
    ops = ("InstanceNormalization",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None if node.integer else "not integer"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(40.0 * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        x, axis = build.type(0), build.node.attrs.axis
        batch, channels = x.shape[0], x.shape[axis]
        outer, inner = math.prod(x.shape[1:axis]), math.prod(x.shape[axis + 1:])
        place = at(t_n=outer * channels * inner, t_o=channels * inner, t_c=inner, t_i=1)
        step, zero = scale_zero(build.output_type())
        epsilon = epsilon_steps(build.node.attrs.epsilon, scale_zero(x)[0], outer * inner)
        names = ("multiplier", "shift", "offset")
        tables = zip(names, channel_parameters(build.data(1), build.data(2), step), strict=True)
        multiplier, shift, offset = (Load(build.table(role, array).buffer, at(t_c=1), DType.INT32)
                                     for role, array in tables)
        source, over = build.input(0).buffer, [("t_i", inner), ("t_o", outer)]
        parameters: tuple[Expr, Expr, Expr] = (multiplier, shift, offset)
        result = store(build.output().buffer, place, DType.INT8,
                       normalized(source, place, outer * inner, parameters, zero))
        body = (*row_statistics(source, place, over, epsilon), *nested(over, (result,)))
        return Lowered((For("t_n", batch, (For("t_c", channels, body),)),), 0, ((0, 0, 0),))
