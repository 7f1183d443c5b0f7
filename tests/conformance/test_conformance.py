# SPDX-License-Identifier: Apache-2.0
"""ONNX's backend tests: what passed once passes, and nothing is wrong in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from check import check
from suite import BackendTest, backend_tests

PASSING = Path(__file__).with_name("passing.txt")
PARTS = 16  # the whole suite, in so many pieces that run in parallel


@pytest.fixture(scope="module")
def tests() -> list[BackendTest]:
    return backend_tests()


@pytest.mark.parametrize("part", range(PARTS))
def test_backend_suite(tests: list[BackendTest], part: int) -> None:
    expected = set(PASSING.read_text().split())
    wrong = []
    for test in tests[part::PARTS]:
        outcome = check(test)
        if outcome.status == "failed" or (outcome.status != "passed" and test.name in expected):
            wrong.append(f"{test.name}: {outcome.status}, {outcome.reason}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_some_on_an_emulated_core(tests: list[BackendTest], part: int) -> None:
    expected = set(PASSING.read_text().split())
    known = [test for test in tests if test.name in expected]
    wrong = [f"{test.name}: {outcome.status}, {outcome.reason}" for test in known[part * 12::48]
             if (outcome := check(test, "cortex-m4")).status != "passed"]
    assert not wrong, "\n".join(wrong)


def test_the_suite_is_there(tests: list[BackendTest]) -> None:
    """The list would be satisfied by an empty suite."""
    assert len(set(PASSING.read_text().split()) & {t.name for t in tests}) > 0.9 * len(PASSING.read_text().split())
