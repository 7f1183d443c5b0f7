# SPDX-License-Identifier: Apache-2.0
"""Compiles, builds and runs a random graph, and says whether the results are right.

Real outputs may be away from onnxruntime's by 1e-4 of their range, others not at all, and both by what rounding
explains (fuzz_noise). Where all operators of the compiled graph work on integers, the C must also equal the
evaluation by the integer specification, bit for bit.
"""

from __future__ import annotations

import re
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from fuzz_growing import Case
from fuzz_noise import sensitivity

from shared_library import BuildError, Fault, run_once
from tinyc.compiler import Compiled, Request, compile_model
from tinyc.errors import TinycError
from tinyc.ir.evaluate import evaluate
from tinyc.targets import load_target

TOLERANCE = {"float32": 1e-4, "float64": 1e-6, "float16": 4e-3}  # of an output's range
AMPLIFIED = 1  # times what the noise moved
EFFORT = 0.05  # of the arena planner

# What tinyc may refuse, by what its error says: limits that are stated in the documentation.
REFUSALS: dict[str, str] = {
    r"weights for both of two classes, with base_values, labels other than 0 and 1":
        "a TreeEnsembleClassifier with weights for both of two classes and unusual labels: implementations differ",
    r"element type u?int\d+ is not supported .*ReduceLogSumExp":
        "ReduceLogSumExp of integers: the exponentials are not integers, and ONNX does not say how they are rounded",
}


@dataclass(frozen=True)
class Verdict:
    """passed; excused: differs, and rounding explains it; refused: for a reason of the list; failed."""

    status: str
    reason: str = ""


def check(case: Case) -> Verdict:
    with tempfile.TemporaryDirectory(prefix="tinyc-fuzz-") as name:
        folder = Path(name)
        compiled = compiled_or_refused(case, folder, "m")
        if isinstance(compiled, Verdict):
            return compiled
        try:
            outputs = run_once(compiled, folder, case.inputs)
        except BuildError as error:
            return Verdict("failed", f"C does not compile: {error}")
        except Fault as error:
            return Verdict("failed", str(error))
    return compare(case, compiled, outputs)


def compiled_or_refused(case: Case, folder: Path, name: str) -> Compiled | Verdict:
    """The case compiled under that name, with its model in `folder`; else the verdict."""
    path = folder / f"{name}.onnx"
    onnx.save(case.model, path)
    try:
        request = Request(path, load_target("host"), name=name, plan_effort=EFFORT, **case.options)  # type: ignore[arg-type]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return compile_model(request)
    except TinycError as error:
        return _refused(error)
    except Exception as error:
        return Verdict("failed", f"internal error: {type(error).__name__}: {str(error)[:300]} ({place(error)})")


def place(error: BaseException) -> str:
    """Where it was raised."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""


def _refused(error: TinycError) -> Verdict:
    text = f"{error.what} [{error.node}]"
    for pattern in REFUSALS:
        if re.search(pattern, text):
            return Verdict("refused", pattern)
    return Verdict("failed", f"refused: {text}")


def integer_only(compiled: Compiled) -> bool:
    """Whether the graph computes on integers but for conversions of graph inputs and to graph outputs."""
    graph = compiled.graph
    return any(n.integer for n in graph.nodes()) and all(
        n.integer or n.op in ("QuantizeLinear", "DequantizeLinear") for n in graph.nodes())


def compare(case: Case, compiled: Compiled, outputs: Mapping[str, np.ndarray]) -> Verdict:
    """The verdict on what the C gave, by the outputs' names."""
    if integer_only(compiled):
        graph = compiled.graph
        feeds = {n: case.inputs[p.name] for n, p in zip(graph.inputs, compiled.emitted.inputs, strict=True)}
        values = evaluate(graph, feeds)
        for name, port in zip(graph.outputs, compiled.emitted.outputs, strict=True):
            fault = differs(outputs[port.name], values[name], None, 0.0)
            if fault:
                return Verdict("failed", f"output {port.name} against the integer evaluation: {fault}")
    faults = {name: differs(outputs[name], want) for name, want in case.expected.items()}
    if not any(faults.values()):
        return Verdict("passed")
    moved = sensitivity(case, {name for name, fault in faults.items() if fault})
    left = {name: differs(outputs[name], case.expected[name], moved[name]) for name in moved}
    return Verdict("failed", _first(left)) if any(left.values()) else Verdict("excused", _first(faults))


def _first(faults: Mapping[str, str]) -> str:
    return next(f"output {name}: {fault}" for name, fault in faults.items() if fault)


def differs(got: np.ndarray, want: np.ndarray, moved: np.ndarray | None = None, tolerance: float | None = None) -> str:
    """What is wrong with an output; "" if nothing."""
    if got.dtype != want.dtype:
        return f"element type {got.dtype}, not {want.dtype}"
    if got.shape != want.shape:
        return f"shape {got.shape}, not {want.shape}"
    allowed = np.zeros(want.shape)
    with np.errstate(all="ignore"):
        a, b = got.astype(np.float64), want.astype(np.float64)
        if want.dtype.kind == "f":
            values = b[np.isfinite(b)]
            span = max(float(np.ptp(values)) if values.size else 0.0, float(np.abs(values).max(initial=0.0)))
            allowed = allowed + (TOLERANCE[want.dtype.name] if tolerance is None else tolerance) * (span or 1.0)
        if moved is not None:
            typical = float(np.mean(moved[np.isfinite(moved)])) if np.isfinite(moved).any() else 0.0
            allowed = allowed + AMPLIFIED * moved + (typical if want.dtype.kind == "f" else 0.0)
        good = (got == want) | (np.abs(a - b) <= allowed) | (np.isnan(a) & np.isnan(b))
        if moved is not None:
            good |= ~np.isfinite(moved)
    if good.all():
        return ""
    k = int(np.argmin(np.reshape(good, -1)))
    return (f"{int((~good).sum())} of {want.size} differ, element {k} is {got.reshape(-1)[k]!r}, not "
            f"{want.reshape(-1)[k]!r} (allowed {allowed.reshape(-1)[k]:.3g})")
