# SPDX-License-Identifier: Apache-2.0
"""The int16 softmax against CMSIS-NN's own test data, and against the real numbers."""

import json
from pathlib import Path

import numpy as np
import pytest

from tinyc.quantize.softmax16 import parameters, softmax

CASES = sorted((Path(__file__).resolve().parents[3] / "shared" / "cmsis_nn_cases" / "arm_softmax_s16").glob("*.npz"))


@pytest.mark.skipif(not CASES, reason="../shared/cmsis_nn_cases is not beside the repository")
def test_cmsis_nn_data():
    for path in CASES:
        case = np.load(path)
        config = json.loads(str(case["config"]))
        rows = case["input"].reshape(config["NUM_ROWS"], config["ROW_SIZE"])
        result = softmax(rows, config["INPUT_MULT"], config["INPUT_LEFT_SHIFT"])
        np.testing.assert_array_equal(result.reshape(-1), case["output_ref"])


@pytest.mark.parametrize("scale", [1e-5, 1e-4, 1e-3])
def test_near_the_real_numbers(scale):
    x = np.random.default_rng(1).integers(-32768, 32768, (20, 9)).astype(np.int16)
    real = np.exp((x - x.max(1, keepdims=True).astype(float)) * scale)
    want = real / real.sum(1, keepdims=True)
    assert np.abs(softmax(x, *parameters(scale)) / 32768 - want).max() < 2e-3
