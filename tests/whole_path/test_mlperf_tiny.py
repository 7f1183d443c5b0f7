# SPDX-License-Identifier: Apache-2.0
"""The four MLPerf Tiny models on every core that can be run: exact outputs, memory and speed."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from checkout import tinyc
from mlperf_tiny import MODELS, SHARED, compiled, expected_cases, model_path, needs_models, peers
from tinyc.profiling import profile_compiled
from tinyc.verification import compare, run_cases

pytestmark = needs_models

TARGETS = (
    "host",
    "cortex-m0plus",
    "cortex-m3",
    "cortex-m4",
    "cortex-m7",
    "cortex-m23",
    "cortex-m33",
    "cortex-m55",
    "riscv32imac",
)

# Largest live set, scratch included: what a plan without overlaps in place can reach.
ARENA_LIMITS = {"ad": 768, "ic": 49_728, "kws": 16_000, "vww": 55_296}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("model", MODELS)
def test_int8_is_exact(model: str, target: str) -> None:
    result = compiled(f"{model}_int8", target)
    assert result.arena.bytes <= ARENA_LIMITS[model]
    cases = expected_cases(result)
    assert cases.expected is not None and len(cases) >= 16
    outputs, unaligned = run_cases(result, cases, sanitize=target == "host")
    assert unaligned is None
    wrong = [k for k, (got, want) in enumerate(zip(outputs, cases.expected, strict=True))
             if got[0].tobytes() != want[0].tobytes()]
    assert wrong == []


@pytest.mark.parametrize("target", ["host", "cortex-m4", "cortex-m55"])
@pytest.mark.parametrize("model", MODELS)
def test_float_is_close(model: str, target: str) -> None:
    result = compiled(f"{model}_f32", target)
    cases = expected_cases(result)
    assert cases.expected is not None
    outputs, _ = run_cases(result, cases, sanitize=target == "host")
    (port,) = result.emitted.outputs
    outcome = compare(port, [o[0] for o in outputs], [e[0] for e in cases.expected], tolerance=1e-4)
    assert outcome.passed, outcome


def test_compiling_takes_less_than_20_seconds(tmp_path: Path) -> None:
    """Processor time of the whole command, which does not depend on what else runs."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    tinyc("compile", model_path("vww_int8"), "--target", "cortex-m4", "--optimize", "speed", "-o", tmp_path / "vww")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 20


@pytest.mark.skipif(not (SHARED / "peers.json").is_file(), reason="no measurements of other systems in ../shared")
@pytest.mark.parametrize("model", MODELS)
def test_cost_on_cortex_m4(model: str) -> None:
    """No more instructions than TFLite Micro, no more flash than bare calls of CMSIS-NN's wrappers."""
    result = compiled(f"{model}_int8", "cortex-m4")
    profile = profile_compiled(result, expected_cases(result).inputs[0])
    systems = peers("cortex-m4")
    assert profile["instructions"] <= systems["tflm-O3"][model]["instructions"]
    assert profile["flash"]["total"] <= systems["thin_aot-O3"][model]["flash"]
    assert profile["ram"]["total"] <= systems["tflm-O3"][model]["ram"]


# ram.total on a Cortex-M4, stack included.
RAM_LIMITS = {"ad": 1_200, "ic": 16_600, "kws": 5_800, "vww": 28_950}


@pytest.mark.parametrize("model", MODELS)
def test_row_by_row(model: str) -> None:
    """--optimize ram on a Cortex-M4: the same bytes from less memory."""
    result = compiled(f"{model}_int8", "cortex-m4", optimize="ram")
    assert bool(result.program.rows) == (model != "ad")
    cases = expected_cases(result)
    assert cases.expected is not None
    outputs, unaligned = run_cases(result, cases)
    assert unaligned is None
    assert all(got[0].tobytes() == want[0].tobytes() for got, want in zip(outputs, cases.expected, strict=True))
    profile = profile_compiled(result, cases.inputs[0])
    assert profile["ram"]["total"] <= RAM_LIMITS[model]
    assert sum(layer["instructions"] for layer in profile["layers"]) >= 0.98 * profile["instructions"]


@pytest.mark.parametrize("model", ["kws", "ic"])
def test_float_row_by_row(model: str) -> None:
    result = compiled(f"{model}_f32", "host", optimize="ram")
    assert result.program.rows
    cases = expected_cases(result)
    assert cases.expected is not None
    outputs, _ = run_cases(result, cases, sanitize=True)
    (port,) = result.emitted.outputs
    outcome = compare(port, [o[0] for o in outputs], [e[0] for e in cases.expected], tolerance=1e-4)
    assert outcome.passed, outcome
