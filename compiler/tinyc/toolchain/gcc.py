# SPDX-License-Identifier: Apache-2.0
"""Running compilers: one process per source file, at most a few at a time."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tinyc.errors import InternalError, TinycError
from tinyc.targets import Target

PACKAGES = {
    "arm-none-eabi-gcc": "gcc-arm-none-eabi and libnewlib-arm-none-eabi",
    "riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf and picolibc-riscv64-unknown-elf",
    "gcc": "gcc and libc6-dev",
    "clang": "clang",
    "qemu-system-arm": "qemu-system-arm",
    "qemu-system-riscv32": "qemu-system-misc",
}
"""Which Debian packages bring a tool."""


class BuildError(InternalError):
    """A compiler or linker refused what it was given; the message is its own."""


def find_tool(name: str) -> str:
    """The path of an executable; TinycError with the package that brings it where it is missing."""
    path = shutil.which(name)
    if path is None:
        package = PACKAGES.get(name)
        hint = f"on Debian: apt-get install {package.replace(' and ', ' ')}" if package else "install it"
        raise TinycError(f"{name} is not installed or not in PATH", hint=hint)
    return path


def run_tool(command: Sequence[str | Path], what: str) -> str:
    """Runs a command and returns its stdout; BuildError with its stderr where it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        raise BuildError(f"{what} failed: {' '.join(words)}\n{done.stderr.strip()}")
    return done.stdout


def libc_flags(target: Target) -> list[str]:
    """Which C library: newlib-nano on Arm, picolibc on RISC-V, the system's on the host."""
    if target.family == "arm":
        return ["--specs=nano.specs", "--specs=nosys.specs"]
    if target.family == "riscv":
        return ["--specs=picolibc.specs"]
    return []


def compile_sources(
    target: Target,
    sources: Sequence[Path],
    include_dirs: Sequence[Path],
    flags: Sequence[str],
    out_dir: Path,
    *,
    jobs: int = 2,
) -> list[Path]:
    """Compiles C and assembly files to objects in out_dir, in the order given.

    `flags` come after the target's own, so that they win.
    """
    compiler = find_tool(target.compiler)
    includes = [word for folder in include_dirs for word in ("-I", str(folder))]

    def compile_one(index: int) -> Path:
        source = sources[index]
        out = out_dir / f"{index}_{source.stem}.o"
        command: list[str | Path] = [compiler, *target.cflags, *libc_flags(target), *flags, *includes]
        command += ["-c", source, "-o", out]
        run_tool(command, f"compiling {source.name}")
        return out

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        return list(pool.map(compile_one, range(len(sources))))


def link(target: Target, objects: Sequence[Path], flags: Sequence[str], out: Path) -> None:
    """Links objects with the target's C and math libraries."""
    compiler = find_tool(target.compiler)
    command: list[str | Path] = [compiler, *target.cflags, *libc_flags(target), *objects, *flags]
    command += ["-lm", "-o", out]
    run_tool(command, f"linking {out.name}")
