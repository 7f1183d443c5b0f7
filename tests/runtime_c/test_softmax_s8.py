# SPDX-License-Identifier: Apache-2.0
"""Int8 softmax against gemmlowp's arithmetic on Python integers, exact reals, and Arm's vector."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kernel_batch import Call, require_shared_cases, run_calls

TARGETS = ["host", "cortex-m0plus", "cortex-m4", "cortex-m55"]
FUNCTIONS = ["arm_softmax_s8"]
HEADERS = ["tinyc_cmsis_map.h"]
Q31_MAX = 2**31 - 1


def high_mult(a: int, b: int) -> int:
    product = 2 * a * b
    return (product + 2**31) >> 32


def divide(value: int, exponent: int) -> int:
    magnitude = (abs(value) + ((1 << exponent) >> 1)) >> exponent
    return magnitude if value >= 0 else -magnitude


def saturate(value: int) -> int:
    return max(-(2**31), min(Q31_MAX, value))


def exp_q31(value: int) -> int:
    """exp(value / 2^26) as Q0.31, value <= 0."""
    if value == 0:
        return Q31_MAX
    fraction = value % 2**24 - 2**24
    x = (fraction << 5) + 2**28
    x2 = high_mult(x, x)
    inner = high_mult(divide(high_mult(x2, x2), 2) + high_mult(x2, x), 715827883) + x2
    result = 1895147668 + high_mult(1895147668, x + divide(inner, 1))
    factors = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242]
    for bit, factor in enumerate(factors):
        if (fraction - value) >> (24 + bit) & 1:
            result = high_mult(result, factor)
    return result


def reciprocal_q31(a: int) -> int:
    """1 / (1 + a / 2^31) as Q0.31, 0 <= a < 2^31."""
    half = (a + Q31_MAX + 1) // 2
    x = 1515870810 + high_mult(half, -1010580540)
    for _ in range(3):
        x += saturate(high_mult(x, 2**29 - high_mult(half, x)) << 2)
    return saturate(x << 1)


def expected_row(row: np.ndarray, mult: int, shift: int, diff_min: int) -> np.ndarray:
    diffs = [int(v) - int(row.max()) for v in row]
    exps = [exp_q31(high_mult(d << shift, mult)) if d >= diff_min else None for d in diffs]
    total = sum(divide(e, 12) for e in exps if e is not None)
    headroom = 32 - total.bit_length()
    scale = reciprocal_q31((total << headroom) - 2**31)
    out = [-128 if e is None else divide(high_mult(scale, e), 35 - headroom) - 128 for e in exps]
    return np.clip(out, -128, 127).astype(np.int8)


def call(name, x, mult, shift, diff_min, in_place=False, expected=None):
    rows, size = x.shape
    code = f"arm_softmax_s8({{0}}, {rows}, {size}, {mult}, {shift}, {diff_min}, {{{0 if in_place else 1}}});"
    if expected is None:
        expected = np.stack([expected_row(row, mult, shift, diff_min) for row in x])
    return Call(name, code, (x, np.zeros(x.shape, np.int8)), 0 if in_place else 1, expected)


def parameters(scale: float) -> tuple[int, int, int]:
    """Multiplier, shift and smallest difference that TFLite derives from the input's scale (beta 1)."""
    real = min(scale * 2**26, 2**31 - 1.0)
    mantissa, shift = np.frexp(real)
    mult = int(round(mantissa * 2**31))
    if mult == 2**31:
        mult, shift = 2**30, shift + 1
    radius = int(np.floor(31 * 2**26 / 2 ** int(shift)))
    return mult, int(shift), -radius


def softmax_calls():
    rng = np.random.default_rng(5)
    calls = []
    for i in range(40):
        scale = float(np.exp(rng.uniform(-7, 1.5)))
        shape = (int(rng.integers(1, 5)), int(rng.integers(1, 40)))
        x = rng.integers(-128, 128, shape).astype(np.int8)
        calls.append(call(f"random_{i}", x, *parameters(scale), in_place=i % 3 == 0))
    every = np.arange(-128, 128).astype(np.int8)
    for scale in (0.003, 0.05, 0.17, 1.0):
        calls.append(call(f"every value, scale {scale}", rng.permutation(every)[None], *parameters(scale)))
    for size in (1, 2, 255, 256, 257, 511, 512, 513, 1024, 4100, 8191):
        x = np.full((1, size), -128, np.int8)
        calls.append(call(f"{size} equal values", x, *parameters(0.1)))
    return calls


@pytest.mark.parametrize("target", TARGETS)
def test_softmax_follows_the_specification(target: str, tmp_path: Path) -> None:
    run_calls(softmax_calls(), FUNCTIONS, HEADERS, target, tmp_path)


def test_the_reference_is_a_softmax() -> None:
    rng = np.random.default_rng(6)
    for scale in (0.01, 0.1, 0.3):
        x = rng.integers(-128, 128, 12).astype(np.int8)
        real = np.exp((x - float(x.max())) * scale)
        real = np.clip(real / real.sum() * 256 - 128, -128, 127)
        assert np.abs(expected_row(x, *parameters(scale)) - real).max() <= 1


@pytest.mark.parametrize("target", TARGETS)
def test_the_one_vector_of_arm(target: str, tmp_path: Path) -> None:
    calls = []
    for name, c, data in require_shared_cases("arm_softmax_s8"):
        x = data["input"].reshape(c["NUM_ROWS"], c["ROW_SIZE"])
        p = c["INPUT_MULT"], c["INPUT_LEFT_SHIFT"], c["DIFF_MIN"]
        calls.append(call(name, x, *p, expected=data["output_ref"]))
    assert len(calls) == 1
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path)
