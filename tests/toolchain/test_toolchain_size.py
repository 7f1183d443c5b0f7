# SPDX-License-Identifier: Apache-2.0
"""Flash and static RAM of a link from the entry function."""

from __future__ import annotations

from pathlib import Path

import pytest
from toolchain_toys import TOY_DIR

from tinyc.targets import list_targets, load_target
from tinyc.toolchain import SizeReport, flash_size

MODEL = """
#include "toy.h"
static const int8_t toy_weights_1[100] = {1, 2, 3};
static const int32_t table[4] = {1, 20, 300, 4000};
int toy_unused(int x) { return x * 3; }
__attribute__((noinline)) static int32_t look_up(int8_t i) { return table[i & 3] / (i | 1); }
int toy_run(void *arena, const int8_t *input, int8_t *output)
{
    (void)arena;
    output[0] = (int8_t)(look_up(input[0]) + toy_weights_1[input[1] & 63]);
    return 0;
}
"""


def measure(target: str, folder: Path, text: str = MODEL, **options: object) -> SizeReport:
    source = folder / "model.c"
    source.write_text(text)
    return flash_size(
        load_target(target),
        [source],
        [TOY_DIR],
        entry="toy_run",
        weights_pattern="toy_weights_.*",
        **options,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("target", [target.name for target in list_targets()])
def test_classes(target: str, tmp_path: Path) -> None:
    report = measure(target, tmp_path)
    assert report.weights == 100
    assert report.flash == report.weights + report.code + report.constants
    assert report.static_ram == 0
    assert {"toy_run", "look_up"} <= report.functions.keys()
    assert "toy_unused" not in report.functions
    named = sum(symbol.bytes for symbol in report.symbols)
    assert 0 <= report.flash - named <= 40  # alignment, an unwind table's end mark
    assert [s.bytes for s in report.symbols if s.name == "table"] == [16]


def test_library_functions_count(tmp_path: Path) -> None:
    assert "__divsi3" in measure("cortex-m0", tmp_path).functions
    assert "__divsi3" not in measure("cortex-m4", tmp_path).functions


def test_options(tmp_path: Path) -> None:
    small = measure("cortex-m4", tmp_path, optimize="size")
    debug = measure("cortex-m4", tmp_path, cflags=["-O0"])
    assert small.code < debug.code
    assert "toy_unused" in measure("cortex-m4", tmp_path, keep=["toy_unused"]).functions
    assert measure("cortex-m4", tmp_path, cflags=["-flto"]).weights == 100


def test_variables_cost_ram_and_their_values_flash(tmp_path: Path) -> None:
    text = '#include "toy.h"\nint32_t a[8] = {1}; int32_t b[16];\n' + MODEL.replace(
        "return 0;", "b[input[3] & 15] = a[input[2] & 7]++; return 0;"
    ).replace('#include "toy.h"', "")
    report = measure("cortex-m4", tmp_path, text)
    assert report.static_ram == 32 + 64
    assert report.constants >= 16 + 32
