# SPDX-License-Identifier: Apache-2.0
"""The arena of a Program: lifetimes of its buffers, placed by the planner."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tinyc.backend.program import Program
from tinyc.plan.check import check
from tinyc.plan.problem import Buffer, Overlap, Problem, live_set_bound
from tinyc.plan.solve import DEFAULT_EFFORT, solve


@dataclass(frozen=True)
class Placed:
    """A buffer in the arena: offset and size in bytes (rounded up to the alignment that all buffers share), first and
    last step that touch it."""

    name: str
    offset: int
    bytes: int
    first: int
    last: int


@dataclass(frozen=True)
class Arena:
    """Where every buffer of a Program lies. `bound` is the largest live set without overlaps."""

    bytes: int
    align: int
    buffers: tuple[Placed, ...]
    bound: int
    proven_optimal: bool
    method: str
    fast: Arena | None = None  # in a faster memory, the buffers that are not in `buffers`

    def offset(self, name: str) -> int:
        return next(b.offset for b in self.buffers if b.name == name)

    def holds(self, name: str) -> bool:
        return any(b.name == name for b in self.buffers)


def lifetimes(program: Program, io: str) -> dict[str, tuple[int, int]]:
    """First and last step of each buffer in the arena. Inputs live from the start, outputs to the end."""
    spans: dict[str, tuple[int, int]] = {}

    def touch(name: str, step: int) -> None:
        first, last = spans.get(name, (step, step))
        spans[name] = (min(first, step), max(last, step))

    end = max(0, len(program.steps) - 1)
    for name in program.inputs:
        touch(name, 0)
    for step in program.steps:
        for access in (*step.reads, *step.writes):
            touch(access.buffer, step.index)
        if step.scratch:
            touch(step.scratch, step.index)
    for rows in program.rows:
        for name in rows.held:
            touch(name, rows.first)
            touch(name, rows.last)
    for name in program.outputs:
        touch(name, end)
    for name in program.outside(io):
        spans.pop(name, None)
    return spans


def problem_of(program: Program, io: str) -> Problem:
    """The placement problem of a program's buffers."""
    spans = lifetimes(program, io)
    # No buffer begins between two multiples of `unit`, so what is left of the last one belongs to the buffer before.
    own = {name: program.buffers[name] for name in spans}
    steps = {name: math.lcm(b.align, b.pitch) for name, b in own.items()}
    unit = math.gcd(*steps.values())
    buffers = tuple(
        Buffer(name, -(-own[name].bytes // unit) * unit, steps[name], first, last + 1)
        for name, (first, last) in spans.items()
    )
    overlaps = []
    for step in program.steps:
        def permitted(source: str, result: str, index: int = step.index) -> bool:
            """Only where the step is the operand's last use, and the result begins there."""
            return (source in spans and result in spans and source != result and source not in program.outputs
                    and spans[source][1] == index == spans[result][0])

        overlaps += [Overlap(a, b, delta) for a, b, delta in step.overlaps if permitted(a, b)]
        # b may begin at least delta above a: a begins at most -delta above b.
        overlaps += [Overlap(b, a, -delta) for a, b, delta in step.climbs if permitted(a, b)]
    for rows in program.rows:
        overlaps += [Overlap(a, b, delta) for a, b, delta in rows.overlaps
                     if a in spans and b in spans and a not in program.outputs and spans[a][1] == rows.last
                     and spans[a][0] <= rows.first <= spans[b][0] and b not in program.inputs]
    return Problem(buffers, tuple(overlaps))


def plan_arena(program: Program, io: str, effort: float = DEFAULT_EFFORT) -> Arena:
    """Places the buffers; the result has passed the independent check."""
    return arena_of(program, problem_of(program, io), effort)


def arena_of(program: Program, problem: Problem, effort: float) -> Arena:
    """The solved problem, of some of the program's buffers. AssertionError where the solver is wrong."""
    align = max((program.buffers[b.name].align for b in problem.buffers), default=1)
    align = max(align, 8) if problem.buffers else 1
    if not problem.buffers:
        return Arena(0, 1, (), 0, True, "empty")
    plan = solve(problem, effort)
    wrong = check(problem, plan)
    if wrong:
        raise AssertionError("unsound plan: " + "; ".join(wrong))
    placed = tuple(Placed(b.name, plan.offsets[b.name], b.size, b.start, b.end - 1)
                   for b in sorted(problem.buffers, key=lambda b: (b.start, plan.offsets[b.name])))
    return Arena(plan.bytes, align, placed, live_set_bound(problem), plan.proven_optimal, plan.method)

