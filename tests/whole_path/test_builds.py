# SPDX-License-Identifier: Apache-2.0
"""Generated code under many compilers' eyes: optimization levels, link-time optimization, sanitizers, interfaces."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from small_models import residual_net, two_ports_net
from tinyc.backend.runtime import runtime_files
from tinyc.cases import Cases, random_cases
from tinyc.compiler import Compiled, Request, compile_model
from tinyc.execute import build_model, entry_of, written
from tinyc.ir.evaluate import evaluate
from tinyc.ir.types import Array
from tinyc.resources import runtime_dir
from tinyc.targets import load_target
from tinyc.toolchain import build, run
from tinyc.verification import reference_outputs, run_cases, verify_compiled

LEVELS = {
    "O0": ["-O0"], "Og": ["-Og"], "Os": ["-Os"], "O3": ["-O3"], "lto": ["-O2", "-flto"],
    "no-omit-frame-pointer": ["-O2", "-fno-omit-frame-pointer"],
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {"int8": residual_net(folder / "net_int8.onnx", int8=True),
            "float": residual_net(folder / "net_float.onnx", int8=False),
            "ports": two_ports_net(folder / "ports.onnx")}


def compiled(model: Path, target: str, **options: Any) -> Compiled:
    return compile_model(Request(model, load_target(target), **options))


def run_with(result: Compiled, cases: Cases, *, slots: bool = False, cflags: list[str] | None = None,
             sanitize: bool = False) -> list[tuple[Array, ...]]:
    """Outputs of the generated C for every case."""
    with written(result) as folder:
        elf = build_model(result, folder, slots=slots, sanitize=sanitize, extra_cflags=cflags or [])
        outcome = run(elf, [[a.tobytes() for a in case] for case in cases.inputs])
    assert outcome.status == 0
    return [tuple(np.frombuffer(raw, p.dtype.numpy).reshape(p.shape)
                  for raw, p in zip(case, result.emitted.outputs, strict=True)) for case in outcome.outputs]


def assert_close(result: Compiled, got: list[tuple[Array, ...]], cases: Cases) -> None:
    _, want = reference_outputs(result, cases)
    for g, w in zip(got, want, strict=True):
        for a, b in zip(g, w, strict=True):
            np.testing.assert_allclose(a, np.asarray(b).reshape(a.shape), rtol=1e-4, atol=1e-5)


def assert_exact(result: Compiled, got: list[tuple[Array, ...]], cases: Cases) -> None:
    """Equal to the NumPy evaluation of the int8 specification."""
    for case, outputs in zip(cases.inputs, got, strict=True):
        values = evaluate(result.graph, dict(zip(result.graph.inputs, case, strict=True)))
        for name, output in zip(result.graph.outputs, outputs, strict=True):
            assert np.array_equal(values[name], output)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("target", ["host", "cortex-m0plus", "cortex-m4", "cortex-m55", "riscv32imac"])
def test_optimization_levels(models: dict[str, Path], target: str, level: str) -> None:
    for kind in ("int8", "float"):
        result = compiled(models[kind], target)
        cases = random_cases(result.emitted.inputs, 3)
        got = run_with(result, cases, cflags=LEVELS[level])
        (assert_exact if kind == "int8" else assert_close)(result, got, cases)


@pytest.mark.parametrize("io_dtype", ["model", "int8", "float32"])
@pytest.mark.parametrize("io", ["arena", "caller"])
def test_interfaces_under_sanitizers(models: dict[str, Path], io: str, io_dtype: str) -> None:
    for kind in ("int8", "float", "ports"):
        result = compiled(models[kind], "host", io=io, io_dtype=io_dtype)
        cases = random_cases(result.emitted.inputs, 3)
        got = run_with(result, cases, sanitize=True)
        (assert_exact if kind == "int8" else assert_close)(result, got, cases)


@pytest.mark.parametrize("target", ["host", "cortex-m4"])
def test_slots_and_pointers_agree(models: dict[str, Path], target: str) -> None:
    """The arena's own slots, other pointers and --io caller give the same; the harness sees inputs unchanged."""
    for kind in ("int8", "float", "ports"):
        arena = compiled(models[kind], target)
        cases = random_cases(arena.emitted.inputs, 3)
        other = run_with(arena, cases)
        caller = compiled(models[kind], target, io="caller")
        assert caller.arena.bytes <= arena.arena.bytes
        assert not any(caller.arena.holds(p.buffer) for p in (*caller.emitted.inputs, *caller.emitted.outputs))
        for got in (run_with(arena, cases, slots=True), run_with(caller, cases)):
            for a, b in zip(got, other, strict=True):
                assert all(x.tobytes() == y.tobytes() for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("kernels", ["reference", "auto"])
@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m55"])
def test_kernels(models: dict[str, Path], target: str, kernels: str) -> None:
    result = compiled(models["int8"], target, kernels=kernels)
    cases = random_cases(result.emitted.inputs, 3)
    assert_exact(result, run_with(result, cases), cases)
    variants = {Path(s).stem.rpartition("_")[2] for s in result.emitted.sources} & {"dsp", "mve"}
    assert bool(variants) == (kernels == "auto")


@pytest.mark.parametrize("optimize", ["speed", "size", "ram"])
def test_optimize_options(models: dict[str, Path], optimize: str) -> None:
    result = compiled(models["int8"], "cortex-m4", optimize=optimize)
    cases = random_cases(result.emitted.inputs, 3)
    assert_exact(result, run_with(result, cases), cases)


def test_microbit(models: dict[str, Path]) -> None:
    """Cortex-M0 code on the one machine of QEMU that has this core."""
    result = compiled(models["int8"], "microbit")
    cases = random_cases(result.emitted.inputs, 3)
    outcome = verify_compiled(result, cases)
    assert outcome.passed and outcome.reference == "integer evaluation"
    got, unaligned = run_cases(result, cases)
    assert unaligned is None
    assert_exact(result, got, cases)


def test_io_dtypes_tell_the_same(models: dict[str, Path]) -> None:
    """int8 is the model without its conversions; float32 puts them back."""
    model = compiled(models["int8"], "host")
    bare = compiled(models["int8"], "host", io_dtype="int8", require_integer=True)
    (x,), (y,) = bare.emitted.inputs, bare.emitted.outputs
    assert (x.dtype.label, y.dtype.label) == ("int8", "int8")
    assert x.quant is not None and y.quant is not None
    cases = random_cases(bare.emitted.inputs, 4)
    scale, zero = float(x.quant.scale[0]), int(x.quant.zero_point[0])
    reals = Cases(tuple((((c[0].astype(np.float32) - zero) * np.float32(scale)).astype(np.float32),)
                        for c in cases.inputs), None)
    for q, r in zip(run_with(bare, cases), run_with(model, reals), strict=True):
        expected = (q[0].astype(np.float32) - int(y.quant.zero_point[0])) * np.float32(y.quant.scale[0])
        assert np.array_equal(expected, r[0])
    again = compile_model(replace(bare.request, io_dtype="float32", require_integer=False))
    assert [p.dtype.label for p in (*again.emitted.inputs, *again.emitted.outputs)] == ["float32", "float32"]


def test_digits_on_cortex_m4() -> None:
    """The example's int8 model, through every stage."""
    folder = Path(__file__).resolve().parents[2] / "examples" / "digits"
    result = compiled(folder / "digits_int8.onnx", "cortex-m4")
    with np.load(folder / "digits_test.npz") as data:
        images, labels = data["input"], data["label"]
    cases = Cases(tuple((image[None],) for image in images[:60]), None)
    got = run_with(result, cases)
    assert_exact(result, got, cases)
    correct = sum(int(np.argmax(o[0]) == label) for o, label in zip(got, labels[:60], strict=True))
    assert correct >= 57


@pytest.mark.parametrize("target", ["host", "cortex-m4", "cortex-m55"])
def test_calls_of_the_library(models: dict[str, Path], target: str, tmp_path: Path) -> None:
    """--kernels cmsis-nn calls CMSIS-NN's wrappers; here the bundled functions stand in for the library."""
    described = load_target(target)
    result = compiled(models["int8"], target, kernels="cmsis-nn")
    assert not any("arm_" in source for source in result.emitted.sources)
    include = tmp_path / "Include"
    include.mkdir()
    (include / "arm_nnfunctions.h").write_text('#include "tinyc_cmsis_map.h"\n')
    wanted = sorted(set(re.findall(r"\barm_\w+(?=\()", result.emitted.files[f"{result.name}.c"])))
    assert "arm_convolve_wrapper_s8" in wanted and "arm_depthwise_conv_wrapper_s8" in wanted
    standing_in = [runtime_dir() / s for s in runtime_files(wanted, described.variants, False).sources]
    folders = [include, *(runtime_dir() / d for d in ("include", "src/common"))]
    with written(result) as folder:
        mine = [folder / s for s in result.emitted.sources]
        elf = build(described, [*mine, *standing_in], [folder, *folders], tmp_path / "net.elf",
                    entry=entry_of(result, slots=False))
    cases = random_cases(result.emitted.inputs, 3)
    outcome = run(elf, [[a.tobytes() for a in case] for case in cases.inputs])
    (port,) = result.emitted.outputs
    assert_exact(result, [(np.frombuffer(o[0], port.dtype.numpy).reshape(port.shape),) for o in outcome.outputs], cases)
