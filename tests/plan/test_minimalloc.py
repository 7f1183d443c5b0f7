# SPDX-License-Identifier: Apache-2.0
"""CSV files, and published hard instances where they are at hand."""

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyc.plan import Buffer, PlacementError, Plan, Problem, check, solve
from tinyc.plan.csv import read_offsets, read_problem, write_plan, write_problem
from tinyc.plan.separation import build_model
from tinyc.plan.skyline import search_within

INSTANCES = Path(__file__).resolve().parents[3] / "shared" / "minimalloc"
CAPACITY = 1_048_576


@pytest.mark.parametrize("name", ["F", "G", "J", "K"])
def test_hard_instances_fit(name: str) -> None:
    path = INSTANCES / f"{name}.{CAPACITY}.csv"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    with path.open(newline="") as file:
        problem = read_problem(file, CAPACITY)
    plan = solve(problem, effort=60, only_fit=True)
    assert plan.bytes <= CAPACITY
    assert check(problem, plan) == []


def test_order_of_preference_is_found_anew() -> None:
    """This one is out of reach for an order of preference that stays the same all along."""
    path = INSTANCES / f"I.{CAPACITY}.csv"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    with path.open(newline="") as file:
        problem = read_problem(file, CAPACITY)
    offsets = search_within(build_model(problem), CAPACITY, effort=5, anew=True)
    assert offsets is not None
    named = {b.name: o for b, o in zip(problem.buffers, offsets, strict=True)}
    assert check(problem, Plan(named, CAPACITY, 0, False, "skyline")) == []


def test_round_trip() -> None:
    buffers = (Buffer("b1", 4, 1, 0, 3), Buffer("b2", 4, 1, 3, 9), Buffer("b3", 4, 1, 0, 9))
    problem = Problem(buffers, capacity=12)
    text = io.StringIO()
    write_problem(text, problem)
    assert text.getvalue() == "id,lower,upper,size\nb1,0,3,4\nb2,3,9,4\nb3,0,9,4\n"
    assert read_problem(io.StringIO(text.getvalue()), capacity=12) == problem
    plan = solve(problem)
    solution = io.StringIO()
    write_plan(solution, problem, plan)
    assert read_offsets(io.StringIO(solution.getvalue())) == plan.offsets


@pytest.mark.parametrize(
    "text", ["", "id,lower,upper\na,0,1\n", "id,lower,upper,size\na,0,1\n", "id,lower,upper,size\na,0,x,4\n"]
)
def test_malformed_csv_is_refused(text: str) -> None:
    with pytest.raises(PlacementError):
        read_problem(io.StringIO(text))


@st.composite
def tilings(draw: st.DrawFn) -> tuple[Problem, int]:
    """Problems that fill a rectangle without a gap: cut up at random, so the optimum is its height."""
    width, height = draw(st.integers(2, 12)), draw(st.integers(2, 40))
    pieces = [(0, width, 0, height)]
    for _ in range(draw(st.integers(1, 14))):
        k = draw(st.integers(0, len(pieces) - 1))
        left, right, bottom, top = pieces[k]
        if draw(st.booleans()) and right - left > 1:
            cut = draw(st.integers(left + 1, right - 1))
            pieces[k : k + 1] = [(left, cut, bottom, top), (cut, right, bottom, top)]
        elif top - bottom > 1:
            cut = draw(st.integers(bottom + 1, top - 1))
            pieces[k : k + 1] = [(left, right, bottom, cut), (left, right, cut, top)]
    scale = draw(st.sampled_from([1, 4, 6]))
    align = draw(st.sampled_from([a for a in (1, 2, 4) if scale % a == 0]))
    buffers = [Buffer(f"b{i}", (t - b) * scale, align, lo, hi) for i, (lo, hi, b, t) in enumerate(pieces)]
    return Problem(tuple(buffers)), height * scale


@settings(max_examples=100, deadline=None)
@given(tilings(), st.booleans())
def test_gapless_packings_are_found(case: tuple[Problem, int], anew: bool) -> None:
    problem, height = case
    offsets = search_within(build_model(problem), height, effort=5, anew=anew)
    assert offsets is not None
    named = {b.name: o for b, o in zip(problem.buffers, offsets, strict=True)}
    assert check(problem, Plan(named, height, 0, False, "skyline")) == []
    plan = solve(problem)
    assert plan.bytes == height and plan.proven_optimal
