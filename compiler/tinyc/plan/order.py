# SPDX-License-Identifier: Apache-2.0
"""The order in which a Program's steps run: the one with the smallest peak, never worse than the model's."""

from __future__ import annotations

from dataclasses import dataclass

from tinyc.backend.program import Program
from tinyc.plan.problem import least_union
from tinyc.plan.schedule import Sharing, StepGraph, Tensor, best_order, exact_sharings, only_order
from tinyc.plan.solve import DEFAULT_EFFORT


def step_graph(program: Program, io: str) -> StepGraph:
    """What the order search needs of a program: who writes and reads which buffer, and how large it is."""
    outside = program.outside(io)
    writers: dict[str, int] = {}
    readers: dict[str, list[int]] = {name: [] for name in program.inputs}
    for step in program.steps:
        for access in step.writes:
            writers[access.buffer] = step.index
            readers.setdefault(access.buffer, [])
        for access in step.reads:
            readers.setdefault(access.buffer, []).append(step.index)
    names = sorted(readers)
    place = {name: k for k, name in enumerate(names)}
    tensors = tuple(
        Tensor(0 if name in outside else program.buffers[name].bytes, writers.get(name),
               tuple(dict.fromkeys(readers[name])), name in program.outputs)
        for name in names
    )
    sharings = []
    for step in program.steps:
        # As in arena.problem_of: a result `delta` above its operand or more has that as far below itself.
        both = [(s, t, s, t, d) for s, t, d in step.overlaps] + [(s, t, t, s, -d) for s, t, d in step.climbs]
        for source, target, first, second, delta in both:
            if source in outside or target in outside or source == target:
                continue
            a, b = program.buffers[first].bytes, program.buffers[second].bytes
            saved = a + b - least_union(a, b, delta)
            if saved > 0 and writers.get(target) == step.index:
                sharings.append(Sharing(step.index, place[source], place[target], saved))
    return StepGraph(len(program.steps), tensors, (), tuple(s.scratch_bytes for s in program.steps), tuple(sharings))


@dataclass(frozen=True)
class Execution:
    """Indices of a program's steps in the order of execution.

    least: bytes that no order can go below; None where that is not known. only: there is no other order.
    """

    steps: tuple[int, ...]
    least: int | None
    only: bool

    def proves(self, bytes_: int) -> bool:
        """Whether no other order can need less than `bytes_`."""
        return self.only or (self.least is not None and bytes_ <= self.least)


# Steps tried by the exact search, and sets kept by the beam search, per unit of effort.
_TRIALS_PER_EFFORT = 75_000
_BEAM_PER_EFFORT = 12.5
_LARGE = 128  # steps beyond which each trial costs more in proportion


def execution_order(program: Program, io: str, effort: float = DEFAULT_EFFORT) -> Execution:
    """The order with the smallest peak that was found. `effort` bounds the work in deterministic units."""
    graph = step_graph(program, io)
    only = only_order(graph)
    if only:
        return Execution(tuple(range(len(program.steps))), None, True)
    effort *= min(1.0, _LARGE / max(1, graph.steps))
    order = best_order(graph, None, int(_TRIALS_PER_EFFORT * effort), max(1, int(_BEAM_PER_EFFORT * effort)))
    return Execution(order.steps, order.peak if order.proven_optimal and exact_sharings(graph) else None, False)
