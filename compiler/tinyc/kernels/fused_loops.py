# SPDX-License-Identifier: Apache-2.0
"""Fused chains of element-wise operators as one generated loop nest: nothing between them is stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinyc.backend.program import Apply, Expr, Formula, Literal, Name, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType, TensorType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.elementwise_loops import conversion, expression
from tinyc.kernels.loops import bounded, computed, in_place, let, load, merged_axes, nest, store, strides_of, wrap
from tinyc.ops import unary
from tinyc.ops.fused import FusedAttrs, FusedStep


@KERNELS.add
class FusedLoops(Kernel):
    name = "loops"
    ops = ("Fused",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        a: FusedAttrs = node.attrs
        each = sum(60.0 if s.op in unary.TABLE else 4.0 for s in a.steps)
        return Cost((4.0 + each) * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        a: FusedAttrs = build.node.attrs
        y = build.output_type()
        types = [build.type(k) for k in range(len(build.node.inputs))]
        strides = [strides_of(t.shape, y.shape) for t in types] + [strides_of(y.shape, y.shape)]
        loops = merged_axes(y.shape, strides)
        body: list[Stmt] = []
        names = [f"t_o{k}" for k in range(len(types))]
        dtypes = [t.dtype for t in types]
        for k, type_ in enumerate(types):
            body.append(let(names[k], type_.dtype, _element(build, k, type_, loops)))
        for k, step in enumerate(a.steps):
            name = f"t_s{k}"
            statements, value = _step(step, name, [names[v] for v in step.values], [dtypes[v] for v in step.values])
            body += statements
            last = k == len(a.steps) - 1
            if step.dtype is DType.FLOAT16 and not last:  # the last is rounded by being stored
                value = Apply("tinyc_half_to_float", (Apply("tinyc_float_to_half", (value,)),))
            if not isinstance(value, Name):
                name = f"{name}_r"
                body.append(let(name, step.dtype, value))
                value = Name(name)
            names.append(value.name)
            dtypes.append(step.dtype)
        body.append(store(build.output().buffer, nest(loops, len(types)), y.dtype, Name(names[-1])))
        return Lowered(wrap(loops, tuple(body)), 0, in_place(types, y))


def _element(build: Builder, k: int, type_: TensorType, loops: Any) -> Expr:
    """An operand's element; a constant of one element is written out."""
    data = build.graph.value(build.node.inputs[k]).data
    if data is not None and data.size == 1:
        value = data.reshape(-1)[0].item()
        own = computed(type_.dtype)
        if type_.dtype is not DType.BOOL and type_.dtype is not DType.FLOAT64:
            return Literal(value, own)
    return load(build.input(k).buffer, nest(loops, k), type_.dtype)


def _step(step: FusedStep, name: str, operands: Sequence[str], dtypes: Sequence[DType]) -> tuple[list[Stmt], Expr]:
    """Statements that define the variable `name` and its bounds, and the value to go on with."""
    clamp = getattr(step.attrs, "clamp", None)
    if step.op == "Clip":
        clamp = (step.attrs.low, step.attrs.high)
        value: Expr = Name(operands[0])
    elif step.op == "Where":
        value = Formula(f"{operands[0]} != 0 ? {operands[1]} : {operands[2]}", ())
    elif step.op == "Cast":
        value = Formula(conversion(operands[0], computed(dtypes[0]), step.dtype), ())
    else:
        value = expression(step.node(), dtypes[0], operands)
    bounds, result = bounded(name, step.dtype, clamp)
    return [let(name, step.dtype, value), *bounds], result
