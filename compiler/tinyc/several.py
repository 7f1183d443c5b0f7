# SPDX-License-Identifier: Apache-2.0
"""Several models in one folder: their files, the runtime once, and one arena for all.

Models run in turn and share the arena's bytes; those that were declared concurrent get bytes of their own.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyc.backend.emit import build_file, render
from tinyc.backend.folder import REPORT, write_folder
from tinyc.backend.names import identifier
from tinyc.compiler import Compiled
from tinyc.errors import TinycError
from tinyc.report.build import SCHEMA
from tinyc.version import VERSION

DEFAULT_NAME = "models"
_TRY_ALL_ORDERS = 6  # models up to which every order of placement is tried


@dataclass(frozen=True)
class Several:
    """Models for one image. offsets: of each model's part in the arena of `bytes`; concurrent: pairs of positions."""

    name: str
    models: tuple[Compiled, ...]
    offsets: tuple[int, ...]
    bytes: int
    align: int
    concurrent: frozenset[tuple[int, int]]
    files: dict[str, str]
    report: dict[str, Any]


def parse_concurrent(groups: Sequence[str], names: Sequence[str]) -> frozenset[tuple[int, int]]:
    """Pairs of positions in `names` from texts "a,b": those that may run at the same time. Raises TinycError."""
    pairs = set()
    for group in groups:
        members = [m.strip() for m in group.split(",")]
        unknown = [m for m in members if m not in names]
        if unknown:
            raise TinycError(f"--concurrent {group!r} names {unknown[0]!r}, which is none of the models",
                             hint=f"the models are {', '.join(names)}")
        if len(set(members)) < 2 or len(set(members)) < len(members):
            raise TinycError(f"--concurrent {group!r} does not name two or more different models",
                             hint="for example --concurrent wakeword,vad")
        pairs |= {(a, b) for a, b in itertools.permutations([names.index(m) for m in members], 2)}
    return frozenset(pairs)


def place_arenas(
    sizes: Sequence[int], aligns: Sequence[int], concurrent: frozenset[tuple[int, int]]
) -> tuple[tuple[int, ...], int]:
    """(offset of each model's arena, bytes of all): 0 for all that only run in turn, disjoint where concurrent."""
    count = len(sizes)
    orders = (itertools.permutations(range(count)) if count <= _TRY_ALL_ORDERS
              else [tuple(sorted(range(count), key=lambda k: (-sizes[k], k)))])
    best: tuple[int, tuple[int, ...]] | None = None
    for order in orders:
        offsets = [0] * count
        for done, k in enumerate(order):
            taken = sorted((offsets[j], offsets[j] + sizes[j]) for j in order[:done] if (k, j) in concurrent)
            at = 0
            for low, high in taken:
                if low < at + sizes[k] and high > at:
                    at = -(-high // aligns[k]) * aligns[k]
            offsets[k] = at
        found = max((o + s for o, s in zip(offsets, sizes, strict=True)), default=0), tuple(offsets)
        best = found if best is None else min(best, found)
    assert best is not None
    return best[1], best[0]


def combine(models: Sequence[Compiled], name: str | None, concurrent: Sequence[str] = ()) -> Several:
    """The models' files and their arena, in memory. Raises TinycError for names that collide."""
    names = [m.name for m in models]
    for a, b in itertools.combinations(models, 2):
        if a.name == b.name:
            raise TinycError(f"two models get the name {a.name!r}: {a.request.model} and {b.request.model}",
                             hint="names come from the files' names: rename or copy one of the files")
    upper = _set_name(name, names)
    pairs = parse_concurrent(concurrent, names)
    sizes, aligns = [m.arena.bytes for m in models], [m.arena.align for m in models]
    offsets, total = place_arenas(sizes, aligns, pairs)
    align = max(aligns)
    files: dict[str, str] = {}
    for model in models:
        for path, text in model.emitted.files.items():
            if path != "CMakeLists.txt" and files.setdefault(path, text) != text:
                raise TinycError(f"the models' files {path} collide", hint="rename one of the model files")
    header = f"{upper.lower()}.h"
    if header in files:
        raise TinycError(f"the header {header} of all models is also that of one", hint="--name gives it another name")
    target = models[0].request.target.name
    rows = [{"name": m.name, "upper": m.name.upper(), "bytes": s, "offset": o,
             "concurrent": [names[j] for j in range(len(names)) if (k, j) in pairs]}
            for k, (m, s, o) in enumerate(zip(models, sizes, offsets, strict=True))]
    files[header] = render("several.h.j2", {"models": rows, "upper": upper, "bytes": total, "align": align,
                                            "version": VERSION, "target": target})
    _refuse_same_symbols(models, files, header)
    sources = sorted({s for m in models for s in m.emitted.sources})
    folders = sorted({d for m in models for d in m.emitted.include_dirs if d != "."})
    files["CMakeLists.txt"] = build_file(upper.lower(), target, sources, folders,
                                         any(m.request.kernels == "cmsis-nn" for m in models))
    report = {
        "schema": SCHEMA, "name": upper.lower(), "target": target, "header": header,
        "entry": [m.report["entry"] for m in models],
        "arena": {"bytes": total, "align": align, "models": [
            {k: row[k] for k in ("name", "offset", "bytes", "concurrent")} for row in rows]},
        "models": [{**m.report, "files": []} for m in models],
        "sources": sources, "include_dirs": [".", *folders],
        "cflags": models[0].report["cflags"], "files": sorted((*files, REPORT)),
    }
    return Several(upper.lower(), tuple(models), offsets, total, align, pairs, files, report)


def _set_name(name: str | None, names: Sequence[str]) -> str:
    text = DEFAULT_NAME if name is None else name
    if identifier(text) != text.lower() or not text.isascii():
        raise TinycError(f"--name {text!r} is not usable as a C identifier",
                         hint="letters, digits and single underscores")
    if text.lower() in names:
        raise TinycError(f"the name {text.lower()!r} of all models is also that of one",
                         hint="--name gives another one")
    return text.upper()


def _refuse_same_symbols(models: Sequence[Compiled], files: dict[str, str], header: str) -> None:
    """Macros and functions begin with their model's name; one name may begin with another."""
    seen: dict[str, str] = {}
    for owner in (*(m.name for m in models), header.removesuffix(".h")):
        text = files[f"{owner}.h"]
        words = set(re.findall(r"^#define (\w+)", text, re.M)) | set(re.findall(r"\b(\w+)\(.*\);$", text, re.M))
        words |= {w for other in (f"{owner}.c", f"{owner}_weights.c")
                  for w in re.findall(r"^(?:extern )?const \w+ (\w+)\[", files.get(other, ""), re.M)}
        for word in sorted(words):
            if seen.setdefault(word, owner) != owner:
                raise TinycError(f"models {seen[word]!r} and {owner!r} both define {word}",
                                 hint="rename one of the model files, or the whole with --name")


def write_several(several: Several, folder: Path) -> list[Path]:
    """Writes all files; afterwards the folder has all of them, or it is as before. Raises TinycError."""
    report = json.dumps(several.report, indent=1, ensure_ascii=False) + "\n"
    return write_folder({**several.files, REPORT: report}, folder)
