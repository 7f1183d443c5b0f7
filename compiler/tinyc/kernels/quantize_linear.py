# SPDX-License-Identifier: Apache-2.0
"""QuantizeLinear and DequantizeLinear of tensors with one scale."""

from __future__ import annotations

from typing import Any

from tinyc.backend.program import Call
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options

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
