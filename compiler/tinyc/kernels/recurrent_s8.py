# SPDX-License-Identifier: Apache-2.0
"""int8 LSTM, GRU and RNN by tinyc_lstm_s8 and its kin: a call for each direction, in a loop over the batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyc.backend.program import Affine, Argument, Call, For, Null, Pointer, Stmt, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array, DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import address
from tinyc.kernels.recurrent import Geometry
from tinyc.ops.recurrent import Recurrent, RecurrentAttrs
from tinyc.ops.registry import operator, scale_zero
from tinyc.quantize.recurrent import UNIT_BITS, Scales

# Hidden vectors of int8 scratch beside the states.
WORK = {"LSTM": 1, "GRU": 3, "RNN": 1}


@KERNELS.add
class RecurrentS8(Kernel):
    name = "tinyc_recurrent_s8"
    ops = tuple(WORK)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None if node.integer else "not integer"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        weights = graph.type(node.inputs[1]).elements + graph.type(node.inputs[2]).elements
        x = graph.type(node.inputs[0]).shape
        return Cost(2.0 * x[0] * x[1] * weights, weights)

    def lower(self, build: Builder) -> Lowered:
        a: RecurrentAttrs = build.node.attrs
        g = Geometry(build)
        if g.batch * g.hidden == 0:
            return Lowered(())
        alike = _first_states_alike(build, g.batch)
        bodies: list[Stmt] = []
        for d in range(a.directions):
            batches = range(1 if alike else g.batch)
            calls = [_call(build, g, d, b, alike and g.batch > 1) for b in batches]
            bodies += [For("t_0", g.batch, tuple(calls))] if alike and g.batch > 1 else calls
        own = 0 if a.results == ("Y_h",) else g.hidden
        wide = 0 if build.node.op == "RNN" else 2 * g.hidden
        return Lowered(tuple(bodies), wide + own + WORK[build.node.op] * g.hidden, _overlaps(build, g))


def _given(build: Builder) -> list[Array | None]:
    return [build.data(k) if build.has(k) and k not in (0, 4) else None for k in range(8)]


def _first_states_alike(build: Builder, batch: int) -> bool:
    """Whether all sequences of the batch begin with the same states."""
    a: RecurrentAttrs = build.node.attrs
    given = [v.swapaxes(0, 1) if a.batch_first else v for v in _given(build)[5:7] if v is not None]
    return all(np.array_equal(v[:, :1].repeat(batch, 1), v) for v in given)


def _call(build: Builder, g: Geometry, d: int, b: int, looped: bool) -> Call:
    a: RecurrentAttrs = build.node.attrs
    op, hidden = build.node.op, g.hidden

    def place(step: int, start: int = 0) -> Affine:
        return Affine(start, (("t_0", step),)) if looped else Affine(start + b * step)

    scratch = build.scratch_pointer()
    wide: Argument = Null() if op == "RNN" else Pointer(build.scratch, 0, "int16_t *")
    used = 0 if op == "RNN" else 2 * hidden
    state = place(g.state_batch, d * g.y_direction)
    if a.results == ("Y_h",):
        y: Argument = Null()
        h = address(build, build.output(), state, DType.INT8)
    else:
        y = address(build, build.output(), place(g.y_batch, d * g.y_direction), DType.INT8)
        h = Pointer(scratch.buffer, used, "int8_t *")
        used += hidden
    length = address(build, build.input(4), place(1), DType.INT32) if build.has(4) else Null()
    return Call(f"tinyc_{op.lower()}_s8", (
        _parameters(build, g, d, b), address(build, build.input(0), place(g.x_batch), DType.INT8), length, y, h, wide,
        Pointer(scratch.buffer, used, "int8_t *"),
    ))


def _parameters(build: Builder, g: Geometry, d: int, b: int) -> Struct:
    a: RecurrentAttrs = build.node.attrs
    kind = operator(build.node.op)
    assert isinstance(kind, Recurrent)
    given = _given(build)
    scales = Scales(*scale_zero(build.type(0)), *scale_zero(build.output_type()))
    rows = kind.integer_rows(a, given, d, scales)
    units_inside = build.node.op != "LSTM"

    def table(role: str, array: Array) -> Pointer:
        stem, dot, kind = role.partition(".")
        return build.table(f"{stem}{d or ''}{dot}{kind}", packed(array, units_inside))

    multiplier, shift = scales.output(2 * UNIT_BITS if build.node.op == "LSTM" else UNIT_BITS)
    first, wide = kind.first_states(a, given, d, b, scales)
    name = f"{d or ''}{f'_{b}' if b else ''}"
    return Struct("tinyc_recurrent_s8_params", (
        ("steps", g.steps), ("inputs", g.inputs), ("hidden", g.hidden), ("x_step", g.x_step), ("y_step", g.y_step),
        ("reverse", int(a.reverse(d))), ("variant", int(a.variant)), ("zero_point", scales.y_zero),
        ("multiplier", multiplier), ("shift", shift),
        ("w", table("w.filter", rows.w)), ("r", table("r.filter", rows.r)),
        ("bias", table("bias", rows.bias)), ("multipliers", table("multipliers", rows.multiplier)),
        ("shifts", table("shifts", rows.shift.astype(np.int8))), ("first", build.table(f"first{name}", first)),
        ("first_wide", Null() if build.node.op == "RNN" else build.table(f"wide{name}", wide)),
    ))


def packed(rows: Array, units_inside: bool) -> Array:
    """[gates, hidden, ...] in the runtime's order: the gates of a unit side by side, or those of four units."""
    if not units_inside:
        return np.ascontiguousarray(rows.swapaxes(0, 1))
    gates, hidden, *rest = rows.shape
    filled = np.zeros((gates, -(-hidden // 4) * 4, *rest), rows.dtype)
    filled[:, :hidden] = rows
    return np.ascontiguousarray(filled.reshape(gates, -1, 4, *rest).swapaxes(0, 1))


def _overlaps(build: Builder, g: Geometry) -> tuple[tuple[int, int, int], ...]:
    """Y lies on X where sequences run forward one behind the other."""
    a: RecurrentAttrs = build.node.attrs
    if a.results == ("Y",) and a.direction == "forward" and (g.batch == 1 or g.first) and g.hidden <= g.inputs:
        return ((0, 0, 0),)
    return ()
