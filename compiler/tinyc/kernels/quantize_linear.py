# SPDX-License-Identifier: Apache-2.0
"""QuantizeLinear and DequantizeLinear: calls where there is one scale, loops for all else."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyc.backend.program import Call, Expr, Formula, Let, Literal, Load, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType, Quant
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import Loops, in_place, let, load, merged_axes, nest, row_strides, store, wrap

SUFFIX = {DType.INT8: "s8", DType.UINT8: "u8", DType.INT16: "s16", DType.INT32: "s32"}


@KERNELS.add
class QuantizeLinear(Kernel):
    name = "tinyc_quantize"
    ops = ("QuantizeLinear",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if not node.attrs.quant.per_tensor:
            return "more than one scale"
        if node.attrs.dtype not in (DType.INT8, DType.UINT8, DType.INT16):
            return f"no kernel quantizes to {node.attrs.dtype.label}"
        return None if graph.type(node.inputs[0]).dtype is DType.FLOAT32 else "the input is not float32"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(30.0 * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        quant = build.node.attrs.quant
        call = Call(f"tinyc_quantize_f32_{SUFFIX[build.node.attrs.dtype]}",
                    (build.input(0), build.output(), build.output_type().elements, float(quant.scale[0]),
                     quant.zero_point[0]))
        # Narrower results written in ascending order may begin where the wider input does.
        return Lowered((call,), 0, ((0, 0, 0),))


@KERNELS.add
class DequantizeLinear(Kernel):
    name = "tinyc_dequantize"
    ops = ("DequantizeLinear",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if not node.attrs.quant.per_tensor:
            return "more than one scale"
        dtype = graph.type(node.inputs[0]).dtype
        if dtype not in SUFFIX:
            return f"no kernel dequantizes {dtype.label}"
        return "a zero point with int32" if dtype is DType.INT32 and any(node.attrs.quant.zero_point) else None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(10.0 * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        quant = build.node.attrs.quant
        dtype = build.type(0).dtype
        zero = () if dtype is DType.INT32 else (quant.zero_point[0],)
        call = Call(f"tinyc_dequantize_{SUFFIX[dtype]}_f32",
                    (build.input(0), build.output(), build.output_type().elements, float(quant.scale[0]), *zero))
        return Lowered((call,))


class _Loops(Kernel):
    """Elements one by one, scales and zero points from tables along an axis."""

    name = "loops"

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(40.0 * graph.type(node.outputs[0]).elements)

    def element(self, build: Builder, scale: Expr, zero: Expr) -> tuple[Stmt, ...]:
        """Statements that make t_v of t_a, an element of the input."""
        raise NotImplementedError(self.name)

    def lower(self, build: Builder) -> Lowered:
        x, y, quant = build.type(0), build.output_type(), build.node.attrs.quant
        dense = row_strides(y.shape)
        along = [int(k == quant.axis and not quant.per_tensor) for k in range(y.rank)]
        loops = merged_axes(y.shape, (dense, along))
        read = let("t_a", x.dtype, load(build.input(0).buffer, nest(loops, 0), x.dtype))
        body = (read, *self.element(build, *_parameters(build, quant, loops)),
                store(build.output().buffer, nest(loops, 0), y.dtype, Formula("t_v", ())))
        return Lowered(wrap(loops, body), 0, in_place([x], y))


def _parameters(build: Builder, quant: Quant, loops: Loops) -> tuple[Expr, Expr]:
    """The scale and zero point of an element."""
    place = nest(loops, 1)
    scale: Expr = Literal(quant.scale[0], DType.FLOAT32)
    zero: Expr = Literal(quant.zero_point[0], DType.INT32)
    if len(set(quant.scale)) > 1:
        table = build.table("scale", np.array(quant.scale, np.float32), "constants")
        scale = Load(table.buffer, place, DType.FLOAT32)
    if len(set(quant.zero_point)) > 1:
        table = build.table("zero_point", np.array(quant.zero_point, np.int32), "constants")
        zero = Load(table.buffer, place, DType.INT32)
    return scale, zero


@KERNELS.add
class QuantizeLoops(_Loops):
    ops = ("QuantizeLinear",)

    def element(self, build: Builder, scale: Expr, zero: Expr) -> tuple[Stmt, ...]:
        dtype = build.node.attrs.dtype
        low, high = dtype.limits
        # double holds every 32-bit integer, float those of 16 bits with a zero point added
        real, suffix = ("double", "") if dtype.size == 4 else ("float", "f")
        bounds = f"t_q >= {high}.0{suffix} ? {high} : t_q > {low}.0{suffix} ? ({dtype.c_type})t_q : {_least(dtype)}"
        return (
            Let("t_q", real, Formula(f"({real})rintf((float)t_a / {{0}}) + ({real}){{1}}", (scale, zero))),
            Let("t_v", dtype.c_type, Formula(f"({dtype.c_type})({bounds})", ())),
        )


def _least(dtype: DType) -> str:
    return "INT32_MIN" if dtype is DType.INT32 else str(dtype.limits[0])


@KERNELS.add
class DequantizeLoops(_Loops):
    ops = ("DequantizeLinear",)

    def element(self, build: Builder, scale: Expr, zero: Expr) -> tuple[Stmt, ...]:
        wide = "int64_t" if build.type(0).dtype.size >= 4 else "int32_t"
        return (Let("t_v", "float", Formula(f"(float)(({wide})t_a - {{0}}) * {{1}}", (zero, scale))),)
