# SPDX-License-Identifier: Apache-2.0
"""Element-wise operators as generated loops: operands broadcast, axes merged where strides allow."""

from __future__ import annotations

import math
from typing import Any

from tinyc.backend.program import Affine, Expr, For, Formula, Let, Literal, Load, Name, Stmt, Store
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType, TensorType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options

FORMULAS = {"Add": "{0} + {1}", "Sub": "{0} - {1}", "Mul": "{0} * {1}", "Div": "{0} / {1}"}
LOOP_TYPES = (DType.FLOAT32, DType.FLOAT64, DType.INT32, DType.INT64, DType.INT8, DType.UINT8, DType.INT16,
              DType.UINT16, DType.UINT32, DType.UINT64)


def strides_of(shape: tuple[int, ...], output: tuple[int, ...]) -> list[int]:
    """Element strides of an operand along the output's axes; 0 where it is broadcast."""
    padded = (1,) * (len(output) - len(shape)) + shape
    strides, step = [], 1
    for extent in reversed(padded):
        strides.append(0 if extent == 1 else step)
        step *= extent
    return strides[::-1]


def merged_axes(output: tuple[int, ...], strides: list[list[int]]) -> list[tuple[int, list[int]]]:
    """(extent, stride of each operand) per loop, outermost first, neighbours joined where they are one run."""
    loops: list[tuple[int, list[int]]] = []
    for axis, extent in enumerate(output):
        steps = [s[axis] for s in strides]
        if extent == 1:
            continue
        if loops and all(outer == inner * extent for outer, inner in zip(loops[-1][1], steps, strict=True)):
            loops[-1] = (loops[-1][0] * extent, steps)
        else:
            loops.append((extent, steps))
    return loops


def nest(loops: list[tuple[int, list[int]]], operand: int) -> Affine:
    """The index of an operand inside the loops i0, i1, ..."""
    return Affine(0, tuple((f"i{k}", steps[operand]) for k, (_, steps) in enumerate(loops) if steps[operand]))


def wrap(loops: list[tuple[int, list[int]]], body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    for k in range(len(loops) - 1, -1, -1):
        body = (For(f"i{k}", loops[k][0], body),)
    return body


def clamp_statements(name: str, dtype: DType, clamp: tuple[float, float] | None) -> tuple[tuple[Stmt, ...], Expr]:
    """Bounds the local variable `name`; the statements and the bounded expression."""
    value: Expr = Name(name)
    statements: list[Stmt] = []
    for k, (bound, sign) in enumerate(zip(clamp or (), "<>", strict=False)):
        if math.isfinite(bound):
            limit = Literal(bound, dtype)
            text = "{0} " + sign + " {1} ? {1} : {0}"
            statements.append(Let(f"{name}{k}", dtype.c_type, Formula(text, (value, limit))))
            value = Name(f"{name}{k}")
    return tuple(statements), value


@KERNELS.add
class ElementwiseLoops(Kernel):
    name = "loops"
    ops = ("Add", "Sub", "Mul", "Div", "Clip")

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if node.integer:
            return "integer form"
        dtype = graph.type(node.inputs[0]).dtype
        return None if dtype in LOOP_TYPES else f"no loops for {dtype.label}"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(8.0 * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        node, y = build.node, build.output_type()
        types = [build.type(i) for i in range(len(node.inputs))]
        strides = [strides_of(t.shape, y.shape) for t in types] + [strides_of(y.shape, y.shape)]
        loops = merged_axes(y.shape, strides)
        operands = tuple(Load(build.input(i).buffer, nest(loops, i), t.dtype) for i, t in enumerate(types))
        clamp = (node.attrs.low, node.attrs.high) if node.op == "Clip" else node.attrs.clamp
        value: Expr = operands[0] if node.op == "Clip" else Formula(FORMULAS[node.op], operands)
        bounded, result = clamp_statements("v", y.dtype, clamp)
        store = Store(build.output().buffer, nest(loops, len(types)), y.dtype, result)
        body = (Let("v", y.dtype.c_type, Formula(f"({y.dtype.c_type})({{0}})", (value,))), *bounded, store)
        return Lowered(wrap(loops, body), 0, in_place(types, y))


def in_place(types: list[TensorType], y: TensorType) -> tuple[tuple[int, int, int], ...]:
    """Operands on which the output may lie: those read element by element in the output's order."""
    return tuple((i, 0, 0) for i, t in enumerate(types) if t.elements == y.elements and t.dtype.size >= y.dtype.size)
