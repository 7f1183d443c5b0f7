# SPDX-License-Identifier: Apache-2.0
"""Float models compiled to integers by samples: accuracy, exactness, the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from checkout import ROOT
from command_line import refuse_compile, succeed
from small_models import residual_net
from tinyc.cases import Cases, load_cases
from tinyc.compiler import Compiled, Request, compile_model
from tinyc.quantization import QuantizeRequest
from tinyc.targets import load_target
from tinyc.verification import run_cases

DIGITS = ROOT / "examples" / "digits"


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """64 images of the digits' training split."""
    images, labels = load_digits(return_X_y=True)
    train, _ = train_test_split(images, test_size=0.2, random_state=0, stratify=labels)
    path = tmp_path_factory.mktemp("digits") / "samples.npz"
    np.savez(path, input=(train[:64] / 16).astype(np.float32).reshape(64, 1, 8, 8))
    return path


@pytest.fixture(scope="module")
def ranges(samples: Path) -> Path:
    """What calibration of the digits model decided."""
    path = samples.with_name("ranges.json")
    compile_digits("host", QuantizeRequest(samples=samples, save=path))
    return path


def compile_digits(target: str, quantize: QuantizeRequest | None) -> Compiled:
    request = Request(DIGITS / "digits_f32.onnx", load_target(target), quantize=quantize)
    return compile_model(request, lambda text: None)


def accuracy(compiled: Compiled, count: int) -> float:
    """Percent right of the first images of the test split."""
    archive = np.load(DIGITS / "digits_test.npz")
    cases = load_cases(DIGITS / "digits_test.npz", compiled.emitted.inputs, compiled.emitted.outputs)
    outputs, unaligned = run_cases(compiled, Cases(cases.inputs[:count], None))
    assert unaligned is None
    guesses = [int(np.argmax(case[0])) for case in outputs]
    return 100.0 * float(np.mean(np.array(guesses) == archive["label"][:count]))


def test_digits_keep_their_accuracy(ranges: Path) -> None:
    plain = accuracy(compile_digits("host", None), 360)
    compiled = compile_digits("host", QuantizeRequest(load=ranges))
    floats = {n.op for n in compiled.graph.nodes() if not n.integer}
    assert floats <= {"QuantizeLinear", "DequantizeLinear"}
    assert accuracy(compiled, 360) >= plain - 0.3


@pytest.fixture(scope="module")
def narrow_ranges(samples: Path) -> Path:
    path = samples.with_name("int4w.json")
    compile_digits("host", QuantizeRequest(samples=samples, save=path, scheme="int4w"))
    return path


def test_digits_with_weights_of_four_bits(ranges: Path, narrow_ranges: Path) -> None:
    plain = accuracy(compile_digits("host", None), 360)
    wide, narrow = (compile_digits("host", QuantizeRequest(load=r)) for r in (ranges, narrow_ranges))
    sizes = [sum(step.filter_bytes for step in r.program.steps) for r in (wide, narrow)]
    assert sizes[1] <= 0.55 * sizes[0]
    assert accuracy(narrow, 360) >= plain - 1.0


@pytest.mark.slow
def test_four_bits_on_the_emulated_core(narrow_ranges: Path) -> None:
    host, board = (compile_digits(t, QuantizeRequest(load=narrow_ranges)) for t in ("host", "cortex-m4"))
    assert accuracy(board, 100) == accuracy(host, 100)


@pytest.mark.slow
def test_the_emulated_core_agrees(ranges: Path) -> None:
    host, board = (compile_digits(t, QuantizeRequest(load=ranges)) for t in ("host", "cortex-m4"))
    assert accuracy(board, 100) == accuracy(host, 100)


def test_saved_ranges_give_the_same_files(samples: Path, ranges: Path) -> None:
    first = compile_digits("cortex-m4", QuantizeRequest(samples=samples))
    second = compile_digits("cortex-m4", QuantizeRequest(load=ranges))
    assert first.emitted.files == second.emitted.files


def test_ranges_of_another_model(tmp_path: Path, ranges: Path) -> None:
    model = residual_net(tmp_path / "net.onnx", int8=False)
    assert "made for another model" in refuse_compile(model, "--load-ranges", ranges)


def test_command_line(tmp_path: Path) -> None:
    model = residual_net(tmp_path / "net.onnx", int8=False)
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "s.npz", input=rng.normal(size=(6, 4, 8, 8)).astype(np.float32))
    result = succeed("verify", model, "--target", "host", "--calibrate", tmp_path / "s.npz", "--inputs",
                     tmp_path / "s.npz", "--json")
    report = result.json
    assert report["reference"] == "integer evaluation" and report["outputs"][0]["bit_exact_cases"] == 6
    assert "dB" in result.stderr


def test_nodes_kept_float(tmp_path: Path) -> None:
    model = residual_net(tmp_path / "net.onnx", int8=False)
    np.savez(tmp_path / "s.npz", input=np.random.default_rng(0).normal(size=(4, 4, 8, 8)).astype(np.float32))
    request = Request(model, load_target("host"), quantize=QuantizeRequest(tmp_path / "s.npz"))
    graph = compile_model(request, lambda text: None).graph
    name = next(n.name for n in graph.nodes() if n.op == "Gemm" and n.integer)
    kept = Request(model, load_target("host"), quantize=QuantizeRequest(tmp_path / "s.npz", keep_float=(name,)))
    graph = compile_model(kept, lambda text: None).graph
    assert not graph.node(name).integer and any(n.integer for n in graph.nodes() if n.op == "Conv")


@pytest.mark.parametrize(("options", "message"), [
    (["--quantize", "int8"], "needs samples"),
    (["--calibrate", "s.npz", "--load-ranges", "r.json"], "exclude each other"),
    (["--calibrate", "s.npz", "--quantize", "none"], "leave one of them out"),
    (["--save-ranges", "r.json"], "--save-ranges without"),
    (["--keep-float", "conv"], "--keep-float without"),
    (["--calibrate", "absent.npz"], "cannot read"),
])
def test_refused_options(tmp_path: Path, options: list[str], message: str) -> None:
    model = residual_net(tmp_path / "net.onnx", int8=False)
    assert message in refuse_compile(model, *options)


def test_a_quantized_model_is_not_quantized_again(tmp_path: Path) -> None:
    model = residual_net(tmp_path / "net.onnx", int8=True)
    np.savez(tmp_path / "s.npz", input=np.random.default_rng(0).normal(size=(2, 4, 8, 8)).astype(np.float32))
    assert "already quantized" in refuse_compile(model, "--calibrate", tmp_path / "s.npz")
