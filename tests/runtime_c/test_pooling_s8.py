# SPDX-License-Identifier: Apache-2.0
"""Int8 average and maximum pooling against NumPy, and against Arm's vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fixed_point import quantize_multiplier, requantize, rounding_mean
from kernel_batch import Call, require_shared_cases, run_calls

TARGETS = ["host", "cortex-m0plus", "cortex-m4", "cortex-m55"]
FUNCTIONS = ["arm_avgpool_s8", "arm_avgpool_s8_get_buffer_size", "arm_max_pool_s8"]
HEADERS = ["tinyc_cmsis_map.h"]


def expected_pool(x, kind, kernel, stride, pad, out_hw, low, high):
    """x [n][h][w][c]."""
    n, h, w, c = x.shape
    out = np.zeros((n, *out_hw, c), np.int64)
    for y in range(out_hw[0]):
        for z in range(out_hw[1]):
            top, left = y * stride[0] - pad[0], z * stride[1] - pad[1]
            rows, cols = slice(max(top, 0), top + kernel[0]), slice(max(left, 0), left + kernel[1])
            window = x[:, rows, cols, :].astype(np.int64).reshape(n, -1, c)
            out[:, y, z] = window.max(1) if kind == "max" else rounding_mean(window.sum(1), window.shape[1])
    return np.clip(out, low, high).astype(np.int8)


def dims(n, h, w, c):
    return f"&(const cmsis_nn_dims){{{{{n}, {h}, {w}, {c}}}}}"


def pool_call(name, x, kind, kernel, stride, pad, out_hw, low, high, expected=None):
    n, _, _, c = x.shape
    function = "arm_max_pool_s8" if kind == "max" else "arm_avgpool_s8"
    # The context has what Arm's library asks for.
    size = f"arm_avgpool_s8_get_buffer_size({out_hw[1]}, {c})"
    code = f"""
        const cmsis_nn_pool_params params = {{{{
            {{{{{stride[1]}, {stride[0]}}}}}, {{{{{pad[1]}, {pad[0]}}}}}, {{{{{low}, {high}}}}}
        }}}};
        const cmsis_nn_context ctx = {{{{{{2}}, {size}}}}};
        status = {function}(&ctx, &params, {dims(*x.shape)}, {{0}}, {dims(1, *kernel, 1)},
            {dims(n, *out_hw, c)}, {{1}});
    """
    if expected is None:
        expected = expected_pool(x, kind, kernel, stride, pad, out_hw, low, high)
    buffers = (x, np.zeros((n, *out_hw, c), np.int8), np.zeros(c, np.int32))
    return Call(name, code, buffers, 1, expected)


def random_calls():
    rng = np.random.default_rng(3)
    calls = []
    for i in range(70):
        kernel = rng.integers(1, 6, 2)
        stride = rng.integers(1, 4, 2)
        pad = np.array([rng.integers(0, k) for k in kernel])
        hw = np.maximum(rng.integers(1, 12, 2), kernel - pad)
        # Sometimes the padding at the end makes another output.
        out = np.maximum((hw + pad + rng.integers(0, 2, 2) * pad - kernel) // stride + 1, 1)
        out = np.minimum(out, (hw - 1 + pad) // stride + 1)
        x = rng.integers(-128, 128, (rng.integers(1, 3), *hw, rng.integers(1, 24))).astype(np.int8)
        low, high = (-128, 127) if i % 2 else sorted(int(v) for v in rng.integers(-128, 128, 2))
        geometry = [tuple(int(v) for v in pair) for pair in (kernel, stride, pad, out)]
        calls.append(pool_call(f"{i}", x, "max" if i % 4 < 2 else "mean", *geometry, low, high))
    return calls


def large_window_calls():
    """Windows whose sums do not fit 16 bits, with extreme values in every channel."""
    rng = np.random.default_rng(4)
    calls = []
    for h, w, c in [(25, 5, 64), (1, 256, 4), (1, 257, 7), (16, 16, 8), (40, 33, 5), (3, 300, 6), (33, 8, 4)]:
        for value in (-128, 127, None):
            x = rng.integers(-128, 128, (1, h, w, c)) if value is None else np.full((1, h, w, c), value)
            x = x.astype(np.int8)
            for kind in ("mean", "max"):
                name = f"{h}x{w}x{c} {value}"
                calls.append(pool_call(name, x, kind, (h, w), (1, 1), (0, 0), (1, 1), -128, 127))
    x = rng.choice([-128, -127], (1, 30, 40, 9)).astype(np.int8)
    calls.append(pool_call("part of the columns", x, "mean", (20, 30), (5, 5), (2, 3), (3, 3), -128, 127))
    return calls


@pytest.mark.parametrize("target", TARGETS)
def test_pooling_follows_the_specification(target: str, tmp_path: Path) -> None:
    run_calls([*random_calls(), *large_window_calls()], FUNCTIONS, HEADERS, target, tmp_path)


@pytest.mark.parametrize("target", TARGETS)
def test_all_fourteen_vectors_of_arm(target: str, tmp_path: Path) -> None:
    calls = []
    for function, kind in [("arm_avgpool_s8", "mean"), ("arm_max_pool_s8", "max")]:
        for name, c, data in require_shared_cases(function):
            # The number of images follows from the data: the constants name it twice, sometimes differently.
            image = (c["INPUT_H"], c["INPUT_W"], c["INPUT_C"])
            x = data["input_tensor"].reshape(-1, *image)
            kernel, stride = (c["FILTER_H"], c["FILTER_W"]), (c["STRIDE_H"], c["STRIDE_W"])
            pad, out = (c["PADDING_H"], c["PADDING_W"]), (c["OUTPUT_H"], c["OUTPUT_W"])
            low, high = c["ACTIVATION_MIN"], c["ACTIVATION_MAX"]
            calls.append(pool_call(name, x, kind, kernel, stride, pad, out, low, high, data["output"]))
    assert len(calls) == 14
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path)


@pytest.mark.parametrize("target", ["host", "cortex-m4"])
def test_a_window_outside_the_image_is_an_error(target: str, tmp_path: Path) -> None:
    x = np.zeros((1, 2, 2, 3), np.int8)
    calls = []
    for kind in ("mean", "max"):
        call = pool_call(kind, x, kind, (1, 1), (1, 1), (1, 0), (1, 2), -128, 127, np.zeros(6, np.int8))
        calls.append(Call(call.name, call.code, call.buffers, call.result, call.expected, status=-1))
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path)


@pytest.mark.parametrize("target", TARGETS)
def test_sums_of_pixels(target: str, tmp_path: Path) -> None:
    """First pixels replace the sums, others add to them; what lies behind the sums stays."""
    rng = np.random.default_rng(12)
    calls = []
    for i in range(24):
        pixels, channels, first = int(rng.integers(1, 9)), int(rng.integers(1, 40)), i % 2
        x = rng.integers(-128, 128, (pixels, channels)).astype(np.int8)
        sums = rng.integers(-3000, 3000, channels + 8).astype(np.int16)
        expected = sums.copy()
        expected[:channels] = x.astype(np.int16).sum(0) + (0 if first else sums[:channels])
        code = f"tinyc_sum_pixels_s8({{0}}, {pixels}, {channels}, {first}, {{1}});"
        calls.append(Call(f"sum_{i}", code, (x, sums), 1, expected))
    run_calls(calls, ["sum_pixels_s8"], ["tinyc_s8.h"], target, tmp_path)


@pytest.mark.parametrize("target", TARGETS)
def test_means_with_a_scale_of_their_own(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(13)
    calls = []
    for i in range(30):
        pixels, channels = int(rng.integers(1, 300)), int(rng.integers(1, 24))
        x = rng.choice([-128, 127], (pixels, channels)) if i % 3 == 0 else rng.integers(-128, 128, (pixels, channels))
        zero, out_zero = (int(v) for v in rng.integers(-128, 128, 2))
        multiplier, shift = quantize_multiplier(float(rng.uniform(0.3, 20) / pixels))
        low, high = (-128, 127) if i % 2 else sorted(int(v) for v in rng.integers(-128, 128, 2))
        expected = np.clip(requantize(x.sum(0) - pixels * zero, multiplier, shift) + out_zero, low, high)
        code = f"""
            const tinyc_mean_s8 mean = {{{{{-pixels * zero}, {multiplier}, {shift}, {out_zero}, {low}, {high}}}}};
            tinyc_mean_pixels_s8(&mean, {{0}}, {pixels}, {channels}, {{1}});
        """
        out = np.zeros(channels, np.int8)
        calls.append(Call(f"mean_{i}", code, (x.astype(np.int8), out), 1, expected.astype(np.int8)))
    run_calls(calls, ["mean_pixels_s8"], ["tinyc_s8.h"], target, tmp_path)
