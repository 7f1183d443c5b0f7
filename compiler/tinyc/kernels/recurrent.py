# SPDX-License-Identifier: Apache-2.0
"""LSTM, GRU and RNN by tinyc_lstm_f32 and its kin: a call for each direction, in a loop over the batch."""

from __future__ import annotations

import math
from typing import Any

from tinyc.backend.program import Affine, Argument, Call, Null, Pointer, Stmt, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import address, wrap
from tinyc.ops.recurrent import ACTIVATIONS, Activation, RecurrentAttrs

USUAL = {"LSTM": ("Sigmoid", "Tanh", "Tanh"), "GRU": ("Sigmoid", "Tanh"), "RNN": ("Tanh",)}
# Hidden vectors of scratch beside the states.
WORK = {"LSTM": 1, "GRU": 2, "RNN": 1}


def function_of(node: Node, dtype: DType) -> str:
    """The runtime function for an element type and these activations."""
    a: RecurrentAttrs = node.attrs
    usual = USUAL[node.op] * a.directions == tuple(f.kind for f in a.activations) and a.clip is None
    suffix = "f64" if dtype is DType.FLOAT64 else "f32" if usual else "any_f32"
    return f"tinyc_{node.op.lower()}_{suffix}"


class Geometry:
    """Element strides: between batches and directions, of operands, results and one step's rows."""

    def __init__(self, build: Builder) -> None:
        a: RecurrentAttrs = build.node.attrs
        x = build.type(0).shape
        self.first, self.inputs = a.batch_first, x[2]
        self.steps, self.batch = (x[1], x[0]) if self.first else (x[0], x[1])
        self.hidden = a.hidden
        width = a.hidden * a.directions
        self.x_step = self.inputs * (1 if self.first else self.batch)
        self.x_batch = self.inputs * (self.steps if self.first else 1)
        self.y_step = width * (1 if self.first else self.batch)
        self.y_batch = width * self.steps if self.first else self.hidden
        self.y_direction = self.hidden if self.first else self.batch * self.hidden
        self.state_batch = width if self.first else self.hidden


@KERNELS.add
class RecurrentKernel(Kernel):
    name = "tinyc_recurrent"
    ops = tuple(USUAL)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        dtype = graph.type(node.inputs[0]).dtype
        return None if dtype in (DType.FLOAT32, DType.FLOAT64) and not node.integer else "neither float32 nor float64"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        weights = graph.type(node.inputs[1]), graph.type(node.inputs[2])
        x = graph.type(node.inputs[0]).shape
        return Cost(3.0 * x[0] * x[1] * sum(t.elements for t in weights), sum(t.bytes for t in weights))

    def lower(self, build: Builder) -> Lowered:
        a: RecurrentAttrs = build.node.attrs
        g, dtype = Geometry(build), build.type(0).dtype
        if g.batch * g.hidden == 0:
            return Lowered(())
        calls = [_call(build, g, dtype, d) for d in range(a.directions)]
        loops = [(g.batch, [0])] if g.batch > 1 else []
        body: tuple[Stmt, ...] = tuple(calls)
        if g.first:
            body = wrap(loops, body)
        else:
            body = tuple(s for call in calls for s in wrap(loops, (call,)))
        missing = [r for r in ("Y_h", *(("Y_c",) if build.node.op == "LSTM" else ())) if r not in a.results]
        scratch = (WORK[build.node.op] + len(missing)) * g.hidden * dtype.size
        return Lowered(body, scratch, _overlaps(build, g))


def _call(build: Builder, g: Geometry, dtype: DType, d: int) -> Call:
    a: RecurrentAttrs = build.node.attrs
    lstm, hidden = build.node.op == "LSTM", g.hidden

    def batch(step: int, start: int = 0) -> Affine:
        return Affine(start, (("t_0", step),) if g.batch > 1 else ())

    def operand(k: int, place: Affine) -> Argument:
        return address(build, build.input(k), place, build.type(k).dtype) if build.has(k) else Null()

    def row(k: int, filter_role: str = "") -> Argument:
        """A direction's part of an operand whose first axis is the direction."""
        if not build.has(k):
            return Null()
        constant = filter_role and build.graph.value(build.node.inputs[k]).is_const
        base = build.table(filter_role, build.data(k)) if constant else build.input(k)
        return address(build, base, Affine(d * math.prod(build.type(k).shape[1:])), dtype)

    state = batch(g.state_batch, d * g.y_direction)
    scratch = [0]

    def work(vectors: int) -> Pointer:
        start = scratch[0]
        scratch[0] += vectors * hidden * dtype.size
        return Pointer(build.scratch, start, f"{dtype.c_type} *")

    def result(name: str, place: Affine) -> Argument:
        if name in a.results:
            return address(build, build.output(a.results.index(name)), place, dtype)
        return Null() if name == "Y" else work(1)

    y = result("Y", batch(g.y_batch, d * g.y_direction))
    h = result("Y_h", state)
    arguments: list[Argument] = [_parameters(build, g, d), operand(0, batch(g.x_batch)), row(1, "w.filter"),
                                 row(2, "r.filter"), row(3)]
    if lstm:
        arguments.append(row(7))
    arguments += [operand(4, batch(1)), operand(5, state)]
    if lstm:
        arguments += [operand(6, state), y, h, result("Y_c", state)]
    else:
        arguments += [y, h]
    return Call(function_of(build.node, dtype), (*arguments, work(WORK[build.node.op])))


def _parameters(build: Builder, g: Geometry, d: int) -> Struct:
    a: RecurrentAttrs = build.node.attrs
    activations = [*a.of_direction(d), *[Activation("Relu")] * 2]
    kinds = list(ACTIVATIONS)
    fields = [(name, Struct("tinyc_activation", (("kind", kinds.index(f.kind)), ("alpha", f.alpha), ("beta", f.beta))))
              for name, f in zip("fgh", activations, strict=False)]
    return Struct("tinyc_recurrent_params", (
        ("steps", g.steps), ("inputs", g.inputs), ("hidden", g.hidden), ("x_step", g.x_step), ("y_step", g.y_step),
        ("reverse", int(a.reverse(d))), ("variant", int(a.variant)),
        ("clip", math.inf if a.clip is None else a.clip), *fields,
    ))


def _overlaps(build: Builder, g: Geometry) -> tuple[tuple[int, int, int], ...]:
    """States lie on the initial ones; Y on X where sequences run forward one behind the other."""
    a: RecurrentAttrs = build.node.attrs
    pairs = [(k, a.results.index(name), 0) for k, name in ((5, "Y_h"), (6, "Y_c"))
             if build.has(k) and name in a.results]
    consecutive = g.batch == 1 or g.first
    if "Y" in a.results and a.direction == "forward" and consecutive and g.hidden <= g.inputs:
        pairs.append((0, a.results.index("Y"), 0))
    return tuple(pairs)
