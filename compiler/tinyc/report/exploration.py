# SPDX-License-Identifier: Apache-2.0
"""What a search for schemes tried: for JSON, and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tinyc.budget import COSTS, WORDS, excess
from tinyc.explore.search import Exploration, front
from tinyc.explore.units import described

_COLUMNS = {"flash": "flash", "ram": "ram", "cycles": "~cycles", "instructions": "instr.", "right": "right %",
            "drop": "drop", "snr": "dB"}


def exploration_report(found: Exploration) -> dict[str, Any]:
    """Figures by the words of --budget; `over`: limits that are missed, relative to them. best, closest: of trials."""
    good = front(found.trials)
    names = [unit.name for unit in found.units]
    return {
        "budget": dict(found.budget), "judged": found.judged, "held_out": found.held_out,
        "classes_of": "labels" if found.labels else "float",
        "layers": [{"name": u.name, "nodes": list(u.nodes), "schemes": list(u.schemes)} for u in found.units],
        "trials": [{"figures": dict(t.figures), "schemes": dict(zip(names, t.assignment, strict=True)),
                    "front": k in good, "over": excess(t.figures, found.budget)} for k, t in enumerate(found.trials)],
        "best": found.best, "closest": found.closest,
    }


def exploration_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The table of an `exploration_report`: `>` marks the best that keeps the budget, `*` what no other trial beats."""
    trials, best = report["trials"], report["best"]
    columns = [c for c in _COLUMNS if any(c in t["figures"] for t in trials)]
    yield _row("", [_COLUMNS[c] for c in columns], "layers")
    for k, trial in enumerate(trials):
        mark = (">" if k == best else "") + ("*" if trial["front"] else "")
        cells = [_cell(c, trial["figures"][c]) if c in trial["figures"] else "" for c in columns]
        over = f"  (misses {', '.join(trial['over'])})" if trial["over"] else ""
        yield _row(mark, cells, described(tuple(trial["schemes"].values())) + over)
    classes = "labels" if report["classes_of"] == "labels" else "the float model, for want of labels"
    whose = "that took no part in calibration" if report["held_out"] else "that calibrated, too: there are few"
    yield f"judged by {report['judged']} samples {whose}" + (f"; classes by {classes}" if "right" in columns else "")
    if best is not None:
        yield "chosen:"
        for name, scheme in trials[best]["schemes"].items():
            yield f"  {scheme:8} {name}"


def missed(report: Mapping[str, Any]) -> str:
    """Which limits the closest trial misses, and by how much."""
    trial, budget = report["trials"][report["closest"]], report["budget"]
    parts = [f"{word} {_cell(word, trial['figures'][word])} is {100 * over:.1f} % "
             f"{'below' if WORDS[word].least else 'over'} its limit of {_cell(word, budget[word])}"
             for word, over in trial["over"].items() if budget[word]]
    parts += [f"{word} {_cell(word, trial['figures'][word])} is over 0" for word in trial["over"] if not budget[word]]
    return (f"no trial keeps the budget; of the closest ({described(tuple(trial['schemes'].values()))}) "
            f"{'; '.join(parts)}")


def _cell(column: str, value: float) -> str:
    return f"{value:,}" if column in COSTS else f"{value:.2f}"


def _row(mark: str, cells: list[str], layers: str) -> str:
    return f"{mark:2} " + " ".join(f"{cell:>9}" for cell in cells) + f"  {layers}"
