# SPDX-License-Identifier: Apache-2.0
"""int8 element-wise operators: CMSIS-NN's arm_elementwise_*_s8 and arm_softmax_s8, tables, Requantize."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from tinyc.backend.program import Apply, Argument, Call, Formula, Literal, Load
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array, DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import in_place, merged_axes, nest, store, strides_of, wrap
from tinyc.ops import unary
from tinyc.ops.elementwise import ADD_LEFT_SHIFT, add_parameters
from tinyc.ops.registry import operator, scale_zero
from tinyc.ops.softmax import softmax_parameters
from tinyc.quantize.numbers import clamp_limits, quantize_multiplier


def options_allow_overlap(options: Options) -> bool:
    """CMSIS-NN does not promise that outputs may lie on inputs; the bundled functions do."""
    return options.kernels != "cmsis-nn"


@KERNELS.add
class ElementwiseS8(Kernel):
    """One call for each run of elements that are contiguous in all operands; all in one if none is broadcast."""

    name = "arm_elementwise_s8"
    ops = ("Add", "Sub", "Mul")

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if not node.integer:
            return "not integer"
        return None if graph.type(node.outputs[0]).dtype is DType.INT8 else "not int8"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        per_element = 21.0 if options.variant == "dsp" else 40.0
        return Cost(per_element * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        a, b, y = build.type(0), build.type(1), build.output_type()
        strides = [strides_of(t.shape, y.shape) for t in (a, b, y)]
        loops = merged_axes(y.shape, strides)
        run = 1
        if loops and loops[-1][1] == [1, 1, 1]:
            run = loops.pop()[0]
        first, second, result = (
            replace(pointer, terms=nest(loops, k).terms)
            for k, pointer in enumerate((build.input(0), build.input(1), build.output()))
        )
        (s1, z1), (s2, z2), (s3, z3) = (scale_zero(t) for t in (a, b, y))
        low, high = clamp_limits(build.node.attrs.clamp, s3, z3, (-128, 127))
        arguments: tuple[Argument, ...]
        if build.node.op == "Mul":
            function = "arm_elementwise_mul_s8"
            arguments = (first, second, -z1, -z2, result, z3, *quantize_multiplier(s1 * s2 / s3), low, high, run)
        else:
            function = "arm_elementwise_add_s8"  # Sub adds the second operand's negative
            p = add_parameters(s1, s2, s3, 1 if build.node.op == "Add" else -1)
            arguments = (first, second, -z1, *p.first, -z2, *p.second, ADD_LEFT_SHIFT, result, z3, *p.output,
                         low, high, run)
        body = wrap(loops, (Call(function, arguments, True),))
        # Each element is read before its result is written, so the output may lie on an equal operand.
        overlaps = in_place([a, b], y) if options_allow_overlap(build.options) else ()
        return Lowered(body, 0, overlaps)


@KERNELS.add
class LookupS8(Kernel):
    """Any function of one int8 value, by a table of its 256 results."""

    name = "tinyc_lut_s8"
    ops = (*unary.TABLE, "Add", "Sub", "Mul", "Table")

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if not node.integer:
            return "not integer"
        if graph.type(node.outputs[0]).dtype is not DType.INT8:
            return "not int8"
        return None if variable_operand(graph, node) is not None else "a function of more than one value"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(6.0 * graph.type(node.outputs[0]).elements, 256)

    def lower(self, build: Builder) -> Lowered:
        k = variable_operand(build.graph, build.node)
        assert k is not None
        if build.node.op == "Table":
            table = build.table("table", build.data(1), "constants")
            call = Call(self.name, (build.input(0), build.output(), build.output_type().elements, table))
            return Lowered((call,), 0, ((0, 0, 0),))
        table = build.table("table", results(build.graph, build.node, k), "constants")
        call = Call(self.name, (build.input(k), build.output(), build.output_type().elements, table))
        return Lowered((call,), 0, ((k, 0, 0),))


def variable_operand(graph: Graph[Any], node: Node) -> int | None:
    """The only operand that varies, if the others are constants of one element and it has the result's size."""
    if node.op == "Table":
        return 0
    values = [graph.value(i) for i in node.inputs]
    varying = [k for k, v in enumerate(values) if not (v.is_const and v.type.elements == 1)]
    if len(varying) != 1 or values[varying[0]].type.elements != graph.type(node.outputs[0]).elements:
        return None
    return varying[0]


def results(graph: Graph[Any], node: Node, k: int) -> Array:
    """The integer form's results for all values of operand `k`, indexed by the value plus 128."""
    every = np.arange(-128, 128).astype(np.int8)
    types = [graph.type(i) for i in node.inputs]
    arrays = [every if i == k else graph.data(name).reshape(1) for i, name in enumerate(node.inputs)]
    flat = [t.with_shape(a.shape) for t, a in zip(types, arrays, strict=True)]
    return operator(node.op).evaluate_integer(node, arrays, flat, [graph.type(node.outputs[0]).with_shape((256,))])[0]


@KERNELS.add
class SoftmaxS8(Kernel):
    name = "arm_softmax_s8"
    ops = ("Softmax",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if not node.integer or graph.type(node.outputs[0]).dtype is not DType.INT8:
            return "not int8"
        return None if node.attrs.axis == graph.type(node.inputs[0]).rank - 1 else "not along the last axis"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(400.0 * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        x = build.type(0)
        multiplier, shift, diff_min = softmax_parameters(scale_zero(x)[0])
        call = Call("arm_softmax_s8", (build.input(0), math.prod(x.shape[:-1]), x.shape[-1], multiplier, shift,
                                       diff_min, build.output()))
        return Lowered((call,), 0, ((0, 0, 0),) if options_allow_overlap(build.options) else ())


@KERNELS.add
class RequantizeS8(Kernel):
    name = "tinyc_requantize_s8"
    ops = ("Requantize", "Clip")

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if not node.integer or {graph.type(v).dtype for v in (*node.inputs, *node.outputs)} != {DType.INT8}:
            return "not int8"
        ratio = scale_zero(graph.type(node.inputs[0]))[0] / scale_zero(graph.type(node.outputs[0]))[0]
        return None if quantize_multiplier(ratio)[1] <= 22 else "the ratio of scales is above 2^22"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(20.0 * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        y = build.output_type()
        (s1, z1), (s2, z2) = scale_zero(build.type(0)), scale_zero(y)
        clamp = (build.node.attrs.low, build.node.attrs.high) if build.node.op == "Clip" else None
        low, high = clamp_limits(clamp, s2, z2, (-128, 127))
        call = Call("tinyc_requantize_s8", (build.input(0), build.output(), y.elements, z1, z2,
                                            *quantize_multiplier(s1 / s2), low, high))
        return Lowered((call,), 0, ((0, 0, 0),))


@KERNELS.add
class RequantizeLoops(Kernel):
    """For every ratio of scales."""

    name = "loops"
    ops = ("Requantize", "Clip")

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None if node.integer else "not integer"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(30.0 * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        y = build.output_type()
        (s1, z1), (s2, z2) = scale_zero(build.type(0)), scale_zero(y)
        clamp = (build.node.attrs.low, build.node.attrs.high) if build.node.op == "Clip" else None
        loops = merged_axes((y.elements,), ((1,), (1,)))
        value = Formula(f"{{0}} - ({z1})", (Load(build.input(0).buffer, nest(loops, 0), build.type(0).dtype),))
        numbers = (*quantize_multiplier(s1 / s2), z2, *clamp_limits(clamp, s2, z2, y.dtype.limits))
        scaled = Apply("tinyc_requantize_one", (value, *(Literal(n, DType.INT32) for n in numbers)))
        body = store(build.output().buffer, nest(loops, 1), y.dtype, scaled)
        return Lowered(wrap(loops, (body,)), 0, in_place([build.type(0)], y))
