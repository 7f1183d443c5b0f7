# SPDX-License-Identifier: Apache-2.0
"""What plans cost on the MLPerf Tiny models: instructions against plans without overlap, and time to plan."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from checkout import ROOT, environment
from mlperf_tiny import MODELS, compiled, expected_cases, model_path, needs_models
from tinyc.backend.emit import emit
from tinyc.compiler import Compiled
from tinyc.plan.arena import plan_arena
from tinyc.profiling import profile_compiled

pytestmark = needs_models

# Bytes of RAM in all that a default build may need on any of the cores.
DEFAULT_RAM = {"kws": 9_900, "vww": 40_500, "ic": 35_000, "ad": 1_200}


def without_overlap(model: Compiled) -> Compiled:
    """The same kernels in the same order, every buffer with bytes of its own as long as it lives."""
    steps = tuple(replace(s, overlaps=(), climbs=()) for s in model.program.steps)
    program = replace(model.program, steps=steps)
    arena = plan_arena(program, model.options.io)
    names = (model.imported.input_names, model.imported.output_names)
    emitted = emit(model.graph, program, arena, model.options, model.request.target.name, names, model.state)
    return replace(model, program=program, arena=arena, emitted=emitted)


@pytest.mark.parametrize(
    "target", ("cortex-m4", "cortex-m55", *(pytest.param(t, marks=pytest.mark.slow) for t in ("cortex-m7", "cortex-m0plus")))
)
@pytest.mark.parametrize("name", MODELS)
def test_overlap_costs_little_and_saves_ram(name: str, target: str) -> None:
    model = compiled(f"{name}_int8", target)
    case = expected_cases(model).inputs[0]
    profile = profile_compiled(model, case)
    assert profile["ram"]["total"] <= DEFAULT_RAM[name]
    apart = without_overlap(model)
    assert apart.arena.bytes >= model.arena.bytes
    assert apart.arena.bytes <= apart.arena.bound  # these models leave no gaps
    assert profile["instructions"] <= 1.03 * profile_compiled(apart, case)["instructions"]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("optimize", ("default", "ram"))
def test_planning_takes_seconds(name: str, optimize: str) -> None:
    """Processor time of the whole compilation, however much effort is allowed: the default is 4."""
    for kind in ("int8", "f32"):
        start = time.process_time()
        compiled(f"{name}_{kind}", "cortex-m4", optimize=optimize)
        assert time.process_time() - start < 10


@pytest.mark.parametrize("effort", (0.0, 4.0))
def test_same_plan_in_every_process(effort: float) -> None:
    """Whatever the seed of Python's hashes."""
    def report(seed: str) -> object:
        command = [sys.executable, "-c", "import json, sys; from pathlib import Path; from tinyc.compiler import *; "
                   "from tinyc.targets import load_target; print(json.dumps([compile_model(Request(Path(p), "
                   f"load_target('cortex-m4'), plan_effort={effort}, optimize=o)).report['buffers'] "
                   "for p in sys.argv[1:] for o in ('default', 'ram')]))",
                   *(str(model_path(f"{m}_int8")) for m in ("ic", "vww"))]
        done = subprocess.run(command, env={**environment(), **os.environ, "PYTHONHASHSEED": seed,
                                            "PYTHONPATH": str(ROOT / "compiler")}, capture_output=True, check=True)
        return json.loads(done.stdout)

    assert report("1") == report("2")
