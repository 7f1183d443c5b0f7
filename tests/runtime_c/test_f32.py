# SPDX-License-Identifier: Apache-2.0
"""Float32 kernels, weights of float32 or of int8, against NumPy in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kernel_batch import Call, run_calls

TARGETS = ["host", "cortex-m0plus", "cortex-m4", "cortex-m55", "riscv32imac"]
HEADERS = ["math.h", "tinyc_f32.h", "tinyc_f32_w8.h"]
TOLERANCE = 4e-6
INF = float("inf")


def number(value: float) -> str:
    return {INF: "INFINITY", -INF: "-INFINITY"}.get(value, f"{float(np.float32(value))!r}f")


def fields(**values) -> str:
    items = (f".{k} = {number(v) if isinstance(v, float) else int(v)}" for k, v in values.items())
    return "{{" + ", ".join(items) + "}}"


def normal(rng, *shape):
    return rng.normal(0, 1, shape).astype(np.float32)


def padded(x, pad, needed, value=0.0):
    """x [n][h][w][c] in float64, padded by (top, left) before and to `needed` rows and columns."""
    after = [max(n - p - s, 0) for n, p, s in zip(needed, pad, x.shape[1:3], strict=True)]
    widths = [(0, 0), (pad[0], after[0]), (pad[1], after[1]), (0, 0)]
    return np.pad(x.astype(np.float64), widths, constant_values=value)


def windows(x, kernel, stride, dilation, out_hw):
    """[n][out_h][out_w][kernel_h][kernel_w][c] of a padded x."""
    rows = np.arange(out_hw[0])[:, None] * stride[0] + np.arange(kernel[0]) * dilation[0]
    cols = np.arange(out_hw[1])[:, None] * stride[1] + np.arange(kernel[1]) * dilation[1]
    return x[:, rows][:, :, :, cols].transpose(0, 1, 3, 2, 4, 5)


def reach(kernel, stride, dilation, out_hw):
    pairs = zip(kernel, stride, dilation, out_hw, strict=True)
    return [(o - 1) * s + (k - 1) * d + 1 for k, s, d, o in pairs]


def geometry(rng, smallest_image=1):
    kernel = [int(v) for v in rng.integers(1, 5, 2)]
    stride = [int(v) for v in rng.integers(1, 4, 2)]
    dilation = [int(v) for v in rng.integers(1, 3, 2)]
    span = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    pad = [int(rng.integers(0, s)) for s in span]
    after = [int(rng.integers(0, s)) for s in span]
    image = [
        max(int(rng.integers(smallest_image, 12)), s - p - a)
        for s, p, a in zip(span, pad, after, strict=True)
    ]
    out = [(i + p + a - s) // t + 1 for i, p, a, s, t in zip(image, pad, after, span, stride, strict=True)]
    return kernel, stride, dilation, pad, after, image, out


def stored_weights(i, rng, *shape):
    """(weights as int8, a scale and a zero point for each slice of axis 0, the real weights, whether zeros count)."""
    stored = rng.integers(-128, 128, shape).astype(np.int8)
    scales = rng.uniform(0.001, 0.02, shape[0]).astype(np.float32)
    zeros = rng.integers(-128, 128, shape[0]).astype(np.int8)
    columns = (-1, *[1] * (len(shape) - 1))
    real = stored.astype(np.float64) - (zeros.reshape(columns) if i % 3 == 0 else 0)
    return stored, scales, zeros, real * scales.reshape(columns), i % 3 == 0


def convolution(i, rng, depthwise, stored=False):
    kernel, stride, dilation, pad, _, image, out = geometry(rng)
    groups = 1 if i % 2 else int(rng.integers(1, 4))
    in_ch, out_ch = groups * int(rng.integers(1, 10)), groups * int(rng.integers(1, 10))
    if depthwise:
        groups = in_ch
        out_ch = in_ch * (1 if i % 2 else int(rng.integers(1, 4)))
    x = normal(rng, int(rng.integers(1, 3)), *image, in_ch)
    shape = (out_ch, *kernel, in_ch // groups)
    packed, scales, zeros, w, asymmetric = stored_weights(i, rng, *shape) if stored else [normal(rng, *shape)] * 5
    bias = normal(rng, out_ch)
    low, high = [(-INF, INF), (0.0, 6.0), (-0.5, INF)][i % 3]
    # [n][oh][ow][kh][kw][group][in] against [group][out][kh][kw][in]
    seen = windows(padded(x, pad, reach(kernel, stride, dilation, out)), kernel, stride, dilation, out)
    seen = seen.reshape(*seen.shape[:5], groups, -1)
    filters = w.astype(np.float64).reshape(groups, -1, *kernel, in_ch // groups)
    y = np.einsum("nyxhwgi,gohwi->nyxgo", seen, filters).reshape(x.shape[0], *out, out_ch)
    expected = np.clip(y + (bias if i % 4 else 0.0), low, high)
    params = fields(
        batch=x.shape[0],
        in_h=image[0],
        in_w=image[1],
        in_ch=in_ch,
        out_h=out[0],
        out_w=out[1],
        out_ch=out_ch,
        kernel_h=kernel[0],
        kernel_w=kernel[1],
        stride_h=stride[0],
        stride_w=stride[1],
        pad_top=pad[0],
        pad_left=pad[1],
        dilation_h=dilation[0],
        dilation_w=dilation[1],
        groups=groups,
        min=low,
        max=high,
    )
    function = "tinyc_depthwise_conv2d_f32" if depthwise else "tinyc_conv2d_f32"
    packed = np.ascontiguousarray(packed.transpose(1, 2, 0, 3)[..., 0] if depthwise else packed)
    if stored:
        at_once = int(rng.integers(1, out_ch // groups + 4))
        scratch = np.zeros(packed.size if depthwise else at_once * w[0].size, np.float32)
        code = f"""
            static const tinyc_conv2d_f32_params params = {params};
            {function}_w8(&params, {{0}}, {{1}}, {{2}}, {"{3}" if asymmetric else "0"}, {"{4}" if i % 4 else "0"},
                {{5}}, {{6}}{"" if depthwise else f", {at_once}"});
        """
        buffers = (x, packed, scales, zeros, bias, np.zeros(expected.shape, np.float32), scratch)
        return Call(f"{function}_w8 {i}: {params}", code, buffers, 5, expected, TOLERANCE)
    code = f"""
        static const tinyc_conv2d_f32_params params = {params};
        {function}(&params, {{0}}, {{1}}, {"{2}" if i % 4 else "0"}, {{3}});
    """
    buffers = (x, packed, bias, np.zeros(expected.shape, np.float32))
    return Call(f"{function} {i}: {params}", code, buffers, 3, expected, TOLERANCE)


def pooling(i, rng, kind):
    kernel, stride, dilation, pad, after, image, out = geometry(rng)
    out = [o + int(rng.integers(0, 2)) for o in out]  # as ceil mode may have it
    channels, batch = int(rng.integers(1, 10)), int(rng.integers(1, 3))
    x = normal(rng, batch, *image, channels)
    low, high = [(-INF, INF), (-0.25, 0.5)][i % 2]
    needed = reach(kernel, stride, dilation, out)
    include = i % 3 == 0
    if kind == "max":
        y = windows(padded(x, pad, needed, -INF), kernel, stride, dilation, out).max((3, 4))
    else:
        counted = np.ones_like(x)
        if include:
            counted = np.ones((batch, image[0] + pad[0] + after[0], image[1] + pad[1] + after[1], channels))
        total = windows(padded(x, pad, needed), kernel, stride, dilation, out).sum((3, 4))
        count = windows(
            padded(counted, (0, 0) if include else pad, needed), kernel, stride, dilation, out
        ).sum((3, 4))
        y = np.where(count > 0, total / np.maximum(count, 1), 0.0)
    params = fields(
        batch=batch,
        in_h=image[0],
        in_w=image[1],
        channels=channels,
        out_h=out[0],
        out_w=out[1],
        kernel_h=kernel[0],
        kernel_w=kernel[1],
        stride_h=stride[0],
        stride_w=stride[1],
        pad_top=pad[0],
        pad_left=pad[1],
        pad_bottom=after[0],
        pad_right=after[1],
        dilation_h=dilation[0],
        dilation_w=dilation[1],
        count_include_pad=include,
        min=low,
        max=high,
    )
    function = f"tinyc_{kind}pool2d_f32"
    code = f"""
        static const tinyc_pool2d_f32_params params = {params};
        {function}(&params, {{0}}, {{1}});
    """
    expected = np.clip(y, low, high)
    return Call(f"{function} {i}: {params}", code, (x, np.zeros(y.shape, np.float32)), 1, expected, TOLERANCE)


def mean_of_pixels(i, rng):
    pixels, channels = int(rng.integers(1, 40)), int(rng.integers(1, 10))
    low, high = [(-INF, INF), (0.0, 0.1)][i % 2]
    x = normal(rng, pixels, channels)
    place = i // 2 % 2  # the result may lie on the first pixel
    code = f"tinyc_mean_pixels_f32({{0}}, {{{place}}}, {pixels}, {channels}, {number(low)}, {number(high)});"
    expected = np.clip(x.astype(np.float64).mean(0), low, high)
    if place == 0:
        expected = np.vstack([expected[None], x[1:]])
    buffers = (x, np.zeros(channels, np.float32))
    return Call(f"mean_pixels {pixels} {channels}", code, buffers, place, expected, TOLERANCE)


def matrix_products(rng):
    for i in range(30):
        m, k, n = (int(v) for v in rng.integers(1, 20, 3))
        a, b, bias = normal(rng, m, k), normal(rng, k, n), normal(rng, n)
        product = a.astype(np.float64) @ b.astype(np.float64)
        out = np.zeros((m, n), np.float32)
        code = f"tinyc_matmul_f32({{0}}, {{1}}, {{2}}, {m}, {k}, {n});"
        yield Call(f"matmul {m} {k} {n}", code, (a, b, out), 2, product, TOLERANCE)
        low, high = [(-INF, INF), (0.0, INF), (-1.0, 1.0)][i % 3]
        code = f"""tinyc_fully_connected_f32({{0}}, {{1}}, {"{2}" if i % 2 else "0"}, {{3}}, {m}, {k}, {n},
            {number(low)}, {number(high)});"""
        weights = np.ascontiguousarray(b.T)
        expected = np.clip(product + (bias if i % 2 else 0.0), low, high)
        yield Call(f"fully_connected {m} {k} {n}", code, (a, weights, bias, out), 3, expected, TOLERANCE)
        stored, scales, zeros, real, asymmetric = stored_weights(i, rng, n, k)
        expected = np.clip(a.astype(np.float64) @ real.T + (bias if i % 2 else 0.0), low, high)
        code = f"""tinyc_fully_connected_f32_w8({{0}}, {{1}}, {{2}}, {"{3}" if asymmetric else "0"},
            {"{4}" if i % 2 else "0"}, {{5}}, {m}, {k}, {n}, {number(low)}, {number(high)});"""
        yield Call(f"fully_connected_w8 {m} {k} {n}", code, (a, stored, scales, zeros, bias, out), 5, expected,
                   TOLERANCE)


def softmaxes(rng):
    for i in range(24):
        outer, axis, inner = (int(v) for v in rng.integers(1, 9, 3))
        x = (normal(rng, outer, axis, inner) * [1, 30, 1000][i % 3]).astype(np.float32)
        if i % 5 == 0:
            x[:, 0] = -np.inf if axis > 1 else 0
        e = np.exp(x.astype(np.float64) - x.max(1, keepdims=True))
        code = f"tinyc_softmax_f32({{0}}, {{{i % 2}}}, {outer}, {axis}, {inner});"
        buffers = (x, np.zeros(x.shape, np.float32))
        yield Call(
            f"softmax {outer} {axis} {inner}", code, buffers, i % 2, e / e.sum(1, keepdims=True), TOLERANCE
        )


def special_values():
    """Infinities and NaN go where IEEE arithmetic sends them; large values do not overflow a maximum."""
    x = np.array([np.nan, 3.0, -np.inf, 3.4e38, -3.4e38, np.inf, 1e-42, -0.0], np.float32).reshape(1, 2, 2, 2)
    params = fields(
        batch=1,
        in_h=2,
        in_w=2,
        channels=2,
        out_h=1,
        out_w=1,
        kernel_h=2,
        kernel_w=2,
        stride_h=1,
        stride_w=1,
        dilation_h=1,
        dilation_w=1,
        min=-INF,
        max=INF,
    )
    code = (
        f"static const tinyc_pool2d_f32_params params = {params}; tinyc_maxpool2d_f32(&params, {{0}}, {{1}});"
    )
    yield Call(
        "maxpool special", code, (x, np.zeros(2, np.float32)), 1, np.array([1e-42, np.inf], np.float32)
    )


def calls():
    rng = np.random.default_rng(21)
    return [
        *(convolution(i, rng, False) for i in range(48)),
        *(convolution(i, rng, True) for i in range(36)),
        *(convolution(i, rng, False, stored=True) for i in range(36)),
        *(convolution(i, rng, True, stored=True) for i in range(24)),
        *(pooling(i, rng, "avg") for i in range(36)),
        *(pooling(i, rng, "max") for i in range(24)),
        *(mean_of_pixels(i, rng) for i in range(6)),
        *matrix_products(rng),
        *softmaxes(rng),
        *special_values(),
    ]


FUNCTIONS = [
    "conv2d_f32", "depthwise_conv2d_f32", "avgpool2d_f32", "maxpool2d_f32", "mean_pixels_f32",
    "matmul_f32", "fully_connected_f32",
    "softmax_f32", "conv2d_f32_w8", "depthwise_conv2d_f32_w8", "fully_connected_f32_w8",
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
def test_kernels_agree_with_float64(target: str, tmp_path: Path) -> None:
    run_calls(calls(), FUNCTIONS, HEADERS, target, tmp_path)


@pytest.mark.parametrize("optimize", ["-O0", "-Og", "-Os", "-flto"])
def test_at_other_optimization_levels(optimize: str, tmp_path: Path) -> None:
    run_calls(calls(), FUNCTIONS, HEADERS, "cortex-m4", tmp_path, cflags=[optimize])
