# SPDX-License-Identifier: Apache-2.0
"""The average over all rows of an image, one row at a time: sums are kept, and divided after the last row."""

from __future__ import annotations

from typing import Any

from tinyc.backend.program import (
    ROW,
    Affine,
    Call,
    Expr,
    For,
    Formula,
    If,
    Let,
    Literal,
    Load,
    Name,
    Pick,
    Pointer,
    Set,
    Stmt,
    Store,
)
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.loops import bounded, let
from tinyc.kernels.rescale import mean_of_sum
from tinyc.ops.pool import PoolAttrs, mean_multiplier
from tinyc.ops.registry import scale_zero
from tinyc.quantize.numbers import clamp_limits


def sums_type(graph: Graph[Any], node: Node) -> DType:
    """The narrowest type that holds the sum of a window."""
    if graph.type(node.inputs[0]).dtype.is_float:
        return DType.FLOAT32
    return DType.INT16 if node.attrs.kernel[0] * node.attrs.kernel[1] * 128 <= DType.INT16.limits[1] else DType.INT32


def gather_rows(graph: Graph[Any], node: Node, row: str, sums: str, result: str) -> tuple[Stmt, ...]:
    """Adds buffer `row` to buffer `sums` (of sums_type, a number for each element of the result), and after the last
    row writes `result`."""
    a: PoolAttrs = node.attrs
    x, y = graph.type(node.inputs[0]), graph.type(node.outputs[0])
    columns, channels = y.shape[2], y.shape[3]
    kept, own = sums_type(graph, node), DType.FLOAT32 if x.dtype.is_float else DType.INT32
    place = Affine(0, (("t_0", channels), ("t_1", 1)))
    element = Load(row, Affine(0, (("t_0", a.strides[1] * channels), ("t_2", channels), ("t_1", 1))), x.dtype)
    start = Formula(f"{{0}} == 0 ? {'0.0f' if own.is_float else '0'} : {{1}}", (Name(ROW), Load(sums, place, kept)))

    def over(body: tuple[Stmt, ...]) -> Stmt:
        return For("t_0", columns, (For("t_1", channels, body),))

    add: tuple[Stmt, ...] = (
        Let("t_sum", own.c_type, start, True),
        For("t_2", a.kernel[1], (Set("t_sum", Formula("t_sum + {0}", (element,))),)),
        Store(sums, place, kept, Name("t_sum")),
    )
    adding: Stmt
    if kept is DType.INT16 and columns == 1 and a.kernel[1] == x.shape[2]:
        adding = Call("tinyc_sum_pixels_s8", (
            Pointer(row, c_type="int8_t *"), a.kernel[1], channels, Pick(ROW, ((1, 1),), 0),
            Pointer(sums, c_type="int16_t *")))
    else:
        adding = over(add)
    finish = (let("t_acc", own, Load(sums, place, kept)), *_divided(graph, node, result, place))

    return (adding, If(Formula(f"{{0}} == {a.kernel[0] - 1}", (Name(ROW),)), (over(finish),)))


def _divided(graph: Graph[Any], node: Node, result: str, place: Affine) -> tuple[Stmt, ...]:
    """Divides t_acc by the number of elements, rounded to nearest and ties away from zero, and bounds it; or brings it
    to the result's scale."""
    a: PoolAttrs = node.attrs
    x, y = graph.type(node.inputs[0]), graph.type(node.outputs[0])
    count = a.kernel[0] * a.kernel[1]
    if not node.integer:
        mean = Let("t_mean", "float", Formula("t_acc / {0}", (Literal(float(count), DType.FLOAT32),)))
        limits, value = bounded("t_mean", DType.FLOAT32, a.clamp)
        return (mean, *limits, Store(result, place, y.dtype, value))
    if mean_multiplier(node, x, y) is not None:
        return (Store(result, place, y.dtype, mean_of_sum(node, x, y, Name("t_acc"))),)
    half = count // 2
    mean = Let("t_mean", "int32_t", Formula(f"(t_acc > 0 ? t_acc + {half} : t_acc - {half}) / {count}", ()))
    low, high = clamp_limits(a.clamp, *scale_zero(y), (-128, 127))
    above: Expr = Formula(f"t_mean < {low} ? {low} : t_mean > {high} ? {high} : t_mean", ())
    return (mean, Store(result, place, y.dtype, above))
