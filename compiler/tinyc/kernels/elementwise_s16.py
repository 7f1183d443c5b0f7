# SPDX-License-Identifier: Apache-2.0
"""int16 element-wise operators as generated loops; Add and Mul as CMSIS-NN's s16 functions, but with zero points."""

from __future__ import annotations

from typing import Any

from tinyc.backend.program import Affine, Apply, Expr, Formula, Let, Load, Name, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import in_place, merged_axes, nest, store, wrap
from tinyc.kernels.quotient_loops import IntegerLoops, numbers
from tinyc.ops import unary
from tinyc.ops.elementwise import add_parameters, is_wide, left_shift
from tinyc.ops.registry import scale_zero
from tinyc.quantize.numbers import quantize_multiplier, reduce_multiplier


@KERNELS.add
class UnaryS16(Kernel):
    """Any function of one int16 value, interpolated in a table of 513 results."""

    name = "loops"
    ops = (*unary.TABLE, "Table")

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None if node.integer and graph.type(node.outputs[0]).dtype is DType.INT16 else "not int16"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(14.0 * graph.type(node.outputs[0]).elements, 1026)

    def lower(self, build: Builder) -> Lowered:
        x, y = build.type(0), build.output_type()
        results = build.data(1) if build.node.op == "Table" else unary.interpolation_table(build.node, x, y)
        table = build.table("table", results, "constants").buffer
        loops = merged_axes((y.elements,), ((1,), (1,)))
        bits = unary.STEP_BITS
        first, second = (Load(table, Affine(k, (("t_i", 1),)), DType.INT16) for k in (0, 1))
        between = f"{{0}} + ((({{1}} - {{0}}) * t_part + {1 << (bits - 1)}) >> {bits})"
        body = (
            Let("t_u", "int32_t", Formula("{0} + 32768", (Load(build.input(0).buffer, nest(loops, 0), x.dtype),))),
            Let("t_i", "int32_t", Formula(f"t_u >> {bits}", ())),
            Let("t_part", "int32_t", Formula(f"t_u & {(1 << bits) - 1}", ())),
            store(build.output().buffer, nest(loops, 1), y.dtype, Formula(between, (first, second))),
        )
        return Lowered(wrap(loops, body), 0, in_place([x], y))


class _Loops(IntegerLoops):
    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if not node.integer:
            return "not integer"
        return None if graph.type(node.outputs[0]).dtype is DType.INT16 else "not int16"


@KERNELS.add
class AddS16(_Loops):
    ops = ("Add", "Sub")

    def value(self, build: Builder, limits: tuple[int, ...]) -> tuple[tuple[Stmt, ...], Expr]:
        types = (build.type(0), build.type(1))
        (s1, _), (s2, _), (s3, _) = (scale_zero(t) for t in (*types, build.output_type()))
        bits = left_shift(types)
        p = add_parameters(s1, s2, s3, 1 if build.node.op == "Add" else -1, bits)
        parts = tuple(Apply("tinyc_requantize", (Formula(f"{name} * {1 << bits}", ()), *numbers(factors)))
                      for name, factors in (("t_a", p.first), ("t_b", p.second)))
        total = Let("t_sum", "int32_t", Formula("{0} + {1}", parts))
        return (total,), Apply("tinyc_requantize_one", (Name("t_sum"), *numbers((*p.output, *limits))))


@KERNELS.add
class MulS16(_Loops):
    ops = ("Mul",)

    def value(self, build: Builder, limits: tuple[int, ...]) -> tuple[tuple[Stmt, ...], Expr]:
        types = (build.type(0), build.type(1))
        (s1, _), (s2, _), (s3, _) = (scale_zero(t) for t in (*types, build.output_type()))
        multiplier, shift = quantize_multiplier(s1 * s2 / s3)
        if is_wide(types):
            factors = (int(reduce_multiplier(multiplier)), shift, *limits)
            return (), Apply("tinyc_requantize_wide", (Formula("(int64_t)t_a * t_b", ()), *numbers(factors)))
        product = Formula("t_a * t_b", ())
        return (), Apply("tinyc_requantize_one", (product, *numbers((multiplier, shift, *limits))))
