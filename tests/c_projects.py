# SPDX-License-Identifier: Apache-2.0
"""Firmware-like C projects around generated code."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tinyc.compiler import Compiled, Request, compile_model, write
from tinyc.targets import load_target

WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror")


def generate(model: Path, target: str, folder: Path, name: str | None = None, **options: Any) -> Compiled:
    """Compiles a model and writes its files into folder/NAME."""
    result = compile_model(Request(model, load_target(target), name=name, **options))
    write(result, folder / result.name)
    return result


def sources(result: Compiled, folder: Path) -> list[Path]:
    return [folder / result.name / s for s in result.emitted.sources]


def include_dirs(result: Compiled, folder: Path) -> list[Path]:
    return [folder / result.name / d for d in result.emitted.include_dirs]


def command(words: Sequence[str | Path], cwd: Path | None = None) -> str:
    """Runs a command; AssertionError with its messages where it fails or says anything on stderr."""
    done = subprocess.run([str(w) for w in words], cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0 and not done.stderr, f"{' '.join(map(str, words))}\n{done.stderr}{done.stdout}"
    return done.stdout


def c_array(name: str, data: bytes) -> str:
    """A constant array of int8_t."""
    values = ", ".join(str(b - 256 if b > 127 else b) for b in data)
    return f"static const int8_t {name}[{len(data)}] = {{{values}}};\n"
