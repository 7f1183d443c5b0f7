# SPDX-License-Identifier: Apache-2.0
"""Runs one backend test: compiled by tinyc for the host, built as a shared library, called, compared.

Every buffer that the generated function gets lies between guard bytes, and undefined behaviour traps.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from suite import BackendTest

from tinyc.backend.emit import Port
from tinyc.compiler import Compiled, Request, compile_model, write
from tinyc.errors import TinycError
from tinyc.targets import load_target

GUARD = 64
FILLING = 0xA5
SECONDS = 60
CFLAGS = ("-std=c99", "-O1", "-w", "-fPIC", "-shared", "-fwrapv", "-ffp-contract=off",
          "-fsanitize=bounds,shift,integer-divide-by-zero,null,alignment,signed-integer-overflow",
          "-fsanitize-undefined-trap-on-error")


@dataclass(frozen=True)
class Outcome:
    """passed; refused: tinyc said with an error that it cannot; failed: anything else."""

    status: str
    reason: str = ""


def check(test: BackendTest) -> Outcome:
    """Compiles, builds and runs a test."""
    with tempfile.TemporaryDirectory(prefix="tinyc-conformance-") as name:
        folder = Path(name)
        try:
            compiled = _compile(test, folder)
        except TinycError as error:
            return Outcome("refused", f"{error.what}" + (f" [{error.node}]" if error.node else ""))
        except Exception as error:
            return Outcome("failed", f"internal error: {type(error).__name__}: {error}")
        write(compiled, folder / "out")
        library = folder / "model.so"
        sources = [str(folder / "out" / s) for s in compiled.emitted.sources]
        includes = [f"-I{folder / 'out' / d}" for d in compiled.emitted.include_dirs]
        built = subprocess.run(["gcc", *CFLAGS, *includes, *sources, "-o", str(library), "-lm"],
                               capture_output=True, text=True, check=False)
        if built.returncode:
            return Outcome("failed", "C does not compile: " + built.stderr.strip().splitlines()[0])
        return _isolated(test, compiled, library)


def _compile(test: BackendTest, folder: Path) -> Compiled:
    path = folder / "model.onnx"
    onnx.save(test.model, path)
    return compile_model(Request(path, load_target("host"), name="m"))


def _isolated(test: BackendTest, compiled: Compiled, library: Path) -> Outcome:
    """Runs all data sets in a process of their own, since generated code may crash."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def work() -> None:
        try:
            sender.send(_run(test, compiled, library))
        except Exception as error:
            sender.send(Outcome("failed", f"{type(error).__name__}: {error}"))

    process = context.Process(target=work)
    process.start()
    sender.close()
    outcome = None
    if receiver.poll(SECONDS):
        try:
            outcome = receiver.recv()
        except EOFError:
            outcome = None
    else:
        process.kill()
    process.join()
    return outcome or Outcome("failed", f"crashed or hung (exit {process.exitcode})")


class _Guarded:
    """Memory between guard bytes."""

    def __init__(self, data: bytes, align: int = 16) -> None:
        self.size = len(data)
        self.memory = np.full(self.size + 2 * GUARD + align, FILLING, np.uint8)
        self.start = GUARD + (-(self.memory.ctypes.data + GUARD)) % align
        self.memory[self.start:self.start + self.size] = np.frombuffer(data, np.uint8)

    @property
    def pointer(self) -> ctypes.c_void_p:
        return ctypes.c_void_p(self.memory.ctypes.data + self.start)

    @property
    def data(self) -> np.ndarray:
        return self.memory[self.start:self.start + self.size]

    def intact(self) -> bool:
        outside = np.delete(self.memory, slice(self.start, self.start + self.size))
        return bool((outside == FILLING).all())


def _run(test: BackendTest, compiled: Compiled, library: Path) -> Outcome:
    function = ctypes.CDLL(str(library)).m_run
    ports = compiled.emitted
    for inputs, expected in test.data_sets:
        given = list(inputs)[:len(ports.inputs)]
        if len(given) != len(ports.inputs):
            return Outcome("failed", f"{len(inputs)} inputs given, {len(ports.inputs)} wanted")
        if len(expected) != len(ports.outputs):
            return Outcome("failed", f"{len(expected)} outputs expected, {len(ports.outputs)} there")
        buffers = []
        for port, value in zip(ports.inputs, given, strict=True):
            array = np.asarray(value)
            if array.dtype != port.dtype.numpy or array.shape != port.shape:
                return Outcome("failed", f"input {port.name} is {port.dtype.label}{list(port.shape)}, "
                                         f"the test gives {array.dtype}{list(array.shape)}")
            buffers.append(_Guarded(np.ascontiguousarray(array).tobytes()))
        results = [_Guarded(bytes(p.bytes)) for p in ports.outputs]
        arena = _Guarded(bytes([0xC3]) * max(compiled.arena.bytes, 1))
        originals = [b.data.copy() for b in buffers]
        status = function(arena.pointer, *(b.pointer for b in (*buffers, *results)))
        if status != 0:
            return Outcome("failed", f"m_run returned {status}")
        if not all(b.intact() for b in (arena, *buffers, *results)):
            return Outcome("failed", "wrote outside a buffer")
        if any((b.data != o).any() for b, o in zip(buffers, originals, strict=True)):
            return Outcome("failed", "wrote to an input")
        for port, result, want in zip(ports.outputs, results, expected, strict=True):
            fault = difference(port, np.frombuffer(result.data.tobytes(), port.dtype.numpy), want, test)
            if fault:
                return Outcome("failed", f"output {port.name}: {fault}")
    return Outcome("passed")


def difference(port: Port, flat: np.ndarray, want: Any, test: BackendTest) -> str:
    """What is wrong with an output, by the test's own tolerance; "" if nothing."""
    expected = np.asarray(want)
    if expected.dtype != port.dtype.numpy:
        return f"element type {port.dtype.label}, not {expected.dtype}"
    if expected.shape != port.shape:
        return f"shape {list(port.shape)}, not {list(expected.shape)}"
    got = flat.reshape(port.shape)
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
