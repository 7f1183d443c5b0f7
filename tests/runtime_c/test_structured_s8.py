# SPDX-License-Identifier: Apache-2.0
"""Sparse and clustered int8 layers against a NumPy statement of the specification."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from int8_calls import Conv, expected_conv, fast, random_int8, random_quantization, with_buffers
from kernel_batch import Call, c_array, run_calls

from tinyc.kernels.overlap import below
from tinyc.kernels.structured_weights import pack_clustered, pack_sparse

TARGETS = ["host", "cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m33", "cortex-m55", "riscv32imac"]
FUNCTIONS = [f"{kind}_{name}" for kind in ("sparse", "clustered") for name in ("row_s8", "rows_s8")]
FUNCTIONS += ["convolve_sparse_s8", "convolve_clustered_s8"]
HEADERS = ["tinyc_structured_s8.h"]
KINDS = ("sparse", "clustered")


def layer(p: Conv, kind: str) -> tuple[str, np.ndarray]:
    """The C value of tinyc_structured_s8, and the buffer @1 that it reads."""
    filters = p.w.reshape(p.channels, -1)
    bias = p.input_offset * filters.astype(np.int64).sum(1) + (0 if p.bias is None else p.bias)
    packed = pack_sparse(filters) if kind == "sparse" else pack_clustered(filters)
    assert packed is not None
    values, step = "NULL", 0
    if packed.values is not None:
        values, step = c_array("int8_t", packed.values.reshape(-1)), 16 * (len(packed.values) > 1)
    arrays = (c_array("int32_t", bias), c_array("int32_t", p.multiplier), c_array("int8_t", p.shift))
    numbers = (int(len(p.multiplier) > 1), step, filters.shape[1], p.channels, p.output_offset, *p.clamp)
    code = f"{{@1, {values}, {', '.join(arrays)}, {', '.join(map(str, numbers))}}}"
    return code, packed.filter.reshape(-1)


def rows_call(name: str, p: Conv, kind: str) -> Call:
    """A 1x1 window: each pixel is a row."""
    code, packed = layer(p, kind)
    expected = expected_conv(p).reshape(-1)
    count = p.x.shape[1]
    function = f"tinyc_{kind}_row_s8(&layer, @0, @2);" if count == 1 else (
        f"tinyc_{kind}_rows_s8(&layer, @0, {count}, @2);")
    buffers = (p.x.reshape(-1), packed, np.full(expected.size, 0x55, np.int8))
    code = with_buffers(f"const tinyc_structured_s8 layer = {code};\n{function}")
    return Call(name, code, buffers, 2, expected, macs=p.macs)


def conv_call(name: str, p: Conv, kind: str, above: int | None = None) -> Call:
    """above: the input lies this many bytes above the output, in one buffer."""
    (_, h, w, c), (kh, kw), (oh, ow) = p.x.shape, p.kernel, p.output
    code, packed = layer(p, kind)
    geometry = (h, w, c, oh, ow, kh, kw, *p.stride, *p.pad, *p.dilation, -p.input_offset)
    source, result = ("@0", "@2") if above is None else (f"@0 + {above}", "@0")
    code = f"const tinyc_structured_conv_s8 conv = {{{code}, {', '.join(map(str, geometry))}}};\n"
    code += f"tinyc_convolve_{kind}_s8(&conv, {source}, @3, {result});"
    expected = expected_conv(p).reshape(-1)
    x = p.x.reshape(-1)
    if above is not None:
        behind = max(expected.size - above - x.size, 0)
        x = np.concatenate([np.full(above, 77, np.int8), x, np.full(behind, 77, np.int8)])
        expected = np.concatenate([expected, x[expected.size :]])
    scratch = np.full(4 * kh * kw * c, 99, np.int8)
    buffers = (x, packed, np.full(p.channels * oh * ow, 0x55, np.int8), scratch)
    return Call(name, with_buffers(code), buffers, 2 if above is None else 0, expected, macs=p.macs)


def weights(rng: np.random.Generator, shape: tuple[int, ...], kind: str) -> np.ndarray:
    """Of 0 to 100 % zeros, at times all extremes; clustered: with values for each channel or for all."""
    filters = random_int8(rng, shape, rng.random() < 0.2)
    if kind == "sparse":
        kept = rng.random() ** 2 if rng.random() < 0.9 else 0.0
        mask = rng.random(shape) < kept
        mask[..., 0] &= rng.random(shape[:-1]) < 0.9  # no segment of 256 without a zero
        return np.where(mask, filters, 0).astype(np.int8)
    tables = random_int8(rng, (shape[0], int(rng.integers(1, 17))), rng.random() < 0.2)
    if rng.random() < 0.4:
        tables[:] = tables[0]
    chosen = rng.integers(0, tables.shape[1], (shape[0], int(np.prod(shape[1:]))))
    return np.take_along_axis(tables, chosen, 1).reshape(shape)


def random_rows(rng: np.random.Generator, kind: str) -> Conv:
    count = int(rng.choice([1, 1, 2, 4, 5, 9]))
    depth, channels = int(rng.choice([1, 2, 7, 16, 33, 256, 257, 600])), int(rng.integers(1, 12))
    x = random_int8(rng, (1, count, 1, depth), rng.random() < 0.2)
    return Conv(x, weights(rng, (channels, 1, 1, depth), kind), output=(count, 1),
                **random_quantization(rng, channels, depth))


def random_conv(rng: np.random.Generator, kind: str) -> Conv:
    extent, kernel = rng.integers(1, 8, 2), rng.integers(1, 4, 2)
    stride, dilation = rng.integers(1, 4, 2), rng.integers(1, 3, 2)
    pad = np.array([int(rng.integers(0, k)) for k in kernel])
    output = np.maximum((extent + 2 * pad - (kernel - 1) * dilation - 1) // stride + 1, 1)
    c, channels = int(rng.choice([1, 3, 8, 21, 64])), int(rng.choice([1, 2, 3, 7, 16]))
    x = random_int8(rng, (1, *extent, c), rng.random() < 0.1)
    w = weights(rng, (channels, *kernel, c), kind)
    pairs = [tuple(int(v) for v in a) for a in (output, stride, pad, dilation)]
    return Conv(x, w, output=pairs[0], stride=pairs[1], pad=pairs[2], dilation=pairs[3],
                **random_quantization(rng, channels, w[0].size))


@pytest.mark.parametrize("target", TARGETS)
def test_random_layers(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(71)
    calls = []
    for kind in KINDS:
        calls += [rows_call(f"{kind}_rows_{i}", random_rows(rng, kind), kind) for i in range(40)]
        calls += [conv_call(f"{kind}_conv_{i}", random_conv(rng, kind), kind) for i in range(40)]
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


@pytest.mark.parametrize("target", ["host", "cortex-m4"])
def test_results_over_the_input(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(72)
    calls = []
    for i in range(60):
        p = random_conv(rng, KINDS[i % 2])
        delta = below(p.x.shape, (1, *p.output, p.channels), p.stride, p.pad, consumed=True)
        if delta <= 0:
            calls.append(conv_call(f"conv_{i}", p, KINDS[i % 2], above=-delta))
    assert len(calls) > 30
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


@pytest.mark.parametrize("target", ["host", "cortex-m4", "cortex-m55"])
@pytest.mark.parametrize("flags", ["-O0", "-Os", "-O3 -flto", "-O3 -fno-omit-frame-pointer"])
def test_results_do_not_depend_on_the_optimization(flags: str, target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(73)
    calls = [rows_call(f"rows_{i}", random_rows(rng, KINDS[i % 2]), KINDS[i % 2]) for i in range(12)]
    calls += [conv_call(f"conv_{i}", random_conv(rng, KINDS[i % 2]), KINDS[i % 2]) for i in range(12)]
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=flags.split())
