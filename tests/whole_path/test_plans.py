# SPDX-License-Identifier: Apache-2.0
"""What plans cost on the MLPerf Tiny models: instructions against plans without overlap, and time to plan."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from test_random_graphs import random_model
from test_random_plans import convolutional

from checkout import ROOT, environment
from mlperf_tiny import MODELS, compiled, expected_cases, model_path, needs_models
from support import graph_of
from tinyc.backend.emit import emit
from tinyc.compiler import Compiled
from tinyc.kernels.base import Options
from tinyc.kernels.lower import lower
from tinyc.plan.arena import plan_arena
from tinyc.plan.order import execution_order
from tinyc.profiling import profile_compiled
from tinyc.targets import load_target

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


@needs_models
@pytest.mark.parametrize("target", ("cortex-m4", "cortex-m55", pytest.param("cortex-m7", marks=pytest.mark.slow),
                                    pytest.param("cortex-m0plus", marks=pytest.mark.slow)))
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


@needs_models
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("optimize", ("default", "ram"))
def test_planning_takes_seconds(name: str, optimize: str) -> None:
    """Processor time of the whole compilation, however much effort is allowed: the default is 4."""
    for kind in ("int8", "f32"):
        start = time.process_time()
        compiled(f"{name}_{kind}", "cortex-m4", optimize=optimize)
        assert time.process_time() - start < 10


@needs_models
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


def processor_time(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def test_large_graphs_take_seconds() -> None:
    """400 and 500 steps: processor time of order and placement at the default effort, and less at less effort.

    In units of a fixed piece of work that takes half a second on a desktop computer: machines differ.
    """
    unit = processor_time(lambda: sum(i * i for i in range(10**7)))
    for program in (lower(convolutional(5, 400), Options(load_target("host")), "x"),
                    lower(graph_of(random_model(3, True, 400).proto()), Options(load_target("host")), "x")):
        start = time.process_time()
        order = execution_order(program, "arena")
        arena = plan_arena(program, "arena")
        assert time.process_time() - start < 20 * unit
        assert arena.bytes <= arena.bound
        start = time.process_time()
        quick = execution_order(program, "arena", 0.0)
        plan_arena(program, "arena", 0.0)
        assert time.process_time() - start < 10 * unit
        assert sorted(quick.steps) == sorted(order.steps)
