# SPDX-License-Identifier: Apache-2.0
"""Random graphs that remember: --stateful gives what the same graph gives whose output is handed back by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from fuzz_growing import Case
from fuzz_judge import EFFORT

from shared_library import Fault, build, call, first_state, isolated
from tinyc.compiler import Compiled, Request, compile_model
from tinyc.targets import load_target

RUNS = 3


def pair(case: Case) -> tuple[str, str] | None:
    """An input and an output of one type, where another output is left."""
    for name, array in case.inputs.items():
        for output, result in case.expected.items():
            alike = (array.dtype, array.shape) == (result.dtype, result.shape) and array.dtype == np.float32
            if alike and len(case.expected) > 1 and output not in case.inputs:
                return name, output
    return None


def difference(case: Case, state: tuple[str, str], folder: Path) -> str | None:
    """What differs in a sequence of runs: "" for nothing, None where the graph does not run with a state of zeros."""
    onnx.save(case.model, folder / "m.onnx")

    def compiled(name: str, stateful: tuple[tuple[str, str], ...]) -> tuple[Compiled, Path]:
        model = compile_model(Request(folder / "m.onnx", load_target("host"), name=name, plan_effort=EFFORT,
                                      stateful=stateful, **case.options))  # type: ignore[arg-type]
        (folder / name).mkdir()
        return model, build(model, folder / name)

    try:
        want = isolated(lambda: _by_hand(case, state, *compiled("plain", ())))
    except Fault:
        return None
    got = isolated(lambda: _remembering(case, *compiled("stateful", (state,))))
    for run, (a, b) in enumerate(zip(got, want, strict=True)):
        for name, array in a.items():
            if not np.array_equal(array, b[name], equal_nan=array.dtype.kind == "f"):
                return f"run {run}, output {name}"
    return ""


def _by_hand(case: Case, state: tuple[str, str], model: Compiled, library: Path) -> list[dict[str, np.ndarray]]:
    inputs, found = {**case.inputs, state[0]: np.zeros_like(case.inputs[state[0]])}, []
    names = [p.name for p in model.emitted.outputs]
    for _ in range(RUNS):
        given = [np.ascontiguousarray(inputs[p.name], p.dtype.numpy) for p in model.emitted.inputs]
        found.append(dict(zip(names, call(model, library, given), strict=True)))
        inputs[state[0]] = found[-1][state[1]]
    return found


def _remembering(case: Case, model: Compiled, library: Path) -> list[dict[str, np.ndarray]]:
    given = [np.ascontiguousarray(case.inputs[p.name], p.dtype.numpy) for p in model.emitted.inputs]
    names, state = [p.name for p in model.emitted.outputs], first_state(model, library)
    return [dict(zip(names, call(model, library, given, state), strict=True)) for _ in range(RUNS)]
