# SPDX-License-Identifier: Apache-2.0
"""Placement: bounds, check and solver on hand-made cases."""

import subprocess
import sys

import pytest

from tinyc.plan import (
    Buffer,
    Overlap,
    PlacementError,
    Plan,
    Problem,
    check,
    live_set_bound,
    lower_bound,
    solve,
)


def plan_of(offsets: dict[str, int], size: int) -> Plan:
    return Plan(offsets, size, 0, False, "by hand")


def test_empty_problem() -> None:
    plan = solve(Problem(()))
    assert (dict(plan.offsets), plan.bytes, plan.bound, plan.proven_optimal) == ({}, 0, 0, True)


def test_chain_reuses_memory() -> None:
    buffers = tuple(Buffer(f"b{i}", 100, 4, i, i + 2) for i in range(6))
    plan = solve(Problem(buffers))
    assert plan.bytes == 200 == live_set_bound(Problem(buffers))
    assert plan.proven_optimal


def test_alignment_is_kept() -> None:
    buffers = (Buffer("a", 3, 1, 0, 2), Buffer("b", 8, 8, 0, 2), Buffer("c", 5, 4, 0, 2))
    plan = solve(Problem(buffers))
    assert check(Problem(buffers), plan) == []
    assert plan.proven_optimal and plan.bytes == 16


def test_in_place_output() -> None:
    buffers = (Buffer("x", 64, 4, 0, 2), Buffer("y", 64, 4, 1, 3))
    assert solve(Problem(buffers)).bytes == 128
    shared = Problem(buffers, (Overlap("x", "y", 0),))
    plan = solve(shared)
    assert plan.bytes == 64 and plan.proven_optimal and check(shared, plan) == []
    assert live_set_bound(shared) == 128 and lower_bound(shared) == 64


@pytest.mark.parametrize(("delta", "size"), [(0, 100), (-8, 108), (-60, 160), (-61, 160), (40, 100)])
def test_output_that_must_run_ahead(delta: int, size: int) -> None:
    problem = Problem((Buffer("x", 100, 1, 0, 2), Buffer("y", 60, 1, 1, 3)), (Overlap("x", "y", delta),))
    plan = solve(problem)
    assert (plan.bytes, plan.bound, plan.proven_optimal) == (size, size, True)
    assert check(problem, plan) == []


def test_larger_output_ends_with_its_input() -> None:
    """A kernel that runs backwards through growing data may need its output to begin before its input."""
    problem = Problem((Buffer("x", 60, 1, 0, 2), Buffer("y", 100, 1, 1, 3)), (Overlap("x", "y", -40),))
    plan = solve(problem)
    assert plan.bytes == 100 and plan.offsets["x"] - plan.offsets["y"] == 40


def test_overlap_is_no_licence_for_the_other_direction() -> None:
    problem = Problem((Buffer("x", 40, 1, 0, 2), Buffer("y", 40, 1, 1, 3)), (Overlap("x", "y", 0),))
    assert check(problem, plan_of({"x": 0, "y": 10}, 50))
    assert check(problem, plan_of({"x": 10, "y": 0}, 50)) == []


def test_chain_of_overlaps_with_leads() -> None:
    """Three buffers alive at once, each running eight bytes ahead of the one before."""
    buffers = (Buffer("a", 64, 4, 0, 3), Buffer("b", 64, 4, 1, 4), Buffer("c", 64, 4, 2, 5))
    problem = Problem(buffers, (Overlap("a", "b", -8), Overlap("b", "c", -8)))
    plan = solve(problem)
    # a and c have no permitted overlap: 128 bytes at least, and b lies between them.
    assert plan.bytes == 128 and plan.proven_optimal and check(problem, plan) == []


def test_fixed_offsets() -> None:
    buffers = (Buffer("in", 10, 1, 0, 2), Buffer("t", 20, 1, 1, 3))
    problem = Problem(buffers, fixed={"in": 15})
    plan = solve(problem)
    assert plan.offsets["in"] == 15 and plan.offsets["t"] == 25 and plan.bytes == 45
    assert plan.proven_optimal and check(problem, plan) == []


def test_contradictory_fixed_offsets() -> None:
    buffers = (Buffer("a", 10, 1, 0, 2), Buffer("b", 10, 1, 1, 3))
    with pytest.raises(PlacementError, match="'a' and 'b' collide"):
        solve(Problem(buffers, fixed={"a": 0, "b": 5}))
    solve(Problem(buffers, (Overlap("b", "a", 0),), fixed={"a": 0, "b": 5}))


def test_capacity_that_is_too_small_is_reported_not_raised() -> None:
    problem = Problem((Buffer("a", 10, 1, 0, 2), Buffer("b", 10, 1, 1, 3)), capacity=15)
    plan = solve(problem)
    assert plan.bytes == 20
    assert any("capacity" in line for line in check(problem, plan))


@pytest.mark.parametrize(
    ("offsets", "size", "message"),
    [
        ({"a": 0}, 20, "b: no offset"),
        ({"a": 0, "b": -4}, 20, "negative"),
        ({"a": 0, "b": 10}, 20, "multiple"),
        ({"a": 0, "b": 12}, 20, "beyond the plan"),
        ({"a": 0, "b": 4}, 20, "share memory"),
        ({"a": 0, "b": 12, "c": 0}, 24, "does not exist"),
    ],
)
def test_check_finds(offsets: dict[str, int], size: int, message: str) -> None:
    problem = Problem((Buffer("a", 10, 4, 0, 2), Buffer("b", 10, 4, 1, 3)))
    assert any(message in line for line in check(problem, plan_of(offsets, size)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Buffer("a", 0, 1, 0, 1),
        lambda: Buffer("a", 1, 0, 0, 1),
        lambda: Buffer("a", 1, 1, 2, 2),
        lambda: Problem((Buffer("a", 1, 1, 0, 1), Buffer("a", 1, 1, 0, 1))),
        lambda: Problem((Buffer("a", 1, 1, 0, 1),), (Overlap("a", "b", 0),)),
        lambda: Problem((Buffer("a", 1, 1, 0, 1),), fixed={"b": 0}),
        lambda: Problem((Buffer("a", 4, 4, 0, 1),), fixed={"a": 2}),
    ],
)
def test_malformed_problems_are_refused(make: object) -> None:
    with pytest.raises(PlacementError):
        make()  # type: ignore[operator]


def test_importing_the_library_does_not_import_ortools() -> None:
    code = "import sys, tinyc.plan; sys.exit('ortools' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
