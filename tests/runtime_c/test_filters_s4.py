# SPDX-License-Identifier: Apache-2.0
"""Layers with filters of 4 bits: by NumPy as those of 8 bits with the same weights, and by Arm's vectors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from int8_calls import Conv, expected_conv, fast, random_int8, random_quantization, with_buffers
from kernel_batch import Call, c_array, require_shared_cases, run_calls

from tinyc.kernels.conv_s4 import pack_s4

TARGETS = ["host", "cortex-m0plus", "cortex-m4", "cortex-m55"]
FUNCTIONS = [
    "arm_convolve_wrapper_s4", "arm_convolve_s4", "arm_convolve_s4_get_buffer_size", "arm_convolve_1x1_s4_fast",
    "arm_convolve_1x1_s4", "arm_depthwise_conv_wrapper_s4", "arm_depthwise_conv_s4", "arm_depthwise_conv_s4_opt",
    "arm_depthwise_conv_s4_opt_get_buffer_size", "arm_fully_connected_s4",
]
HEADERS = ["tinyc_cmsis_map.h"]
# Files whose arrays belong together: most of the others mix inputs and results of one generation of Arm's test data
# with constants and shifts of the next, and those of arm_fully_connected_s4 have no weights.
VECTORS = {"arm_convolve_s4": ["basic_int4"], "arm_convolve_1x1_s4_fast": ["kernel1x1_int4"],
           "arm_depthwise_conv_s4": [f"depthwise_int4_generic{k}" for k in ("", "_2", "_3", "_4", "_5", "_6")],
           "arm_depthwise_conv_s4_opt": [f"depthwise_int4_{k}" for k in (1, 2, 3, 4)]}
SHIFTS = {"kernel1x1_int4": [-9, -8, -7, -8, -7, -7, -7]}  # of the results' generation


def dims(values) -> str:
    return f"&(const cmsis_nn_dims){{{', '.join(str(int(v)) for v in values)}}}"


def call(name: str, p: Conv, function: str, packed: np.ndarray | None = None, expected=None) -> Call:
    """With exactly the scratch that the function's get_buffer_size reports."""
    n, h, w, c = p.x.shape
    channels, (kh, kw), (oh, ow) = p.channels, p.kernel, p.output
    tiles = "".join(f"{{{t[1]}, {t[0]}}}, " for t in (p.stride, p.pad, p.dilation))
    fields = f"{p.input_offset}, {p.output_offset}, {f'{channels // c}, ' if p.depthwise else ''}{tiles}"
    kind = "cmsis_nn_dw_conv_params" if p.depthwise else "cmsis_nn_conv_params"
    filters = dims((1, kh, kw, channels) if p.depthwise else (channels, kh, kw, c))
    size = "arm_depthwise_conv_s4_opt_get_buffer_size" if p.depthwise else "arm_convolve_s4_get_buffer_size"
    pointers = ", ".join(f"(int32_t *)(uintptr_t){c_array('int32_t', v)}" for v in (p.multiplier, p.shift))
    bias = "NULL" if p.bias is None else c_array("int32_t", p.bias)
    code = f"""
        const {kind} params = {{{fields}{{{p.clamp[0]}, {p.clamp[1]}}}}};
        const cmsis_nn_per_channel_quant_params quant = {{{pointers}}};
        const cmsis_nn_context context = {{@3, {size}({dims(p.x.shape)}, {filters})}};
        status = context.size <= {4 * kh * kw * max(c, channels)} ? 0 : 99;
        if (status == 0) status = arm_{function}(&context, &params, &quant, {dims(p.x.shape)}, @0, {filters}, @1,
            {dims((1, 1, 1, channels))}, {bias}, {dims((n, oh, ow, channels))}, @2);
    """
    want = expected_conv(p) if expected is None else expected
    buffers = (p.x.reshape(-1), pack_s4(p.w) if packed is None else packed, np.full(want.size, 0x55, np.int8),
               np.zeros(kh * kw * max(c, channels), np.int32))
    return Call(f"{function} {name}", with_buffers(code), buffers, 2, want)


def functions_for(p: Conv) -> list[str]:
    if p.depthwise:
        opt = p.channels == p.x.shape[3] and p.x.shape[0] == 1 and p.dilation == (1, 1)
        return ["depthwise_conv_wrapper_s4", "depthwise_conv_s4", *(["depthwise_conv_s4_opt"] if opt else [])]
    found = ["convolve_wrapper_s4", "convolve_s4"]
    if p.kernel == (1, 1) and p.pad == (0, 0):
        found += ["convolve_1x1_s4"] + (["convolve_1x1_s4_fast"] if p.stride == (1, 1) else [])
    return found


def unpacked(packed: np.ndarray, count: int) -> np.ndarray:
    low, high = ((packed.astype(np.int8) << 4) >> 4).astype(np.int8), packed.astype(np.int8) >> 4
    return np.stack([low, high], 1).reshape(-1)[:count]


def vector(folder: str, c: dict[str, int], data: dict[str, np.ndarray]) -> tuple[Conv, np.ndarray]:
    """A case of Arm's and its result, of the first batches where the arrays are longer than the constants say."""
    x = data["input"].reshape(-1, c["INPUT_H"], c["INPUT_W"], c["IN_CH"])
    output = data["output_ref"].reshape(-1, c["OUTPUT_H"], c["OUTPUT_W"], c["OUT_CH"])
    batches = min(len(x), len(output))
    depthwise = "depthwise" in folder
    kernel = (c["FILTER_Y"], c["FILTER_X"])
    shape = (*kernel, c["OUT_CH"]) if depthwise else (c["OUT_CH"], *kernel, c["IN_CH"])
    p = Conv(
        x[:batches], unpacked(data["weights"], int(np.prod(shape))).reshape(shape), data["biases"],
        data["output_mult"], data["output_shift"], output.shape[1:3], (c["STRIDE_Y"], c["STRIDE_X"]),
        (c["PAD_Y"], c["PAD_X"]), (c["DILATION_Y"], c["DILATION_X"]), c["INPUT_OFFSET"], c["OUTPUT_OFFSET"],
        (c["OUT_ACTIVATION_MIN"], c["OUT_ACTIVATION_MAX"]), depthwise=depthwise)
    return p, output[:batches]


@pytest.mark.parametrize("target", TARGETS)
def test_vectors_of_arm(target: str, tmp_path: Path) -> None:
    calls = []
    for folder, names in VECTORS.items():
        cases = {name: case for name, *case in require_shared_cases(folder)}
        for name in names:
            config, data = cases[name]
            p, result = vector(folder, config, data)
            p = replace(p, shift=np.array(SHIFTS.get(name, p.shift)))
            for function in functions_for(p):
                calls.append(call(f"{folder}/{name}", p, function, data["weights"], result))
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


def random_conv(rng: np.random.Generator, kind: str) -> Conv:
    extent, kernel = rng.integers(1, 8, 2), rng.integers(1, 4, 2)
    stride, dilation = rng.integers(1, 3, 2), rng.integers(1, 3, 2)
    pad = np.array([int(rng.integers(0, k)) for k in kernel])
    depth, channels, n = int(rng.integers(1, 20)), int(rng.integers(1, 8)), int(rng.integers(1, 3))
    if kind == "one_by_one":
        kernel, pad, dilation = np.array([1, 1]), np.array([0, 0]), np.array([1, 1])
        depth = int(rng.choice([1, 7, 8, 16, 30, 33, 128]))
    if kind == "depthwise":
        channels = depth * int(rng.choice([1, 1, 2, 3]))
        dilation = dilation if rng.random() < 0.3 else np.array([1, 1])
    before = extent + 2 * pad - (kernel - 1) * dilation - 1
    output = np.maximum(before // stride + 1, 1)
    shape = (*kernel, channels) if kind == "depthwise" else (channels, *kernel, depth)
    w = rng.choice([-8, 7], shape) if rng.random() < 0.1 else rng.integers(-8, 8, shape)
    quant = random_quantization(rng, channels, depth * int(kernel.prod()))
    quant["shift"] = np.minimum(quant["shift"] + 4, 0)
    pairs = [tuple(int(v) for v in a) for a in (output, stride, pad, dilation)]
    return Conv(random_int8(rng, (n, *extent, depth), rng.random() < 0.1), w.astype(np.int8), output=pairs[0],
                stride=pairs[1], pad=pairs[2], dilation=pairs[3], depthwise=kind == "depthwise", **quant)


def random_calls(count: int) -> list[Call]:
    rng = np.random.default_rng(17)
    calls = []
    for i in range(count):
        for kind in ("any", "one_by_one", "depthwise"):
            p = random_conv(rng, kind)
            calls += [call(f"{kind}_{i}", p, function) for function in functions_for(p)]
        calls.append(fully_connected(f"{i}", rng))
    return calls


def fully_connected(name: str, rng: np.random.Generator) -> Call:
    """One multiplier for all channels."""
    batches, depth, channels = (int(v) for v in (rng.integers(1, 4), rng.integers(1, 70), rng.integers(1, 9)))
    p = Conv(random_int8(rng, (batches, 1, 1, depth)), rng.integers(-8, 8, (channels, 1, 1, depth)).astype(np.int8),
             output=(1, 1), **random_quantization(rng, channels, depth))
    p = replace(p, multiplier=np.full(channels, p.multiplier[0]), shift=np.full(channels, min(p.shift[0] + 4, 0)))
    bias = "NULL" if p.bias is None else c_array("int32_t", p.bias)
    code = f"""
        const cmsis_nn_fc_params params = {{{p.input_offset}, 0, {p.output_offset}, {{{p.clamp[0]}, {p.clamp[1]}}}}};
        const cmsis_nn_per_tensor_quant_params quant = {{{p.multiplier[0]}, {p.shift[0]}}};
        const cmsis_nn_context context = {{NULL, 0}};
        status = arm_fully_connected_s4(&context, &params, &quant, {dims((batches, 1, 1, depth))}, @0,
            {dims((depth, 1, 1, channels))}, @1, {dims((1, 1, 1, channels))}, {bias},
            {dims((batches, 1, 1, channels))}, @2);
    """
    want = expected_conv(p)
    buffers = (p.x.reshape(-1), pack_s4(p.w), np.full(want.size, 0x55, np.int8))
    return Call(f"fully_connected_s4 {name}", with_buffers(code), buffers, 2, want)


@pytest.mark.parametrize("target", TARGETS)
def test_random_shapes(target: str, tmp_path: Path) -> None:
    run_calls(random_calls(8), FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


@pytest.mark.parametrize("flags", [("-O0",), ("-Os",), ("-O3", "-flto", "-fno-omit-frame-pointer")], ids=" ".join)
@pytest.mark.parametrize("target", ["host", "cortex-m4"])
def test_exact_however_it_is_compiled(target: str, flags: tuple[str, ...], tmp_path: Path) -> None:
    run_calls(random_calls(3), FUNCTIONS, HEADERS, target, tmp_path, cflags=flags)


def test_without_scratch(tmp_path: Path) -> None:
    p = random_conv(np.random.default_rng(1), "any")
    made = call("no scratch", p, "convolve_s4")
    code = made.code.replace("{{{3}, ", "{{NULL, ")
    assert code != made.code
    untouched = np.full(made.expected.size, 0x55, np.int8)
    run_calls([replace(made, code=code, status=-1, expected=untouched)], FUNCTIONS, HEADERS, "host", tmp_path)
