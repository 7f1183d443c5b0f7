# SPDX-License-Identifier: Apache-2.0
"""Runs many calls of runtime functions as one program: natively with sanitizers, or on an emulated core."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tinyc.targets import Target, load_target
from tinyc.toolchain.build import build
from tinyc.toolchain.model_harness import Entry, Tensor
from tinyc.toolchain.run import Layer, run

REPOSITORY = Path(__file__).resolve().parents[2]
RUNTIME = REPOSITORY / "runtime_c"
C_TYPES = {"int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t", "int32": "int32_t", "float32": "float"}


@dataclass(frozen=True)
class Call:
    """One call of a runtime function and what it must give.

    code: C statements in which {0}, {1}, ... are the buffers that hold a copy of `buffers`, and which set
    `status` where the function returns one (0 otherwise). result: which buffer holds the result afterwards.
    expected: its contents; compared exactly, or for floats within `tolerance` (absolute, as a fraction of the
    largest expected magnitude). macs: multiply-accumulates, for the counts that `make bench-kernels` writes.
    """

    name: str
    code: str
    buffers: tuple[np.ndarray, ...]
    result: int
    expected: np.ndarray
    tolerance: float = 0.0
    status: int = 0
    macs: int = 0


COUNTS = "TINYC_KERNEL_COUNTS"
"""Environment variable, set by --kernel-counts: a file to which run_calls adds what each call executes."""


def runtime_sources(functions: Sequence[str], target: Target) -> list[Path]:
    """The runtime's files for some entries of its manifest and what they need, in the target's variants."""
    manifest = tomllib.loads((RUNTIME / "runtime.toml").read_text(encoding="utf-8"))["functions"]
    pending = list(functions)
    found: dict[str, None] = {}
    while pending:
        name = pending.pop()
        if name not in found:
            found[name] = None
            pending += manifest[name].get("needs", [])
    files: dict[Path, None] = {}
    for name in sorted(found):
        variant = next(v for v in target.variants if v in manifest[name])
        files.update({RUNTIME / file: None for file in manifest[name][variant]})
    return list(files)


def _program(calls: Sequence[Call], headers: Sequence[str], aligned: bool, marked: bool) -> str:
    """marked: labels in front of and behind each call, as tinyc's own code has them for `tinyc profile`."""
    lines = ["#include <string.h>", '#include "batch.h"', *(f'#include "{header}"' for header in headers), ""]
    body: list[str] = []
    offset = 0
    out = 0
    for number, call in enumerate(calls):
        names = []
        copies = []
        for i, data in enumerate(call.buffers):
            name = f"buffer_{number}_{i}"
            # Byte buffers start at odd addresses in every second call: unaligned data is legal for int8.
            shift = number % 2 if data.dtype.itemsize == 1 and not aligned else 0
            lines.append(f"static {C_TYPES[data.dtype.name]} {name}[{max(data.size, 1) + shift}];")
            names.append(f"({name} + {shift})" if shift else name)
            copies.append(f"    memcpy({names[-1]}, in + {offset}, {data.nbytes});")
            offset += data.nbytes
        size = call.buffers[call.result].nbytes
        lines += [f"static int call_{number}(const uint8_t *in, uint8_t *out) /* {call.name} */", "{"]
        code = call.code.format(*names)
        if marked:
            code = f"{_mark(f'call_{number}')}\n{code}\n{_mark('rest')}"
        lines += ["    int status = 0;", *copies, "    {", code, "    }"]
        lines += [f"    memcpy(out + {out}, {names[call.result]}, {size});", "    return status;", "}", ""]
        body.append(f"    out[{out + size}] = (uint8_t)call_{number}(in, out);")
        out += size + 1
    lines += ["int batch_run(void *arena, const uint8_t *in, uint8_t *out)", "{", "    (void)arena;", *body]
    lines += ["    return 0;", "}", ""]
    return "\n".join(lines)


def _mark(label: str) -> str:
    return f'__asm__ volatile("batch_mark_{label}.%=:" ::: "memory");'


def _function(call: Call) -> str:
    """The function that the code calls last, or the call's name where it calls none."""
    return (re.findall(r"\b(?:tinyc_)?(\w+)\(", call.code) or [call.name])[-1]


def _write_counts(calls: Sequence[Call], layers: Sequence[Layer], target: Target, options: str) -> None:
    """Adds a line of JSON for each call to the file that COUNTS names."""
    counted = {layer.label: layer.instructions for layer in layers}
    test = os.environ.get("PYTEST_CURRENT_TEST", "").split(" ")[0].rpartition("/")[2].partition("[")[0]
    lines = [
        json.dumps({
            "test": test, "function": _function(call), "target": target.name, "options": options, "call": call.name,
            "macs": call.macs, "instructions": counted.get(f"call_{number}", 0),
        })
        for number, call in enumerate(calls)
    ]
    with open(os.environ[COUNTS], "a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def run_calls(
    calls: Sequence[Call],
    functions: Sequence[str],
    headers: Sequence[str],
    target_name: str,
    folder: Path,
    *,
    optimize: str = "default",
    cflags: Sequence[str] = (),
    count_instructions: bool = False,
) -> int | None:
    """Runs all calls in one program and asserts their results; returns the instructions, where counted.

    On the host with the address and undefined-behaviour sanitizers. With --kernel-counts, what each call executes on an
    emulated core is written to that file, too.
    """
    target = load_target(target_name)
    write_counts = COUNTS in os.environ and target.family != "host"
    aligned = not target.has("unaligned")
    source = folder / "batch.c"
    source.write_text(_program(calls, headers, aligned, write_counts), encoding="utf-8")
    (folder / "batch.h").write_text(
        "#include <stdint.h>\nint batch_run(void *arena, const uint8_t *in, uint8_t *out);\n",
        encoding="utf-8",
    )
    inputs = b"".join(data.tobytes() for call in calls for data in call.buffers)
    out_bytes = sum(call.buffers[call.result].nbytes + 1 for call in calls)
    entry = Entry(
        "batch", "batch.h", (Tensor("uint8_t", len(inputs), 1),), (Tensor("uint8_t", out_bytes, 1),), "0"
    )
    elf = build(
        target,
        [source, *runtime_sources(functions, target)],
        [folder, RUNTIME / "include", RUNTIME / "src/common"],
        folder / f"batch_{target_name}.elf",
        entry=entry,
        optimize=optimize,
        cflags=cflags,
        sanitize=target.family == "host",
    )
    marks = elf.file.marks(r"batch_mark_(\w+)\..*") if write_counts else []
    result = run(elf, [[inputs]], count_instructions=count_instructions or write_counts, marks=marks)
    blob = result.outputs[0][0]
    at = 0
    for call in calls:
        data = call.buffers[call.result]
        raw = blob[at : at + data.nbytes]
        status = int(np.frombuffer(blob[at + data.nbytes : at + data.nbytes + 1], np.int8)[0])
        at += data.nbytes + 1
        assert status == call.status, f"{target_name}: {call.name}: status {status}"
        _compare(np.frombuffer(raw, data.dtype), call, target_name)
    if write_counts:
        _write_counts(calls, result.layers, target, " ".join([optimize, *cflags]))
    return result.instructions


def _compare(actual: np.ndarray, call: Call, target_name: str) -> None:
    expected = call.expected.reshape(-1)
    where = f"{target_name}: {call.name}"
    if call.tolerance:
        assert actual.shape == expected.shape, where
        limit = call.tolerance * max(1.0, float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0)))
        np.testing.assert_allclose(actual, expected, rtol=0, atol=limit, err_msg=where)
    else:
        np.testing.assert_array_equal(actual, expected, err_msg=where)


def require_shared_cases(function: str) -> list[tuple[str, dict[str, int], dict[str, np.ndarray]]]:
    """Name, configuration and arrays of each of Arm's test vectors for a function; skips without them."""
    files = sorted((REPOSITORY.parent / "shared" / "cmsis_nn_cases" / function).glob("*.npz"))
    if not files:
        pytest.skip("../shared/cmsis_nn_cases is not beside the repository")
    cases = []
    for file in files:
        with np.load(file) as data:
            arrays = {key: data[key] for key in data.files if key != "config"}
            cases.append((file.stem, json.loads(str(data["config"])), arrays))
    return cases


def c_array(kind: str, values: Sequence[int]) -> str:
    """A C compound literal of integers."""
    return f"(const {kind}[]){{{', '.join(str(int(v)) for v in values)}}}"
