# SPDX-License-Identifier: Apache-2.0
"""Limits on what a model costs and on what it loses: `flash=64K,ram=20K,cycles=2M,drop=0.5%`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tinyc.errors import TinycError

Budget = Mapping[str, float]
"""A limit for each word that is bounded. flash, ram: bytes; cycles, instructions: of one inference; drop: percentage
points; snr: dB, the least."""


@dataclass(frozen=True)
class _Word:
    """How a limit is written: a number, then perhaps a unit or a factor."""

    unit: str
    factors: Mapping[str, int]
    least: bool = False  # the limit is a lower one


_BINARY = {"": 1, "k": 1 << 10, "m": 1 << 20}
_DECIMAL = {"": 1, "k": 1000, "m": 1000_000}
WORDS: dict[str, _Word] = {
    "flash": _Word("b", _BINARY), "ram": _Word("b", _BINARY), "cycles": _Word("", _DECIMAL),
    "instructions": _Word("", _DECIMAL), "drop": _Word("%", {"": 1}), "snr": _Word("db", {"": 1}, least=True),
}
SIZES = ("flash", "ram")
COSTS = (*SIZES, "cycles", "instructions")
ACCURACIES = ("drop", "snr")


def parse_budget(text: str, words: Collection[str]) -> dict[str, float]:
    """The limits in `text`, whose words must be among `words`. Raises TinycError."""
    limits: dict[str, float] = {}
    for part in text.split(","):
        name, value = _parsed(part)
        if value is None or name not in words or name in limits:
            examples = {"flash": "64K", "ram": "20K", "cycles": "2M", "drop": "0.5%"}
            raise TinycError(f"--budget {text!r} is not understood at {part.strip()!r}", hint="for example --budget "
                             + ",".join(f"{w}={v}" for w, v in examples.items() if w in words)
                             + (f"; words are {', '.join(words)}" if len(words) > len(SIZES) else ""))
        limits[name] = value
    return limits


def _parsed(part: str) -> tuple[str, float | None]:
    name, _, amount = (piece.strip().lower() for piece in part.partition("="))
    word = WORDS.get(name)
    match = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?)\s*([km]?)\s*(b|%|db)?", amount)
    if word is None or match is None or match[2] not in word.factors or (match[3] or "") not in ("", word.unit):
        return name, None
    value = float(match[1]) * word.factors[match[2]]
    if name in COSTS and value != int(value):
        return name, None
    return name, int(value) if name in COSTS else value


def excess(figures: Mapping[str, float], budget: Budget) -> dict[str, float]:
    """How far each limit is missed, relative to it; those that are kept are left out."""
    found = {}
    for name, limit in budget.items():
        over = limit - figures[name] if WORDS[name].least else figures[name] - limit
        if over > 0:
            found[name] = over / limit if limit else over
    return found
