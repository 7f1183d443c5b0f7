# SPDX-License-Identifier: Apache-2.0
"""What kind of operation an instruction is, for the timings of tinyc.timing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tinyc.targets import Family
from tinyc.toolchain.disassembly import Instruction


@dataclass(frozen=True)
class Operation:
    """kind: of tinyc.timing.KINDS; words: registers that a load or store moves, or elements of a gathering one;
    reads, writes: names of registers. The sum that a multiplication adds to is not among reads: cores forward it."""

    kind: str
    words: int
    reads: frozenset[str]
    writes: frozenset[str]


_CONDITION = "(?:eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)"

# The first that matches the whole mnemonic tells the kind; no suffix of the width.
_ARM = [
    ("branch", f"b{_CONDITION}?|cbn?z|tb[bh]"),
    ("call", f"blx?{_CONDITION}?"),
    ("jump", f"bx{_CONDITION}?|bxns"),
    ("loop", r"letp|le|wls(tp)?(\..*)?|dls(tp)?(\..*)?|lctp"),
    ("it", "it[te]{0,3}"),
    ("load_multiple", f"(ldm.*|pop{_CONDITION}?|ldrd{_CONDITION}?|vldm.*|vpop.*)"),
    ("store_multiple", f"(stm.*|push{_CONDITION}?|strd{_CONDITION}?|vstm.*|vpush.*)"),
    ("load", "(ldr|lda|vldr).*"),
    ("store", "(str|stl|vstr).*"),
    ("vector_load", r"vld[24].*"),
    ("vector_store", r"vst[24].*"),
    ("divide", "[su]div.*"),
    ("multiply_long", "([su]mull|[su]mlal|umaal|smlsld).*"),
    ("multiply_add", "(mla|mls).*"),
    ("multiply", "(muls?|sm(la|ls|ua|us)dx?|sm(ul|la)[btw][bt]|smm(ul|la|ls)r?|usada?8).*"),
    ("float_divide", r"(vdiv|vsqrt).*"),
    ("float_multiply_add", r"(vn?ml[as]|vfn?m[as]).*"),
    ("float_multiply", r"(vn?mul).*"),
    ("float", r"v.*"),
]

# Of instructions that name a vector register.
_HELIUM = [
    ("vector_load", r"vld.*"),
    ("vector_store", r"vst.*"),
    ("vector_multiply", r"(vn?ml|vfm|vmul|vq?r?dmul|vqr?dml|vqdmlad|vqdmlsd|vrml|vcmul|vcmla|vrmulh).*"),
    ("vector", ".*"),
]

_RISCV = [
    ("load", "l[bhw]u?|flw"),
    ("store", "s[bhw]|fsw"),
    ("multiply", "mul(hs?u?)?"),
    ("divide", "(div|rem)u?"),
    ("branch", "b(eq|ne|lt|ge|gt|le)(u|z)?"),
    ("call", "jal"),
    ("branch", "j"),
    ("jump", "jr|jalr|ret"),
    ("alu", ".*"),
]

_ARM_REGISTER = re.compile(r"\b(r\d+|sl|fp|ip|sp|lr|pc|[sdq]\d+)\b")
_ARM_RANGE = re.compile(r"\b([rsdq])(\d+)\s*-\s*\1(\d+)\b")
_RISCV_REGISTER = re.compile(r"\b(zero|ra|sp|gp|tp|[ast]\d+)\b")
_WRITES_NOTHING = re.compile(r"(cmp|cmn|tst|teq|vcmp|vpt|vpst|vpnot|nop|vmsr|cbn?z).*")
_WRITES_TWO = re.compile(r"([su]mull|[su]mlal|umaal|smlal|smlsld|ldrd).*")
_ACCUMULATES = re.compile(r"(mla|mls|sml|smml|smlad|smlsd|usada8).*")


def _kind(rules: Sequence[tuple[str, str]], mnemonic: str) -> str:
    return next((kind for kind, pattern in rules if re.fullmatch(pattern, mnemonic)), "alu")


def _arm_registers(text: str) -> list[str]:
    def expand(match: re.Match[str]) -> str:
        return ", ".join(f"{match[1]}{i}" for i in range(int(match[2]), int(match[3]) + 1))

    return _ARM_REGISTER.findall(_ARM_RANGE.sub(expand, text))


def _arm(instruction: Instruction) -> Operation:
    mnemonic, operands = instruction.mnemonic, instruction.operands
    registers = _arm_registers(operands)
    vector = any(name.startswith("q") for name in registers)
    kind = _kind(_HELIUM if vector else _ARM, mnemonic)
    braces = re.search(r"\{(.*?)\}", operands)
    listed = _arm_registers(braces[1]) if braces else registers[:2]
    words = 1
    if kind in ("load_multiple", "store_multiple"):
        words = sum(2 if name.startswith("d") else 1 for name in listed)
    elif kind in ("load", "store") and registers[0].startswith("d"):
        kind, words = f"{kind}_multiple", 2
    elif kind in ("vector_load", "vector_store") and re.search(r"\[.*q\d", operands):
        width = re.search(r"\.[a-z]?(\d+)$", mnemonic)
        kind = "vector_gather" if kind == "vector_load" else "vector_scatter"
        words = 128 // int(width[1]) if width else 4
    writes, reads = _direction(kind, mnemonic, operands, registers, listed)
    return Operation(kind, words, frozenset(reads), frozenset(writes))


def _direction(
    kind: str, mnemonic: str, operands: str, registers: Sequence[str], listed: Sequence[str]
) -> tuple[set[str], set[str]]:
    """The registers that an Arm instruction writes and reads."""
    base = re.search(r"\[(\w+)", operands) or re.match(r"(\w+)!", operands)
    moved = {base[1]} if base and re.search(r"!|\],", operands) else set()
    if kind in ("store", "store_multiple", "vector_store", "vector_scatter"):
        return moved, set(registers)
    if kind in ("branch", "jump", "call", "it") or _WRITES_NOTHING.fullmatch(mnemonic):
        return moved, set(registers)
    if kind in ("load", "load_multiple", "vector_load", "vector_gather"):
        written = set(listed) if "{" in operands or mnemonic.startswith("ldrd") else set(registers[:1])
        return written | moved, {base[1]} if base else {"sp"}
    count = 2 if _WRITES_TWO.fullmatch(mnemonic) else 1
    sources = registers[count:] if len(registers) > count else registers
    return set(registers[:count]), set(sources[:2] if _ACCUMULATES.fullmatch(mnemonic) else sources)


def _riscv(instruction: Instruction) -> Operation:
    registers = _RISCV_REGISTER.findall(instruction.operands)
    kind = _kind(_RISCV, instruction.mnemonic)
    writes = set() if kind in ("store", "branch", "jump") else set(registers[:1])
    return Operation(kind, 1, frozenset(registers[len(writes):]), frozenset(writes))


def operation(instruction: Instruction, family: Family) -> Operation:
    """The operation of an instruction of an Arm or RISC-V core."""
    return _riscv(instruction) if family == "riscv" else _arm(instruction)
