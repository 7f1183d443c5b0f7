# SPDX-License-Identifier: Apache-2.0
"""Random graphs: 300 here, always the same; as many as you like with `make fuzz`."""

from __future__ import annotations

from pathlib import Path

import fuzz_hostile
import pytest
from fuzz_growing import Case
from fuzz_lane import describe, drawn, run_seeds
from fuzz_stateful import difference, pair
from fuzz_table import without_row

GRAPHS, HOSTILE, STATEFUL, PARTS = 300, 300, 10, 10


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where functions of the runtime are kept compiled."""
    return tmp_path_factory.mktemp("objects")


@pytest.mark.parametrize("part", range(PARTS))
def test_random_graphs(part: int, objects: Path, tmp_path: Path) -> None:
    results = run_seeds(range(part, GRAPHS, PARTS), tmp_path, objects)
    wrong = [f"seed {r.seed}: {r.reason}\n{r.reproduction}" for r in results if r.status == "failed"]
    assert not wrong, "\n".join(wrong)
    assert sum(r.status == "passed" for r in results) >= GRAPHS // PARTS // 2


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
