# SPDX-License-Identifier: Apache-2.0
"""Target descriptions: one TOML per core, shipped with tinyc or written by the user.

A description may name another as `base` and then states only what differs; tables merge key by key,
everything else is replaced. `qemu = false` drops an inherited emulator, `cycles = false` the timings.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from tinyc.errors import TinycError
from tinyc.resources import targets_dir
from tinyc.timing import FlashTiming, Timing, read_flash, read_timing
from tinyc.toml_table import Table

Family = Literal["arm", "riscv", "host"]
Optimize = Literal["default", "speed", "ram", "size"]

FAMILIES: tuple[str, ...] = ("arm", "riscv", "host")
FEATURES: tuple[str, ...] = ("dsp", "mve", "armv6m", "scalar", "fpu", "fpu64", "unaligned")
VARIANTS: tuple[str, ...] = ("mve", "dsp", "fpu", "armv6m", "scalar", "portable")
OPTIMIZE_LEVELS: tuple[Optimize, ...] = ("default", "speed", "ram", "size")


@dataclass(frozen=True)
class Memory:
    """A memory of a typical part, for warnings about models that do not fit and for placing arenas and weights.

    speed: rank among the part's memories, 0 is the fastest. external: outside the chip, used only where it is named.
    """

    name: str
    kind: Literal["flash", "ram"]
    bytes: int
    speed: int = 0
    external: bool = False


@dataclass(frozen=True)
class Region:
    """An address range that the test harness links into."""

    origin: int
    bytes: int


@dataclass(frozen=True)
class Qemu:
    """The emulated machine on which the harness runs code for a target.

    `vectors` is where the processor looks for its vector table, where that is not the start of `flash`.
    `systick_hz` is the rate of the machine's SysTick timer (Arm only), 0 where there is none.
    """

    machine: str
    binary: str
    args: tuple[str, ...]
    flash: Region
    ram: Region
    vectors: Region | None
    systick_hz: int


@dataclass(frozen=True)
class Target:
    """A core, its compiler and where its code can be run.

    `features`: of FEATURES; "unaligned" means that 16- and 32-bit accesses may be unaligned.
    `variants`: kernel variants in order of preference, "portable" last.
    `optimize`: compiler flags per optimization level, in the order of OPTIMIZE_LEVELS.
    `timing`: what instructions cost, None where that is not described; `flash`: how the part's flash answers.
    """

    name: str
    description: str
    family: Family
    features: tuple[str, ...]
    variants: tuple[str, ...]
    compiler: str
    cflags: tuple[str, ...]
    optimize: tuple[tuple[str, tuple[str, ...]], ...]
    memories: tuple[Memory, ...]
    qemu: Qemu | None
    timing: Timing | None
    flash: FlashTiming

    @property
    def can_run(self) -> bool:
        """Whether code for this target can be executed here: natively or in an emulator."""
        return self.family == "host" or self.qemu is not None

    def has(self, feature: str) -> bool:
        return feature in self.features

    def optimize_flags(self, level: str) -> tuple[str, ...]:
        """The compiler's flags for an optimization level ("default", "speed", "ram" or "size")."""
        return dict(self.optimize)[level]

    def memory_bytes(self, kind: Literal["flash", "ram"]) -> int | None:
        """Bytes of all memories of a kind on the chip, None where the description lists none (host)."""
        sizes = [memory.bytes for memory in self.memories if memory.kind == kind and not memory.external]
        return sum(sizes) if sizes else None


def _region(table: Table) -> Region:
    region = Region(table.number("origin"), table.number("bytes", least=1))
    table.finish()
    return region


def _qemu(table: Table) -> Qemu:
    qemu = Qemu(
        machine=table.text("machine"),
        binary=table.text("binary"),
        args=table.texts("args", default=[]),
        flash=_region(table.table("flash")),
        ram=_region(table.table("ram")),
        vectors=_region(table.table("vectors")) if table.has("vectors") else None,
        systick_hz=table.number("systick_hz", default=0),
    )
    table.finish()
    return qemu


def _memory(table: Table) -> Memory:
    kind = cast(Literal["flash", "ram"], table.choice("kind", ("flash", "ram")))
    memory = Memory(table.text("name"), kind, table.number("bytes", least=1), table.number("speed", default=0),
                    table.flag("external"))
    table.finish()
    return memory


def _target(data: Mapping[str, Any], file: Path) -> Target:
    table = Table(data, file)
    name = table.text("name")
    optimize = table.table("optimize")
    target = Target(
        name=name,
        description=table.text("description"),
        family=cast(Family, table.choice("family", FAMILIES)),
        features=table.texts("features", FEATURES),
        variants=table.texts("variants", VARIANTS),
        compiler=table.text("compiler"),
        cflags=table.texts("cflags"),
        optimize=tuple((level, optimize.texts(level)) for level in OPTIMIZE_LEVELS),
        memories=tuple(_memory(memory) for memory in table.tables("memories")),
        qemu=_qemu(table.table("qemu")) if table.has("qemu") else None,
        timing=read_timing(table.table("cycles")) if table.has("cycles") else None,
        flash=read_flash(table.table("flash")) if table.has("flash") else FlashTiming(),
    )
    optimize.finish()
    table.finish()
    if not target.variants or target.variants[-1] != "portable":
        raise table.error("variants", 'must end with "portable", which every target can use')
    for variant in target.variants[:-1]:
        if variant not in target.features:
            raise table.error("variants", f'lists "{variant}", which features does not')
    if target.family == "host" and target.qemu is not None:
        raise table.error("qemu", "the host runs code natively and has no emulator")
    return target


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        inherited = merged.get(key)
        if isinstance(inherited, dict) and isinstance(value, dict):
            value = _merge(inherited, value)
        merged[key] = value
    return merged


def _read(file: Path, seen: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The file's table with everything that it inherits."""
    if file in seen:
        raise TinycError(f"{file}: base: the descriptions inherit from each other in a circle",
                         hint="one of them must describe its core without `base`")
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TinycError(f"{file}: not a TOML file: {error}", hint="see https://toml.io") from error
    except OSError as error:
        raise TinycError(f"{file}: cannot be read: {error.strerror}", hint="name a TOML file of your own") from error
    if "base" not in data:
        return data
    base = data.pop("base")
    if not isinstance(base, str):
        raise TinycError(f"{file}: base: must be the name or path of a target, not {base!r}",
                         hint='for example base = "cortex-m4"')
    return _merge(_read(_locate(base, file.parent), (*seen, file)), data)


def _is_path(name: str) -> bool:
    return name.endswith(".toml") or "/" in name or "\\" in name


def _locate(name: str, relative_to: Path) -> Path:
    if _is_path(name):
        file = (relative_to / name).resolve()
        if not file.is_file():
            raise TinycError(f"there is no target description {name}", hint="check the path, or see `tinyc targets`")
        return file
    file = targets_dir() / f"{name}.toml"
    if not name or not file.is_file():
        raise TinycError(
            f"unknown target {name!r}",
            hint=f"one of {', '.join(_names())}, or the path of a TOML file of your own",
        )
    return file


def _names() -> list[str]:
    """Names of the shipped targets, numbers in numeric order."""

    def natural(name: str) -> list[tuple[int, str]]:
        return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]

    return sorted((file.stem for file in targets_dir().glob("*.toml")), key=natural)


def load_target(name_or_path: str | Path) -> Target:
    """A target by its name, or by the path of a TOML file.

    Raises TinycError for an unknown name, and for a malformed description, naming file and field.
    """
    file = _locate(str(name_or_path), Path.cwd())
    return _target(_read(file), file)


def list_targets() -> list[Target]:
    """All shipped targets, in natural order of their names."""
    return [load_target(name) for name in _names()]
