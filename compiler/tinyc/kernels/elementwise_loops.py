# SPDX-License-Identifier: Apache-2.0
"""Element-wise operators as generated loops: operands broadcast, axes merged where strides allow.

The functions come from the operator tables (tinyc.ops.unary, tinyc.ops.elementwise) as C expressions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tinyc.backend.program import Expr, Formula, Load, Name, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType, TensorType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import (
    bounded,
    computed,
    in_place,
    let,
    load,
    merged_axes,
    nest,
    store,
    strides_of,
    wrap,
)
from tinyc.ops import elementwise, unary
from tinyc.ops.registry import scale_zero
from tinyc.quantize.numbers import clamp_limits

MOVING = ("Max", "Min")  # binary operators whose integer form is the plain one


def double_form(text: str) -> str:
    """A C expression of floats with the functions and constants of doubles."""
    return re.sub(r"(?<=[0-9.])f\b", "", re.sub(r"\b(?!isinf)([a-z][a-z0-9]*)f\(", r"\1(", text))


def expression(node: Node, dtype: DType, names: Sequence[str]) -> Expr:
    """A row's function of local variables of the type in which loops compute."""
    own = computed(dtype)
    table = unary if node.op in unary.TABLE else elementwise
    text = table.c_expression(node, own, *names)
    return Formula(double_form(text) if own is DType.FLOAT64 else text, ())


class _Loops(Kernel):
    """One loop nest over the output; subclasses give the value of an element."""

    name = "loops"
    per_element = 8.0

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if graph.type(node.inputs[-1]).dtype is DType.STRING:
            return "no loops for strings"
        return "integer form" if node.integer else None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(self.per_element * graph.type(node.outputs[0]).elements)

    def value(self, build: Builder, names: Sequence[str], types: Sequence[TensorType]) -> Expr:
        """The result of local variables that hold an element of each operand."""
        raise NotImplementedError(self.name)

    def clamp(self, build: Builder) -> tuple[float, float] | None:
        """Bounds of the result."""
        return None

    def lower(self, build: Builder) -> Lowered:
        y = build.output_type()
        types = [build.type(i) for i in range(len(build.node.inputs))]
        strides = [strides_of(t.shape, y.shape) for t in types] + [strides_of(y.shape, y.shape)]
        loops = merged_axes(y.shape, strides)
        body: list[Stmt] = []
        names = []
        for k, type_ in enumerate(types):
            names.append(f"t_{'abc'[k]}")
            body.append(let(names[k], type_.dtype, load(build.input(k).buffer, nest(loops, k), type_.dtype)))
        body.append(let("t_v", y.dtype, self.value(build, names, types)))
        bounds, result = bounded("t_v", y.dtype, self.clamp(build))
        body += [*bounds, store(build.output().buffer, nest(loops, len(types)), y.dtype, result)]
        return Lowered(wrap(loops, tuple(body)), 0, in_place(types, y))


@KERNELS.add
class UnaryLoops(_Loops):
    ops = tuple(unary.TABLE)
    per_element = 60.0

    def value(self, build: Builder, names: Sequence[str], types: Sequence[TensorType]) -> Expr:
        return expression(build.node, types[0].dtype, names)


@KERNELS.add
class BinaryLoops(_Loops):
    ops = tuple(elementwise.TABLE)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None if node.op in MOVING else super().obstacle(graph, node, options)

    def value(self, build: Builder, names: Sequence[str], types: Sequence[TensorType]) -> Expr:
        return expression(build.node, types[0].dtype, names)

    def clamp(self, build: Builder) -> tuple[float, float] | None:
        fused: tuple[float, float] | None = build.node.attrs.clamp
        if not build.node.integer:
            return fused
        low, high = clamp_limits(fused, *scale_zero(build.output_type()), build.output_type().dtype.limits)
        return float(low), float(high)


@KERNELS.add
class ClipLoops(_Loops):
    """Plain values, or integers whose scale does not change."""

    ops = ("Clip",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        x, y = graph.type(node.inputs[0]), graph.type(node.outputs[0])
        return "another scale" if node.integer and scale_zero(x) != scale_zero(y) else None

    def value(self, build: Builder, names: Sequence[str], types: Sequence[TensorType]) -> Expr:
        return Name(names[0])

    def clamp(self, build: Builder) -> tuple[float, float] | None:
        bounds = (build.node.attrs.low, build.node.attrs.high)
        if not build.node.integer:
            return bounds
        low, high = clamp_limits(bounds, *scale_zero(build.output_type()), build.output_type().dtype.limits)
        return float(low), float(high)


@KERNELS.add
class WhereLoops(_Loops):
    """Also on integers: operands and result have one scale."""

    ops = ("Where",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return "no loops for strings" if graph.type(node.inputs[1]).dtype is DType.STRING else None

    def value(self, build: Builder, names: Sequence[str], types: Sequence[TensorType]) -> Expr:
        return Formula(f"{names[0]} != 0 ? {names[1]} : {names[2]}", ())


@KERNELS.add
class CastLoops(_Loops):
    ops = ("Cast",)

    def value(self, build: Builder, names: Sequence[str], types: Sequence[TensorType]) -> Expr:
        return Formula(conversion(names[0], computed(types[0].dtype), build.output_type().dtype), ())


def conversion(x: str, source: DType, target: DType) -> str:
    """The C variable `x` as another type. Reals beyond the integers give their lowest value, as x86 does."""
    if target is DType.BOOL:
        return f"{x} != 0"
    if target.is_float or not source.is_float:
        return f"({computed(target).c_type}){x}"
    wide = DType.INT64 if target.size == 8 or target is DType.UINT32 else DType.INT32
    limit = "9223372036854775808.0" if wide is DType.INT64 else "2147483648.0"
    suffix = "f" if source is DType.FLOAT32 else ""
    inside = f"{x} >= -{limit}{suffix} && {x} < {limit}{suffix}"
    return f"({target.c_type})({inside} ? ({wide.c_type}){x} : {wide.c_type.upper()[:-2]}_MIN)"


@KERNELS.add
class ShiftSignLoops(_Loops):
    """The highest bit of each element flipped."""

    ops = ("ShiftSign",)
    per_element = 4.0

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def lower(self, build: Builder) -> Lowered:
        y = build.output_type()
        loops = merged_axes((y.elements,), ((1,), (1,)))
        raw = DType.UINT8 if y.dtype.size == 1 else DType.UINT16
        element = Load(build.input(0).buffer, nest(loops, 0), raw)
        flipped = Formula(f"{{0}} ^ {1 << (8 * y.dtype.size - 1):#x}", (Formula(f"({raw.c_type}){{0}}", (element,)),))
        body = store(build.output().buffer, nest(loops, 1), raw, flipped)
        return Lowered(wrap(loops, (body,)), 0, in_place([build.type(0)], y))
