# SPDX-License-Identifier: Apache-2.0
"""Every read and write of the generated code against the plan: see tinyc.shadow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from operator_cases import NUMPY, ORT, model_of
from test_overlap import chain

from checkout import DIGITS
from command_line import succeed
from mlperf_tiny import MODELS, needs_models
from mlperf_tiny import compiled as mlperf
from small_models import residual_net
from support import compile_proto
from tinyc.cases import Cases, random_cases
from tinyc.compiler import Compiled, Request, compile_imported, compile_model
from tinyc.frontend import Imported
from tinyc.plan.arena import plan_arena
from tinyc.shadow import shadow_run
from tinyc.targets import load_target


def watch(compiled: Compiled, cases: Cases | None = None) -> None:
    report = shadow_run(compiled, cases or random_cases(compiled.emitted.inputs, 1))
    assert report.passed, report.first
    assert report.read >= sum(p.bytes for p in compiled.emitted.outputs if compiled.arena.holds(p.buffer))
    assert report.written >= sum(p.bytes for p in compiled.emitted.inputs if compiled.arena.holds(p.buffer))


def of_graph(graph: Any, target: str, **options: Any) -> Compiled:
    request = Request(Path("net.onnx"), load_target(target), **options)
    return compile_imported(Imported(graph, "net", "", {}, (), graph.inputs, graph.outputs), request)


@pytest.mark.parametrize("group", (*ORT, *NUMPY), ids=lambda g: g.__name__)
def test_operators(group: Any) -> None:
    model = model_of(group)
    compiled = compile_proto(model.proto(), plan_effort=0.05)
    inputs = tuple(np.ascontiguousarray(model.inputs[p.name], p.dtype.numpy) for p in compiled.emitted.inputs)
    watch(compiled, Cases((inputs,), None))


@pytest.mark.parametrize("target", ("host", "cortex-m0plus", "cortex-m4", "cortex-m55", "riscv32imac"))
def test_small_models(target: str, tmp_path: Path) -> None:
    for name in ("digits_int8", "digits_f32"):
        watch(compile_model(Request(DIGITS / f"{name}.onnx", load_target(target))))
    for io in ("arena", "caller"):
        path = residual_net(tmp_path / "residual.onnx", True, 3)
        watch(compile_model(Request(path, load_target(target), io=io)))
    for seed in range(3):
        watch(of_graph(chain(seed), target))


@needs_models
@pytest.mark.parametrize(
    ("target", "optimize"),
    [("host", "default"), ("cortex-m0plus", "default"), ("cortex-m4", "default"), ("cortex-m55", "default"),
     ("cortex-m4", "speed"), ("cortex-m4", "ram"), ("cortex-m55", "ram")],
)
def test_mlperf_tiny(target: str, optimize: str) -> None:
    for model in MODELS:
        watch(mlperf(f"{model}_int8", target, optimize=optimize))


def with_wrong_distance(compiled: Compiled, kind: str, bytes_: int) -> Compiled:
    """The model planned once more, as if results might run so much further over their operands."""
    shift = bytes_ if kind == "overlaps" else -bytes_
    steps = tuple(replace(s, **{kind: tuple((a, b, d + shift) for a, b, d in getattr(s, kind))})
                  for s in compiled.program.steps)
    if kind == "overlaps":
        steps = tuple(replace(s, climbs=()) for s in steps)
    else:
        steps = tuple(replace(s, overlaps=()) for s in steps)
    program = replace(compiled.program, steps=steps)
    arena = plan_arena(program, compiled.request.io)
    return replace(compiled, program=program, arena=arena)


@pytest.mark.parametrize("target", ("host", "cortex-m4", "cortex-m55"))
@pytest.mark.parametrize("kind", ("overlaps", "climbs"))
def test_wrong_distance_is_caught(target: str, kind: str) -> None:
    caught = 0
    for seed in range(4):
        compiled = of_graph(chain(seed), target)
        broken = with_wrong_distance(compiled, kind, 48)
        report = shadow_run(broken, random_cases(broken.emitted.inputs, 1))
        if report.passed:
            continue  # the layers that matter could not use more room
        caught += 1
        assert report.first is not None and "has overwritten with buffer" in report.first
        assert any(f"layer {s.index} ({s.name!r}, {s.op}" in report.first for s in broken.program.steps)
    assert caught >= 2


def test_undeclared_access_is_caught() -> None:
    """A step that does not say that it reads its operand."""
    compiled = of_graph(chain(1), "host")
    steps = list(compiled.program.steps)
    steps[2] = replace(steps[2], reads=())
    report = shadow_run(replace(compiled, program=replace(compiled.program, steps=tuple(steps))),
                        random_cases(compiled.emitted.inputs, 1))
    assert report.first is not None and "layer 2 " in report.first and "does not declare" in report.first


def test_buffer_that_is_too_small_is_caught() -> None:
    compiled = of_graph(chain(1), "host")
    k = next(k for k, b in enumerate(compiled.arena.buffers) if b.name.startswith("b") and b.bytes > 8)
    buffers = list(compiled.arena.buffers)
    buffers[k] = replace(buffers[k], bytes=buffers[k].bytes - 1)
    report = shadow_run(replace(compiled, arena=replace(compiled.arena, buffers=tuple(buffers))),
                        random_cases(compiled.emitted.inputs, 1))
    assert report.first is not None and f"beyond its {buffers[k].bytes} bytes" in report.first


def test_command() -> None:
    done = succeed("verify", DIGITS / "digits_int8.onnx", "--target", "cortex-m4", "--shadow", "--json")
    shadow = done.json["shadow"]
    assert shadow["passed"] and shadow["violations"] == 0 and shadow["first"] is None and shadow["read"] > 10_000
