# SPDX-License-Identifier: Apache-2.0
"""The instruction counter inside QEMU: our TCG plugin, compiled on first use."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tinyc.resources import harness_dir
from tinyc.targets import Region
from tinyc.timing import FlashTiming

# QEMU accepts plugins of a range of interface versions; what the plugin uses is the same in all of these.
_API_VERSIONS = (1, 2, 3, 4)

_INCLUDED = ("flash_reads.h", "shadow.h")


def cache_dir() -> Path:
    """Where tinyc keeps what it builds for itself: $XDG_CACHE_HOME/tinyc, by default ~/.cache/tinyc."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache") / "tinyc"


def _compile(version: int) -> Path | None:
    """The plugin for an interface version; None where it cannot be compiled."""
    source = harness_dir() / "qemu_plugin.c"
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    command = [compiler, "-O2", "-fPIC", "-shared", "-fvisibility=hidden", f"-DPLUGIN_API={version}"]
    text = source.read_bytes() + b"".join((harness_dir() / name).read_bytes() for name in _INCLUDED)
    key = hashlib.sha256(text + " ".join(command).encode()).hexdigest()[:16]
    out = cache_dir() / f"qemu-plugin-{key}.so"
    if out.is_file():
        return out
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent) as folder:
            fresh = Path(folder) / "plugin.so"
            subprocess.run([*command, str(source), "-o", str(fresh)], capture_output=True, check=True)
            # Whole or not at all: another process may be looking for it.
            fresh.replace(out)
    except (OSError, subprocess.CalledProcessError):
        return None
    return out


@cache
def find_plugin(qemu: str) -> Path | None:
    """A plugin that this QEMU binary loads; None where there is none."""
    for version in _API_VERSIONS:
        plugin = _compile(version)
        if plugin is None:
            return None
        command = [qemu, "-M", "none", "-display", "none", "-serial", "none", "-monitor", "stdio"]
        try:
            done = subprocess.run(
                [*command, "-plugin", str(plugin)],
                input=b"quit\n",
                capture_output=True,
                timeout=30,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        if done.returncode == 0:
            return plugin
    return None


@dataclass(frozen=True)
class FlashReads:
    """Lines that a flash read: code after a jump, code that follows the line before, constants."""

    jumped: int = 0
    followed: int = 0
    data: int = 0

    def __add__(self, other: FlashReads) -> FlashReads:
        return FlashReads(self.jumped + other.jumped, self.followed + other.followed, self.data + other.data)


@dataclass(frozen=True)
class Block:
    """Instructions from `start` up to `end` (addresses) that were executed `entered` times, and then left for another
    place than what follows them `left` times."""

    start: int
    end: int
    entered: int
    left: int


@dataclass(frozen=True)
class Tally:
    """What was executed under a mark."""

    instructions: int
    loads: int
    stores: int
    flash: FlashReads
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Counts:
    """The plugin's findings.

    calls: instructions of each call of the function; tallies: mark 0 is the function's entry.
    unaligned: count, address of the first such instruction, address that it accessed.
    """

    calls: tuple[int, ...]
    tallies: tuple[Tally, ...]
    unaligned: tuple[int, int, int]


def arguments(
    plugin: Path,
    folder: Path,
    *,
    entry: int,
    caller: tuple[int, int],
    marks: Sequence[int],
    steps: Sequence[int],
    memory: bool,
    unaligned: bool,
    blocks: bool = False,
    flash: tuple[FlashTiming, Region] | None = None,
    arena: int | None = None,
) -> list[str]:
    """QEMU's arguments that load the plugin; its result goes to counts.txt in `folder`.

    flash: count what it reads, and where it lies. arena: its address, for a shadow run whose plan is in `folder`
    (tinyc.toolchain.shadow); steps: which of its steps begins at each mark.
    """
    lines = [f"{i} {mark} {step}\n" for i, (mark, step) in enumerate(zip(marks, steps, strict=True), 1)]
    (folder / "marks.txt").write_text("".join(lines))
    options = [
        f"out={folder / 'counts.txt'}",
        f"marks={folder / 'marks.txt'}",
        f"entry={entry:#x}",
        f"from={caller[0]:#x}",
        f"to={caller[1]:#x}",
        f"memory={int(memory)}",
        f"unaligned={int(unaligned)}",
        f"blocks={int(blocks)}",
    ]
    if flash is not None:
        timing, region = flash
        options += [f"flash={region.origin:#x}", f"flash_bytes={region.bytes}", f"line_bytes={timing.line_bytes}",
                    f"instruction_lines={timing.instruction_lines}", f"data_lines={timing.data_lines}"]
    if arena is not None:
        options += [f"shadow={folder / 'shadow'}", f"arena={arena:#x}"]
    return ["-plugin", ",".join([str(plugin), *options])]


def read_counts(folder: Path) -> Counts:
    """The result that the plugin has left in `folder`."""
    calls: list[int] = []
    marks: list[list[int]] = []
    blocks: list[list[Block]] = []
    unaligned = (0, 0, 0)
    for line in (folder / "counts.txt").read_text().splitlines():
        kind, *words = line.split()
        numbers = [int(word) for word in words]
        if kind == "call":
            calls.append(numbers[0])
        elif kind == "mark":
            marks.append(numbers[1:])
            blocks.append([])
        elif kind == "block":
            start, end, mark, entered, left = numbers
            blocks[mark].append(Block(start, end, entered, left))
        elif kind == "unaligned":
            unaligned = (numbers[0], numbers[1], numbers[2])
    tallies = [
        Tally(instructions, loads, stores, FlashReads(*flash), tuple(own))
        for (instructions, loads, stores, *flash), own in zip(marks, blocks, strict=True)
    ]
    return Counts(tuple(calls), tuple(tallies), unaligned)
