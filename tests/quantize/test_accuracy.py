# SPDX-License-Identifier: Apache-2.0
"""Accuracy on cases that calibration has not seen: beside onnxruntime's quantizer, and with int16 activations."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from checkout import ROOT, environment
from mlperf_tiny import SHARED, needs_models
from small_models import float_graph
from tinyc.cases import load_cases
from tinyc.compiler import Request, compile_model
from tinyc.quantization import QuantizeRequest
from tinyc.quantize.recipe import Recipe, save_recipe
from tinyc.quantize.schemes import INT16X8
from tinyc.quantize.search import START, Search
from tinyc.targets import load_target
from tinyc.verification import onnxruntime_outputs, run_cases

MARGIN = 0.5  # dB


def assert_margin(name: str) -> None:
    """In front of a final Softmax, calibrated on the even cases, on the odd ones."""
    command = [sys.executable, ROOT / "scripts" / "quantization_table.py", name, "--json"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    (row,) = json.loads(done.stdout)
    assert row["model"] == name and row["tinyc"] >= row["onnxruntime"] + MARGIN, row


def test_margin() -> None:
    assert_margin("sensor_cnn")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", "gru", "mobilenet", "residual"])
def test_margin_of_larger_models(name: str) -> None:
    assert_margin(name)


@needs_models
@pytest.mark.slow
@pytest.mark.parametrize("name", ["ad", "ic", "kws"])
def test_margin_of_mlperf_tiny(name: str) -> None:
    assert_margin(name)


@needs_models
@pytest.mark.parametrize(("name", "mean", "most"), [
    ("ad", 1.5e-3, 0.015), ("ic", 1e-3, 0.01), ("kws", 1e-3, 0.01), ("vww", 1e-3, 0.01)])
def test_int16_activations(tmp_path: Path, name: str, mean: float, most: float) -> None:
    """Mean and largest error as fractions of the outputs' range, with the settings that the search begins with. What
    remains is what weights of 8 bits lose."""
    model = SHARED / "models" / f"{name}_f32.onnx"
    inputs = np.load(model.with_suffix(".npz"))["input"]
    np.savez(tmp_path / "odd.npz", input=inputs[1::2])
    graph = float_graph(model)
    (port,) = graph.inputs
    even = [{port: case.astype(np.float32).reshape(graph.type(port).shape)} for case in inputs[::2]]
    search = Search(graph, even, frozenset(), INT16X8)
    found = search.final(START)
    nodes = {node: scheme.name for node, scheme in search.chosen.nodes.items()}
    sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
    save_recipe(Recipe(sha256, nodes, found.activations, found.layers), tmp_path / "ranges.json")
    request = Request(model, load_target("host"), quantize=QuantizeRequest(load=tmp_path / "ranges.json"))
    compiled = compile_model(request, lambda text: None)
    cases = load_cases(tmp_path / "odd.npz", compiled.emitted.inputs, compiled.emitted.outputs)
    wanted, got = (np.array([case[0] for case in outputs], np.float64)
                   for outputs in (onnxruntime_outputs(compiled, cases), run_cases(compiled, cases)[0]))
    error = np.abs(got - wanted.reshape(got.shape)) / np.ptp(wanted)
    assert error.mean() <= mean and error.max() <= most
