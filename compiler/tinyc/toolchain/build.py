# SPDX-License-Identifier: Apache-2.0
"""Builds programs for the test harness: sources, the harness and start-up code become an ELF that runs."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tinyc.errors import TinycError
from tinyc.resources import harness_dir
from tinyc.targets import Region, Target
from tinyc.toolchain import gcc
from tinyc.toolchain.elf import ElfFile
from tinyc.toolchain.model_harness import Entry, glue_source
from tinyc.toolchain.shadow import ShadowPlan

SECTION_FLAGS = ("-ffunction-sections", "-fdata-sections")
SANITIZE_FLAGS = (
    "-g",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
)
# Every access to memory becomes a call, which harness/shadow_host.c answers; optimized code makes no vectors of them.
_WATCH_FLAGS = (
    "-O1", "-fno-lto", "-fsanitize=thread", "-fno-builtin-memcpy", "-fno-builtin-memmove", "-fno-builtin-memset",
    "-include", "shadow_mark.h",
)
_WATCH_LINK_FLAGS = ("-Wl,--wrap=memcpy", "-Wl,--wrap=memmove", "-Wl,--wrap=memset")
# The model's entry must stay a call to a function of its own, whatever the model is compiled with.
_HARNESS_FLAGS = ("-O2", "-std=gnu11", "-fno-lto", "-fno-optimize-sibling-calls", "-fno-builtin")


@dataclass(frozen=True)
class Elf:
    """A program of the harness: what it runs and for which target it was built."""

    path: Path
    target: Target
    entry: Entry
    sanitized: bool = False

    @cached_property
    def file(self) -> ElfFile:
        """Its sections and symbols."""
        return ElfFile.read(self.path)


def require_runnable(target: Target) -> None:
    """TinycError where there is no emulator for a target's code."""
    if not target.can_run:
        raise TinycError(
            f"{target.name} code can be compiled but not run: no emulator for it is known",
            hint="use tinyc compile or tinyc size, or name a QEMU machine in a target file of your own",
        )


def linker_script(target: Target) -> str:
    """The text of the linker script for a target's emulated machine."""
    require_runnable(target)
    qemu = target.qemu
    assert qemu is not None, "the host needs no linker script"

    def region(name: str, attributes: str, where: Region) -> str:
        return f"    {name} ({attributes}) : ORIGIN = {where.origin:#x}, LENGTH = {where.bytes:#x}"

    regions = [region("FLASH", "rx", qemu.flash), region("RAM", "rwx", qemu.ram)]
    if qemu.vectors is not None:
        regions.append(region("VECTORS", "rx", qemu.vectors))
    memory = "\n".join(["MEMORY", "{", *regions, "}", ""])
    if qemu.vectors is None:
        memory += 'REGION_ALIAS("VECTORS", FLASH)\n'
    return memory + (harness_dir() / "link.ld").read_text(encoding="utf-8")


def _harness_sources(target: Target) -> list[Path]:
    names = {
        "arm": ["main.c", "io_semihosting.c", "fault.c", "startup_arm.c"],
        "riscv": ["main.c", "io_semihosting.c", "fault.c", "startup_riscv.S"],
        "host": ["main.c", "io_host.c"],
    }[target.family]
    return [harness_dir() / name for name in names]


def build(
    target: Target,
    sources: Sequence[Path],
    include_dirs: Sequence[Path],
    out: Path,
    *,
    entry: Entry,
    cflags: Sequence[str] = (),
    optimize: str = "default",
    sanitize: bool = False,
    libraries: Sequence[Path] = (),
    shadow: ShadowPlan | None = None,
    script: str | None = None,
    jobs: int = 2,
) -> Elf:
    """Compiles and links sources with the harness into the program `out`.

    cflags come last and so win over the target's and the optimization level's. `sanitize` (host only) adds
    the address and undefined-behaviour sanitizers. `libraries` are archives that the sources call.
    `shadow`: for a shadow run of sources that were generated for it. `script`: the linker script, by default
    `linker_script(target)`.

    Raises TinycError where a tool is missing or the target cannot run, BuildError where a source does not
    compile.
    """
    require_runnable(target)
    if sanitize and target.family != "host":
        raise ValueError("sanitizers need the target host")
    sanitizers = SANITIZE_FLAGS if sanitize else ()
    flags = [*target.optimize_flags(optimize), *SECTION_FLAGS, *sanitizers, *cflags]
    bare_metal = [] if target.family == "host" else ["-DHARNESS_BARE_METAL"]
    watched = shadow is not None and target.family == "host"
    watch_link_flags = _WATCH_LINK_FLAGS if watched else ()
    stride = shadow.stride if shadow is not None else 0
    if stride:
        # Where a buffer lies in the planned arena: what counts when the runtime compares addresses.
        flags.append(f"-DTINYC_ADDRESS(pointer)=((uintptr_t)(pointer) & {stride - 1}U)")
        flags += [*_WATCH_FLAGS, f"-D{entry.name.upper()}_MARK(label)=harness_shadow_mark(#label)"] if watched else []
    include_dirs = [*include_dirs, harness_dir()] if watched else include_dirs
    bare_metal += ["-DHARNESS_SHADOW"] if watched else []
    with tempfile.TemporaryDirectory(prefix="tinyc-build-") as name:
        folder = Path(name)
        for part in ("model", "harness"):
            (folder / part).mkdir()
        objects = gcc.compile_sources(target, sources, include_dirs, flags, folder / "model", jobs=jobs)
        glue = folder / "harness_glue.c"
        glue.write_text(glue_source(entry, guarded=not sanitize, shadow_stride=stride), encoding="utf-8")
        objects += gcc.compile_sources(
            target,
            [glue, *_harness_sources(target), *([harness_dir() / "shadow_host.c"] if watched else [])],
            [harness_dir(), *include_dirs],
            [*_HARNESS_FLAGS, *bare_metal, *sanitizers],
            folder / "harness",
            jobs=jobs,
        )
        # The calls that -fsanitize=thread makes are answered by the harness: its library stays out.
        kept = [f for f in flags if f != "-fsanitize=thread"]
        link_flags = [*kept, "-Wl,--gc-sections", *watch_link_flags]
        if target.family != "host":
            file = folder / "link.ld"
            file.write_text(linker_script(target) if script is None else script, encoding="utf-8")
            link_flags += ["-nostartfiles", "-T", str(file)]
        gcc.link(target, [*objects, *libraries], link_flags, out)
    return Elf(out, target, entry, sanitize)
