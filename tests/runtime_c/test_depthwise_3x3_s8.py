# SPDX-License-Identifier: Apache-2.0
"""The 3x3 depthwise convolution by planes: exact, in place as far as its header says, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import kernel_batch
import numpy as np
import pytest
from int8_calls import Conv, expected_conv, fast, random_int8, random_quantization, with_buffers
from kernel_batch import Call, c_array, run_calls

TARGETS = ["host", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "riscv32imac"]
FUNCTIONS = ["depthwise_3x3_s8"]
HEADERS = ["tinyc_s8.h"]


@dataclass(frozen=True)
class Case:
    """A convolution, whether a line is a column, and how many pixels in front of the image its results lie."""

    conv: Conv
    columns: bool = False
    ahead: int | None = None


def lines(height: int, width: int, channels: int, columns: bool) -> str:
    steps = [(height, width * channels), (width, channels)]
    (n, line_step), (length, step) = reversed(steps) if columns else steps
    return f"{{{n}, {line_step}, {length}, {step}}}"


def call(name: str, case: Case) -> Call:
    p = case.conv
    _, h, w, c = p.x.shape
    pads = p.pad[::-1] if case.columns else p.pad
    length = p.output[0] if case.columns else p.output[1]
    scratch = 12 * (1 + (length if p.stride[0] == 2 else (length + 1) // 2))
    filters = np.moveaxis(p.w, 2, 0)
    filters = np.swapaxes(filters, 1, 2) if case.columns else filters
    bias = (0 if p.bias is None else p.bias) + p.input_offset * p.w.astype(np.int64).sum((0, 1))
    image, result = "@0", "@2"
    x, expected = p.x.reshape(-1), expected_conv(p).reshape(-1)
    if case.ahead is not None:
        image, result = f"(@0 + {case.ahead * c})", "@0"
        x = np.concatenate([np.full(case.ahead * c, 77, np.int8), x])
        expected = np.concatenate([expected, x[expected.size :]])
    code = f"""
const tinyc_depthwise_3x3_s8_params params = {{{c}, {lines(h, w, c, case.columns)},
    {lines(*p.output, c, case.columns)}, {p.stride[0]}, {pads[0]}, {pads[1]}, {-p.input_offset}, {p.output_offset},
    {p.clamp[0]}, {p.clamp[1]}}};
tinyc_depthwise_3x3_s8(&params, {image}, @1, {c_array("int32_t", bias)}, {c_array("int32_t", p.multiplier)},
    {c_array("int8_t", p.shift)}, @3, {result});"""
    untouched = np.full(p.output[0] * p.output[1] * c, 85, np.int8)
    buffers = (x, filters.reshape(-1), untouched, np.full(scratch, 99, np.int32))
    result_buffer = 2 if case.ahead is None else 0
    return Call(f"depthwise_3x3_s8 {name}", with_buffers(code), buffers, result_buffer, expected, macs=p.macs)


def convolution(rng: np.random.Generator, shape: tuple[int, int, int], stride: int, pad: tuple[int, int]) -> Conv:
    """Padding behind is whatever the largest result that still touches the image needs."""
    h, w, c = shape
    behind = rng.integers(0, 2, 2)
    output = tuple(max(1, (n + p + int(b) - 3) // stride + 1) for n, p, b in zip((h, w), pad, behind, strict=True))
    quant = random_quantization(rng, c, 9)
    x, w_ = random_int8(rng, (1, h, w, c), rng.random() < 0.2), random_int8(rng, (3, 3, c), rng.random() < 0.2)
    quant["shift"] = np.minimum(quant["shift"], -1)
    return Conv(x, w_, output=output, stride=(stride, stride), pad=pad, depthwise=True, **quant)


def random_calls() -> list[Call]:
    rng = np.random.default_rng(77)
    calls = []
    for i in range(60):
        shape = (int(rng.integers(1, 10)), int(rng.integers(1, 10)), int(rng.choice([1, 2, 3, 4, 5, 8, 10, 19])))
        stride, pad = int(rng.integers(1, 3)), tuple(int(v) for v in rng.integers(0, 2, 2))
        p = convolution(rng, shape, stride, pad)
        calls.append(call(f"{i}: {shape} {stride} {pad}", Case(p, columns=bool(rng.random() < 0.5))))
    return calls


def in_place_calls() -> list[Call]:
    """On the image itself and some pixels in front of it; by columns, whole rows in front."""
    rng = np.random.default_rng(78)
    calls = []
    for stride in (1, 2):
        for ahead in (0, 1, 5):
            p = convolution(rng, (7, 6, 9), stride, (1, 1))
            calls.append(call(f"{stride} {ahead}", Case(p, ahead=ahead)))
    for ahead in (0, 6):
        p = convolution(rng, (7, 6, 9), 1, (1, 1))
        p = replace(p, output=(7, 6))
        calls.append(call(f"columns {ahead}", Case(p, columns=True, ahead=ahead)))
    return calls


@pytest.mark.parametrize("target", TARGETS)
def test_random_shapes_and_results_on_the_image(target: str, tmp_path: Path) -> None:
    run_calls([*random_calls(), *in_place_calls()], FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


@pytest.mark.parametrize("flags", ["-O0", "-Os", "-O3 -flto", "-O2 -fno-omit-frame-pointer"])
def test_exact_however_it_is_compiled(flags: str, tmp_path: Path) -> None:
    run_calls(random_calls()[::3], FUNCTIONS, HEADERS, "cortex-m4", tmp_path, cflags=flags.split())


def test_the_c_twin_of_the_assembly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = kernel_batch.runtime_sources
    monkeypatch.setattr(
        kernel_batch, "runtime_sources", lambda *a: [file.with_suffix(".c") for file in original(*a)]
    )
    run_calls(random_calls()[::2], FUNCTIONS, HEADERS, "cortex-m4", tmp_path)


# Instructions for a result, at most: (shape, stride, by columns).
COSTS = [
    ((25, 5, 64), 1, True, 22.0),
    ((25, 5, 64), 1, False, 32.5),
    ((48, 48, 8), 1, False, 19.5),
    ((48, 48, 16), 2, False, 30.0),
    ((12, 12, 64), 1, False, 24.5),
    ((6, 6, 106), 1, False, 33.0),
]


@pytest.mark.parametrize(("shape", "stride", "columns", "most"), COSTS)
def test_instructions(shape: tuple[int, int, int], stride: int, columns: bool, most: float, tmp_path: Path) -> None:
    p = convolution(np.random.default_rng(79), shape, stride, (1, 1))
    p = replace(p, clamp=(-128, 127), output=tuple((n - 1) // stride + 1 for n in shape[:2]))
    made = call("counted", Case(p, columns))
    nothing = replace(made, code="", expected=made.buffers[made.result])
    counts = [
        run_calls([c], FUNCTIONS, HEADERS, "cortex-m4", tmp_path, count_instructions=True) for c in (made, nothing)
    ]
    per_result = (counts[0] - counts[1]) / made.buffers[2].size
    assert per_result < most
