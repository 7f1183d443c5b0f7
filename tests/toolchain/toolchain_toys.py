# SPDX-License-Identifier: Apache-2.0
"""Hand-written models for the tests of the tool chain."""

from __future__ import annotations

from pathlib import Path

from tinyc.targets import list_targets, load_target
from tinyc.toolchain import Elf, Entry, RunResult, Tensor, build, run

TOY_DIR = Path(__file__).parent / "toy"
RUNNABLE = [target.name for target in list_targets() if target.can_run]
EMULATED = [name for name in RUNNABLE if name != "host"]

BYTES = Tensor("int8_t", 16, 1)
WORDS = Tensor("int32_t", 4, 4)
TOY = Entry("toy", "toy.h", (BYTES,), (BYTES,), "TOY_ARENA_BYTES")
CASE = [bytes(range(16))]


def build_toy(target: str, folder: Path, source: Path, entry: Entry = TOY, **options: object) -> Elf:
    return build(load_target(target), [source], [TOY_DIR], folder / "toy.elf", entry=entry, **options)  # type: ignore[arg-type]


def build_body(target: str, folder: Path, body: str, entry: Entry = TOY, **options: object) -> Elf:
    """A toy_run with this body."""
    source = folder / "body.c"
    source.write_text(
        '#include "toy.h"\n'
        f"int toy_run(void *arena, const int8_t *input, int8_t *output)\n{{\n    (void)arena; (void)input;\n"
        f"    (void)output;\n{body}\n}}\n"
    )
    return build_toy(target, folder, source, entry, **options)


def run_body(target: str, folder: Path, body: str, **options: object) -> RunResult:
    return run(build_body(target, folder, body, **options), [CASE], timeout=30)
