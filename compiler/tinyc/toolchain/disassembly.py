# SPDX-License-Identifier: Apache-2.0
"""The instructions of an ELF file, by binutils' objdump."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tinyc.targets import Target
from tinyc.toolchain.build import Elf
from tinyc.toolchain.gcc import find_tool, run_tool

_LINE = re.compile(r"\s*([0-9a-f]+):\t([^\t\s]+)\s*(.*)")
_COMMENT = re.compile(r"\s*[;@#]\s.*|\s*<[^>]*>.*|\s*//.*")


@dataclass(frozen=True)
class Instruction:
    """mnemonic: as binutils prints it, without the suffix of its width; operands: their text, without comments."""

    address: int
    mnemonic: str
    operands: str


def objdump(target: Target) -> str:
    """The path of the disassembler beside the target's compiler; TinycError where it is missing."""
    return find_tool(re.sub(r"(gcc|clang)$", "objdump", target.compiler))


def disassemble(elf: Elf) -> dict[int, Instruction]:
    """All instructions by address. Constants within the code are among them; nothing executes those."""
    # Without the architecture, binutils takes Helium's instructions for those of a coprocessor.
    machine = ["-m", "armv8.1-m.main"] if elf.target.has("mve") else []
    text = run_tool([objdump(elf.target), *machine, "-d", "-w", "--no-show-raw-insn", elf.path], "disassembling")
    found = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match:
            address, mnemonic, operands = int(match[1], 16), match[2], _COMMENT.sub("", match[3])
            found[address] = Instruction(address, re.sub(r"\.[nw]$", "", mnemonic), operands.strip())
    return found
