# SPDX-License-Identifier: Apache-2.0
"""The choice of runs of layers, against all choices."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tinyc.plan.segments import Piece, cheapest, choices


def covers(steps: int, pieces: list[Piece]) -> list[tuple[Piece, ...]]:
    if steps == 0:
        return [()]
    return [(*before, p) for p in pieces if p.last == steps - 1 for before in covers(p.first, pieces)]


@pytest.mark.parametrize("seed", range(30))
def test_against_all_covers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps = int(rng.integers(1, 8))
    pieces = [Piece(k, k, int(rng.integers(20, 60)), 0.0) for k in range(steps)]
    for first, last in itertools.combinations(range(steps), 2):
        if rng.random() < 0.7:
            pieces.append(Piece(first, last, int(rng.integers(5, 60)), float(rng.integers(1, 9))))
    every = [(sum(p.cost for p in c), max(p.peak for p in c)) for c in covers(steps, pieces)]
    found = choices(steps, pieces)
    assert [c.peak for c in found] == sorted({c.peak for c in found}, reverse=True)
    assert found[0].cost == 0.0
    assert found[-1].peak == min(peak for _, peak in every)
    for choice in found:
        assert choice.cost == min(cost for cost, peak in every if peak <= choice.peak)
        assert choice.pieces[0].first == 0 and choice.pieces[-1].last == steps - 1
        assert all(a.last + 1 == b.first for a, b in itertools.pairwise(choice.pieces))


def test_no_cover() -> None:
    assert cheapest(2, [Piece(0, 0, 5, 0.0)]) is None
    assert cheapest(1, [Piece(0, 0, 5, 0.0)], below=5) is None
    assert [c.pieces for c in choices(0, [])] == [()]
