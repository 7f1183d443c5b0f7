# SPDX-License-Identifier: Apache-2.0
"""Runs one backend test: compiled by tinyc, built, called, compared.

On the host the code is a shared library in which undefined behaviour traps; for other targets it runs in QEMU. Every
buffer that the generated function gets lies between guard bytes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from suite import BackendTest

from shared_library import BuildError, Fault, build, call, isolated
from tinyc.backend.emit import Port
from tinyc.cases import Cases, places_of
from tinyc.compiler import Compiled, Request, compile_model
from tinyc.errors import TinycError
from tinyc.targets import load_target
from tinyc.verification import run_cases


@dataclass(frozen=True)
class Outcome:
    """passed; refused: tinyc said with an error that it cannot; failed: anything else."""

    status: str
    reason: str = ""


def check(test: BackendTest, target: str = "host") -> Outcome:
    """Compiles, builds and runs a test."""
    with tempfile.TemporaryDirectory(prefix="tinyc-conformance-") as name:
        folder = Path(name)
        try:
            compiled = _compile(test, folder, target)
        except TinycError as error:
            return Outcome("refused", f"{error.what}" + (f" [{error.node}]" if error.node else ""))
        except Exception as error:
            return Outcome("failed", f"internal error: {type(error).__name__}: {error}")
        try:
            if target != "host":
                return _run(test, compiled, _emulated(compiled))
            library = build(compiled, folder)
            outcome: Outcome = isolated(lambda: _run(test, compiled, lambda given: call(compiled, library, given)))
        except BuildError as error:
            return Outcome("failed", f"C does not compile: {error}")
        except Fault as error:
            return Outcome("failed", str(error))
        return outcome


def _emulated(compiled: Compiled) -> Callable[[Sequence[np.ndarray]], Sequence[np.ndarray]]:
    """Runs the model on its target's emulator."""

    def execute(given: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        outputs, unaligned = run_cases(compiled, Cases((tuple(given),), None))
        if unaligned is not None:
            raise Fault(unaligned)
        return outputs[0]

    return execute


def _compile(test: BackendTest, folder: Path, target: str) -> Compiled:
    path = folder / "model.onnx"
    onnx.save(test.model, path)
    return compile_model(Request(path, load_target(target), name="m"))


def _run(
    test: BackendTest, compiled: Compiled, execute: Callable[[Sequence[np.ndarray]], Sequence[np.ndarray]]
) -> Outcome:
    ports = compiled.emitted
    for inputs, expected in test.data_sets:
        given = [np.asarray(v) for v in list(inputs)[:len(ports.inputs)]]
        if len(given) != len(ports.inputs):
            return Outcome("failed", f"{len(inputs)} inputs given, {len(ports.inputs)} wanted")
        if len(expected) != len(ports.outputs):
            return Outcome("failed", f"{len(expected)} outputs expected, {len(ports.outputs)} there")
        given = [stored(p, a) for p, a in zip(ports.inputs, given, strict=True)]
        for port, array in zip(ports.inputs, given, strict=True):
            if array.dtype != port.dtype.numpy or array.shape != port.shape:
                return Outcome("failed", f"input {port.name} is {port.dtype.label}{list(port.shape)}, "
                                         f"the test gives {array.dtype}{list(array.shape)}")
        results = execute(given)
        for port, got, want in zip(ports.outputs, results, expected, strict=True):
            fault = difference(port, got, stored(port, want), test)
            if fault:
                return Outcome("failed", f"output {port.name}: {fault}")
    return Outcome("passed")


def stored(port: Port, value: Any) -> Any:
    """A tensor of the test as the generated C has it: strings are places among the port's labels."""
    return value if port.labels is None else places_of(np.asarray(value), port.labels)


def difference(port: Port, got: np.ndarray, want: Any, test: BackendTest) -> str:
    """What is wrong with an output, by the test's own tolerance; "" if nothing."""
    expected = np.asarray(want)
    if expected.dtype != port.dtype.numpy:
        return f"element type {port.dtype.label}, not {expected.dtype}"
    if expected.shape != port.shape:
        return f"shape {list(port.shape)}, not {list(expected.shape)}"
    if expected.dtype.kind != "f":
        wrong = int((got != expected).sum())
        return f"{wrong} of {expected.size} elements differ" if wrong else ""
    close = np.isclose(got.astype(np.float64), expected.astype(np.float64), test.rtol, test.atol, equal_nan=True)
    if close.all():
        return ""
    k = int(np.argmin(close.reshape(-1)))
    return f"{int((~close).sum())} of {close.size} differ, element {k}: {got.reshape(-1)[k]}, " \
           f"not {expected.reshape(-1)[k]}"


def operators(model: onnx.ModelProto) -> Sequence[str]:
    """The operators that a model's graph uses, qualified by domain, sorted."""
    names = {n.op_type if n.domain in ("", "ai.onnx") else f"{n.domain}.{n.op_type}" for n in model.graph.node}
    return sorted(names)
