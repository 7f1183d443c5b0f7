# SPDX-License-Identifier: Apache-2.0
"""int8 Div and PRelu as generated loops."""

from __future__ import annotations

from typing import Any

from tinyc.backend.program import Apply, Expr, Formula, Let, Literal, Load, Name, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import in_place, merged_axes, nest, store, strides_of, wrap
from tinyc.ops.elementwise import QUOTIENT_BITS, quotient_multiplier
from tinyc.ops.registry import scale_zero
from tinyc.quantize.numbers import clamp_limits, quantize_multiplier


class IntegerLoops(Kernel):
    """Loops over two broadcast operands, t_a and t_b without their zero points."""

    name = "loops"

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None if node.integer else "not integer"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(60.0 * graph.type(node.outputs[0]).elements)

    def value(self, build: Builder, limits: tuple[int, ...]) -> tuple[tuple[Stmt, ...], Expr]:
        """Statements and the result, an int32_t; `limits`: zero point, lowest and highest of the result."""
        raise NotImplementedError(self.name)

    def lower(self, build: Builder) -> Lowered:
        types, y = [build.type(0), build.type(1)], build.output_type()
        loops = merged_axes(y.shape, [strides_of(t.shape, y.shape) for t in (*types, y)])
        body: list[Stmt] = []
        for k, type_ in enumerate(types):
            element = Load(build.input(k).buffer, nest(loops, k), type_.dtype)
            body.append(Let("t_" + "ab"[k], "int32_t", Formula(f"{{0}} - ({scale_zero(type_)[1]})", (element,))))
        scale, zero = scale_zero(y)
        limits = (zero, *clamp_limits(build.node.attrs.clamp, scale, zero, y.dtype.limits))
        statements, value = self.value(build, limits)
        body += [*statements, store(build.output().buffer, nest(loops, 2), y.dtype, value)]
        return Lowered(wrap(loops, tuple(body)), 0, in_place(types, y))


def numbers(values: tuple[int, ...]) -> tuple[Literal, ...]:
    return tuple(Literal(v, DType.INT32) for v in values)


@KERNELS.add
class DivLoops(IntegerLoops):
    ops = ("Div",)

    def value(self, build: Builder, limits: tuple[int, ...]) -> tuple[tuple[Stmt, ...], Expr]:
        zero, low, high = limits
        multiplier = quotient_multiplier(build.type(0), build.type(1), build.output_type())
        part = f"(((t_a < 0 ? -t_a : t_a) << {QUOTIENT_BITS}) + t_size / 2) / (t_size > 0 ? t_size : 1)"
        scaled = Apply("tinyc_requantize_one", (Name("t_q"), *numbers((*multiplier, *limits))))
        beyond = f"(t_a > 0 ? {high} : t_a < 0 ? {low} : {min(max(zero, low), high)})"
        return (
            Let("t_size", "int32_t", Formula("t_b < 0 ? -t_b : t_b", ())),
            Let("t_part", "int32_t", Formula(part, ())),
            Let("t_q", "int32_t", Formula("(t_a < 0) != (t_b < 0) ? -t_part : t_part", ())),
        ), Formula(f"t_b == 0 ? {beyond} : {{0}}", (scaled,))


@KERNELS.add
class PReluLoops(IntegerLoops):
    ops = ("PRelu",)

    def value(self, build: Builder, limits: tuple[int, ...]) -> tuple[tuple[Stmt, ...], Expr]:
        (s1, _), (s2, _), (s3, _) = (scale_zero(t) for t in (build.type(0), build.type(1), build.output_type()))
        positive, negative = (
            Apply("tinyc_requantize_one", (operand, *numbers((*quantize_multiplier(ratio), *limits))))
            for operand, ratio in ((Name("t_a"), s1 / s3), (Formula("t_a * t_b", ()), s1 * s2 / s3))
        )
        return (), Formula("t_a >= 0 ? {0} : {1}", (positive, negative))
