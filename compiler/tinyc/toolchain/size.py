# SPDX-License-Identifier: Apache-2.0
"""Flash and static RAM of generated C, as firmware that uses it would pay for them.

Accounting: a link of the sources with the model's function as entry, without start-up code, unreferenced
sections dropped, together with what it pulls from libgcc, libc and libm. Nothing of the test harness counts.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tinyc.resources import harness_dir
from tinyc.targets import Target
from tinyc.toolchain import gcc
from tinyc.toolchain.build import SECTION_FLAGS
from tinyc.toolchain.elf import ElfFile, Section, Symbol

SizeKind = Literal["weights", "code", "constants", "data", "zero"]

# What the host's dynamic linker wants besides (.dynamic, .interp, ...) is no part of the model.
_HOST_SECTIONS = re.compile(r"\.(text|rodata|data|bss)(\..*)?")

# What GCC appends to the names of functions and objects that it specialized, split or renamed.
_COMPILER_SUFFIX = re.compile(r"(\.(lto_priv|constprop|isra|part|cold)(\.\d+)?)+$")


@dataclass(frozen=True)
class SizedSymbol:
    """A function or object that the link kept."""

    name: str
    bytes: int
    kind: SizeKind


@dataclass(frozen=True)
class SizeReport:
    """Bytes of a linked model.

    weights: objects that the caller's pattern names; code: executable sections; constants: other read-only
    data, initial values of variables and alignment. static_ram: .data and .bss. symbols: by descending size.
    """

    weights: int
    code: int
    constants: int
    static_ram: int
    symbols: tuple[SizedSymbol, ...]

    @property
    def flash(self) -> int:
        return self.weights + self.code + self.constants

    @property
    def functions(self) -> dict[str, int]:
        """Code bytes per function; functions of the same name (static ones) together."""
        sizes: dict[str, int] = {}
        for symbol in self.symbols:
            if symbol.kind == "code":
                sizes[symbol.name] = sizes.get(symbol.name, 0) + symbol.bytes
        return sizes


def _extents(symbols: Sequence[Symbol]) -> list[tuple[Symbol, int]]:
    """The symbols with the bytes that are theirs alone.

    Names for one address (weak and strong, aliases) are one thing; a function with several entry points
    (libgcc has some) is cut where the next one begins.
    """
    distinct: dict[tuple[int, int], Symbol] = {}
    for symbol in symbols:
        if symbol.bytes:
            distinct.setdefault((symbol.section, symbol.address), symbol)
    ordered = [distinct[place] for place in sorted(distinct)]
    extents = []
    for symbol, following in zip(ordered, [*ordered[1:], None], strict=True):
        bytes = symbol.bytes
        if following is not None and following.section == symbol.section:
            bytes = min(bytes, following.address - symbol.address)
        extents.append((symbol, bytes))
    return extents


def _sized(symbol: Symbol, bytes: int, section: Section, weights_pattern: str) -> SizedSymbol:
    name = _COMPILER_SUFFIX.sub("", symbol.name)
    weights = section.kind == "constants" and re.fullmatch(weights_pattern, name) is not None
    return SizedSymbol(name, bytes, "weights" if weights else section.kind)


def measure(elf: ElfFile, weights_pattern: str, *, host: bool = False) -> SizeReport:
    """Sizes of a linked file; `weights_pattern` matches the whole names of the objects that are weights."""
    sections: dict[int, Section] = {
        section.index: section
        for section in elf.sections
        if not host or _HOST_SECTIONS.fullmatch(section.name)
    }
    symbols = [
        _sized(symbol, size, sections[symbol.section], weights_pattern)
        for symbol, size in _extents(elf.symbols)
        if symbol.section in sections
    ]

    def total(*kinds: str) -> int:
        return sum(section.bytes for section in sections.values() if section.kind in kinds)

    weights = sum(symbol.bytes for symbol in symbols if symbol.kind == "weights")
    return SizeReport(
        weights=weights,
        code=total("code"),
        constants=total("constants", "data") - weights,
        static_ram=total("data", "zero"),
        symbols=tuple(sorted(symbols, key=lambda symbol: (-symbol.bytes, symbol.name))),
    )


def flash_size(
    target: Target,
    sources: Sequence[Path],
    include_dirs: Sequence[Path],
    *,
    entry: str,
    weights_pattern: str,
    cflags: Sequence[str] = (),
    optimize: str = "default",
    keep: Sequence[str] = (),
    libraries: Sequence[Path] = (),
    jobs: int = 2,
) -> SizeReport:
    """Links `sources` with the function `entry` (and those in `keep`) as the only ones used, and measures.

    What they call in the archives `libraries` counts.

    Works for targets without an emulator, too. Raises TinycError where a tool is missing, BuildError where a
    source does not compile.
    """
    flags = [*target.optimize_flags(optimize), *SECTION_FLAGS, *cflags]
    if target.family == "host":
        flags.append("-fno-asynchronous-unwind-tables")
    with tempfile.TemporaryDirectory(prefix="tinyc-size-") as name:
        folder = Path(name)
        objects = gcc.compile_sources(target, sources, include_dirs, flags, folder, jobs=jobs)
        roots = [f"-Wl,-u,{symbol}" for symbol in (entry, *keep)]
        link_flags = [*flags, "-nostartfiles", "-Wl,--gc-sections", f"-Wl,-e,{entry}", *roots]
        if target.family != "host":
            link_flags += ["-T", str(harness_dir() / "size.ld")]
        out = folder / "size.elf"
        gcc.link(target, [*objects, *libraries], link_flags, out)
        return measure(ElfFile.read(out), weights_pattern, host=target.family == "host")
