# SPDX-License-Identifier: Apache-2.0
"""int16 activations: convolutions, dense layers, pooling, Add and Mul by NumPy and by Arm's vectors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixed_point import quantize_multiplier, requantize, rounding_mean
from int8_calls import fast, with_buffers
from kernel_batch import Call, c_array, require_shared_cases, run_calls

TARGETS = ["host", "cortex-m0plus", "cortex-m4", "cortex-m55"]
FUNCTIONS = [f"arm_{name}_s16" for name in (
    "convolve_wrapper", "convolve", "depthwise_conv_wrapper", "depthwise_conv_fast", "depthwise_conv",
    "fully_connected", "avgpool", "max_pool", "elementwise_add", "elementwise_mul")]
FUNCTIONS.append("arm_convolve_s16_get_buffer_size")
HEADERS = ["tinyc_cmsis_map.h"]
LIMITS = (-32768, 32767)


@dataclass(frozen=True)
class Conv:
    """NHWC input, filters [out][h][w][in], or depthwise [h][w][out]; a bias of 32 bits means sums of 32 bits."""

    x: np.ndarray
    w: np.ndarray
    bias: np.ndarray | None
    multiplier: np.ndarray
    shift: np.ndarray
    output: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    pad: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    clamp: tuple[int, int] = LIMITS
    narrow: bool = False
    depthwise: bool = False

    @property
    def channels(self) -> int:
        return self.w.shape[2] if self.depthwise else self.w.shape[0]

    @property
    def kernel(self) -> tuple[int, int]:
        return self.w.shape[:2] if self.depthwise else self.w.shape[1:3]


def finish(acc: np.ndarray, p: Conv) -> np.ndarray:
    out = np.empty(acc.shape, np.int64)
    for c in range(acc.shape[-1]):
        multiplier, shift = int(p.multiplier[c]), int(p.shift[c])
        if p.narrow:
            out[..., c] = requantize(acc[..., c], multiplier, shift)
        else:
            reduced = min((multiplier + 2**15) >> 16, 0x7FFF)
            out[..., c] = (acc[..., c] * reduced + (1 << (14 - shift))) >> (15 - shift)
    return np.clip(out, *p.clamp).astype(np.int16)


def expected(p: Conv) -> np.ndarray:
    """Tap by tap over a padded copy of the input."""
    n, h, w, c = p.x.shape
    (kh, kw), (oh, ow), (sh, sw), (dh, dw) = p.kernel, p.output, p.stride, p.dilation
    high, wide = (oh - 1) * sh + (kh - 1) * dh + 1, (ow - 1) * sw + (kw - 1) * dw + 1
    x = np.zeros((n, max(h + p.pad[0], high), max(w + p.pad[1], wide), c), np.int64)
    x[:, p.pad[0]:p.pad[0] + h, p.pad[1]:p.pad[1] + w] = p.x
    acc = np.zeros((n, oh, ow, p.channels), np.int64) + (0 if p.bias is None else p.bias)
    for ky in range(kh):
        for kx in range(kw):
            tap = x[:, ky * dh:ky * dh + (oh - 1) * sh + 1:sh, kx * dw:kx * dw + (ow - 1) * sw + 1:sw]
            if p.depthwise:
                acc += np.repeat(tap, p.channels // c, axis=3) * p.w[ky, kx].astype(np.int64)
            else:
                acc += tap @ p.w[:, ky, kx].astype(np.int64).T
    return finish(acc, p)


def dims(*values: int) -> str:
    return f"&(const cmsis_nn_dims){{{', '.join(str(int(v)) for v in values)}}}"


def call(name: str, p: Conv, function: str, want: np.ndarray | None = None) -> Call:
    """Convolutions have exactly the scratch that their get_buffer_size reports; the others have none."""
    (n, _, _, c), (kh, kw) = p.x.shape, p.kernel
    tiles = "".join(f"{{{t[1]}, {t[0]}}}, " for t in (p.stride, p.pad, p.dilation))
    clamp = f"{{{p.clamp[0]}, {p.clamp[1]}}}"
    factors = ", ".join(f"(int32_t *)(uintptr_t){c_array('int32_t', v)}" for v in (p.multiplier, p.shift))
    kind = "int32_t" if p.narrow else "int64_t"
    bias = "NULL" if p.bias is None else c_array(kind, p.bias)
    if p.depthwise:
        params = f"cmsis_nn_dw_conv_params params = {{0, 0, {p.channels // c}, {tiles}{clamp}}}"
        filters, scratch = dims(1, kh, kw, p.channels), "{NULL, 0}"
    else:
        params = f"cmsis_nn_conv_params params = {{0, 0, {tiles}{clamp}}}"
        filters = dims(p.channels, kh, kw, c)
        scratch = f"{{@3, arm_convolve_s16_get_buffer_size({dims(*p.x.shape)}, {filters})}}"
        bias = f"&(const cmsis_nn_bias_data){{{bias}, {'true' if p.narrow else 'false'}}}"
    code = f"""
        const {params};
        const cmsis_nn_per_channel_quant_params quant = {{{factors}}};
        const cmsis_nn_context context = {scratch};
        status = context.size <= {4 * kh * kw * c} ? 0 : 99;
        if (status == 0) status = arm_{function}_s16(&context, &params, &quant, {dims(*p.x.shape)}, @0, {filters}, @1,
            {dims(1, 1, 1, p.channels)}, {bias}, {dims(n, *p.output, p.channels)}, @2);
    """
    result = expected(p) if want is None else want
    buffers = (p.x.reshape(-1), p.w.reshape(-1), np.full(result.size, 0x55, np.int16), np.zeros(kh * kw * c, np.int32))
    return Call(f"{function} {name}", with_buffers(code), buffers, 2, result)


def functions_for(p: Conv) -> list[str]:
    if not p.depthwise:
        return ["convolve_wrapper", "convolve"]
    quick = p.channels == p.x.shape[3] and p.dilation == (1, 1)
    return ["depthwise_conv_wrapper", "depthwise_conv", *(["depthwise_conv_fast"] if quick else [])]


def vector(folder: str, name: str, c: dict[str, int], a: dict[str, np.ndarray]) -> tuple[Conv, np.ndarray]:
    depthwise, kernel = "depthwise" in folder, (c["FILTER_Y"], c["FILTER_X"])
    x = a["input"].reshape(-1, c["INPUT_H"], c["INPUT_W"], c["IN_CH"])[:c["INPUT_BATCHES"]]
    output = a["output_ref"] if depthwise else a["output"]
    shape = (*kernel, c["OUT_CH"]) if depthwise else (c["OUT_CH"], *kernel, c["IN_CH"])
    bias = a.get("biases", a.get("bias"))
    p = Conv(x, a["weights"].reshape(shape), None if "null_bias" in name else bias,
             a["output_mult" if depthwise else "output_multiplier"], a["output_shift"], (c["OUTPUT_H"], c["OUTPUT_W"]),
             (c["STRIDE_Y"], c["STRIDE_X"]), (c["PAD_Y"], c["PAD_X"]), (c["DILATION_Y"], c["DILATION_X"]),
             (c["OUT_ACTIVATION_MIN"], c["OUT_ACTIVATION_MAX"]), "xint32" in name, depthwise)
    return p, output


def dense_call(name: str, p: Conv, want: np.ndarray | None = None) -> Call:
    """arm_fully_connected_s16: as a 1x1 convolution with one multiplier."""
    batches, depth = p.x.shape[0], p.x.shape[3]
    bias = "NULL" if p.bias is None else c_array("int64_t", p.bias)
    code = f"""
        const cmsis_nn_fc_params params = {{0, 0, 0, {{{p.clamp[0]}, {p.clamp[1]}}}}};
        const cmsis_nn_per_tensor_quant_params quant = {{{p.multiplier[0]}, {p.shift[0]}}};
        const cmsis_nn_context context = {{NULL, 0}};
        status = arm_fully_connected_s16(&context, &params, &quant, {dims(batches, 1, 1, depth)}, @0,
            {dims(depth, 1, 1, p.channels)}, @1, {dims(1, 1, 1, p.channels)}, {bias},
            {dims(batches, 1, 1, p.channels)}, @2);
    """
    result = expected(p) if want is None else want
    buffers = (p.x.reshape(-1), p.w.reshape(-1), np.full(result.size, 0x55, np.int16))
    return Call(f"fully_connected {name}", with_buffers(code), buffers, 2, result)


def elementwise_call(name: str, c: dict[str, int], a: dict[str, Any], want: np.ndarray) -> Call:
    limits = f"{c['OUT_ACTIVATION_MIN']}, {c['OUT_ACTIVATION_MAX']}, {c['DST_SIZE']}"
    out = f"@2, 0, {c['OUTPUT_MULT']}, {c['OUTPUT_SHIFT']}, {limits}"
    if "LEFT_SHIFT" in c:
        sides = ", ".join(f"0, {c[f'INPUT{k}_MULT']}, {c[f'INPUT{k}_SHIFT']}" for k in (1, 2))
        code = f"status = arm_elementwise_add_s16(@0, @1, {sides}, {c['LEFT_SHIFT']}, {out});"
    else:
        code = f"status = arm_elementwise_mul_s16(@0, @1, 0, 0, {out});"
    return Call(name, with_buffers(code), (a["input1"], a["input2"], np.zeros(want.size, np.int16)), 2, want)


def pool_call(name: str, x: np.ndarray, kind: str, kernel, stride, pad, out, clamp, want: np.ndarray) -> Call:
    n, channels = len(x), x.shape[3]
    code = f"""
        const cmsis_nn_pool_params params = {{{{{stride[1]}, {stride[0]}}}, {{{pad[1]}, {pad[0]}}},
            {{{clamp[0]}, {clamp[1]}}}}};
        const cmsis_nn_context context = {{NULL, 0}};
        status = arm_{kind}_s16(&context, &params, {dims(*x.shape)}, @0, {dims(1, *kernel, 1)},
            {dims(n, *out, channels)}, @1);
    """
    return Call(f"{kind} {name}", with_buffers(code), (x.reshape(-1), np.zeros(want.size, np.int16)), 1, want)


def pooled(x: np.ndarray, kind: str, kernel, stride, pad, out, clamp) -> np.ndarray:
    result = np.zeros((len(x), *out, x.shape[3]), np.int64)
    for y in range(out[0]):
        for z in range(out[1]):
            top, left = y * stride[0] - pad[0], z * stride[1] - pad[1]
            part = x[:, max(top, 0):top + kernel[0], max(left, 0):left + kernel[1]].astype(np.int64)
            part = part.reshape(len(x), -1, x.shape[3])
            result[:, y, z] = part.max(1) if kind == "max_pool" else rounding_mean(part.sum(1), part.shape[1])
    return np.clip(result, *clamp).astype(np.int16)


@pytest.mark.parametrize("target", TARGETS)
def test_all_vectors_of_arm(target: str, tmp_path: Path) -> None:
    calls = []
    for folder in ("arm_convolve_s16", "arm_depthwise_conv_s16", "arm_depthwise_conv_fast_s16"):
        for name, config, data in require_shared_cases(folder):
            p, want = vector(folder, name, config, data)
            calls += [call(name, p, function, want) for function in functions_for(p)]
    for name, c, data in require_shared_cases("arm_fully_connected_s16"):
        x = data["input"].reshape(c["INPUT_BATCHES"], 1, 1, -1)
        factors = [np.full(c["OUT_CH"], c[key]) for key in ("OUTPUT_MULTIPLIER", "OUTPUT_SHIFT")]
        p = Conv(x, data["weights"].reshape(c["OUT_CH"], 1, 1, -1), data["biases"], *factors, (1, 1),
                 clamp=(c["OUT_ACTIVATION_MIN"], c["OUT_ACTIVATION_MAX"]))
        calls.append(dense_call(name, p, data["output_ref"]))
    for folder in ("arm_elementwise_add_s16", "arm_elementwise_mul_s16"):
        calls += [elementwise_call(name, c, data, data["output_ref"]) for name, c, data in require_shared_cases(folder)]
    for folder, kind in (("arm_avgpool_s16", "avgpool"), ("arm_max_pool_s16", "max_pool")):
        for name, c, data in require_shared_cases(folder):
            x = data["input_tensor"].reshape(-1, c["INPUT_H"], c["INPUT_W"], c["INPUT_C"])
            pairs = [(c[f"{what}_H"], c[f"{what}_W"]) for what in ("FILTER", "STRIDE", "PADDING", "OUTPUT")]
            clamp = (c["ACTIVATION_MIN"], c["ACTIVATION_MAX"])
            calls.append(pool_call(name, x, kind, *pairs, clamp, data["output"]))
    assert len(calls) == 2 * 13 + 3 * 9 + 2 * 3 + 3 + 4 + 7
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


def random_conv(rng: np.random.Generator, kind: str) -> Conv:
    extent, kernel = rng.integers(1, 7, 2), rng.integers(1, 4, 2)
    stride, dilation = rng.integers(1, 3, 2), rng.integers(1, 3, 2)
    pad = np.array([int(rng.integers(0, k)) for k in kernel])
    depth, channels, n = int(rng.integers(1, 12)), int(rng.integers(1, 6)), int(rng.integers(1, 3))
    if kind == "deep":
        extent, kernel, pad, dilation = np.array([2, 2]), np.array([1, 1]), np.array([0, 0]), np.array([1, 1])
        depth = int(rng.choice([255, 256, 257, 700]))
    if kind == "depthwise":
        channels = depth * int(rng.choice([1, 1, 2]))
        dilation = dilation if rng.random() < 0.3 else np.array([1, 1])
    output = np.maximum((extent + 2 * pad - (kernel - 1) * dilation - 1) // stride + 1, 1)
    shape = (*kernel, channels) if kind == "depthwise" else (channels, *kernel, depth)
    extreme = rng.random() < 0.2
    x = rng.choice(LIMITS, (n, *extent, depth)) if extreme else rng.integers(-32768, 32768, (n, *extent, depth))
    w = rng.choice([-128, 127], shape) if extreme else rng.integers(-128, 128, shape)
    factors = [quantize_multiplier(float(np.exp(rng.uniform(-2, 1))) / (300 * depth**0.5)) for _ in range(channels)]
    bias = None if rng.random() < 0.2 else rng.integers(-(2**40), 2**40, channels)
    narrow = kind == "any" and not extreme and rng.random() < 0.3
    if narrow and bias is not None:
        bias = bias >> 16
    pairs = [tuple(int(v) for v in a) for a in (output, stride, pad, dilation)]
    clamp = LIMITS if rng.random() < 0.6 else tuple(sorted(int(v) for v in rng.integers(-32768, 32768, 2)))
    return Conv(x.astype(np.int16), w.astype(np.int8), bias, np.array([m for m, _ in factors]),
                np.array([s for _, s in factors]), *pairs, clamp, narrow, kind == "depthwise")


def random_calls(count: int) -> list[Call]:
    rng = np.random.default_rng(23)
    calls = []
    for i in range(count):
        for kind in ("any", "deep", "depthwise"):
            p = random_conv(rng, kind)
            calls += [call(f"{kind}_{i}", p, function) for function in functions_for(p)[1:]]
        p = random_conv(rng, "deep")
        p = replace(p, x=p.x[:, :1, :1], output=(1, 1), stride=(1, 1), multiplier=np.full(p.channels, p.multiplier[0]),
                    shift=np.full(p.channels, p.shift[0]))
        calls.append(dense_call(f"{i}", p))
        x = rng.integers(-32768, 32768, (2, 5, 6, int(rng.integers(1, 5)))).astype(np.int16)
        for kind in ("avgpool", "max_pool"):
            geometry = ((3, 2), (2, 1), (1, 1), (3, 6), LIMITS)
            calls.append(pool_call(f"{i}", x, kind, *geometry, pooled(x, kind, *geometry)))
    return calls


@pytest.mark.parametrize("target", TARGETS)
def test_random_shapes(target: str, tmp_path: Path) -> None:
    run_calls(random_calls(8), FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


@pytest.mark.parametrize("flags", [("-O0",), ("-O3", "-flto", "-fno-omit-frame-pointer")], ids=" ".join)
@pytest.mark.parametrize("target", ["host", "cortex-m4"])
def test_exact_however_it_is_compiled(target: str, flags: tuple[str, ...], tmp_path: Path) -> None:
    run_calls(random_calls(3), FUNCTIONS, HEADERS, target, tmp_path, cflags=flags)
