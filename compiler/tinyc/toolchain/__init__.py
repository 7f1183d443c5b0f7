# SPDX-License-Identifier: Apache-2.0
"""From C to measurements: compilers, the test harness, QEMU and ELF sizes."""

from tinyc.toolchain.build import Elf, build
from tinyc.toolchain.elf import ElfFile, Section, Symbol
from tinyc.toolchain.gcc import BuildError
from tinyc.toolchain.model_harness import Entry, Tensor
from tinyc.toolchain.run import Layer, RunError, RunResult, Unaligned, run
from tinyc.toolchain.size import SizedSymbol, SizeReport, flash_size

__all__ = [
    "BuildError",
    "Elf",
    "ElfFile",
    "Entry",
    "Layer",
    "RunError",
    "RunResult",
    "Section",
    "SizeReport",
    "SizedSymbol",
    "Symbol",
    "Tensor",
    "Unaligned",
    "build",
    "flash_size",
    "run",
]
