# SPDX-License-Identifier: Apache-2.0
"""The runtime's manifest: which files a set of called functions needs."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tinyc.resources import runtime_dir

CMSIS_PREFIX = "arm_"


@dataclass(frozen=True)
class RuntimeFiles:
    """Files, relative to runtime_c/, that generated code needs; headers are those it includes itself."""

    sources: tuple[Path, ...]
    headers: tuple[str, ...]
    all_headers: tuple[Path, ...]


@cache
def manifest() -> dict[str, Any]:
    with (runtime_dir() / "runtime.toml").open("rb") as file:
        return tomllib.load(file)


def _entry(function: str) -> tuple[str, dict[str, Any]]:
    functions = manifest()["functions"]
    for name in (function, function.removeprefix("tinyc_")):
        if name in functions:
            return name, functions[name]
    raise KeyError(f"the runtime's manifest has no {function}")


def needed_functions(functions: Iterable[str], variants: tuple[str, ...]) -> dict[str, str]:
    """The functions and all that they need, by their names in the manifest, with the variant of each."""
    found: dict[str, str] = {}
    waiting = list(functions)
    while waiting:
        name, entry = _entry(waiting.pop())
        if name not in found:
            found[name] = next(v for v in variants if v in entry)
            waiting += entry.get("needs", [])
    return found


@cache
def code_sizes() -> dict[str, dict[str, int]]:
    """Bytes of code and constants of each function in each variant that it has, measured by scripts/code_sizes.py."""
    with (runtime_dir() / "code_sizes.toml").open("rb") as file:
        sizes: dict[str, dict[str, int]] = tomllib.load(file)
    return sizes


def runtime_files(functions: Iterable[str], variants: tuple[str, ...], external_cmsis: bool) -> RuntimeFiles:
    """What the functions need, with their dependencies, in the best variant of each.

    external_cmsis: functions of the CMSIS-NN API come from the firmware's own library.
    """
    headers: set[str] = set()
    sources: set[str] = set()
    own = [f for f in functions if not (external_cmsis and f.startswith(CMSIS_PREFIX))]
    headers.update(_entry(function)[1]["header"] for function in own)
    for name, variant in needed_functions(own, variants).items():
        sources.update(manifest()["functions"][name][variant])
    return RuntimeFiles(
        tuple(Path(s) for s in sorted(sources)), tuple(sorted(headers)),
        _header_closure([runtime_dir() / s for s in sorted(sources)], headers | {"tinyc_runtime.h"},
                        "tinyc_nn.h" in headers and not external_cmsis),
    )


def _header_closure(sources: list[Path], headers: set[str], mapped: bool) -> tuple[Path, ...]:
    """All headers reached from the sources and the public headers, relative to runtime_c/."""
    root = runtime_dir()
    places = [root / d for d in manifest()["include_dirs"]]
    found: set[Path] = set()
    waiting = list(headers | ({"tinyc_cmsis_map.h"} if mapped else set()))
    for source in sources:
        waiting += _includes(source)
    while waiting:
        name = waiting.pop()
        for place in places:
            path = place / name
            if path.is_file() and path not in found:
                found.add(path)
                waiting += _includes(path)
    return tuple(sorted(p.relative_to(root) for p in found))


def _includes(path: Path) -> list[str]:
    return re.findall(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(), re.M)
