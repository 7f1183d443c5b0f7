# SPDX-License-Identifier: Apache-2.0
"""Random graphs, drawn and shrunk by hypothesis: 300 here, as many as you like with `make fuzz`."""

from __future__ import annotations

from pathlib import Path

import fuzz_hostile
import pytest
from fuzz_growing import Case
from fuzz_judge import check
from fuzz_lane import describe, drawn
from fuzz_reference import Dropped
from fuzz_source import Source
from fuzz_stateful import difference, pair
from fuzz_table import random_case, without_row
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st

GRAPHS, HOSTILE, STATEFUL, PARTS = 300, 300, 10, 10
SETTINGS = settings(max_examples=GRAPHS // PARTS, deadline=None, database=None, print_blob=False,
                    suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink])


@st.composite
def graphs(draw: st.DrawFn) -> Case:
    try:
        return random_case(Source.drawn(draw))
    except Dropped:
        assume(False)
        raise


@pytest.mark.parametrize("part", range(PARTS))
def test_random_graphs(part: int) -> None:
    @seed(part)
    @SETTINGS
    @given(graphs())
    def judge(case: Case) -> None:
        verdict = check(case)
        assert verdict.status != "failed", f"{verdict.reason}\n{describe(case)}"

    judge()


def test_state_is_an_output_handed_back(tmp_path: Path) -> None:
    tried = 0
    for seed_ in range(400):
        case = drawn(seed_)
        state = pair(case) if isinstance(case, Case) else None
        if not isinstance(case, Case) or state is None:
            continue
        folder = tmp_path / str(seed_)
        folder.mkdir()
        found = difference(case, state, folder)
        assert not found, f"seed {seed_}: {found}\n{describe(case)}"
        tried += found is not None
        if tried == STATEFUL:
            return
    raise AssertionError(f"{tried} graphs only")


def test_every_operator_has_a_row() -> None:
    """A new operator gets a row in one of tests/fuzz/fuzz_rows_*.py, or a reason in fuzz_table.LEFT_OUT."""
    assert not without_row()


@pytest.mark.parametrize("part", range(PARTS))
def test_hostile_models(part: int) -> None:
    """Whatever is in the file: an error with a hint, or a compiled model; soon, and in bounded memory."""
    results = [fuzz_hostile.run_seed(s) for s in range(part, HOSTILE, PARTS)]
    wrong = [f"seed {r.seed}: {r.reason}" for r in results if r.status == "failed"]
    assert not wrong, "\n".join(wrong) + "\nmake fuzz N=1 SEED=... HOSTILE=1 saves one"
    assert {r.status for r in results} >= {"passed", "refused"}
