# SPDX-License-Identifier: Apache-2.0
"""The shadow-memory check of a program of the harness: what it may access, and what it did access.

harness/shadow.h does the work, natively and in QEMU, and says how buffers get addresses of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

READ, WRITE = 1, 2

PLAN_FILE, RESULT_FILE = "shadow-plan.txt", "shadow.txt"

KINDS = {1: "overwritten", 2: "unwritten", 3: "outside", 4: "undeclared"}


@dataclass(frozen=True)
class ShadowPlan:
    """Where buffers lie and who may access them.

    stride: distance in bytes between the beginnings of the buffers' address ranges, a power of two.
    buffers: (offset, bytes) of each in an arena of arena_bytes. rights: for each step, from the copies in front of the
    first layer to those behind the last, the buffers' READ | WRITE.
    """

    stride: int
    arena_bytes: int
    buffers: tuple[tuple[int, int], ...]
    rights: tuple[dict[int, int], ...]

    def text(self) -> str:
        lines = [f"{self.stride} {self.arena_bytes} {len(self.buffers)} {len(self.rights)}"]
        lines += [f"{offset} {size}" for offset, size in self.buffers]
        for step in self.rights:
            pairs = "".join(f" {buffer} {rights}" for buffer, rights in sorted(step.items()))
            lines.append(f"{len(step)}{pairs}")
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Violation:
    """An access that the plan does not bear.

    kind: "overwritten" (owner's content is there), "unwritten", "outside" (the buffer) or "undeclared" (the step does
    not say that it makes it). step, owner_step: 0 are the copies in front of layer 0. byte: within the buffer.
    """

    kind: str
    step: int
    buffer: int
    byte: int
    store: bool
    owner: int | None
    owner_step: int


@dataclass(frozen=True)
class ShadowResult:
    """Bytes of buffers read and written, the number of violations, and the first of them."""

    read: int
    written: int
    violations: int
    first: Violation | None


def read_shadow(folder: Path) -> ShadowResult:
    """What the program has left in `folder`."""
    numbers = [int(word) for word in (folder / RESULT_FILE).read_text().split()]
    read, written, violations, kind, step, buffer, byte, store, owner, owner_step = numbers
    first = None
    if violations:
        first = Violation(KINDS[kind], step, buffer, byte, bool(store), owner - 1 if owner else None, owner_step)
    return ShadowResult(read, written, violations, first)
