# SPDX-License-Identifier: Apache-2.0
"""int16 Softmax as generated loops, in the arithmetic of CMSIS-NN's arm_softmax_s16 (tinyc.quantize.softmax16)."""

from __future__ import annotations

import math
from typing import Any

from tinyc.backend.program import Affine, Apply, Expr, For, Formula, Let, Load, Name, Set, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import store
from tinyc.kernels.rescale import number
from tinyc.ops.registry import scale_zero
from tinyc.ops.unary import STEP_BITS
from tinyc.quantize import softmax16


def _between(table: str, place: Expr) -> tuple[tuple[Stmt, ...], Expr]:
    """The entry of a table at a place from -32768 to 32767, interpolated."""
    first, second = (Load(table, Affine(k, (("t_e", 1),)), DType.INT16) for k in (0, 1))
    text = f"{{0}} + ((({{1}} - {{0}}) * (t_u & {(1 << STEP_BITS) - 1}) + {1 << (STEP_BITS - 1)}) >> {STEP_BITS})"
    return (Let("t_u", "int32_t", Formula("{0} + 32768", (place,))),
            Let("t_e", "int32_t", Formula(f"t_u >> {STEP_BITS}", ()))), Formula(text, (first, second))


@KERNELS.add
class SoftmaxS16(Kernel):
    """The exponentials lie where the results come to lie."""

    name = "loops"
    ops = ("Softmax",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None if node.integer and graph.type(node.outputs[0]).dtype is DType.INT16 else "not int16"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(80.0 * graph.type(node.outputs[0]).elements, 2052)

    def lower(self, build: Builder) -> Lowered:
        x, axis = build.type(0), build.node.attrs.axis
        outer, extent, inner = math.prod(x.shape[:axis]), x.shape[axis], math.prod(x.shape[axis + 1:])
        place = Affine(0, (("t_o", extent * inner), ("t_k", inner), ("t_i", 1)))
        source, target = build.input(0).buffer, build.output().buffer
        exponential = build.table("exponential", softmax16.EXPONENTIAL, "constants").buffer
        reciprocal = build.table("reciprocal", softmax16.RECIPROCAL, "constants").buffer
        factors = tuple(map(number, softmax16.parameters(scale_zero(x)[0])))
        element = Load(source, place, DType.INT16)
        limits = (number(32767), number(-32768), number(32767))
        below = Apply("tinyc_requantize_one", (Formula("{0} - t_top", (element,)), *factors, *limits))
        look, value = _between(exponential, below)
        lifted = "(int32_t)((((int64_t)t_sum << (t_zeros - 1)) + 8192) >> 14) - 98304"
        place_of_sum = Formula("t_lifted < -32768 ? -32768 : t_lifted > 32767 ? 32767 : t_lifted", ())
        look_inverse, inverse = _between(reciprocal, place_of_sum)
        product = Formula("({0} * t_inverse + ((int32_t)1 << (30 - t_zeros))) >> (31 - t_zeros)",
                          (Load(target, place, DType.INT16),))
        larger = Set("t_top", Formula("t_x > t_top ? t_x : t_top", ()))
        body: tuple[Stmt, ...] = (
            Let("t_top", "int32_t", Formula("-32768", ()), True),
            For("t_k", extent, (Let("t_x", "int32_t", element), larger)),
            Let("t_sum", "int32_t", Formula("0", ()), True),
            For("t_k", extent, (*look, Let("t_exp", "int32_t", value), store(target, place, DType.INT16, Name("t_exp")),
                                Set("t_sum", Formula("t_sum + t_exp", ())))),
            Let("t_zeros", "int32_t", Apply("tinyc_leading_zeros", (Name("t_sum"),))),
            Let("t_lifted", "int32_t", Formula(lifted, ())),
            *look_inverse,
            Let("t_inverse", "int32_t", inverse),
            For("t_k", extent, (Let("t_y", "int32_t", product), store(target, place, DType.INT16, Formula(
                "t_y < 0 ? 0 : t_y > 32767 ? 32767 : t_y", ())))),
        )
        return Lowered((For("t_o", outer, (For("t_i", inner, body),)),), 0, ((0, 0, 0),))
