# SPDX-License-Identifier: Apache-2.0
"""Sums by a table for one operand, against the specification, and what they cost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fixed_point import requantize
from int8_calls import random_int8, with_buffers
from kernel_batch import Call, run_calls

TARGETS = ["host", "cortex-m0plus", "cortex-m4", "cortex-m7", "cortex-m33"]
FUNCTIONS = ["add_table_s8"]
HEADERS = ["tinyc_s8.h"]


def call(name: str, rng: np.random.Generator, count: int, place: int = 3, clamp=(-128, 127), right: int = 0) -> Call:
    """place: the buffer that the result goes to: 0 and 1 are the operands."""
    a, b = random_int8(rng, count, rng.random() < 0.2), random_int8(rng, count, rng.random() < 0.2)
    table = 2 * rng.integers(-(2**27), 2**27, 256)
    multiplier, right = int(rng.integers(2**30, 2**31)), right or int(rng.integers(1, 23))
    zero = int(rng.integers(-128, 128))
    sums = (table[b.astype(int) + 128] + (a.astype(np.int64) << 20)) // 2
    expected = np.clip(requantize(sums, multiplier, -right) + zero, *clamp).astype(np.int8)
    code = f"""
const tinyc_add_table_s8_params params = {{{multiplier}, {right}, {zero}, {clamp[0]}, {clamp[1]}}};
tinyc_add_table_s8(&params, @0, @1, @2, @{place}, {count});"""
    buffers = (a, b, table.astype(np.int32), np.zeros(count, np.int8))
    return Call(f"add_table_s8 {name}", with_buffers(code), buffers, place, expected)


def calls() -> list[Call]:
    rng = np.random.default_rng(11)
    sizes = [call(f"{count}", rng, count) for count in (1, 2, 3, 4, 5, 31, 64)]
    shifts = [call(f"right {right}", rng, 50, right=right) for right in range(1, 23)]
    places = [call(f"in {place}", rng, 33, place) for place in (0, 1)]
    limits = [call(f"{clamp}", rng, 45, clamp=clamp) for clamp in ((-128, 20), (-7, 127), (-30, 40), (5, 5))]
    return [*sizes, *shifts, *places, *limits]


@pytest.mark.parametrize("target", TARGETS)
def test_sums(target: str, tmp_path: Path) -> None:
    run_calls(calls(), FUNCTIONS, HEADERS, target, tmp_path)


@pytest.mark.parametrize("flags", ["-O0", "-Os", "-O3 -flto"])
def test_exact_however_it_is_compiled(flags: str, tmp_path: Path) -> None:
    run_calls(calls(), FUNCTIONS, HEADERS, "cortex-m4", tmp_path, cflags=flags.split())


@pytest.mark.parametrize(("clamp", "most"), [((-128, 127), 12.0), ((-100, 90), 14.5)])
def test_instructions(clamp: tuple[int, int], most: float, tmp_path: Path) -> None:
    made = call("counted", np.random.default_rng(12), 4096, clamp=clamp)
    nothing = replace(made, code="", expected=made.buffers[made.result])
    counts = [
        run_calls([c], FUNCTIONS, HEADERS, "cortex-m4", tmp_path, count_instructions=True) for c in (made, nothing)
    ]
    assert (counts[0] - counts[1]) / 4096 < most
