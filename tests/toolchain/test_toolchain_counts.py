# SPDX-License-Identifier: Apache-2.0
"""Instruction counts, per layer, by both counters; unaligned accesses."""

from __future__ import annotations

from pathlib import Path

import pytest
from toolchain_toys import EMULATED, TOY_DIR, WORDS, build_body, build_toy

from tinyc.targets import load_target
from tinyc.toolchain import Elf, Entry, Layer, plugin, run

LOOP = Entry("toy", "toy.h", (WORDS,), (WORDS,), "0")
INPUT = [bytes(range(16))]


def build_loop(target: str, folder: Path) -> Elf:
    """400 instructions of loop and one before it; a load and two stores; two instructions to return."""
    source = TOY_DIR / f"loop_{load_target(target).family}.S"
    header = folder / "loop.h"
    header.write_text("#include <stdint.h>\nint toy_run(void *arena, const int32_t *in, int32_t *out);\n")
    entry = Entry("toy", str(header), (WORDS,), (WORDS,), "0")
    return build_toy(target, folder, source, entry)


@pytest.mark.parametrize("target", EMULATED)
def test_exact_per_layer(target: str, tmp_path: Path) -> None:
    elf = build_loop(target, tmp_path)
    marks = elf.file.marks(r"toy_layer_(\d+)_mark")
    assert [label for label, _ in marks] == ["1", "2"]
    result = run(elf, [INPUT, INPUT], count_instructions=True, count_memory=True, marks=marks)
    assert result.calls == (406, 406) and result.instructions == 812
    assert result.layers == (Layer("", 802, 0, 0), Layer("1", 6, 2, 4), Layer("2", 4, 0, 0))
    assert result.stack_bytes == 0


@pytest.mark.parametrize("target", EMULATED)
def test_counting_by_clock_agrees(target: str, tmp_path: Path) -> None:
    result = run(build_loop(target, tmp_path), [INPUT], count_instructions=True, counter="icount")
    assert result.counted_by == "icount"
    # Passing the arguments and reading the timer count here.
    assert result.instructions is not None and 406 <= result.instructions <= 420


def test_marks_of_one_label_add_up(tmp_path: Path) -> None:
    elf = build_loop("cortex-m4", tmp_path)
    (_, first), (_, second) = elf.file.marks(r"toy_layer_(\d+)_mark")
    result = run(elf, [INPUT], count_instructions=True, marks=[("both", first), ("both", second)])
    assert result.layers == (Layer("", 401, None, None), Layer("both", 5, None, None))


def test_without_a_plugin_the_clock_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elf = build_loop("cortex-m4", tmp_path)
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    plugin.find_plugin.cache_clear()
    try:
        result = run(elf, [INPUT], count_instructions=True)
    finally:
        plugin.find_plugin.cache_clear()
    assert result.counted_by == "icount" and result.unaligned is None


def test_plugin_goes_to_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elf = build_loop("cortex-m4", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    plugin.find_plugin.cache_clear()
    try:
        assert run(elf, [INPUT], count_instructions=True).counted_by == "plugin"
        libraries = sorted((tmp_path / "cache" / "tinyc").glob("*.so"))  # one for each plugin API that was tried
        built = [library.stat().st_mtime_ns for library in libraries]
        assert built
        plugin.find_plugin.cache_clear()
        assert run(elf, [INPUT], count_instructions=True).counted_by == "plugin"
        assert [library.stat().st_mtime_ns for library in libraries] == built
    finally:
        plugin.find_plugin.cache_clear()


UNALIGNED = "*(volatile int32_t *)((char *)arena + 2) = input[0]; return 0;"


@pytest.mark.parametrize("target", ["cortex-m0", "cortex-m0plus", "cortex-m23", "riscv32imac"])
def test_unaligned_access(target: str, tmp_path: Path) -> None:
    # RISC-V's compiler would split the access if it knew.
    body = f'__asm__ volatile("" : "+r"(arena)); {UNALIGNED}'
    elf = build_body(target, tmp_path, body)
    result = run(elf, [INPUT])
    assert result.unaligned is not None
    assert (result.unaligned.count, result.unaligned.function) == (1, "toy_run")
    assert result.unaligned.address % 4 == 2
    entry = elf.file.symbol("toy_run")
    assert entry.address <= result.unaligned.pc < entry.address + entry.bytes


def test_aligned_accesses_are_not_reported(tmp_path: Path) -> None:
    result = run(build_toy("cortex-m0plus", tmp_path, TOY_DIR / "toy.c"), [INPUT])
    assert result.unaligned is not None and result.unaligned.count == 0


def test_cores_that_allow_it_are_not_checked(tmp_path: Path) -> None:
    elf = build_body("cortex-m4", tmp_path, UNALIGNED)
    assert run(elf, [INPUT]).unaligned is None
    asked = run(elf, [INPUT], check_alignment=True).unaligned
    assert asked is not None and asked.count == 1
