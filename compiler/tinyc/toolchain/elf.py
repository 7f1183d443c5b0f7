# SPDX-License-Identifier: Apache-2.0
"""What is read from ELF files: symbols and sections."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

SectionKind = Literal["code", "constants", "data", "zero"]


@dataclass(frozen=True)
class Section:
    """A section that takes memory at run time.

    kind: "code" (executable), "constants" (read only), "data" (written, initial values in flash) or "zero"
    (.bss).
    """

    index: int
    name: str
    address: int
    bytes: int
    kind: SectionKind


@dataclass(frozen=True)
class Symbol:
    """A function, object or label. On Thumb the address is the instruction's, without the mode bit."""

    name: str
    address: int
    bytes: int
    section: int


def _kind(section_type: str, flags: int) -> SectionKind:
    if section_type == "SHT_NOBITS":
        return "zero"
    if flags & SH_FLAGS.SHF_WRITE:
        return "data"
    return "code" if flags & SH_FLAGS.SHF_EXECINSTR else "constants"


def _read_sections(elf: ELFFile) -> Iterator[Section]:
    for index, section in enumerate(elf.iter_sections()):
        if section["sh_flags"] & SH_FLAGS.SHF_ALLOC and section["sh_size"] > 0:
            kind = _kind(section["sh_type"], section["sh_flags"])
            yield Section(index, section.name, section["sh_addr"], section["sh_size"], kind)


def _read_symbols(elf: ELFFile) -> Iterator[Symbol]:
    table = elf.get_section_by_name(".symtab")
    if not isinstance(table, SymbolTableSection):
        return
    thumb = elf["e_machine"] == "EM_ARM"
    for symbol in table.iter_symbols():
        kind = symbol["st_info"]["type"]
        # Arm marks ranges of code and data by symbols named $t, $d, ...
        if not symbol.name or symbol.name.startswith("$") or isinstance(symbol["st_shndx"], str):
            continue
        if kind not in ("STT_FUNC", "STT_OBJECT", "STT_NOTYPE"):
            continue
        address = symbol["st_value"] & ~1 if thumb and kind == "STT_FUNC" else symbol["st_value"]
        yield Symbol(symbol.name, address, symbol["st_size"], symbol["st_shndx"])


@dataclass(frozen=True)
class ElfFile:
    """An ELF file's memory sections and its defined symbols (local ones included, in the file's order)."""

    path: Path
    sections: tuple[Section, ...]
    symbols: tuple[Symbol, ...]

    @staticmethod
    def read(path: Path) -> ElfFile:
        stream: BinaryIO
        with path.open("rb") as stream:
            elf = ELFFile(stream)
            return ElfFile(path, tuple(_read_sections(elf)), tuple(_read_symbols(elf)))

    def symbol(self, name: str) -> Symbol:
        """The symbol of that name; KeyError where there is none."""
        for symbol in self.symbols:
            if symbol.name == name:
                return symbol
        raise KeyError(name)

    def marks(self, pattern: str) -> list[tuple[str, int]]:
        """(label, address) of the symbols that the regular expression matches in full, by address.

        The label is the expression's first group where it has one, else the symbol's name.
        """
        found = []
        for symbol in self.symbols:
            match = re.fullmatch(pattern, symbol.name)
            if match:
                found.append((match.group(1) if match.re.groups else symbol.name, symbol.address & ~1))
        return sorted(found, key=lambda mark: mark[1])

    def function_at(self, address: int) -> str | None:
        """The name of the function whose code an address belongs to."""
        for symbol in self.symbols:
            if symbol.address <= address < symbol.address + symbol.bytes:
                return symbol.name
        return None
