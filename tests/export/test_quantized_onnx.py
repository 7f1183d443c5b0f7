# SPDX-License-Identifier: Apache-2.0
"""`--emit-onnx`: a QDQ model that others accept, that computes what tinyc computes, and that becomes the same C."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from checkout import ROOT
from command_line import refuse_compile, succeed
from small_models import float_graph, residual_net
from tinyc.errors import TinycError
from tinyc.export.model import to_model
from tinyc.ir.evaluate import evaluate

TRAINED = ROOT / "tests" / "models" / "quantization"


def run(model: onnx.ModelProto | Path, sample: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    data = model.SerializeToString() if isinstance(model, onnx.ModelProto) else model.read_bytes()
    session = onnxruntime.InferenceSession(data, options, ["CPUExecutionProvider"])
    result: np.ndarray = session.run(None, {session.get_inputs()[0].name: sample})[0]
    return result


@pytest.mark.parametrize("name", ["sensor_cnn", "gru", "mobilenet", "residual"])
def test_float_graphs_are_written_as_they_were_read(name: str) -> None:
    path = TRAINED / f"{name}.onnx"
    graph = float_graph(path)
    written = to_model(graph)
    onnx.checker.check_model(written, full_check=True)
    for case in np.load(TRAINED / f"{name}.npz")["input"][:3]:
        want = run(path, case[None])
        assert np.allclose(run(written, case[None]), want, rtol=1e-4, atol=1e-4)


def test_the_quantized_model_comes_back_as_the_same_code(tmp_path: Path) -> None:
    model = residual_net(tmp_path / "net.onnx", int8=False)
    images = np.random.default_rng(0).normal(size=(4, 1, 4, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "s.npz", input=images)
    first, second, quantized = tmp_path / "first", tmp_path / "second", tmp_path / "q.onnx"
    options = ["--target", "cortex-m4", "--name", "net"]
    succeed("compile", model, *options, "--calibrate", tmp_path / "s.npz", "--emit-onnx", quantized, "-o", first)
    succeed("compile", quantized, *options, "-o", second)
    files = sorted(p.relative_to(first) for p in first.rglob("*") if p.is_file() and p.name != "report.json")
    assert files and all((first / f).read_bytes() == (second / f).read_bytes() for f in files)
    onnx.checker.check_model(onnx.load(quantized), full_check=True)
    graph = float_graph(model)
    for image in images:
        want = evaluate(graph, {"image": image})[graph.outputs[0]]
        assert np.abs(run(quantized, image) - want).max() < 0.05


def test_what_has_no_form_is_named(tmp_path: Path) -> None:
    node = onnx.helper.make_node("Det", ["x"], ["y"], name="determinant")
    ports = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, s) for n, s in (("x", [2, 2]), ("y", []))]
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "g", ports[:1], ports[1:]),
                                   opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "det.onnx")
    with pytest.raises(TinycError, match="Det cannot be written") as error:
        to_model(float_graph(tmp_path / "det.onnx"))
    assert "determinant" in str(error.value)


def test_emit_onnx_without_quantization(tmp_path: Path) -> None:
    model = residual_net(tmp_path / "net.onnx", int8=False)
    assert "--emit-onnx" in refuse_compile(model, "--emit-onnx", tmp_path / "q.onnx")
