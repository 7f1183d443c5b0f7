# SPDX-License-Identifier: Apache-2.0
"""Loop: a graph that is evaluated again and again. ONNX's Loop and Scan become this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array, TensorType
from tinyc.ops.registry import Arrays, Operator, ShapeError, Types, array, need, register

MAX_TRIPS = (1 << 31) - 1


@dataclass(frozen=True, eq=False)
class LoopAttrs:
    """`body` maps (number of the trip, true: only with `counter`; carried values, a slice of each scanned operand,
    captured values) to (whether to go on: only with `counter`; carried values, a slice of each scanned result).

    trips: how many at most, None where operand 0 says it. Slices are along the first axis, from its end where
    `backwards` holds (scanned operands first, then scanned results).
    """

    body: Graph[Any] = field(repr=False)
    trips: int | None
    counter: bool
    carried: int
    scanned: int
    collected: int
    backwards: tuple[bool, ...]

    @property
    def label(self) -> str:
        return "" if self.trips is None else f"{self.trips} times"


@register
class Loop(Operator):
    """Operands: number of trips or "", whether to begin or "", carried values, scanned operands, captured values."""

    name = "Loop"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: LoopAttrs = node.attrs
        graph = a.body
        first = 2 if a.counter else 0
        inner = [graph.type(name) for name in graph.inputs[first:]]
        outer = [need(t, "operand") for t in types[2:]]
        for k, (have, wanted) in enumerate(zip(outer, inner, strict=True)):
            shape = have.shape[1:] if a.carried <= k < a.carried + a.scanned else have.shape
            if have.dtype is not wanted.dtype or shape != wanted.shape:
                raise ShapeError(f"operand {k} of type {have} for {wanted} in the body")
        ends = [graph.type(name) for name in graph.outputs[1 if a.counter else 0:]]
        for k in range(a.carried):
            if ends[k].dtype is not inner[k].dtype or ends[k].shape != inner[k].shape:
                raise ShapeError(f"carried value {k} changes from {inner[k]} to {ends[k]}")
        if ends[a.carried:] and a.trips is None:
            raise ShapeError("results of a trip count that is not constant")
        return [TensorType(t.dtype, t.shape) for t in ends[:a.carried]] + [
            TensorType(t.dtype, (a.trips or 0, *t.shape)) for t in ends[a.carried:]]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        from tinyc.ir.evaluate import evaluate  # it needs the table of operators

        a: LoopAttrs = node.attrs
        first, trips = (2 if a.counter else 0), a.trips
        if trips is None:
            trips = MAX_TRIPS if inputs[0] is None else int(array(inputs[0]).reshape(()))
        go_on = inputs[1] is None or bool(array(inputs[1]).reshape(()))
        operands = [array(i) for i in inputs[2:]]
        state = operands[:a.carried]
        scanned, captured = operands[a.carried:a.carried + a.scanned], operands[a.carried + a.scanned:]
        results = [np.zeros(t.shape, t.dtype.numpy) for t in outputs[a.carried:]]
        trip = 0
        while trip < trips and go_on:
            place = [trips - 1 - trip if back else trip for back in a.backwards]
            slices = [x[p] for x, p in zip(scanned, place, strict=False)]
            counter = [np.array(trip, np.int64), np.array(True)][:first]
            names = zip(a.body.inputs, (*counter, *state, *slices, *captured), strict=True)
            values = evaluate(a.body, dict(names))
            ends = [values[name] for name in a.body.outputs]
            if a.counter:
                go_on = bool(ends.pop(0).reshape(()))
            state = ends[:a.carried]
            for result, p, value in zip(results, place[a.scanned:], ends[a.carried:], strict=True):
                result[p] = value
            trip += 1
        return [*state, *results]

    def macs(self, node: Node, types: Types, outputs: Sequence[TensorType]) -> int:
        from tinyc.ops.registry import operator

        a: LoopAttrs = node.attrs
        once = sum(operator(n.op).macs(n, a.body.input_types(n), a.body.output_types(n)) for n in a.body.nodes())
        return once * (a.trips or 1)
