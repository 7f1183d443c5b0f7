# SPDX-License-Identifier: Apache-2.0
"""Sizes for CI: measured by linking, compared with a budget and a baseline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinyc.compiler import Compiled
from tinyc.errors import TinycError
from tinyc.profiling import io_bytes, linked_size

SCHEMA = 1


def measure(compiled: Compiled) -> dict[str, Any]:
    """The sizes of a compiled model. ram counts what the linker places and the arena; the stack is not in it."""
    linked = linked_size(compiled)
    arena, io, state = compiled.arena.bytes, io_bytes(compiled), compiled.report["state_bytes"]
    return {
        "model": compiled.name,
        "target": compiled.request.target.name,
        "flash": {"weights": linked.weights, "code": linked.code, "constants": linked.constants,
                  "total": linked.flash},
        "ram": {"arena": arena, "io": io, "state": state, "static": linked.static_ram,
                "total": arena + io + state + linked.static_ram},
        "functions": dict(sorted(linked.functions.items())),
        "layers": {f"{layer['index']} {layer['name']}": layer["weights_bytes"] for layer in compiled.report["layers"]},
    }


def baseline_key(compiled: Compiled) -> str:
    """What a baseline is kept for: model, target and the options that change code."""
    r = compiled.request
    return f"{compiled.name} {r.target.name} {r.optimize} {r.kernels} {r.io} {r.io_dtype}"


def read_baseline(path: Path, must_exist: bool) -> dict[str, Any]:
    """The saved sizes by key. Raises TinycError for a file that is none."""
    if not path.exists():
        if must_exist:
            raise TinycError(f"no baseline {path}", hint="--update writes one")
        return {}
    try:
        data = json.loads(path.read_text())
        if data["schema"] != SCHEMA:
            raise TinycError(f"{path} was written by another version", hint="write it again with --update")
        sizes: dict[str, Any] = data["sizes"]
        for entry in sizes.values():
            for kind in ("flash", "ram", "functions", "layers"):
                if not all(isinstance(v, int) for v in entry[kind].values()):
                    raise ValueError(kind)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise TinycError(f"{path} is no size baseline", hint="write it with --update") from None
    return sizes


def write_baseline(path: Path, sizes: Mapping[str, Any]) -> None:
    text = json.dumps({"schema": SCHEMA, "sizes": dict(sorted(sizes.items()))}, indent=1, ensure_ascii=False)
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise TinycError(f"cannot write {path}: {error.strerror}", hint="--baseline names a writable file") from None


def over_budget(sizes: Mapping[str, Any], limits: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{"what": what, "bytes": sizes[what]["total"], "limit": limit, "excess": sizes[what]["total"] - limit}
            for what, limit in limits.items() if sizes[what]["total"] > limit]


def compare(sizes: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
    """Differences to a baseline: totals by kind, and each function and layer that changed."""
    def changed(kind: str) -> list[dict[str, Any]]:
        now, before = sizes[kind], old[kind]
        rows = [{"name": n, "before": before.get(n, 0), "now": now.get(n, 0), "delta": now.get(n, 0) - before.get(n, 0)}
                for n in sorted({*now, *before}) if now.get(n, 0) != before.get(n, 0)]
        return sorted(rows, key=lambda r: (-abs(r["delta"]), r["name"]))

    return {kind: changed(kind) for kind in ("flash", "ram", "functions", "layers")}


def _rows(sizes: Mapping[str, Any], limits: Mapping[str, int], changes: Mapping[str, Any] | None) -> list[list[str]]:
    rows = []
    for kind in ("flash", "ram"):
        deltas = {r["name"]: r["delta"] for r in (changes or {}).get(kind, [])}
        for part, size in sizes[kind].items():
            limit = f"{limits[kind]:,}" if part == "total" and kind in limits else ""
            delta = "" if changes is None else f"{deltas.get(part, 0):+,}"
            rows.append([f"{kind} {part}", f"{size:,}", delta, limit])
    return rows


def as_text(sizes: Mapping[str, Any], limits: Mapping[str, int], changes: Mapping[str, Any] | None) -> str:
    lines = [f"{sizes['model']} for {sizes['target']} (bytes)"]
    for name, size, delta, limit in _rows(sizes, limits, changes):
        lines.append(f"  {name:16} {size:>10} {delta:>9}" + (f"  budget {limit}" if limit else ""))
    for kind in ("functions", "layers"):
        for row in (changes or {}).get(kind, []):
            lines.append(f"  {kind[:-1]} {row['name']}: {row['before']:,} -> {row['now']:,} ({row['delta']:+,})")
    if changes is not None and not any(changes.values()):
        lines.append("  no change against the baseline")
    return "\n".join(line.rstrip() for line in lines)


def as_markdown(sizes: Mapping[str, Any], limits: Mapping[str, int], changes: Mapping[str, Any] | None) -> str:
    lines = [f"### {sizes['model']} for {sizes['target']}", "", "| | bytes | change | budget |", "|---|--:|--:|--:|"]
    lines += [f"| {' | '.join(row)} |" for row in _rows(sizes, limits, changes)]
    changed = [row for kind in ("functions", "layers") for row in (changes or {}).get(kind, [])]
    if changed:
        lines += ["", "| changed | before | now | change |", "|---|--:|--:|--:|"]
        lines += [f"| {_cell(r['name'])} | {r['before']:,} | {r['now']:,} | {r['delta']:+,} |" for r in changed]
    elif changes is not None:
        lines += ["", "No change against the baseline."]
    return "\n".join(lines)


def _cell(name: str) -> str:
    """A name inside a Markdown table."""
    return "`" + name.replace("`", "'").replace("|", "\\|").replace("\n", " ") + "`"
