# SPDX-License-Identifier: Apache-2.0
"""The sounds example: from samples to a label in one model, on the host and on an emulated core."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from checkout import EXAMPLES
from command_line import succeed

FOLDER = EXAMPLES / "sounds"
MODEL, CASES = FOLDER / "sounds.onnx", FOLDER / "sounds_test.npz"


@pytest.mark.parametrize("target", ("host", "cortex-m4", "cortex-m55"))
def test_labels_are_those_of_onnxruntime(target: str) -> None:
    verified = succeed("verify", MODEL, "--target", target, "--inputs", CASES, "--json").json
    assert verified["passed"] and verified["cases"] == 10
    scores, label = verified["outputs"]
    assert label["bit_exact_cases"] == 10
    assert scores["max_abs_error"] < 1e-4


def test_figures_on_a_cortex_m4() -> None:
    profile = succeed("profile", MODEL, "--target", "cortex-m4", "--inputs", CASES, "--json").json
    layers = {layer["op"]: layer for layer in profile["layers"]}
    assert layers["STFT"]["kernel"] == "tinyc_fft_f32"
    assert layers["STFT"]["instructions"] < 30 * 17_000  # 30 frames of 256 samples
    assert profile["instructions"] < 1_050_000
    # Window and mel matrix are tables: nothing of them is computed in run.
    assert not {"HannWindow", "MelWeights"} & set(layers)


def test_the_model_is_what_the_script_makes(tmp_path: Path) -> None:
    command = [sys.executable, str(FOLDER / "make_model.py"), "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = int(done.stdout.split()[0])
    assert told >= 9
    made, kept = (onnx.load(folder / "sounds.onnx") for folder in (tmp_path, FOLDER))
    assert [n.op_type for n in made.graph.node] == [n.op_type for n in kept.graph.node]
    for mine, own in zip(made.graph.initializer, kept.graph.initializer, strict=True):
        assert mine.name == own.name
        np.testing.assert_allclose(numpy_helper.to_array(mine), numpy_helper.to_array(own), rtol=1e-2, atol=1e-2)
