# SPDX-License-Identifier: Apache-2.0
"""Generated code inside firmware: its symbols, several models in one image, threads, CMake, refused arguments."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from c_projects import c_array, command, generate, include_dirs, sources
from small_models import residual_net
from tinyc.cases import random_cases
from tinyc.compiler import Compiled
from tinyc.ir.evaluate import evaluate
from tinyc.targets import load_target
from tinyc.toolchain import Entry, Tensor, build, flash_size, run
from tinyc.toolchain.gcc import compile_sources


def expected(result: Compiled, data: np.ndarray) -> np.ndarray:
    """The output of a one-input, one-output model by the NumPy evaluation."""
    values = evaluate(result.graph, {result.graph.inputs[0]: data})
    return values[result.graph.outputs[0]]


@pytest.mark.parametrize("target", ["host", "cortex-m4", "cortex-m55", "riscv32imac"])
def test_symbols_have_prefixes(target: str, tmp_path: Path) -> None:
    for int8 in (True, False):
        result = generate(residual_net(tmp_path / "net.onnx", int8), target, tmp_path, f"net{int8}")
        described = load_target(target)
        objects = tmp_path / f"objects{int8}"
        objects.mkdir()
        made = compile_sources(described, sources(result, tmp_path), include_dirs(result, tmp_path), ["-O2"], objects)
        nm = described.compiler.removesuffix("gcc") + "nm"
        names = {line.split()[-1] for line in command([nm, "-g", "--defined-only", *made]).splitlines()
                 if len(line.split()) == 3}
        assert f"{result.name}_run" in names
        assert [n for n in names if not n.startswith((f"{result.name}_", "tinyc1_"))] == []


@pytest.fixture
def two_models(tmp_path: Path) -> tuple[Compiled, Compiled]:
    """Two models with different weights, in folders of their own, int8 in and out, for the host and Cortex-M4."""
    return (generate(residual_net(tmp_path / "a.onnx", True, 1), "cortex-m4", tmp_path, "first", io_dtype="int8"),
            generate(residual_net(tmp_path / "b.onnx", True, 2), "cortex-m4", tmp_path, "second", io_dtype="int8"))


BOTH_C = """
#include "both.h"
#include "first/first.h"
#include "second/second.h"
static FIRST_ARENA(first_arena);
static SECOND_ARENA(second_arena);
int both_run(void *arena, const int8_t *input, int8_t *output)
{
    (void)arena;
    const int status = first_run(first_arena, input, output);
    return status != 0 ? status : second_run(second_arena, input, output + FIRST_OUTPUT_ELEMENTS);
}
"""


def test_two_models_in_one_image(two_models: tuple[Compiled, Compiled], tmp_path: Path) -> None:
    target = load_target("cortex-m4")
    (tmp_path / "both.h").write_text(
        "#include <stdint.h>\nint both_run(void *arena, const int8_t *input, int8_t *output);\n")
    (tmp_path / "both.c").write_text(BOTH_C)
    files = [tmp_path / "both.c", *(s for r in two_models for s in sources(r, tmp_path))]
    includes = [tmp_path, *(d for r in two_models for d in include_dirs(r, tmp_path))]
    entry = Entry("both", "both.h", (Tensor("int8_t", 256, 1),), (Tensor("int8_t", 10, 1),), "0")
    elf = build(target, files, includes, tmp_path / "both.elf", entry=entry)
    cases = random_cases(two_models[0].emitted.inputs, 3)
    outcome = run(elf, [[case[0].tobytes()] for case in cases.inputs])
    for (got,), (data,) in zip(outcome.outputs, cases.inputs, strict=True):
        want = np.concatenate([expected(r, data).reshape(-1) for r in two_models])
        assert np.array_equal(np.frombuffer(got, np.int8), want)

    # One copy of every runtime function: the image has what each model has, minus what they share.
    size = flash_size(target, files, includes, entry="both_run", weights_pattern="(?!)")
    names = [s.name for s in size.symbols if s.name.startswith("tinyc1_")]
    assert names and len(names) == len(set(names))
    alone = [flash_size(target, sources(r, tmp_path), include_dirs(r, tmp_path), entry=f"{r.name}_run",
                        weights_pattern="(?!)") for r in two_models]
    shared = sum(n for name, n in alone[0].functions.items() if name in alone[1].functions)
    assert shared > 2000
    assert size.code < sum(a.code for a in alone) - shared + 200


def test_symbol_versions_keep_runtimes_apart(two_models: tuple[Compiled, Compiled], tmp_path: Path) -> None:
    """N.h refuses the header of another runtime version."""
    header = tmp_path / "first" / "tinyc" / "include" / "tinyc_runtime.h"
    header.write_text(header.read_text().replace("#define TINYC_RUNTIME_ABI 1", "#define TINYC_RUNTIME_ABI 2"))
    done = subprocess.run(["gcc", "-fsyntax-only", "-I", tmp_path / "first", tmp_path / "first" / "first.h"],
                          capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "another version of the tinyc runtime" in done.stderr


THREADS_C = """
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include "net/net.h"
#include "data.h"
static NET_ARENA(arena_0);
static NET_ARENA(arena_1);
static uint8_t *const arenas[2] = {arena_0, arena_1};
static int8_t outputs[2][NET_OUTPUT_ELEMENTS];
static void *work(void *argument)
{
    const int k = *(const int *)argument;
    for (int i = 0; i < 200; i++) {
        if (net_run(arenas[k], inputs[k], outputs[k]) != 0 || memcmp(outputs[k], wanted[k], NET_OUTPUT_ELEMENTS) != 0) {
            return argument;
        }
    }
    return NULL;
}
int main(void)
{
    static const int numbers[2] = {0, 1};
    pthread_t threads[2];
    int failed = 0;
    for (int k = 0; k < 2; k++) {
        pthread_create(&threads[k], NULL, work, (void *)&numbers[k]);
    }
    for (int k = 0; k < 2; k++) {
        void *result;
        pthread_join(threads[k], &result);
        failed += result != NULL;
    }
    return failed;
}
"""


def test_two_threads(tmp_path: Path) -> None:
    result = generate(residual_net(tmp_path / "net.onnx", True), "host", tmp_path, "net", io_dtype="int8")
    cases = random_cases(result.emitted.inputs, 2).inputs
    text = ""
    for k, (data,) in enumerate(cases):
        text += c_array(f"input_{k}", data.tobytes()) + c_array(f"wanted_{k}", expected(result, data).tobytes())
    (tmp_path / "data.h").write_text(text + "static const int8_t *const inputs[2] = {input_0, input_1};\n"
                                     "static const int8_t *const wanted[2] = {wanted_0, wanted_1};\n")
    main = tmp_path / "main.c"
    main.write_text(THREADS_C)
    includes = [f"-I{d}" for d in (tmp_path, *include_dirs(result, tmp_path))]
    command(["gcc", "-O2", "-pthread", *includes, main, *sources(result, tmp_path), "-lm", "-o", tmp_path / "threads"])
    command([tmp_path / "threads"])
    writable = {line.split()[-1] for line in command(["nm", *objects_of(result, tmp_path)]).splitlines()
                if len(line.split()) == 3 and line.split()[1] in "bBdDcC"}
    assert writable == set()


def objects_of(result: Compiled, folder: Path) -> list[Path]:
    out = folder / "objects"
    out.mkdir()
    flags = ["-O2", "-fno-pie"]  # position-independent code would have constant addresses in .data.rel.ro
    return compile_sources(load_target("host"), sources(result, folder), include_dirs(result, folder), flags, out)


ARGUMENTS_C = """
#include <stddef.h>
#include "net/net.h"
int main(void)
{
    static uint8_t memory[NET_ARENA_BYTES + 64] __attribute__((aligned(64)));
    static NET_ARENA(arena);
    static float input[NET_INPUT_ELEMENTS];
    static float output[NET_OUTPUT_ELEMENTS];
    if (net_run(arena, input, output) != NET_OK) return 1;
    if (net_run(NULL, input, output) != NET_E_ARENA) return 2;
    if (net_run(memory + 1, input, output) != NET_E_ARENA) return 3;
    if (net_run(memory + NET_ARENA_ALIGN / 2, input, output) != NET_E_ARENA) return 4;
    if (net_run(memory + NET_ARENA_ALIGN, input, output) != NET_OK) return 5;
    if (net_run(arena, NULL, output) != NET_E_ARGUMENT) return 6;
    if (net_run(arena, input, NULL) != NET_E_ARGUMENT) return 7;
    return 0;
}
"""


@pytest.mark.parametrize("int8", [True, False])
def test_refused_arguments(int8: bool, tmp_path: Path) -> None:
    result = generate(residual_net(tmp_path / "net.onnx", int8), "host", tmp_path, "net")
    (tmp_path / "main.c").write_text(ARGUMENTS_C)
    includes = [f"-I{d}" for d in (tmp_path, *include_dirs(result, tmp_path))]
    command(["gcc", "-g", "-fsanitize=address,undefined", *includes, tmp_path / "main.c", *sources(result, tmp_path),
             "-lm", "-o", tmp_path / "arguments"])
    command([tmp_path / "arguments"])


CMAKE = """
cmake_minimum_required(VERSION 3.13)
project(firmware C)
add_subdirectory(first)
add_subdirectory(second)
add_executable(firmware both.c main.c)
target_link_libraries(firmware PRIVATE first second)
"""


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
def test_cmake_builds_two_models(tmp_path: Path) -> None:
    made = [generate(residual_net(tmp_path / f"{name}.onnx", True, seed), "host", tmp_path, name, io_dtype="int8")
            for seed, name in enumerate(("first", "second"))]
    data = random_cases(made[0].emitted.inputs, 1).inputs[0][0]
    want = b"".join(expected(r, data).tobytes() for r in made)
    (tmp_path / "both.h").write_text(
        "#include <stdint.h>\nint both_run(void *arena, const int8_t *input, int8_t *output);\n")
    (tmp_path / "both.c").write_text(BOTH_C)
    (tmp_path / "main.c").write_text(
        '#include <stddef.h>\n#include <string.h>\n#include "both.h"\n' + c_array("input", data.tobytes())
        + c_array("wanted", want) + "int main(void)\n{\n    int8_t output[sizeof wanted];\n"
        "    return both_run(NULL, input, output) != 0 || memcmp(output, wanted, sizeof wanted) != 0;\n}\n")
    (tmp_path / "CMakeLists.txt").write_text(CMAKE)
    command(["cmake", "-S", tmp_path, "-B", tmp_path / "build", "-DCMAKE_BUILD_TYPE=Release"])
    command(["cmake", "--build", tmp_path / "build", "--parallel", "2"])
    command([tmp_path / "build" / "firmware"])
