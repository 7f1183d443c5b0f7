# SPDX-License-Identifier: Apache-2.0
"""Estimates of cycles, from how often each run of instructions was executed and what instructions cost.

A run begins with nothing under way: what was begun before it is assumed to be done, as it is after a branch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tinyc.targets import Family
from tinyc.timing import KINDS, SHARES, Cost, FlashTiming, Timing
from tinyc.toolchain.disassembly import Instruction
from tinyc.toolchain.operation import Operation, operation
from tinyc.toolchain.plugin import Block, FlashReads


@dataclass(frozen=True)
class Work:
    """multiplies: multiplying instructions; cycles: estimated, by share (tinyc.timing.SHARES); their sum is `total`."""

    multiplies: int
    cycles: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        return sum(cycles for _, cycles in self.cycles)


class _Pipeline:
    """Begins up to `width` instructions a cycle, in order, each when its operands and its unit are ready."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._costs = dict(timing.costs)
        self._units = dict(timing.units)
        self._now = 0
        self._begun = 0  # instructions that began in this cycle
        self._ready: dict[str, int] = {}
        self._busy: dict[str, list[int]] = {}
        self._before: str | None = None

    def begin(self, step: Operation) -> None:
        cost = self._costs[step.kind]
        unit = self._busy.setdefault(cost.unit, [0] * self._units.get(cost.unit, 1))
        free = min(range(len(unit)), key=unit.__getitem__)
        start = max([self._now, unit[free], *(self._ready.get(name, 0) for name in step.reads)])
        if start == self._now and self._begun == self._timing.width:
            start += 1
        if start > self._now:
            self._now, self._begun = start, 0
        cycles = self._cycles(step, cost)
        unit[free] = start + max(cost.busy, cycles)
        if cycles > 1:
            self._now, self._begun = start + cycles - 1, self._timing.width
        elif cycles == 1:
            self._begun += 1
        for name in step.writes:
            self._ready[name] = start + max(cost.latency, cycles)
        self._before = step.kind

    def _cycles(self, step: Operation, cost: Cost) -> int:
        cycles = cost.repeated if step.kind == self._before else cost.cycles
        return cycles + (-(-step.words // cost.words) if cost.words else 0)

    @property
    def elapsed(self) -> int:
        return self._now + (1 if self._begun else 0)


def block_cycles(steps: Sequence[Operation], timing: Timing) -> Counter[str]:
    """Cycles of a run of instructions by share, without what leaving it costs."""
    pipeline = _Pipeline(timing)
    shares: Counter[str] = Counter()
    elapsed = 0
    for step in steps:
        pipeline.begin(step)
        shares[KINDS[step.kind]] += pipeline.elapsed - elapsed
        elapsed = pipeline.elapsed
    return shares


def flash_cycles(reads: FlashReads, flash: FlashTiming) -> int:
    """Cycles that wait states cost.

    With prefetch a line that follows is read while one executes, which takes a cycle for every four bytes at least.
    """
    hidden = max(1, flash.line_bytes // 4) if flash.prefetch else 0
    followed = max(0, flash.wait_states - hidden)
    return (reads.jumped + reads.data) * flash.wait_states + reads.followed * followed


class Estimator:
    """Estimates for blocks of one program."""

    def __init__(self, code: dict[int, Instruction], family: Family, timing: Timing, flash: FlashTiming) -> None:
        self._code = code
        self._family = family
        self._timing = timing
        self._flash = flash
        self._known: dict[tuple[int, int], tuple[Counter[str], int]] = {}

    def _block(self, start: int, end: int) -> tuple[Counter[str], int]:
        """Cycles by share, and multiplying instructions, of one pass."""
        if (start, end) not in self._known:
            steps = [operation(self._code[a], self._family) for a in range(start, end, 2) if a in self._code]
            multiplies = sum(KINDS[step.kind] == "multiplies" for step in steps)
            self._known[start, end] = block_cycles(steps, self._timing), multiplies
        return self._known[start, end]

    def work(self, blocks: Iterable[Block], reads: FlashReads) -> Work:
        """What these blocks took, and what the flash had to read for them."""
        shares: Counter[str] = Counter()
        multiplies = 0
        for block in blocks:
            cycles, multiplications = self._block(block.start, block.end)
            for share, number in cycles.items():
                shares[share] += number * block.entered
            shares["branches"] += self._timing.refill * block.left
            multiplies += multiplications * block.entered
        shares["flash"] = flash_cycles(reads, self._flash)
        return Work(multiplies, tuple((share, shares[share]) for share in SHARES))
