# SPDX-License-Identifier: Apache-2.0
"""Int8 depthwise convolutions against a NumPy statement of the specification, and against Arm's vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from int8_calls import Conv, conv_call, conv_functions, fast, random_int8, random_quantization
from kernel_batch import require_shared_cases, run_calls

TARGETS = ["host", "cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m33", "cortex-m55", "riscv32imac"]
ROOTS = ["wrapper_s8", "s8", "3x3_s8", "s8_opt"]
FUNCTIONS = [f"arm_depthwise_conv_{name}" for name in ROOTS]
FUNCTIONS += [f"arm_depthwise_conv_{name}_get_buffer_size" for name in ["wrapper_s8", "s8_opt"]]
HEADERS = ["tinyc_cmsis_map.h"]
VECTORS = {"arm_depthwise_conv_s8": 5, "arm_depthwise_conv_3x3_s8": 3, "arm_depthwise_conv_s8_opt": 6}


def vector(name: str, c: dict[str, int], data: dict[str, np.ndarray]) -> Conv:
    return Conv(
        x=data["input"].reshape(c["INPUT_BATCHES"], c["INPUT_H"], c["INPUT_W"], c["IN_CH"]),
        w=data["weights"].reshape(c["FILTER_Y"], c["FILTER_X"], c["OUT_CH"]),
        bias=None if "null_bias" in name else data["biases"],
        multiplier=data["output_mult"],
        shift=data["output_shift"],
        output=(c["OUTPUT_H"], c["OUTPUT_W"]),
        stride=(c["STRIDE_Y"], c["STRIDE_X"]),
        pad=(c["PAD_Y"], c["PAD_X"]),
        dilation=(c["DILATION_Y"], c["DILATION_X"]),
        input_offset=c["INPUT_OFFSET"],
        output_offset=c["OUTPUT_OFFSET"],
        clamp=(c["OUT_ACTIVATION_MIN"], c["OUT_ACTIVATION_MAX"]),
        depthwise=True,
    )


@pytest.mark.parametrize("target", TARGETS)
def test_all_fourteen_vectors_of_arm(target: str, tmp_path: Path) -> None:
    calls = []
    for folder, number in VECTORS.items():
        cases = require_shared_cases(folder)
        assert len(cases) == number
        for name, config, data in cases:
            p = vector(name, config, data)
            for function in conv_functions(p):
                calls.append(conv_call(f"{folder}/{name}", p, function, target, data["output_ref"]))
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


def random_depthwise(rng: np.random.Generator, kind: str) -> Conv:
    """kind: any, 3x3 or multiplied."""
    extent = rng.integers(1, 9, 2)
    kernel, stride, dilation = rng.integers(1, 5, 2), rng.integers(1, 4, 2), np.array([1, 1])
    channels, times, n = int(rng.integers(1, 24)), 1, 1
    if kind == "3x3":
        kernel, stride = np.array([3, 3]), rng.integers(1, 3, 2)
        channels = int(rng.choice([1, 4, 7, 16, 18]))
    elif kind == "multiplied":
        channels, times = int(rng.integers(1, 5)), int(rng.integers(1, 9))
    if kind != "3x3" and rng.random() < 0.5:
        dilation, n = rng.integers(1, 4, 2), int(rng.integers(1, 3))
    pad = np.array([int(rng.integers(0, min(k, 2) if kind == "3x3" else k)) for k in kernel])
    output = np.maximum((extent + 2 * pad - (kernel - 1) * dilation - 1) // stride + 1, 1)
    x = random_int8(rng, (n, *extent, channels), rng.random() < 0.1)
    w = random_int8(rng, (*kernel, channels * times), rng.random() < 0.1)
    pairs = [tuple(int(v) for v in a) for a in (output, stride, pad, dilation)]
    quant = random_quantization(rng, channels * times, int(kernel.prod()))
    return Conv(
        x, w, output=pairs[0], stride=pairs[1], pad=pairs[2], dilation=pairs[3], depthwise=True, **quant
    )


@pytest.mark.parametrize("kind", ["any", "3x3", "multiplied"])
@pytest.mark.parametrize("target", TARGETS)
def test_random_shapes(target: str, kind: str, tmp_path: Path) -> None:
    rng = np.random.default_rng([21, *kind.encode()])
    calls = []
    for i in range(40):
        p = random_depthwise(rng, kind)
        calls += [conv_call(f"{kind}_{i}", p, function, target) for function in conv_functions(p)]
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))
