# SPDX-License-Identifier: Apache-2.0
"""Generated code with Arm's CMSIS-NN, which `make test-cmsis CMSIS_NN_LIB=... CMSIS_NN_INCLUDE=...` names.

The library is not part of the repository: these tests are skipped unless the environment variables CMSIS_NN_LIB
(the archive) and CMSIS_NN_INCLUDE (its headers) are set. CMSIS_NN_TARGET is the core that it was built for,
cortex-m4 by default.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_unidirectional_lstm import kinds as lstm_kinds

from c_projects import generate, include_dirs, sources
from mlperf_tiny import MODELS, model_path, needs_models
from recipes import recipe_of, written_recipe
from small_models import residual_net
from support import Model, compile_proto, execute, with_numpy
from tinyc.cases import load_cases, random_cases
from tinyc.compiler import CmsisNn, Compiled, Request, compile_model
from tinyc.ir.evaluate import evaluate
from tinyc.quantization import QuantizeRequest
from tinyc.quantize.schemes import SCHEMES
from tinyc.targets import load_target
from tinyc.toolchain import Entry, Tensor, build, run
from tinyc.verification import run_cases

pytestmark = pytest.mark.skipif(
    not os.environ.get("CMSIS_NN_LIB") or not os.environ.get("CMSIS_NN_INCLUDE"),
    reason="CMSIS_NN_LIB and CMSIS_NN_INCLUDE do not name a library",
)

TARGET = os.environ.get("CMSIS_NN_TARGET") or "cortex-m4"


@pytest.fixture(scope="module")
def library() -> CmsisNn:
    return CmsisNn(Path(os.environ["CMSIS_NN_INCLUDE"]).resolve(), Path(os.environ["CMSIS_NN_LIB"]).resolve())


def linked(model: Path, library: CmsisNn) -> Compiled:
    return compile_model(Request(model, load_target(TARGET), kernels="cmsis-nn", cmsis_nn=library))


@needs_models
@pytest.mark.parametrize("model", MODELS)
def test_same_results_as_the_bundled_runtime(model: str, library: CmsisNn) -> None:
    result = linked(model_path(f"{model}_int8"), library)
    assert not any("arm_" in source for source in result.emitted.sources)
    cases = load_cases(model_path(f"{model}_int8").with_suffix(".npz"), result.emitted.inputs, result.emitted.outputs)
    assert cases.expected is not None
    outputs, _ = run_cases(result, cases)
    wrong = [k for k, (got, want) in enumerate(zip(outputs, cases.expected, strict=True))
             if got[0].tobytes() != want[0].tobytes()]
    assert wrong == []


@needs_models
@pytest.mark.parametrize("model", ["kws", "ic"])
def test_row_by_row(model: str, library: CmsisNn) -> None:
    """The library's functions on the few lines that a row needs."""
    whole = linked(model_path(f"{model}_int8"), library).request
    result = compile_model(replace(whole, optimize="ram"))
    assert result.program.rows
    cases = load_cases(whole.model.with_suffix(".npz"), result.emitted.inputs, result.emitted.outputs)
    assert cases.expected is not None
    outputs, _ = run_cases(result, cases)
    assert all(got[0].tobytes() == want[0].tobytes() for got, want in zip(outputs, cases.expected, strict=True))


def test_small_model(library: CmsisNn, tmp_path: Path) -> None:
    """Residual Add, max pooling and depthwise layers, in a model that needs nothing beside the repository."""
    result = linked(residual_net(tmp_path / "net.onnx", True), library)
    cases = random_cases(result.emitted.inputs, 3)
    outputs, _ = run_cases(result, cases)
    for case, got in zip(cases.inputs, outputs, strict=True):
        values = evaluate(result.graph, dict(zip(result.graph.inputs, case, strict=True)))
        assert np.array_equal(values[result.graph.outputs[0]], got[0])


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_schemes(scheme: str, library: CmsisNn, tmp_path: Path) -> None:
    """What --quantize makes: 16-bit activations and 4-bit weights."""
    model = residual_net(tmp_path / "net.onnx", False)
    quantize = QuantizeRequest(load=written_recipe(model, recipe_of(model, {}, SCHEMES[scheme])))
    result = compile_model(Request(model, load_target(TARGET), kernels="cmsis-nn", cmsis_nn=library, quantize=quantize),
                           lambda text: None)
    cases = random_cases(result.emitted.inputs, 3)
    outputs, _ = run_cases(result, cases)
    for case, got in zip(cases.inputs, outputs, strict=True):
        values = evaluate(result.graph, dict(zip(result.graph.inputs, case, strict=True)))
        assert np.array_equal(values[result.graph.outputs[0]], got[0])


def test_recurrent(library: CmsisNn) -> None:
    m = Model("recurrent", 14)
    lstm_kinds(m)
    result = compile_proto(m.proto(), TARGET, plan_effort=0.05, kernels="cmsis-nn", cmsis_nn=library)
    assert "arm_lstm_unidirectional_s8" in "".join(result.emitted.files.values())
    got, want = execute(result, m.inputs), with_numpy(result, m.inputs)
    assert [o for o in want if not np.array_equal(got[o], want[o])] == []


FIRMWARE_C = """
#include <stddef.h>
#include <arm_nnfunctions.h>
#include "firmware.h"
#include "first/first.h"
#include "second/second.h"
#include "third/third.h"
static FIRST_ARENA(first_arena);
static SECOND_ARENA(second_arena);
static THIRD_ARENA(third_arena);
/* Two models with the bundled runtime, one that calls the library, and the library called directly. */
int firmware_run(void *arena, const int8_t *input, int8_t *output)
{
    (void)arena;
    int status = first_run(first_arena, input, output);
    status = status != 0 ? status : second_run(second_arena, input, output + 5);
    status = status != 0 ? status : third_run(third_arena, input, output + 10);
    if (status == 0) {
        arm_softmax_s8(input, 1, 16, 1073741824, 24, -2000, output + 15);
        status = (int)arm_elementwise_add_s8(input, input + 16, 128, 1073741824, 1, 128, 1073741824, 1, 20,
                                             output + 31, -128, 1073741824, -19, -128, 127, 16);
    }
    return status;
}
"""

DIRECT_C = """
#include <arm_nnfunctions.h>
#include "firmware.h"
int firmware_run(void *arena, const int8_t *input, int8_t *output)
{
    (void)arena;
    arm_softmax_s8(input, 1, 16, 1073741824, 24, -2000, output + 15);
    return (int)arm_elementwise_add_s8(input, input + 16, 128, 1073741824, 1, 128, 1073741824, 1, 20,
                                       output + 31, -128, 1073741824, -19, -128, 127, 16);
}
"""


def test_firmware_with_models_and_library(library: CmsisNn, tmp_path: Path) -> None:
    """Models with the bundled runtime and firmware that calls the library's functions of the same names."""
    made = [generate(residual_net(tmp_path / f"{name}.onnx", True, seed), TARGET, tmp_path, name, io_dtype="int8",
                     kernels=kernels)
            for seed, (name, kernels) in enumerate([("first", "auto"), ("second", "auto"), ("third", "cmsis-nn")])]
    (tmp_path / "firmware.h").write_text(
        "#include <stdint.h>\nint firmware_run(void *arena, const int8_t *input, int8_t *output);\n")
    entry = Entry("firmware", "firmware.h", (Tensor("int8_t", 256, 1),), (Tensor("int8_t", 47, 1),), "0")
    target = load_target(TARGET)
    cases = random_cases(made[0].emitted.inputs, 3)
    blobs = [[case[0].tobytes()] for case in cases.inputs]

    def image(text: str, models: list[Compiled]) -> list[bytes]:
        main = tmp_path / "firmware.c"
        main.write_text(text)
        elf = build(target, [main, *(s for r in models for s in sources(r, tmp_path))],
                    [tmp_path, *(d for r in models for d in include_dirs(r, tmp_path)), library.include],
                    tmp_path / "firmware.elf", entry=entry, libraries=[library.library])
        names = {s.name for s in elf.file.symbols if s.bytes}
        assert {"arm_softmax_s8", "arm_elementwise_add_s8"} <= names
        assert bool(models) == any(n.startswith("tinyc1_") for n in names)
        return [case[0] for case in run(elf, blobs).outputs]

    everything, direct = image(FIRMWARE_C, made), image(DIRECT_C, [])
    for (data,), got, alone in zip(cases.inputs, everything, direct, strict=True):
        want = [evaluate(r.graph, {r.graph.inputs[0]: data})[r.graph.outputs[0]].tobytes() for r in made]
        assert got[:15] == b"".join(want)
        assert got[15:] == alone[15:]
