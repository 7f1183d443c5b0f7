# SPDX-License-Identifier: Apache-2.0
"""3x3 convolutions by Winograd's F(2x2, 3x3): exact, in place and at the limits, and what they cost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from int8_calls import Conv, expected_conv, fast, random_int8, with_buffers
from kernel_batch import Call, c_array, run_calls
from test_paired_s8 import filters_of, quantization

from tinyc.kernels.overlap import below_tiles
from tinyc.kernels.paired_filters import described, pair_order
from tinyc.kernels.winograd_filters import packed_winograd, winograd_obstacle

TARGETS = ["host", "cortex-m4", "cortex-m7", "cortex-m33"]
FUNCTIONS = ["convolve_winograd_s8"]
HEADERS = ["tinyc_winograd_s8.h"]


def call(name: str, p: Conv, overlap: int | None = None) -> Call:
    """overlap: the result begins so many bytes behind the input (in front of it, where negative), in one buffer."""
    filters = filters_of(p)
    _, h, w, c = p.x.shape
    assert winograd_obstacle(filters, c) is None, winograd_obstacle(filters, c)
    at = 0 if overlap is None else overlap
    source, result = ("@0", "@1") if overlap is None else (f"(@0 + {max(0, -at)})", f"(@0 + {max(0, at)})")
    tiles = c_array("int32_t", packed_winograd(filters, c)).partition(")")[2]
    packing = described(filters, pair_order(c, 1)).values()
    fields = (h, w, c, *p.pad, -p.input_offset, *p.output, p.channels)
    lines = [
        f"static const int32_t tiles[] = {tiles};",
        f"const tinyc_paired_filters filters = {{tiles, {', '.join(map(str, packing))}}};",
        f"const tinyc_winograd_image image = {{{', '.join(map(str, fields))}}};",
        f"tinyc_convolve_winograd_s8(&filters, &image, {source}, {result}, (void *)@2);",
    ]
    x, expected = p.x.reshape(-1), expected_conv(p).reshape(-1)
    out = np.full(expected.size, 0x55, np.int8)
    if overlap is not None:
        both = np.full(max(x.size + max(0, -at), expected.size + max(0, at)), 77, np.int8)
        both[max(0, -at) :][: x.size] = x
        after = both.copy()
        after[max(0, at) :][: expected.size] = expected
        # Input that no result has replaced is as it was.
        x, expected, out = both, after, out[:1]
    scratch = np.zeros(16 * c + max(4 * c, 2 * p.channels), np.int32)
    code = with_buffers("\n".join(lines))
    return Call(f"{name} {p.x.shape} {p.w.shape}", code, (x, out, scratch), int(overlap is None), expected, macs=p.macs)


def random_conv(rng: np.random.Generator, away: bool) -> Conv:
    pad, after = ([int(rng.integers(0, 3)) for _ in range(2)] for _ in range(2))
    extent = [int(rng.integers(max(1, 3 - p - q), 10)) for p, q in zip(pad, after, strict=True)]
    output = tuple(e + p + q - 2 for e, p, q in zip(extent, pad, after, strict=True))
    depth, channels = int(rng.choice([4, 8, 12, 16, 20, 36])), int(rng.integers(4, 15))
    x = random_int8(rng, (1, *extent, depth), rng.random() < 0.2)
    w = np.maximum(random_int8(rng, (channels, 3, 3, depth), rng.random() < 0.2), -127).astype(np.int8)
    return Conv(x, w, output=output, pad=tuple(pad), **quantization(rng, channels, depth * 9, away))


@pytest.mark.parametrize("away", [False, True])
@pytest.mark.parametrize("target", TARGETS)
def test_random_shapes(target: str, away: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(71)
    calls = [call(f"random_{i}", random_conv(rng, away)) for i in range(15 if target == "host" else 40)]
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


@pytest.mark.parametrize("target", TARGETS)
def test_as_far_over_the_input_as_is_stated(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(72)
    calls = []
    for i in range(12):
        p = random_conv(rng, i % 2 == 0)
        calls.append(call("over", p, below_tiles(p.x.shape, (1, *p.output, p.channels), p.pad, 2, 2)))
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


@pytest.mark.parametrize("away", [False, True])
@pytest.mark.parametrize("target", TARGETS)
def test_sums_at_their_limits(target: str, away: bool, tmp_path: Path) -> None:
    """Values and weights of the largest magnitude, in all signs, and sums at halves of every shift."""
    rng = np.random.default_rng(73)
    calls = []
    for sign in (-1, 1):
        for low, high in ((-128, -128), (127, 127), (-128, 127)):
            x = np.where(np.indices((6, 6, 24)).sum(0) % 2, low, high).astype(np.int8)[None]
            w = np.full((5, 3, 3, 24), 127 * sign, np.int8)
            w[1:3] *= np.where(np.indices((3, 3)).sum(0) % 2, 1, -1)[None, :, :, None].astype(np.int8)
            settings = quantization(rng, 5, 216, away)
            calls.append(call("extremes", Conv(x, w, output=(6, 6), pad=(1, 1), **settings)))
    for shift in range(1, 23 if away else 17):
        halves = (np.arange(-4, 5)[:, None] * 2**shift + [-1, 0, 1]).reshape(-1)
        sums = np.clip(np.concatenate([halves, rng.integers(-(2**23), 2**23, 9)]), -(2**23) + 500, 2**23 - 500)
        n, zero = len(sums), int(rng.integers(-127, 128)) if away else -128
        multiplier = rng.choice([2**30, 2**31 - 1, int(rng.integers(2**30, 2**31))], n).astype(np.int32)
        x, w = np.zeros((1, 2, 3, 4), np.int8), np.zeros((n, 3, 3, 4), np.int8)
        x[0, ..., 0], w[:, 1, 1, 0] = [[-3, -2, -1], [0, 1, 2]], 1
        calls.append(call(f"limits_{shift}", Conv(
            x, w, sums.astype(np.int32), multiplier, np.full(n, -shift, np.int32), output=(2, 3), pad=(1, 1),
            input_offset=0, output_offset=zero)))  # fmt: skip
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


@pytest.mark.parametrize("flags", ["-O0", "-Og", "-Os", "-O3 -flto", "-O2 -fno-omit-frame-pointer"])
def test_exact_however_it_is_compiled(flags: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(74)
    calls = [call(f"random_{i}", random_conv(rng, i % 2 == 0)) for i in range(12)]
    run_calls(calls, FUNCTIONS, HEADERS, "cortex-m4", tmp_path, cflags=flags.split())


@pytest.mark.parametrize(("extent", "channels", "most"), [((32, 32), 16, 0.56), ((16, 16), 32, 0.47)])
def test_instructions(extent, channels: int, most: float, tmp_path: Path) -> None:
    """For each multiplication of the plain convolution, transforms and requantization included."""
    rng = np.random.default_rng(75)
    x, w = random_int8(rng, (1, *extent, channels)), np.maximum(random_int8(rng, (channels, 3, 3, channels)), -127)
    p = Conv(x, w.astype(np.int8), output=extent, pad=(1, 1), **quantization(rng, channels, channels * 9, False))
    counts = []
    for times in (1, 2):
        one = call("counted", p)
        repeated = replace(one, code=f"for (int i = 0; i < {times}; ++i) {{{{ {one.code} }}}}")
        counts.append(run_calls([repeated], FUNCTIONS, HEADERS, "cortex-m4", tmp_path, count_instructions=True))
    per_product = (counts[1] - counts[0]) / (x[0, ..., 0].size * w.size)
    print(f"{per_product:.3f} instructions a multiplication")
    assert per_product <= most
