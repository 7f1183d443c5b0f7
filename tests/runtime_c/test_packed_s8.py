# SPDX-License-Identifier: Apache-2.0
"""Int8 layers packed for Helium against a NumPy statement of the specification; instructions of the assembly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from int8_calls import Conv, expected_conv, fast, random_int8, random_quantization, with_buffers
from kernel_batch import Call, c_array, run_calls
from test_fully_connected_s8 import FullyConnected, expected_fully_connected

from tinyc.kernels.overlap import above as above_input
from tinyc.kernels.overlap import below
from tinyc.kernels.packed_s8 import ROWS, pack_depthwise, pack_filters, pack_scales, up

TARGETS = ["host", "cortex-m55"]
FUNCTIONS = ["convolve_packed_s8", "depthwise_packed_s8", "fully_connected_packed_s8"]
HEADERS = ["tinyc_packed_s8.h"]


def product(p: Conv, filters: np.ndarray) -> str:
    """The C value of tinyc_packed_product_s8; @1 holds the packed filters."""
    bias = p.input_offset * filters.astype(np.int64).sum(1) + (0 if p.bias is None else p.bias)
    scales = pack_scales(bias, p.multiplier, p.shift).reshape(-1)
    numbers = (up(filters.shape[1], 16), len(filters), p.output_offset, *p.clamp)
    return f"{{@1, {c_array('int32_t', scales)}, {', '.join(map(str, numbers))}}}"


def packed_call(name: str, p: Conv, above: int | None = None) -> Call:
    """above: the input lies this many bytes above the output, in one buffer."""
    (_, h, w, c), (kh, kw), (oh, ow) = p.x.shape, p.kernel, p.output
    filters = p.w.reshape(p.channels, -1)
    geometry = (h, w, c, oh, ow, kh, kw, *p.stride, *p.pad, -p.input_offset)
    source, result = ("@0", "@2") if above is None else (f"@0 + {above}", "@0")
    code = f"const tinyc_packed_conv_s8 conv = {{{product(p, filters)}, {', '.join(map(str, geometry))}}};\n"
    code += f"tinyc_convolve_packed_s8(&conv, {source}, @3, {result});"
    expected = expected_conv(p).reshape(-1)
    x = p.x.reshape(-1)
    if above is not None:
        behind = max(expected.size - above - x.size, 0)
        x = np.concatenate([np.full(above, 77, np.int8), x, np.full(behind, 77, np.int8)])
        expected = np.concatenate([expected, x[expected.size :]])
    scratch = np.full(ROWS * up(filters.shape[1], 16), 99, np.int8)
    buffers = (x, pack_filters(filters).reshape(-1), np.full(p.channels * oh * ow, 0x55, np.int8), scratch)
    return Call(name, with_buffers(code), buffers, 2 if above is None else 0, expected, macs=p.macs)


def depthwise_call(name: str, p: Conv, distance: int | None = None) -> Call:
    """distance: the output's address less the input's, in one buffer."""
    (_, h, w, c), (oh, ow) = p.x.shape, p.output
    filters = p.w.transpose(2, 0, 1)
    bias = p.input_offset * filters.astype(np.int64).sum((1, 2)) + (0 if p.bias is None else p.bias)
    packed = pack_depthwise(filters, bias, p.multiplier, p.shift)
    numbers = (c, p.output_offset, *p.clamp, h, w, oh, ow, *p.stride, *p.pad, -p.input_offset)
    expected = expected_conv(p).reshape(-1)
    x, source, result = p.x.reshape(-1), "@0", "@2"
    if distance is not None:
        start, into = max(-distance, 0), max(distance, 0)
        buffer = np.full(max(start + x.size, into + expected.size), 77, np.int8)
        buffer[start : start + x.size] = x
        source, result, x = f"@0 + {start}", f"@0 + {into}", buffer
        expected = np.concatenate([buffer[:into], expected, buffer[into + expected.size :]])
    code = f"const tinyc_packed_depthwise_s8 layer = {{@1, {', '.join(map(str, numbers))}}};\n"
    code += f"tinyc_depthwise_packed_s8(&layer, {source}, @3, {result});"
    buffers = (x, packed, np.full(c * oh * ow, 0x55, np.int8), np.full(c, 99, np.int8))
    return Call(name, with_buffers(code), buffers, 2 if distance is None else 0, expected, macs=p.macs)


def random_depthwise(rng: np.random.Generator) -> Conv:
    extent, stride = rng.integers(1, 8, 2), rng.integers(1, 4, 2)
    pad = rng.integers(0, 3, 2)
    output = np.maximum((extent + 2 * pad - 3) // stride + 1, 1)
    channels = int(rng.choice([8, 9, 15, 16, 19, 32]))
    x = random_int8(rng, (1, *extent, channels), rng.random() < 0.1)
    w = random_int8(rng, (3, 3, channels), rng.random() < 0.1)
    quant = random_quantization(rng, channels, 9)
    quant["shift"] = np.minimum(quant["shift"], 0)
    if rng.random() < 0.3:  # ReLU
        quant["clamp"] = (quant["output_offset"], 127)
    pairs = [tuple(int(v) for v in a) for a in (output, stride, pad)]
    return Conv(x, w, output=pairs[0], stride=pairs[1], pad=pairs[2], depthwise=True, **quant)


def fully_connected_call(rng: np.random.Generator, name: str, depth: int, channels: int) -> Call:
    x, w = random_int8(rng, (1, depth), rng.random() < 0.2), random_int8(rng, (channels, depth), rng.random() < 0.2)
    p = FullyConnected(x, w, filter_offset=0, **random_quantization(rng, 1, depth))
    more = up(channels, 4) - channels
    bias = np.pad(p.input_offset * w.astype(np.int64).sum(1) + (0 if p.bias is None else p.bias), (0, more))
    numbers = (depth, channels, int(p.multiplier[0]), min(int(p.shift[0]), 0), p.output_offset, *p.clamp)
    code = f"const tinyc_packed_fully_connected_s8 layer = {{@1, @2, {', '.join(map(str, numbers))}}};\n"
    code += "tinyc_fully_connected_packed_s8(&layer, @0, @3);"
    buffers = (x, np.pad(w, ((0, more), (0, 0))), bias.astype(np.int32), np.full(channels, 0x55, np.int8))
    expected = expected_fully_connected(replace(p, shift=np.minimum(p.shift, 0)))
    return Call(name, with_buffers(code), buffers, 3, expected.reshape(-1), macs=w.size)


def random_conv(rng: np.random.Generator) -> Conv:
    pointwise = rng.random() < 0.4
    extent = rng.integers(1, 8, 2)
    kernel = np.array([1, 1]) if pointwise else rng.integers(1, 5, 2)
    stride = rng.integers(1, 4, 2)
    pad = np.array([int(rng.integers(0, k)) for k in kernel])
    output = np.maximum((extent + 2 * pad - kernel) // stride + 1, 1)
    c, channels = int(rng.choice([1, 3, 8, 16, 21, 64])), int(rng.choice([1, 2, 3, 4, 7, 16, 18]))
    x = random_int8(rng, (1, *extent, c), rng.random() < 0.1)
    w = random_int8(rng, (channels, *kernel, c), rng.random() < 0.1)
    quant = random_quantization(rng, channels, int(kernel.prod()) * c)
    quant["shift"] = np.minimum(quant["shift"], 0)
    if rng.random() < 0.3:  # ReLU
        quant["clamp"] = (quant["output_offset"], 127)
    pairs = [tuple(int(v) for v in a) for a in (output, stride, pad)]
    return Conv(x, w, output=pairs[0], stride=pairs[1], pad=pairs[2], **quant)


@pytest.mark.parametrize("target", TARGETS)
def test_random_layers(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(61)
    calls = [packed_call(f"conv_{i}", random_conv(rng)) for i in range(60)]
    calls += [depthwise_call(f"depthwise_{i}", random_depthwise(rng)) for i in range(40)]
    for depth in (1, 7, 16, 33, 64):
        calls += [fully_connected_call(rng, f"fc_{depth}_{n}", depth, n) for n in (1, 2, 4, 7, 12, 13)]
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


@pytest.mark.parametrize("target", TARGETS)
def test_results_over_the_input(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(62)
    calls = []
    for i in range(40):
        p = random_conv(rng)
        delta = below(p.x.shape, (1, *p.output, p.channels), p.stride, p.pad, consumed=True)
        if delta <= 0:
            calls.append(packed_call(f"conv_{i}", p, above=-delta))
    for i in range(20):
        p = random_depthwise(rng)
        shapes = (p.x.shape, (1, *p.output, p.channels))
        calls.append(depthwise_call(f"below_{i}", p, below(*shapes, p.stride, p.pad, consumed=False)))
        calls.append(depthwise_call(f"above_{i}", p, above_input(*shapes, (3, 3), p.stride, (1, 1), p.pad)))
    assert len(calls) > 50
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


def dense(rng: np.random.Generator, pixels: int, depth: int, channels: int) -> Conv:
    x, w = random_int8(rng, (1, pixels, 1, depth)), random_int8(rng, (channels, 1, 1, depth))
    return Conv(x, w, output=(pixels, 1), **(random_quantization(rng, channels, depth) | {"clamp": (-128, 127)}))


def instructions(call: Call, function: str, folder: Path) -> int:
    """Of one call: those of two in a program less those of one, so that what surrounds it does not count."""
    counts = []
    for times in (1, 2):
        repeated = replace(call, code="\n".join([f"{{{{{call.code}}}}}"] * times))
        counts.append(run_calls([repeated], [function], HEADERS, "cortex-m55", folder, count_instructions=True) or 0)
    return counts[1] - counts[0]


def test_instructions_for_a_product(tmp_path: Path) -> None:
    """Five loads and six multiplications of 16 make 0.115 a product; the rest is requantization and the copies."""
    call = packed_call("dense", dense(np.random.default_rng(63), 30, 64, 32))
    assert instructions(call, "convolve_packed_s8", tmp_path) < 0.21 * 30 * 64 * 32


def test_instructions_for_a_depthwise_product(tmp_path: Path) -> None:
    """Six for a tap of eight channels make 0.75 a product, the registers' exchange and requantization 0.35."""
    rng = np.random.default_rng(65)
    x, w = random_int8(rng, (1, 8, 8, 64)), random_int8(rng, (3, 3, 64))
    quant = random_quantization(rng, 64, 9)
    quant["shift"] = np.minimum(quant["shift"], 0)
    p = Conv(x, w, output=(8, 8), pad=(1, 1), depthwise=True, **quant)
    assert instructions(depthwise_call("depthwise", p), "depthwise_packed_s8", tmp_path) < 1.5 * 8 * 8 * 64 * 9


def test_instructions_for_a_fully_connected_layer(tmp_path: Path) -> None:
    """Nine for four products of 16, and the hardware loop's; requantization and beginnings 0.07 a product."""
    call = fully_connected_call(np.random.default_rng(66), "fully_connected", 128, 64)
    assert instructions(call, "fully_connected_packed_s8", tmp_path) < 0.24 * 128 * 64


@pytest.mark.parametrize("flags", ["-O0", "-Og", "-Os", "-O3 -flto", "-O3 -fno-omit-frame-pointer"])
def test_exact_however_it_is_compiled(flags: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(64)
    calls = [packed_call(f"conv_{i}", random_conv(rng)) for i in range(12)]
    calls += [depthwise_call(f"depthwise_{i}", random_depthwise(rng)) for i in range(6)]
    calls.append(fully_connected_call(rng, "fully_connected", 19, 6))
    run_calls(calls, FUNCTIONS, HEADERS, "cortex-m55", tmp_path, cflags=flags.split())
