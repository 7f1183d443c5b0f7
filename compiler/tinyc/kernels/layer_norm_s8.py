# SPDX-License-Identifier: Apache-2.0
"""int8 LayerNormalization and RMSNormalization as generated loops, in the arithmetic of tinyc.quantize.normalize."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyc.backend.program import Apply, Expr, For, Formula, Let, Literal, Load, Name, Set, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array, DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import store
from tinyc.kernels.rescale import number
from tinyc.kernels.writing import at
from tinyc.ops.layer_norm import LayerNormAttrs, row_length, row_parameters
from tinyc.ops.registry import scale_zero
from tinyc.quantize.normalize import channel_parameters, epsilon_steps


@KERNELS.add
class LayerNormS8(Kernel):
    name = "loops"
    ops = ("LayerNormalization", "RMSNormalization")

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None if node.integer else "not integer"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(40.0 * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        a: LayerNormAttrs = build.node.attrs
        x, length = build.type(0), row_length(build.type(0), a)
        centred = build.node.op == "LayerNormalization"
        source, place = build.input(0).buffer, at(t_r=length, t_i=1)
        step, zero = scale_zero(build.output_type())
        in_zero = 0 if centred else scale_zero(x)[1]
        operands = [build.data(k) if build.has(k) else None for k in range(1, len(build.node.inputs))]
        factor, offset = row_parameters(build.node, [None, *operands], length)
        tables = zip(("multiplier", "shift", "offset"), channel_parameters(factor, offset, step), strict=True)
        parameters = [_parameter(build, role, array) for role, array in tables]
        element: Expr = Load(source, place, DType.INT8)
        if in_zero:
            element = Formula("{0} - {1}", (element, number(in_zero)))
        epsilon = Literal(epsilon_steps(a.epsilon, scale_zero(x)[0], length), DType.INT64)
        take: list[Stmt] = [Let("t_x", "int32_t", element)]
        sums: list[Stmt] = []
        if centred:
            sums.append(Let("t_sum", "int32_t", Formula("0", ()), True))
            take.append(Set("t_sum", Formula("t_sum + t_x", ())))
        take.append(Set("t_squares", Formula("t_squares + t_x * t_x", ())))
        less = " - (int64_t)t_sum * t_sum" if centred else ""
        distance = Formula(f"t_x * {length}{' - t_sum' if centred else ''}", ())
        value = Apply("tinyc_normalize_one", (distance, Name("t_scale"), Name("t_pairs"), *parameters, number(zero)))
        body: tuple[Stmt, ...] = (
            *sums,
            Let("t_squares", "int32_t", Formula("0", ()), True),
            For("t_i", length, tuple(take)),
            Let("t_variance", "int64_t", Formula(f"(int64_t)t_squares * {length}{less} + {{0}}", (epsilon,))),
            Let("t_pairs", "int32_t", Apply("tinyc_variance_shift", (Name("t_variance"),))),
            Let("t_scale", "int32_t", Apply("tinyc_variance_reciprocal", (Name("t_variance"), Name("t_pairs")))),
            For("t_i", length, (Let("t_x", "int32_t", element),
                                store(build.output().buffer, place, DType.INT8, value))),
        )
        rows = math.prod(x.shape[:a.axis])
        return Lowered((For("t_r", rows, body),), 0, ((0, 0, 0),))


def _parameter(build: Builder, role: str, array: Array) -> Expr:
    """A parameter of an element: a number where all have the same."""
    if np.all(array == array[0]):
        return Literal(int(array[0]), DType.INT32)
    narrow = array.astype(np.int8) if role == "shift" and np.all(array == array.astype(np.int8)) else array
    table = build.table(role, narrow)
    return Load(table.buffer, at(t_i=1), DType.of(narrow))
