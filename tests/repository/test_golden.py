# SPDX-License-Identifier: Apache-2.0
"""Generated files against the committed ones. `make golden` writes them again; read the difference."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

import pytest

from checkout import DIGITS, ROOT, files_below, tinyc

GOLDEN = ROOT / "tests" / "golden"


@dataclass(frozen=True)
class Golden:
    """A compilation, and which of its files are kept."""

    name: str
    model: str
    options: tuple[str, ...]
    files: tuple[str, ...]


KEPT = (
    Golden("int8_cortex_m4", "digits_int8", ("--target", "cortex-m4"),
           ("digits.h", "digits.c", "CMakeLists.txt", "report.json")),
    Golden("int8_riscv_caller", "digits_int8", ("--target", "riscv32imac", "--io", "caller"),
           ("digits.h", "CMakeLists.txt")),
    Golden("f32_host", "digits_f32", ("--target", "host"), ("digits.h", "digits.c", "report.json")),
)


@pytest.mark.parametrize("golden", KEPT, ids=lambda golden: golden.name)
def test_golden(golden: Golden, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    tinyc("compile", DIGITS / f"{golden.model}.onnx", "--name", "digits", "-o", tmp_path / "c", *golden.options)
    generated = {name: (tmp_path / "c" / name).read_text(encoding="utf-8") for name in golden.files}
    folder = GOLDEN / golden.name
    if request.config.getoption("--update-golden"):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in generated.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    kept = {name: (folder / name).read_text(encoding="utf-8") for name in files_below(folder)}
    assert sorted(kept) == sorted(generated), "make golden writes the files"
    for name, text in generated.items():
        difference = difflib.unified_diff(kept[name].splitlines(), text.splitlines(), f"golden/{name}", name,
                                          lineterm="", n=1)
        assert text == kept[name], "\n".join([*list(difference)[:60], "make golden accepts this"])
