# SPDX-License-Identifier: Apache-2.0
"""The firmware example is built with Make and with CMake, and run in QEMU."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from checkout import EXAMPLES, TINYC, environment

FIRMWARE = EXAMPLES / "firmware"
EXPECTED = [*(f"image {digit}: a {digit}" for digit in range(10)), "10 of 10 correct"]


@pytest.fixture
def tinyc_program(tmp_path: Path) -> Path:
    """The command line tool of this checkout as one executable file."""
    program = tmp_path / "bin" / "tinyc"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {" ".join(TINYC)} "$@"\n')
    program.chmod(0o755)
    return program


def output_of(*command: object) -> list[str]:
    # Inside `make test` the flags of that make must not reach this one: it would announce directories.
    clean = {name: value for name, value in environment().items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    done = subprocess.run([str(word) for word in command], cwd=FIRMWARE, env=clean, capture_output=True,
                          text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_make(tmp_path: Path, tinyc_program: Path) -> None:
    variables = [f"BUILD={tmp_path / 'build'}", f"TINYC={tinyc_program}"]
    assert output_of("make", *variables, "run")[-len(EXPECTED):] == EXPECTED
    again = "\n".join(output_of("make", *variables, "all"))
    assert "Nothing to be done" in again and "arm-none-eabi-gcc" not in again
    text, data, bss = output_of("make", *variables, "size")[-1].split()[:3]
    assert int(text) < 20_000 and int(data) == 0 and int(bss) < 2_000


def test_cmake(tmp_path: Path, tinyc_program: Path) -> None:
    output_of("cmake", "-S", FIRMWARE, "-B", tmp_path / "build", "-DCMAKE_TOOLCHAIN_FILE=cmake/arm-none-eabi.cmake",
              f"-DTINYC={tinyc_program}")
    output_of("cmake", "--build", tmp_path / "build")
    lines = output_of("cmake", "--build", tmp_path / "build", "--target", "run")
    assert [line for line in lines if line in EXPECTED] == EXPECTED
