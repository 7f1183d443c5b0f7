# SPDX-License-Identifier: Apache-2.0
"""Which of a target's memories a model uses, as the user says with --memories and --weights."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tinyc.errors import TinycError
from tinyc.targets import Memory, Target


@dataclass(frozen=True)
class Placement:
    """fast, slow: memories of the two arenas, both None for a single arena wherever the firmware has it.

    fast_bytes: of the fast one that the model may use. weights: the memory of the weights, None where the linker
    puts constants.
    """

    fast: Memory | None = None
    fast_bytes: int = 0
    slow: Memory | None = None
    weights: Memory | None = None


def parse_placement(
    target: Target, memories: str | None, weights: str | None, size: Callable[[str], int]
) -> Placement | None:
    """From "dtcm=16K,sram" and "qspi"; None where neither is given. Raises TinycError."""
    if memories is None and weights is None:
        return None
    named = {m.name: m for m in target.memories}

    def memory(option: str, name: str) -> Memory:
        if name not in named:
            raise TinycError(f"{option}: {target.name} has no memory {name!r}",
                             hint=f"it has {', '.join(named) or 'none'}; a target file of your own may name others")
        return named[name]

    where = memory("--weights", weights) if weights is not None else None
    if memories is None:
        return Placement(weights=where)
    parts = []
    for text in memories.split(","):
        match = re.fullmatch(r"\s*([^=\s]+)\s*(?:=\s*([^=\s]+)\s*)?", text)
        if match is None:
            raise TinycError(f"--memories {memories!r} is not FAST[=SIZE],SLOW", hint="for example dtcm=16K,sram")
        found = memory("--memories", match.group(1))
        if found.kind != "ram":
            raise TinycError(f"--memories: {found.name} of {target.name} is flash", hint="--weights names a flash")
        parts.append((found, size(match.group(2)) if match.group(2) else None))
    if len(parts) != 2 or parts[0][0] == parts[1][0]:
        raise TinycError(f"--memories {memories!r} does not name two different memories",
                         hint="the faster one, with the bytes that the model may use, and the slower one")
    (fast, limit), (slow, rest) = parts
    if rest is not None:
        raise TinycError(f"--memories: {slow.name} takes what {fast.name} does not hold", hint="give it no size")
    if fast.speed > slow.speed:
        raise TinycError(f"--memories: {fast.name} is slower than {slow.name}", hint="the faster one comes first")
    if limit is not None and not 0 < limit <= fast.bytes:
        raise TinycError(f"--memories: {fast.name} of {target.name} has {fast.bytes:,} bytes, not {limit:,}",
                         hint="give a size from 1 to that")
    return Placement(fast, fast.bytes if limit is None else limit, slow, where)


def bss_section(memory: Memory) -> str:
    """The section of an arena. Without the linker snippet it lands where .bss.* does: slower, but right."""
    return f".bss.tinyc_{identifier(memory)}"


def weights_section(memory: Memory) -> str:
    return f".rodata.tinyc_{identifier(memory)}" if memory.kind == "flash" else f".data.tinyc_{identifier(memory)}"


def identifier(memory: Memory) -> str:
    return re.sub(r"\W", "_", memory.name, flags=re.ASCII).lower()


def linker_snippet(model: str, placement: Placement) -> str:
    """Output sections for a GNU linker script; the names of memories are those of the target, in capitals."""
    lines = [
        "/* SPDX-License-Identifier: Apache-2.0 */",
        f"/* Where model {model} lies. In SECTIONS of the linker script: INCLUDE {model}_memories.ld, in front of the",
        " * sections that take .bss.*, .rodata.* and .data.*. MEMORY has to have the names behind '>'. */",
    ]
    for memory in (placement.fast, placement.slow):
        if memory is not None:
            name = identifier(memory)
            lines.append(f".tinyc_{name} (NOLOAD) : ALIGN(16) {{ *({bss_section(memory)}) }} > {name.upper()}")
    where = placement.weights
    if where is not None:
        name = identifier(where)
        content = f"*({weights_section(where)})"
        if where.kind == "flash":
            lines.append(f".tinyc_weights_{name} : ALIGN(16) {{ {content} }} > {name.upper()}")
        else:
            lines += [
                "/* Copied by the start-up code, before the model runs: from __tinyc_weights_load to",
                " * __tinyc_weights_start up to __tinyc_weights_end. FLASH is where the copy in flash lies. */",
                f".tinyc_weights_{name} : ALIGN(16)",
                "{",
                f"    __tinyc_weights_start = .; {content} . = ALIGN(4); __tinyc_weights_end = .;",
                f"}} > {name.upper()} AT> FLASH",
                f"__tinyc_weights_load = LOADADDR(.tinyc_weights_{name});",
            ]
    return "\n".join(lines) + "\n"
