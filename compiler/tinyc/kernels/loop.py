# SPDX-License-Identifier: Apache-2.0
"""Loop: the statements of its body's program within a loop, the body's buffers within the step's scratch.

A carried value lies where the loop's result will be; the body writes the next one elsewhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyc.backend.program import (
    Affine,
    Expr,
    Formula,
    Let,
    Literal,
    Move,
    Name,
    Part,
    Pointer,
    Program,
    Set,
    Stmt,
    Store,
    While,
)
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType, TensorType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import load
from tinyc.ops.loop import MAX_TRIPS, LoopAttrs
from tinyc.ops.registry import operator

ALIGN = 8


@KERNELS.add
class LoopBody(Kernel):
    name = "loop"
    ops = ("Loop",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(100.0 + operator("Loop").macs(node, graph.input_types(node), graph.output_types(node)))

    def lower(self, build: Builder) -> Lowered:
        from tinyc.kernels.lower import lower  # it needs the table of kernels
        from tinyc.plan.arena import plan_arena

        a: LoopAttrs = build.node.attrs
        program = lower(a.body, replace(build.options, state=()), build.prefix, prefix=f"{build.prefix}.")
        arena = plan_arena(program, "caller")
        build.tables += program.tables.values()
        trip = "t_trip" + str(build.prefix.count(".") or "")
        layout = _Layout(build, a, program, trip)
        base = layout.reserve(arena.bytes)
        parts = dict(program.parts) | layout.parts
        parts |= {b.name: Part(build.scratch, base + b.offset) for b in arena.buffers}
        return Lowered(_statements(build, a, program, layout, trip), layout.bytes, _in_place(build, a),
                       buffers={name: info for name, info in program.buffers.items() if name in parts}, parts=parts)


class _Layout:
    """Where the inputs and outputs of the body are."""

    def __init__(self, build: Builder, a: LoopAttrs, program: Program, trip: str) -> None:
        self.build = build
        self.bytes = 0
        self.parts: dict[str, Part] = {}
        self.trips = a.trips or 0
        self.trip = trip
        inputs, outputs = list(program.inputs), list(program.outputs)
        if a.counter:
            self.number, self.go_on = (self._in_scratch(inputs.pop(0), 8) for _ in range(2))
            self.result = self._in_scratch(outputs.pop(0), 1)
        for k, buffer in enumerate(inputs):
            if k < a.carried:
                self.parts[buffer] = Part(build.output(k).buffer)
            elif k < a.carried + a.scanned:
                operand = build.input(2 + k)
                self._slice(buffer, operand, build.type(2 + k), a.backwards[k - a.carried])
            else:
                self.parts[buffer] = Part(build.input(2 + k).buffer)
        self.next = [self._in_scratch(b, build.output_type(k).bytes) for k, b in enumerate(outputs[:a.carried])]
        for k, buffer in enumerate(outputs[a.carried:], a.carried):
            self._slice(buffer, build.output(k), build.output_type(k), a.backwards[a.scanned + k - a.carried])

    def reserve(self, size: int) -> int:
        """The place of so many bytes more."""
        at = self.bytes
        self.bytes += -(-size // ALIGN) * ALIGN
        return at

    def _in_scratch(self, buffer: str, size: int) -> str:
        self.parts[buffer] = Part(self.build.scratch, self.reserve(size))
        return buffer

    def _slice(self, buffer: str, whole: Pointer, type_: TensorType, backwards: bool) -> None:
        row = type_.bytes // type_.shape[0]
        self.parts[buffer] = Part(whole.buffer, row * (self.trips - 1) if backwards else 0,
                                  ((self.trip, -row if backwards else row),))


def _statements(build: Builder, a: LoopAttrs, program: Program, layout: _Layout, trip: str) -> tuple[Stmt, ...]:
    before: list[Stmt] = []
    for k in range(a.carried):
        before.append(Move(build.output(k), build.input(2 + k), build.output_type(k).bytes))
    before.append(Let(trip, "int32_t", Literal(0, DType.INT32), True))
    conditions = [f"{trip} < {MAX_TRIPS if a.trips is None else a.trips}"]
    operands: list[Expr] = []
    if a.trips is None and build.has(0):
        conditions.append(f"{trip} < {{{len(operands)}}}")
        operands.append(load(build.input(0).buffer, Affine(), build.type(0).dtype))
    go_on = f"{trip}_go"
    body: list[Stmt] = []
    if a.counter:
        start: Expr = Literal(1, DType.INT32)
        if build.has(1):
            start = load(build.input(1).buffer, Affine(), DType.BOOL)
        before.append(Let(go_on, "uint8_t", Formula("(uint8_t)({0} != 0)", (start,)), True))
        conditions.append(f"{go_on} != 0")
        body += [Store(layout.number, Affine(), DType.INT64, Name(trip)),
                 Store(layout.go_on, Affine(), DType.BOOL, Literal(1, DType.INT32))]
    body += [stmt for step in program.steps for stmt in step.body]
    for k, buffer in enumerate(layout.next):
        body.append(Move(build.output(k), Pointer(buffer), build.output_type(k).bytes))
    if a.counter:
        body.append(Set(go_on, load(layout.result, Affine(), DType.BOOL)))
    body.append(Set(trip, Formula(f"{trip} + 1", ())))
    return (*before, While(Formula(" && ".join(conditions), tuple(operands)), tuple(body)))


def _in_place(build: Builder, a: LoopAttrs) -> tuple[tuple[int, int, int], ...]:
    """A carried value may begin where its operand is, unless the body reads that, too."""
    inputs = build.node.inputs
    return tuple((2 + k, k, 0) for k in range(a.carried)
                 if inputs.count(inputs[2 + k]) == 1 and not build.graph.value(inputs[2 + k]).is_const)

