# SPDX-License-Identifier: Apache-2.0
"""MLPerf Tiny's networks, evaluated in NumPy, give byte for byte what TensorFlow Lite Micro gives."""

from pathlib import Path

import numpy as np
import pytest

from onnx_models import TARGET, run
from tinyc.frontend import import_model
from tinyc.passes.integer_report import integer_report
from tinyc.passes.pipeline import run_passes

MODELS = Path(__file__).parents[3] / "shared" / "models"
pytestmark = pytest.mark.skipif(not MODELS.is_dir(), reason="the reference models are not beside the repository")


@pytest.mark.parametrize("name", ["ad", "ic", "kws", "vww"])
def test_int8_models_are_exact(name):
    graph = run_passes(import_model(MODELS / f"{name}_int8.onnx").graph, TARGET)
    assert integer_report(graph) == []
    assert sum(n.op == "Transpose" for n in graph.nodes()) == 0
    cases = np.load(MODELS / f"{name}_int8.npz")
    for x, y in zip(cases["input"], cases["output"], strict=True):
        got = run(graph, {graph.inputs[0]: x})[0]
        np.testing.assert_array_equal(got.reshape(y.shape), y)


@pytest.mark.parametrize("name", ["ad", "ic", "kws", "vww"])
def test_float_models_are_close(name):
    graph = run_passes(import_model(MODELS / f"{name}_f32.onnx").graph, TARGET)
    cases = np.load(MODELS / f"{name}_f32.npz")
    for x, y in list(zip(cases["input"], cases["output"], strict=True))[:3]:
        got = run(graph, {graph.inputs[0]: x})[0].reshape(y.shape)
        assert np.abs(got - y).max() <= 1e-4 * (y.max() - y.min())
