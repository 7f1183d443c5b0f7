# SPDX-License-Identifier: Apache-2.0
"""The fast way to run generated C: a shared library for the host, called in a process of its own.

Every buffer that the generated function gets lies between guard bytes, and undefined behaviour traps.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyc.compiler import Compiled, write

GUARD = 64
FILLING = 0xA5
SECONDS = 60
CFLAGS = ("-std=c99", "-O1", "-w", "-fPIC", "-fwrapv", "-ffp-contract=off",
          "-fsanitize=bounds,shift,integer-divide-by-zero,null,alignment,signed-integer-overflow",
          "-fsanitize-undefined-trap-on-error")


class BuildError(Exception):
    """The generated C does not compile; the compiler's first message."""


class Fault(Exception):
    """The generated function broke its contract."""


def build(compiled: Compiled, folder: Path, extra_cflags: Sequence[str] = ()) -> Path:
    """Writes the files into `folder` and makes a shared library of them. Raises BuildError."""
    write(compiled, folder / "out")
    sources = [str(folder / "out" / s) for s in compiled.emitted.sources]
    includes = [f"-I{folder / 'out' / d}" for d in compiled.emitted.include_dirs]
    return _link([*extra_cflags, *includes, *sources], folder / "model.so")


def _link(arguments: Sequence[str], library: Path) -> Path:
    _gcc(["-shared", *arguments, "-o", str(library), "-lm"])
    return library


def _gcc(arguments: Sequence[str]) -> None:
    built = subprocess.run(["gcc", *CFLAGS, *arguments], capture_output=True, text=True, check=False)
    if built.returncode:
        raise BuildError((built.stderr.strip() or "no message").splitlines()[0])


def build_together(models: Sequence[Compiled], folder: Path, objects: Path) -> Path:
    """One shared library of several models with names of their own, much quicker than one each: their files are one
    translation unit, and the runtime's functions are compiled once and kept in `objects`. Raises BuildError."""
    own, includes, runtime = list[str](), list[str](), dict[str, Path]()
    for compiled in models:
        out = folder / compiled.name
        write(compiled, out)
        includes += [f"-I{out / d}" for d in compiled.emitted.include_dirs]
        for source in compiled.emitted.sources:
            if Path(source).name.startswith(compiled.name):
                own.append(f'#include "{out / source}"\n')
            else:
                runtime[source] = out / source
    unit = folder / "models.c"
    unit.write_text("".join(own), encoding="utf-8")
    kept = [str(_kept_object(path, includes, objects)) for path in runtime.values()]
    return _link(["-O0", *includes, str(unit), *kept], folder / "models.so")


def _kept_object(source: Path, includes: Sequence[str], objects: Path) -> Path:
    """The object file of a function of the runtime. The folder belongs to one state of the runtime."""
    path = objects / f"{source.parent.name}_{source.stem}.o"
    if not path.exists():
        own = objects / f"{os.getpid()}.o"  # several processes may be at it
        _gcc(["-c", *includes, str(source), "-o", str(own)])
        own.replace(path)
    return path


def isolated(work: Callable[[], Any], seconds: int = SECONDS) -> Any:
    """What `work` returns in a forked process, since generated code may crash. Raises Fault where it does,
    takes too long, or raises (the exception's text)."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def target() -> None:
        try:
            sender.send((True, work()))
        except Fault as error:
            sender.send((False, str(error)))
        except Exception as error:
            sender.send((False, f"{type(error).__name__}: {error}"))

    process = context.Process(target=target)
    process.start()
    sender.close()
    answer = None
    if receiver.poll(seconds):
        try:
            answer = receiver.recv()
        except EOFError:
            answer = None
    else:
        os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    receiver.close()
    if answer is None:
        raise Fault(f"crashed or hung (exit {process.exitcode})")
    good, result = answer
    if not good:
        raise Fault(result)
    return result


class Guarded:
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
        return bool((self.memory[:self.start] == FILLING).all()
                    and (self.memory[self.start + self.size:] == FILLING).all())


def first_state(compiled: Compiled, library: Path) -> Guarded:
    """What a model that remembers knows before the first run."""
    state = Guarded(bytes(compiled.report["state_bytes"]))
    ctypes.CDLL(str(library))[f"{compiled.name}_state_init"](state.pointer)
    return state


def call(compiled: Compiled, library: Path, given: Sequence[np.ndarray],
         state: Guarded | None = None) -> list[np.ndarray]:
    """The outputs of one run, in the model's order. Raises Fault: run it in a process of its own.

    `given` has the inputs' types and shapes.
    """
    function = ctypes.CDLL(str(library))[f"{compiled.name}_run"]
    ports = compiled.emitted
    buffers = [Guarded(np.ascontiguousarray(array).tobytes()) for array in given]
    results = [Guarded(bytes(p.bytes)) for p in ports.outputs]
    arena = Guarded(bytes([0xC3]) * max(compiled.arena.bytes, 1))
    originals = [b.data.copy() for b in buffers]
    remembered = [] if state is None else [state]
    status = function(arena.pointer, *(b.pointer for b in (*remembered, *buffers, *results)))
    if status != 0:
        raise Fault(f"{compiled.name}_run returned {status}")
    if not all(b.intact() for b in (arena, *remembered, *buffers, *results)):
        raise Fault("wrote outside a buffer")
    if any((b.data != o).any() for b, o in zip(buffers, originals, strict=True)):
        raise Fault("wrote to an input")
    return [np.frombuffer(r.data.tobytes(), p.dtype.numpy).reshape(p.shape)
            for p, r in zip(ports.outputs, results, strict=True)]


def run(compiled: Compiled, library: Path, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """As `call`, by the names of inputs and outputs."""
    given = [np.ascontiguousarray(inputs[p.name], p.dtype.numpy) for p in compiled.emitted.inputs]
    outputs = call(compiled, library, given)
    return dict(zip([p.name for p in compiled.emitted.outputs], outputs, strict=True))


def run_once(compiled: Compiled, folder: Path, inputs: Mapping[str, np.ndarray],
             extra_cflags: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Builds, runs in a process of its own, gives the outputs by name. Raises BuildError and Fault."""
    library = build(compiled, folder, extra_cflags)
    outputs: dict[str, np.ndarray] = isolated(lambda: run(compiled, library, inputs))
    return outputs
