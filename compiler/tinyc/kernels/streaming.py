# SPDX-License-Identifier: Apache-2.0
"""Which steps of a Program run row by row: for the smallest arena, or for the fastest program within a bound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tinyc.backend.program import Program
from tinyc.errors import TinycError
from tinyc.ir.graph import Graph
from tinyc.kernels.base import Options
from tinyc.kernels.guards import ALWAYS, guards_of
from tinyc.kernels.lower import assign_storage
from tinyc.kernels.row_code import RowCode, row_code
from tinyc.kernels.row_program import with_segments
from tinyc.kernels.row_segment import Context, Segment, segment_of
from tinyc.kernels.stack import stack_estimate
from tinyc.plan.arena import Arena, plan_arena, problem_of
from tinyc.plan.greedy import greedy_orders, place_in_order, plan_bytes
from tinyc.plan.problem import Buffer, Problem
from tinyc.plan.segments import Piece, choices
from tinyc.plan.separation import build_model

LONGEST = 24  # steps in one loop, at most


@dataclass(frozen=True)
class Streamed:
    """A program with some steps by rows, the bytes that its busiest piece needs, and what it costs in instructions."""

    program: Program
    peak: int
    cost: float


def streamed(graph: Graph[Any], program: Program, options: Options) -> Iterator[Streamed]:
    """Programs with falling peaks and rising cost, the given one first. Peaks are estimates until placed."""
    context = Context(graph, program, assign_storage(graph)[0], _codes(graph, program, options))
    segments: dict[tuple[int, int], Segment] = {}
    pieces = [Piece(k, k, _peak(program, options.io, k, k), 0.0) for k in range(len(program.steps))]
    limit = max((p.peak for p in pieces), default=0)
    # No choice gets below what lies in the arena anyway: steps that need no more are left alone.
    outside = program.outside(options.io)
    least = max((program.buffers[n].bytes for n in (*program.inputs, *program.outputs) if n not in outside), default=0)
    high = [p.peak > least for p in pieces]
    for first in range(len(program.steps)):
        for last in range(first, min(len(program.steps), first + LONGEST)):
            if last not in context.codes:
                break
            segment = segment_of(context, first, last) if any(high[first:last + 1]) else None
            if segment is None:
                continue
            if segment.ring_bytes >= limit:
                break
            peak = _peak(with_segments(context, [segment], False), options.io, first, last)
            if peak < limit:
                segments[first, last] = segment
                pieces.append(Piece(first, last, peak, segment.cost))
    for choice in choices(len(program.steps), pieces):
        chosen = [segments[p.first, p.last] for p in choice.pieces if p.cost > 0.0]
        yield Streamed(with_segments(context, chosen) if chosen else program, choice.peak, choice.cost)


def _codes(graph: Graph[Any], program: Program, options: Options) -> dict[int, RowCode]:
    codes = {}
    guards, _ = guards_of(graph)
    for step in program.steps:
        if guards.get(step.name, ALWAYS) != ALWAYS:
            continue  # runs under a condition
        code = row_code(graph, graph.node(step.name), options, f"l{step.index}", step.kernel)
        if code is not None:
            codes[step.index] = code
    return codes


def _peak(program: Program, io: str, first: int, last: int) -> int:
    """Bytes that the buffers alive during these steps need by themselves, placed by the heuristics."""
    whole = problem_of(program, io)
    alive = tuple(
        Buffer(b.name, b.size, b.align, max(b.start, first), min(b.end, last + 1))
        for b in whole.buffers if b.start <= last and first < b.end
    )
    if not alive:
        return 0
    names = {b.name for b in alive}
    model = build_model(Problem(alive, tuple(o for o in whole.overlaps if o.first in names and o.second in names)))
    orders = greedy_orders(model)
    return min(plan_bytes(model, place_in_order(model, order)) for order in orders)


def smallest(
    graph: Graph[Any], program: Program, arena: Arena, options: Options, effort: float
) -> tuple[Program, Arena]:
    """The program with the smallest arena, by rows where that takes less; `arena` is that of the program as it is."""
    best = (program, arena)
    for candidate in reversed(list(streamed(graph, program, options))):
        if candidate.program.rows and candidate.peak < best[1].bytes:
            best = min(best, _placed(candidate, options, effort), key=lambda found: found[1].bytes)
    return best


def fastest_within(
    graph: Graph[Any], program: Program, arena: Arena, options: Options, effort: float, bound: int
) -> tuple[Program, Arena]:
    """The fastest program that needs at most `bound` bytes of RAM: the arena, inputs and outputs outside it, the stack.

    The stack is an estimate. Raises TinycError where no program fits.
    """
    outside = sum(program.buffers[name].bytes for name in (*program.inputs, *program.outputs) if not arena.holds(name))

    def total(found: tuple[Program, Arena]) -> int:
        return found[1].bytes + outside + stack_estimate(found[0])

    best = (program, arena)
    if total(best) > bound:
        for candidate in streamed(graph, program, options):
            if candidate.program.rows:
                best = min(best, _placed(candidate, options, effort), key=total)
                if total(best) <= bound:
                    break
    if total(best) > bound:
        parts = [f"arena {best[1].bytes:,}", *([f"inputs and outputs {outside:,}"] if outside else []),
                 f"stack about {stack_estimate(best[0]):,}"]
        raise TinycError(f"no program within {bound:,} bytes of RAM; the smallest found needs {total(best):,}",
                         hint=f"{', '.join(parts)}: a larger --ram, or a smaller model")
    return best


def _placed(candidate: Streamed, options: Options, effort: float) -> tuple[Program, Arena]:
    # Other choices of steps might do with less.
    return candidate.program, replace(plan_arena(candidate.program, options.io, effort), proven_optimal=False)
