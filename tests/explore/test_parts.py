# SPDX-License-Identifier: Apache-2.0
"""Budgets, units and the ladder of assignments."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from small_models import float_graph, residual_net
from tinyc.budget import SIZES, WORDS, excess, parse_budget
from tinyc.errors import TinycError
from tinyc.explore.ladder import Point, ladder
from tinyc.explore.trial import Judge
from tinyc.explore.units import described, float_nodes, scheme_of_nodes, uniform, units_of
from tinyc.quantize.schemes import INT4W, INT8


def test_budget() -> None:
    text = "flash=64K, ram=20kB,cycles=1.5M,instructions=300,drop=0.5%,snr=30dB"
    assert parse_budget(text, WORDS) == {"flash": 65536, "ram": 20480, "cycles": 1_500_000, "instructions": 300,
                                         "drop": 0.5, "snr": 30.0}
    assert parse_budget("flash=1.5K", SIZES) == {"flash": 1536}


@pytest.mark.parametrize("text", ["", "flash", "flash=", "flash=1X", "rom=1K", "flash=1K,flash=2K", "flash=1.3",
                                  "drop=1K", "drop=-1", "snr=5%", "cycles=3b", "flash=nan", "flash==1"])
def test_unusable_budget(text: str) -> None:
    with pytest.raises(TinycError, match="--budget"):
        parse_budget(text, WORDS)


def test_words_of_other_commands() -> None:
    with pytest.raises(TinycError, match="drop=1"):
        parse_budget("flash=1K,drop=1", SIZES)


def test_excess() -> None:
    figures = {"flash": 150, "drop": 0.25, "snr": 27.0}
    assert excess(figures, {"flash": 100, "drop": 0.5, "snr": 30.0}) == {"flash": 0.5, "snr": pytest.approx(0.1)}
    assert excess(figures, {"flash": 150, "drop": 0.0}) == {"drop": 0.25}


def test_units(tmp_path: Path) -> None:
    """A layer with weights takes along what follows it; an Add belongs to its first operand."""
    graph = float_graph(residual_net(tmp_path / "net.onnx", int8=False))
    units = units_of(graph)
    kinds = [[graph.node(n).op for n in u.nodes] for u in units]
    assert [k[0] for k in kinds] == ["Conv", "Conv", "Conv", "Gemm"]
    assert kinds[0][1:3] == ["Add", "MaxPool"] and kinds[3] == ["Gemm", "Softmax"]
    assert all(u.schemes == ("int8", "int4w", "int16x8", "float") for u in units)
    schemes = scheme_of_nodes(units, ("int4w", "float", "int8", "int16x8"))
    assert [schemes[n] for n in units[0].nodes] == [INT4W, *[INT8] * (len(units[0].nodes) - 1)]
    assert not {*units[1].nodes} & {*schemes}
    assert float_nodes(units, ("int4w", "float", "int8", "int16x8")) == {*units[1].nodes}
    first = units[0].name
    kept = units_of(graph, frozenset([first]))
    assert all(first not in u.nodes for u in kept)


def test_descriptions() -> None:
    assert described(("int8", "int8")) == "int8"
    assert described(("float", "int8", "int4w", "int8")) == "2 int8, 1 int4w, 1 float"


def test_uniform(tmp_path: Path) -> None:
    units = units_of(float_graph(residual_net(tmp_path / "net.onnx", int8=False)))
    assert uniform(units, "int4w", {units[1].name}) == ("int4w", "int8", "int4w", "int4w")


@pytest.mark.parametrize("seed", range(20))
def test_ladder_is_the_hull(seed: int) -> None:
    """For any price of noise, no assignment is better than the best rung."""
    rng = np.random.default_rng(seed)
    points = {f"u{k}": [Point(s, *map(float, rng.integers(0, 9, 2))) for s in "abcd"] for k in range(3)}
    rungs = ladder(points)

    def total(assignment: tuple[str, ...], price: float) -> float:
        chosen = [next(p for p in few if p.scheme == s) for few, s in zip(points.values(), assignment, strict=True)]
        return sum(p.cost + price * p.noise for p in chosen)

    for price in (0.01, 0.1, 0.3, 0.77, 1.0, 1.9, 5.0, 70.0):
        best = min(total(a, price) for a in itertools.product("abcd", repeat=3))
        assert min(total(a, price) for a in rungs) == pytest.approx(best)
    for first, second in itertools.pairwise(rungs):
        assert sum(a != b for a, b in zip(first, second, strict=True)) == 1
        assert total(first, 0.0) > total(second, 0.0)


def test_judge_counts_classes() -> None:
    wanted = [np.array([0.1, 0.9]), np.array([0.8, 0.2]), np.array([0.3, 0.4]), np.array([0.6, 0.1])]
    got = [np.array([0.2, 0.9]), np.array([0.1, 0.2]), np.array([0.5, 0.4]), np.array([0.6, 0.1])]
    by_float = Judge([], wanted, None, True).figures(got)
    assert by_float["right"] == 50.0 and by_float["drop"] == 50.0 and 0 < by_float["snr"] < 20
    by_labels = Judge([], wanted, [1, 1, 0, 0], True).figures(got)  # float has 2 of them, the other all
    assert by_labels["right"] == 100.0 and by_labels["drop"] == -50.0
    assert set(Judge([], wanted, None, False).figures(got)) == {"snr"}
