# SPDX-License-Identifier: Apache-2.0
"""`make bench`: a part of it against the committed baseline, and that it notices what is worse."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from checkout import ROOT, environment

SCRIPT = ROOT / "scripts" / "bench.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def run_bench(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *words], cwd=ROOT, env=environment(), capture_output=True,
                          text=True, check=False)


def test_figures_are_no_worse_than_the_baseline() -> None:
    done = run_bench("--models", "digits_int8,digits_f32,sounds,kws_int8", "--targets", "cortex-m4,cortex-m55",
                     "--builds", "default")
    assert done.returncode == 0, done.stderr
    assert {"digits_int8", "digits_f32", "sounds"} <= {line.split()[0] for line in done.stdout.splitlines()}


def test_what_is_worse_is_found(bench: ModuleType) -> None:
    case = bench.Case("m", "cortex-m4", "speed")
    old = {"instructions": 1000, "cycles": 2000, "flash": 100, "ram": 10}
    baseline = {case.key: old}
    assert bench.worse(case, {**old, "instructions": 1010, "cycles": 500}, baseline) == []
    assert bench.worse(case, {**old, "instructions": 1011, "ram": 11}, baseline) == [
        "m cortex-m4 speed: instructions 1,000 -> 1,011 (+1.1 %)", "m cortex-m4 speed: ram 10 -> 11 (+10.0 %)"]
    assert bench.worse(bench.Case("m", "cortex-m4", "size"), old, baseline) == []


def test_baseline_has_no_other_cases(bench: ModuleType) -> None:
    baseline = json.loads(Path(bench.BASELINE).read_text(encoding="utf-8"))
    assert set(baseline) <= {case.key for case in bench.all_cases()}
    assert all(set(row) == set(bench.FIGURES) for row in baseline.values())


def test_unknown_names_are_refused() -> None:
    done = run_bench("--models", "none")
    assert done.returncode == 2 and "nothing of that is here" in done.stderr
