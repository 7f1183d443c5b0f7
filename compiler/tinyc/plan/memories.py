# SPDX-License-Identifier: Apache-2.0
"""Two arenas instead of one: the buffers that are accessed most, for their size, go to the faster memory."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from tinyc.backend.program import Program
from tinyc.plan.arena import Arena, arena_of, lifetimes, problem_of
from tinyc.plan.problem import Problem
from tinyc.plan.solve import DEFAULT_EFFORT, solve


def accesses(program: Program) -> dict[str, float]:
    """An estimate of how many bytes are read and written in each buffer.

    A step writes its results once and reads its operands once, but for those that it multiplies: each
    multiplication reads an activation, from the step's scratch where it gathers them there first.
    """
    found: dict[str, float] = {}

    def add(name: str, count: float) -> None:
        found[name] = found.get(name, 0.0) + count

    for step in program.steps:
        for access in step.writes:
            add(access.buffer, program.buffers[access.buffer].bytes)
        operands = [access.buffer for access in step.reads]
        largest = max(operands, key=lambda name: (program.buffers[name].bytes, name), default="")
        for name in operands:
            share = step.macs if name == largest and not step.scratch else 0
            add(name, max(program.buffers[name].bytes, share))
        if step.scratch:
            add(step.scratch, 2 * step.scratch_bytes + step.macs)
    return found


def _restricted(problem: Problem, names: Collection[str]) -> Problem:
    overlaps = tuple(o for o in problem.overlaps if o.first in names and o.second in names)
    return Problem(tuple(b for b in problem.buffers if b.name in names), overlaps)


def split(program: Program, io: str, limit: int, effort: float = DEFAULT_EFFORT) -> Arena:
    """The arena without the buffers that go to a faster memory of `limit` bytes; these are in its `fast`.

    Inputs and outputs stay, so that their slots are where they always are. Greedy by accesses per byte.
    """
    problem = problem_of(program, io)
    heat = accesses(program)
    movable = [b for b in problem.buffers if b.name not in program.inputs and b.name not in program.outputs]
    movable.sort(key=lambda b: (-heat.get(b.name, 0.0) / b.size, b.name))
    chosen: set[str] = set()
    for b in movable:
        if b.size <= limit and solve(_restricted(problem, chosen | {b.name}), 0).bytes <= limit:
            chosen.add(b.name)
    spans = lifetimes(program, io)
    fast = arena_of(program, _restricted(problem, chosen), effort)
    assert fast.bytes <= limit
    return replace(arena_of(program, _restricted(problem, spans.keys() - chosen), effort), fast=fast)
