# SPDX-License-Identifier: Apache-2.0
"""The search by itself, on costs and noise that add up: it finds what trying everything finds."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, cast

import numpy as np
import pytest

from tinyc.budget import Budget, excess
from tinyc.explore import search
from tinyc.explore.search import front
from tinyc.explore.trial import Guess, Task, Trial, guess, measure
from tinyc.explore.units import Assignment, Unit
from tinyc.ir.graph import Editor
from tinyc.quantize.recipe import Recipe

SCHEMES = ("int8", "int4w", "int16x8", "float")


class Additive:
    """A model of some layers, and the workers that know it."""

    def __init__(self, seed: int, layers: int) -> None:
        rng = np.random.default_rng(seed)
        self.flash = np.cumprod(rng.uniform(1.2, 2.0, (layers, 4)), axis=1)[:, [1, 0, 2, 3]] * 1000
        self.noise = np.cumprod(rng.uniform(0.05, 0.5, (layers, 4)), axis=1)[:, [1, 0, 2, 3]]
        self.units = [Unit(f"u{k}", (f"u{k}",), SCHEMES) for k in range(layers)]
        self.asked: list[Assignment] = []

    def figures(self, assignment: Assignment) -> dict[str, float]:
        places = [SCHEMES.index(s) for s in assignment]
        rows = range(len(places))
        return {"flash": float(self.flash[rows, places].sum()), "ram": 100.0,
                "snr": float(-10 * np.log10(self.noise[rows, places].sum()))}

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        kind = cast("partial[Any]", function).func
        for assignment in items:
            figures = self.figures(assignment)
            if kind is guess:
                yield Guess(10 ** (-figures["snr"] / 10), figures)
            else:
                assert kind is measure
                self.asked.append(assignment)
                yield Trial(assignment, figures, Recipe("", {}, {}, {}))

    def search(self, budget: Budget) -> search._Search:
        task = cast(Task, type("Toy", (), {"units": self.units, "graph": Editor("empty").done()}))
        result = search._Search(task, budget, self, lambda text: None)
        result.run()
        return result


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("word", ["snr", "flash"])
def test_finds_nearly_the_best(seed: int, word: str) -> None:
    """Within 5 % of the best of all 1,024 assignments in cost, or 0.5 dB, by a fraction of the trials."""
    toy = Additive(seed, 5)
    everything = {a: toy.figures(a) for a in itertools.product(SCHEMES, repeat=5)}
    values = sorted(f[word] for f in everything.values())
    budget = {word: values[len(values) // 2]}
    found = toy.search(budget).best()
    assert not excess(found.figures, budget)
    kept = [f for f in everything.values() if not excess(f, budget)]
    if word == "snr":
        assert found.figures["flash"] <= 1.05 * min(f["flash"] for f in kept)
    else:
        assert found.figures["snr"] >= max(f["snr"] for f in kept) - 0.5
    assert len(toy.asked) == len({*toy.asked}) < 60


def test_without_a_budget_the_ladder_is_measured() -> None:
    toy = Additive(1, 4)
    trials = [*toy.search({}).trials.values()]
    assert 6 <= len(trials) <= 12
    good = front(trials)
    assert good and all(not any(t.figures["flash"] <= trials[k].figures["flash"]
                                and t.figures["snr"] > trials[k].figures["snr"] for t in trials) for k in good)


def test_a_budget_that_nothing_keeps() -> None:
    toy = Additive(2, 3)
    cheapest = min(toy.figures(a)["flash"] for a in itertools.product(SCHEMES, repeat=3))
    best = toy.search({"flash": cheapest - 1}).best()
    assert best.figures["flash"] == cheapest
