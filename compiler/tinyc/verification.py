# SPDX-License-Identifier: Apache-2.0
"""Does the generated C compute what it should? Runs it and compares.

The reference is, in this order: the outputs in the user's .npz (unless tinyc quantized the model, which they do not
know); for models with integer operators the
NumPy evaluation of the int8 specification; onnxruntime. Integers must be equal, real numbers within
`tolerance` times the range of the expected output.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyc.backend.emit import Port
from tinyc.cases import Cases, places_of
from tinyc.compiler import Compiled
from tinyc.errors import TinycError
from tinyc.execute import build_model, check_status, written
from tinyc.frontend.load import with_inputs
from tinyc.ir.evaluate import evaluate
from tinyc.ir.types import Array
from tinyc.state import Memory
from tinyc.toolchain import run

DEFAULT_TOLERANCE = 1e-4


@dataclass(frozen=True)
class OutputResult:
    """The comparison of one output over all cases."""

    name: str
    bit_exact_cases: int
    mismatched_elements: int
    elements: int
    max_abs_error: float
    passed: bool


@dataclass(frozen=True)
class Verification:
    """The comparison of all outputs. `reference`: what they were compared with."""

    passed: bool
    cases: int
    reference: str
    outputs: tuple[OutputResult, ...]
    unaligned: str | None = None


def run_cases(compiled: Compiled, cases: Cases, sanitize: bool = False) -> tuple[list[tuple[Array, ...]], str | None]:
    """Outputs of the generated C for every case; and where it made an unaligned access that the core forbids."""
    with written(compiled) as folder:
        elf = build_model(compiled, folder, sanitize=sanitize)
        result = run(elf, [[a.tobytes() for a in case] for case in cases.inputs])
    check_status(compiled, result.status)
    outputs = [tuple(np.frombuffer(raw, port.dtype.numpy).reshape(port.shape)
                     for raw, port in zip(case, compiled.emitted.outputs, strict=True)) for case in result.outputs]
    found = result.unaligned
    unaligned = None
    if found is not None and found.count:
        unaligned = f"{found.count} unaligned accesses, the first in {found.function or hex(found.pc)}"
    return outputs, unaligned


def reference_outputs(compiled: Compiled, cases: Cases) -> tuple[str, list[tuple[Array, ...]]]:
    """(name of the reference, its outputs for every case)."""
    if cases.expected is not None and compiled.request.quantize is None:
        return "npz", [tuple(case) for case in cases.expected]
    graph = compiled.graph
    integer = any(node.integer for node in graph.nodes())
    if integer or compiled.request.quantize is not None:
        memory, results = Memory(compiled), []
        for values in evaluations(compiled, cases):
            results.append(tuple(memory.visible([values[o] for o in graph.outputs])))
        return "integer evaluation" if integer else "evaluation in NumPy", results
    return "onnxruntime", onnxruntime_outputs(compiled, cases)


def evaluations(compiled: Compiled, cases: Cases) -> Iterator[dict[str, Array]]:
    """Every value of the graph by NumPy, case by case; what the model remembers goes from each to the next."""
    graph, memory = compiled.graph, Memory(compiled)
    for case in cases.inputs:
        values = evaluate(graph, dict(zip(graph.inputs, memory.inputs(case), strict=True)))
        memory.keep([values[o] for o in graph.outputs])
        yield values


def onnxruntime_outputs(compiled: Compiled, cases: Cases) -> list[tuple[Array, ...]]:
    """onnxruntime's results on the model file, without graph optimizations."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    results: list[tuple[Array, ...]] = []
    try:
        model: str | bytes = str(compiled.request.model)
        if compiled.imported.initial:
            model = with_inputs(compiled.request.model, list(compiled.imported.initial))
        session = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
        names = [i.name for i in session.get_inputs()]
        names += [i.name for i in session.get_overridable_initializers()]
        memory = Memory(compiled)
        for case in cases.inputs:
            feed = {p.name: as_strings(p, a) for p, a in zip(compiled.emitted.inputs, case, strict=True)}
            feed |= {part.name: value for part, value in zip(memory.parts, memory.values, strict=True)}
            outputs = session.run(None, {n: feed[n] for n in names if n in feed})
            memory.keep(outputs)
            outputs = memory.visible(outputs)
            results.append(tuple(in_port_type(compiled, p, o) for p, o in zip(compiled.emitted.outputs, outputs,
                                                                              strict=True)))
    except Exception as error:  # onnxruntime's errors share no base class
        reason = (str(error).splitlines() or [type(error).__name__])[0][:160]
        raise TinycError(f"onnxruntime cannot run the model on these inputs ({reason})",
                         hint="give inputs, and outputs to compare with, in --inputs X.npz") from None
    return results


def as_strings(port: Port, array: Array) -> Array:
    """An input as the model takes it: strings instead of their places in the port's labels."""
    if port.labels is None:
        return array
    texts = [port.labels[k] if 0 <= k < len(port.labels) else "" for k in array.reshape(-1).tolist()]
    return np.array(texts, object).reshape(array.shape)


def in_port_type(compiled: Compiled, port: Port, value: Any) -> Array:
    """An output of the model as the generated C gives it: strings as places in the port's labels, maps as arrays."""
    if port.name in compiled.imported.maps:
        keys = compiled.imported.maps[port.name]
        value = np.array([[row[key] for key in keys] for row in value])
    array = np.asarray(value)
    return array if port.labels is None else places_of(array, port.labels)


def compare(port: Port, got: Sequence[Array], want: Sequence[Array], tolerance: float) -> OutputResult:
    """One output, all cases."""
    exact = mismatched = 0
    worst = 0.0
    real = port.dtype.is_float
    wide = [np.asarray(w, np.float64) for w in want]
    finite = np.concatenate([w[np.isfinite(w)].reshape(-1) for w in wide]) if wide else np.zeros(0)
    spread = float(finite.max() - finite.min()) if finite.size else 0.0
    scale = spread if spread > 0 else float(np.abs(finite).max()) if finite.size and np.abs(finite).max() > 0 else 1.0
    for g, w, w64 in zip(got, want, wide, strict=True):
        equal = np.array_equal(np.asarray(g), np.asarray(w), equal_nan=real)
        exact += equal
        a = np.asarray(g, np.float64)
        same = (a == w64) | (np.isnan(a) & np.isnan(w64))
        with np.errstate(invalid="ignore"):
            difference = np.where(same, 0.0, np.abs(a - w64))
        difference = np.where(np.isnan(difference), np.inf, difference)
        worst = max(worst, float(difference.max(initial=0.0)))
        limit = tolerance * scale if real else 0.0
        mismatched += int((difference > limit).sum())
    elements = sum(int(w.size) for w in wide)
    return OutputResult(port.name, exact, mismatched, elements, worst, mismatched == 0)


def verify_compiled(compiled: Compiled, cases: Cases, tolerance: float = DEFAULT_TOLERANCE) -> Verification:
    """Runs the model on its target and compares."""
    got, unaligned = run_cases(compiled, cases)
    reference, want = reference_outputs(compiled, cases)
    results = tuple(
        compare(port, [g[k] for g in got], [np.asarray(w[k]).reshape(port.shape) for w in want], tolerance)
        for k, port in enumerate(compiled.emitted.outputs)
    )
    return Verification(all(r.passed for r in results) and unaligned is None, len(cases), reference, results, unaligned)


def first_difference(compiled: Compiled, cases: Cases, tolerance: float = DEFAULT_TOLERANCE) -> dict[str, Any] | None:
    """The first layer whose result differs between NumPy evaluation, host C and the target; None if none does.

    `compiled` must expose every layer's result as an output (tinyc.compiler.compile_model, expose=True),
    once for the host and once for the target.
    """
    graph = compiled.graph
    got, _ = run_cases(compiled, cases)
    producers = {o: n for n in graph.nodes() for o in n.outputs if o}
    expected = list(evaluations(compiled, cases))
    order = {node.name: k for k, node in enumerate(graph.nodes())}
    ports = sorted(enumerate(compiled.emitted.outputs),
                   key=lambda pair: order.get(producers[pair[1].name].name, -1) if pair[1].name in producers else -1)
    for k, port in ports:
        node = producers.get(port.name)
        if node is None:
            continue
        result = compare(port, [g[k] for g in got], [e[port.name] for e in expected], tolerance)
        if not result.passed:
            return {"name": node.name, "op": node.op, "target": compiled.request.target.name,
                    "mismatched_elements": result.mismatched_elements, "elements": result.elements,
                    "max_abs_error": result.max_abs_error}
    return None
