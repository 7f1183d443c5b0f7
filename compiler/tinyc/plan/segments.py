# SPDX-License-Identifier: Apache-2.0
"""Which runs of layers to compute row by row: the cheapest choices for falling peaks, on plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """Steps first ... last as one unit: the bytes live while it runs, and what it costs (any unit)."""

    first: int
    last: int
    peak: int
    cost: float


@dataclass(frozen=True)
class Choice:
    """Pieces that cover all steps, in order; their largest peak and the sum of their costs."""

    pieces: tuple[Piece, ...]
    peak: int
    cost: float


def cheapest(steps: int, pieces: Sequence[Piece], below: int | None = None) -> Choice | None:
    """The cheapest cover of steps 0 ... steps-1 by pieces whose peaks are all below a limit; None if there is none.

    Of equally cheap ones, that with the smaller peak.
    """
    ending: list[list[Piece]] = [[] for _ in range(steps)]
    for piece in pieces:
        if below is None or piece.peak < below:
            ending[piece.last].append(piece)
    best: list[Choice | None] = [Choice((), 0, 0.0)]
    for step in range(steps):
        found: Choice | None = None
        for piece in ending[step]:
            before = best[piece.first]
            if before is None:
                continue
            cost, peak = before.cost + piece.cost, max(before.peak, piece.peak)
            if found is None or (cost, peak) < (found.cost, found.peak):
                found = Choice((*before.pieces, piece), peak, cost)
        best.append(found)
    return best[steps]


def choices(steps: int, pieces: Sequence[Piece]) -> list[Choice]:
    """The cheapest cover, then the cheapest of each smaller peak, down to the smallest peak there is."""
    found: list[Choice] = []
    choice = cheapest(steps, pieces)
    while choice is not None and (not found or choice.peak < found[-1].peak):
        found.append(choice)
        choice = cheapest(steps, pieces, choice.peak)
    return found
