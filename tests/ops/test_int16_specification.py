# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of int16 activations against CMSIS-NN's own test data."""

import json
from pathlib import Path

import numpy as np
import pytest

from tinyc.ops.conv import ConvAttrs, accumulate
from tinyc.quantize.numbers import reduce_multiplier, requantize, requantize_wide
from tinyc.quantize.softmax16 import parameters, softmax

DATA = Path(__file__).resolve().parents[3] / "shared" / "cmsis_nn_cases"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/cmsis_nn_cases is not beside the repository")


def cases(function):
    found = []
    for path in sorted((DATA / function).glob("*.npz")):
        with np.load(path) as data:
            arrays = {k: data[k] for k in data.files if k != "config"}
            found.append(({**json.loads(str(data["config"])), "name": path.stem}, arrays))
    assert found
    return found


def limited(values, c, low="OUT_ACTIVATION_MIN", high="OUT_ACTIVATION_MAX"):
    return np.clip(values, c[low], c[high]).reshape(-1)


def test_softmax():
    for c, a in cases("arm_softmax_s16"):
        rows = a["input"].reshape(c["NUM_ROWS"], c["ROW_SIZE"])
        result = softmax(rows, c["INPUT_MULT"], c["INPUT_LEFT_SHIFT"])
        np.testing.assert_array_equal(result.reshape(-1), a["output_ref"])


@pytest.mark.parametrize("scale", [1e-5, 1e-4, 1e-3])
def test_softmax_is_near_the_real_numbers(scale):
    x = np.random.default_rng(1).integers(-32768, 32768, (20, 9)).astype(np.int16)
    real = np.exp((x - x.max(1, keepdims=True).astype(float)) * scale)
    want = real / real.sum(1, keepdims=True)
    assert np.abs(softmax(x, *parameters(scale)) / 32768 - want).max() < 2e-3


def test_add():
    for c, a in cases("arm_elementwise_add_s16"):
        parts = [requantize(a[f"input{k}"].astype(np.int64) << c["LEFT_SHIFT"], c[f"INPUT{k}_MULT"],
                            c[f"INPUT{k}_SHIFT"]) for k in (1, 2)]
        result = requantize(parts[0] + parts[1], c["OUTPUT_MULT"], c["OUTPUT_SHIFT"])
        np.testing.assert_array_equal(limited(result, c), a["output_ref"])


def test_mul():
    for c, a in cases("arm_elementwise_mul_s16"):
        product = a["input1"].astype(np.int64) * a["input2"]
        np.testing.assert_array_equal(limited(requantize(product, c["OUTPUT_MULT"], c["OUTPUT_SHIFT"]), c),
                                      a["output_ref"])


def test_fully_connected():
    for c, a in cases("arm_fully_connected_s16"):
        x = a["input"].astype(np.int64).reshape(c["INPUT_BATCHES"], -1)
        total = x @ a["weights"].astype(np.int64).reshape(c["OUT_CH"], -1).T
        total = total + a["biases"] if "biases" in a else total
        result = requantize_wide(total, reduce_multiplier(c["OUTPUT_MULTIPLIER"]), c["OUTPUT_SHIFT"])
        np.testing.assert_array_equal(limited(result, c), a["output_ref"])


def test_convolution():
    for c, a in cases("arm_convolve_s16"):
        if "int32" in c["name"]:
            continue  # a 32-bit bias makes CMSIS-NN round as for int8
        x = a["input"].reshape(-1, c["INPUT_H"], c["INPUT_W"], c["IN_CH"])[: c["INPUT_BATCHES"]].transpose(0, 3, 1, 2)
        w = a["weights"].reshape(c["OUT_CH"], c["FILTER_Y"], c["FILTER_X"], -1).transpose(0, 3, 1, 2)
        end = [max(0, (c[f"OUTPUT_{d}"] - 1) * c[f"STRIDE_{k}"] + (c[f"FILTER_{k}"] - 1) * c[f"DILATION_{k}"] + 1
                   - c[f"INPUT_{d}"] - c[f"PAD_{k}"]) for d, k in (("H", "Y"), ("W", "X"))]
        attrs = ConvAttrs((c["STRIDE_Y"], c["STRIDE_X"]), (c["DILATION_Y"], c["DILATION_X"]),
                          (c["PAD_Y"], c["PAD_X"], *end), c["IN_CH"] // w.shape[1])
        total = accumulate(x, w, attrs, (c["OUTPUT_H"], c["OUTPUT_W"])).astype(np.int64).transpose(0, 2, 3, 1)
        total = total + a["bias"] if "bias" in a else total
        result = requantize_wide(total, reduce_multiplier(a["output_multiplier"]), a["output_shift"])
        np.testing.assert_array_equal(limited(result, c), a["output"].reshape(-1)[: result.size])
