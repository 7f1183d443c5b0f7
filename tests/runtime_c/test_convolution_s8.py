# SPDX-License-Identifier: Apache-2.0
"""Int8 convolutions against a NumPy statement of the specification, and against Arm's vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from int8_calls import Conv, conv_call, conv_functions, fast, random_int8, random_quantization
from kernel_batch import require_shared_cases, run_calls

TARGETS = ["host", "cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m33", "cortex-m55", "riscv32imac"]
ROOTS = ["convolve_wrapper_s8", "convolve_s8", "convolve_1x1_s8_fast", "convolve_1x1_s8", "convolve_1_x_n_s8"]
SIZED = [name for name in ROOTS if name != "convolve_1x1_s8"]
FUNCTIONS = [f"arm_{name}" for name in ROOTS] + [f"arm_{name}_get_buffer_size" for name in SIZED]
HEADERS = ["tinyc_cmsis_map.h"]
VECTORS = {
    "arm_convolve_s8": 13,
    "arm_convolve_1_x_n_s8": 8,
    "arm_convolve_1x1_s8_fast": 5,
    "arm_grouped_convolve_s8": 4,
}


def vector(c: dict[str, int], data: dict[str, np.ndarray]) -> Conv:
    depth = c.get("FILTER_CH", c["IN_CH"])
    return Conv(
        x=data["input"].reshape(c["INPUT_BATCHES"], c["INPUT_H"], c["INPUT_W"], c["IN_CH"]),
        w=data["weights"].reshape(c["OUT_CH"], c["FILTER_Y"], c["FILTER_X"], depth),
        bias=data["biases"],
        multiplier=data["output_mult"],
        shift=data["output_shift"],
        output=(c["OUTPUT_H"], c["OUTPUT_W"]),
        stride=(c["STRIDE_Y"], c["STRIDE_X"]),
        pad=(c["PAD_Y"], c["PAD_X"]),
        dilation=(c["DILATION_Y"], c["DILATION_X"]),
        input_offset=c["INPUT_OFFSET"],
        output_offset=c["OUTPUT_OFFSET"],
        clamp=(c["OUT_ACTIVATION_MIN"], c["OUT_ACTIVATION_MAX"]),
    )


@pytest.mark.parametrize("target", TARGETS)
def test_all_thirty_vectors_of_arm(target: str, tmp_path: Path) -> None:
    calls = []
    for folder, number in VECTORS.items():
        cases = require_shared_cases(folder)
        assert len(cases) == number
        for name, config, data in cases:
            p = vector(config, data)
            for function in conv_functions(p):
                calls.append(conv_call(f"{folder}/{name}", p, function, target, data["output_ref"]))
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


def random_conv(rng: np.random.Generator, kind: str) -> Conv:
    """kind: any, one_by_one, row or upscaled."""
    extent = rng.integers(1, 9, 2)
    kernel, stride, dilation = rng.integers(1, 4, 2), rng.integers(1, 4, 2), rng.integers(1, 4, 2)
    groups, depth = 1, int(rng.integers(1, 21))
    upscale, n = np.array([1, 1]), int(rng.integers(1, 3))
    pad = np.array([int(rng.integers(0, k)) for k in kernel])
    if kind == "one_by_one":
        kernel, pad, dilation = np.array([1, 1]), np.array([0, 0]), np.array([1, 1])
        depth = int(rng.choice([1, 3, 8, 31, 64, 127, 128, 129, 300]))
        stride = stride if rng.random() < 0.4 else np.array([1, 1])
    elif kind == "row":
        extent = np.array([1, int(rng.integers(1, 24))])
        kernel, dilation = np.array([1, int(rng.integers(1, 7))]), np.array([1, 1])
        pad, stride = np.array([0, int(rng.integers(0, kernel[1]))]), np.array([1, int(rng.integers(1, 4))])
        depth = int(rng.choice([4, 8, 12, 36]))
    elif kind == "upscaled":
        upscale, dilation, stride = rng.integers(1, 3, 2), np.array([1, 1]), np.array([1, 1])
    elif rng.random() < 0.4:
        groups, depth = int(rng.integers(2, 4)), int(rng.integers(1, 6))
    size = extent * upscale
    reach = (kernel - 1) * dilation + 1
    before = size + 2 * pad - reach
    if kind == "row" and before[1] >= 0:
        # Arm's function takes rows whose padding is as even as can be.
        before[1] -= before[1] % int(stride[1])
    output = np.maximum(before // stride + 1, 1)
    channels = groups * int(rng.integers(1, 7))
    x = random_int8(rng, (n, *extent, groups * depth), rng.random() < 0.1)
    w = random_int8(rng, (channels, *kernel, depth), rng.random() < 0.1)
    pairs = [tuple(int(v) for v in a) for a in (output, stride, pad, dilation)]
    quant = random_quantization(rng, channels, depth * int(kernel.prod()))
    return Conv(x, w, output=pairs[0], stride=pairs[1], pad=pairs[2], dilation=pairs[3],
                upscale=tuple(int(v) for v in upscale), **quant)  # fmt: skip


@pytest.mark.parametrize("kind", ["any", "one_by_one", "row", "upscaled"])
@pytest.mark.parametrize("target", TARGETS)
def test_random_shapes(target: str, kind: str, tmp_path: Path) -> None:
    rng = np.random.default_rng([11, *kind.encode()])
    calls = []
    for i in range(40):
        p = random_conv(rng, kind)
        calls += [conv_call(f"{kind}_{i}", p, function, target) for function in conv_functions(p)]
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


def plain(rng: np.random.Generator, extent, depth: int, channels: int, **changes) -> Conv:
    x = random_int8(rng, (1, *extent, depth))
    w = random_int8(rng, (channels, 1, 1, depth))
    return Conv(x, w, output=extent, **{**random_quantization(rng, channels, depth), **changes})


@pytest.mark.parametrize("target", TARGETS)
def test_one_by_one_over_its_own_input(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(12)
    calls = []
    for depth in [1, 2, 5, 16, 64, 128, 130, 172, 257, 512]:
        for channels in {depth, max(depth // 2, 1), 1}:
            for overlap in [0, 1, 3, depth]:
                p = plain(rng, (3, 3), depth, channels)
                for function in ["convolve_1x1_s8_fast", "convolve_1x1_s8"]:
                    calls.append(conv_call(f"over_{depth}_{channels}", p, function, target, overlap=overlap))
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


@pytest.mark.parametrize("target", TARGETS)
def test_requantization_at_its_limits(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(13)
    half, last = 2**30, 2**31 - 1
    calls = []
    quant = [(half, -1), (last, -1), (half, 0), (last, 0), (half, 3), (last, 5), (half + 1, -31), (last, -31)]
    quant += [
        (0, -3),
        (half, -30),
        (123456789, -8),
        (1, 0),
        (last, -16),
        (half, -20),
        (half, -2),
        (1234567, 9),
    ]
    for i, (multiplier, shift) in enumerate(quant):
        limit = 2**30 if shift < 0 else 2**30 >> shift
        bias = np.concatenate([rng.integers(-limit, limit, 17), [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5]])
        n = bias.size
        p = plain(rng, (2, 3), 2, n, bias=bias.astype(np.int32), clamp=(-128, 127), output_offset=[-128, 0, 127][i % 3],
                  multiplier=np.full(n, multiplier, np.int32), shift=np.full(n, shift, np.int32))  # fmt: skip
        p = Conv(**{**p.__dict__, "w": (p.w % 2).astype(np.int8)})
        calls += [conv_call(f"limits_{i}", p, function, target) for function in conv_functions(p)]
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))
