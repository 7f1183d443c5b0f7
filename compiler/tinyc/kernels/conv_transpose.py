# SPDX-License-Identifier: Apache-2.0
"""ConvTranspose, gathered: each element of the result sums the taps that reach it."""

from __future__ import annotations

from typing import Any

from tinyc.backend.program import Affine, Call, Expr, For, Formula, Literal, Set, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.conv_loops import finish, weights_buffer
from tinyc.kernels.float32 import bias_or_null, conv_geometry, float_obstacle
from tinyc.kernels.loops import let, load
from tinyc.kernels.windows import Window, loops_over
from tinyc.kernels.writing import when, whole
from tinyc.ops.conv_transpose import ConvTransposeAttrs
from tinyc.ops.registry import operator, scale_zero


@KERNELS.add
class ConvTranspose2dF32(Kernel):
    name = "tinyc_conv_transpose2d_f32"
    ops = ("ConvTranspose",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if graph.type(node.inputs[0]).rank != 4 or not node.attrs.channels_last:
            return "not a channels-last convolution over two axes"
        if not graph.value(node.inputs[1]).is_const:
            return "the filters are not constant"
        return float_obstacle(graph, node)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        macs = operator(node.op).macs(node, graph.input_types(node), graph.output_types(node))
        return Cost(8.0 * macs, graph.type(node.inputs[1]).bytes)

    def lower(self, build: Builder) -> Lowered:
        call = Call(self.name, (conv_geometry(build), build.input(0), build.table("filter", build.data(1)),
                                bias_or_null(build), build.output()))
        return Lowered((call,))


@KERNELS.add
class ConvTransposeLoops(Kernel):
    """Any rank, layout, group and element type; weights may be computed."""

    name = "loops"
    ops = ("ConvTranspose",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        w = graph.type(node.inputs[1])
        return Cost(40.0 * graph.type(node.outputs[0]).elements * w.elements / w.shape[0], w.bytes)

    def lower(self, build: Builder) -> Lowered:
        a: ConvTransposeAttrs = build.node.attrs
        x, w = build.type(0), build.type(1)
        window = Window.of(x.shape, build.output_type().shape, w.shape[1:-1] if a.channels_last else w.shape[2:],
                           a.strides, a.dilations, a.pads, a.channels_last)
        taken, outputs = w.shape[-1 if a.channels_last else 1], w.shape[0] // a.group
        channel = Affine(0, (("t_g", outputs), ("t_o", 1)))
        acc = DType.INT32 if build.node.integer else x.dtype
        start: Expr = Literal(0, acc if acc is not DType.FLOAT16 else DType.FLOAT32)
        if build.has(2):
            start = load(build.input(2).buffer, channel, build.type(2).dtype)
        pixel = window.input_index("t_n", (("t_g", taken), ("t_c", 1)))
        weight = window.weight_index(w.shape, channel, "t_c")
        operands = (load(build.input(0).buffer, pixel, x.dtype), load(weights_buffer(build), weight, w.dtype))
        zero = scale_zero(x)[1] if build.node.integer else 0
        product = f"({{0}} - ({zero})) * {{1}}" if zero else "{0} * {1}"
        step = For("t_c", taken, (Set("t_acc", Formula(f"t_acc + {product}", operands)),))
        body: tuple[Stmt, ...] = (let("t_acc", acc, start, True), *reaching_taps(window, (step,)),
                                  *finish(build, window, channel, outputs))
        around = [("t_n", x.shape[0]), ("t_g", a.group), ("t_o", outputs), *window.output_axes()]
        return Lowered(loops_over(around, body))


def reaching_taps(window: Window, body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    """`body` for each tap through which an element of the input reaches the place t_y<axis>."""
    for k in range(window.rank - 1, -1, -1):
        stride, extent = window.strides[k], window.extents[k]
        reach, place = f"t_e{k}", f"t_p{k}"
        condition = f"{reach} >= 0 && {reach} < {extent * stride}"
        if stride > 1:
            condition += f" && {reach} % {stride} == 0"
        shift = f" + {window.pads[k]}" if window.pads[k] else ""
        inner = (whole(place, f"{reach} / {stride}" if stride > 1 else reach), *body)
        body = (For(f"t_k{k}", window.kernel[k], (
            whole(reach, f"t_y{k}{shift} - {window.dilations[k]} * t_k{k}"), when(condition, inner))),)
    return body


