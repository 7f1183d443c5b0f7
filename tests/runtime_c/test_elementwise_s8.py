# SPDX-License-Identifier: Apache-2.0
"""Int8 element-wise functions against a NumPy statement of the specification, and against Arm's vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fixed_point import quantize_multiplier, requantize
from kernel_batch import Call, require_shared_cases, run_calls

TARGETS = ["host", "cortex-m0plus", "cortex-m4", "cortex-m55"]
FUNCTIONS = ["arm_elementwise_add_s8", "arm_elementwise_mul_s8"]
HEADERS = ["tinyc_cmsis_map.h"]


def expected_add(a, b, p):
    """p: the function's integer arguments in order, without output and size."""
    o1, m1, s1, o2, m2, s2, left, oo, mo, so, low, high = p
    x = requantize((a.astype(np.int64) + o1) << left, m1, s1)
    y = requantize((b.astype(np.int64) + o2) << left, m2, s2)
    return np.clip(requantize(x + y, mo, so) + oo, low, high).astype(np.int8)


def expected_mul(a, b, p):
    o1, o2, oo, mo, so, low, high = p
    product = (a.astype(np.int64) + o1) * (b.astype(np.int64) + o2)
    return np.clip(requantize(product, mo, so) + oo, low, high).astype(np.int8)


def add_call(name, a, b, p, in_place=None, expected=None):
    out = {None: "{2}", 0: "{0}", 1: "{1}"}[in_place]
    head, tail = ", ".join(map(str, p[:7])), ", ".join(map(str, p[7:]))
    code = f"status = arm_elementwise_add_s8({{0}}, {{1}}, {head}, {out}, {tail}, {a.size});"
    buffers = (a, b, np.zeros(a.size, np.int8))
    result = 2 if in_place is None else in_place
    return Call(name, code, buffers, result, expected_add(a, b, p) if expected is None else expected)


def mul_call(name, a, b, p, in_place=None, expected=None):
    out = {None: "{2}", 0: "{0}", 1: "{1}"}[in_place]
    head, tail = ", ".join(map(str, p[:2])), ", ".join(map(str, p[2:]))
    code = f"status = arm_elementwise_mul_s8({{0}}, {{1}}, {head}, {out}, {tail}, {a.size});"
    buffers = (a, b, np.zeros(a.size, np.int8))
    result = 2 if in_place is None else in_place
    return Call(name, code, buffers, result, expected_mul(a, b, p) if expected is None else expected)


def tflite_add(rng):
    """Parameters as TFLite derives them from three scales."""
    s1, s2, so = np.exp(rng.uniform(-6, 2, 3))
    if rng.random() < 0.2:
        s2 = s1
    twice = 2 * max(s1, s2)
    left = 20
    m1, e1 = quantize_multiplier(s1 / twice)
    m2, e2 = quantize_multiplier(s2 / twice)
    mo, eo = quantize_multiplier(twice / (2**left * so))
    z1, z2, zo = (int(z) for z in rng.integers(-128, 128, 3))
    low, high = (-128, 127) if rng.random() < 0.5 else sorted(int(v) for v in rng.integers(-128, 128, 2))
    return [-z1, m1, e1, -z2, m2, e2, left, zo, mo, eo, low, high]


def every_pair():
    a, b = np.meshgrid(np.arange(-128, 128), np.arange(-128, 128))
    return a.astype(np.int8).ravel(), b.astype(np.int8).ravel()


def add_calls():
    rng = np.random.default_rng(7)
    calls = []
    for i in range(60):
        n = int(rng.integers(1, 70))
        a, b = rng.integers(-128, 128, (2, n)).astype(np.int8)
        calls.append(add_call(f"add_tflite_{i}", a, b, tflite_add(rng), [None, 0, 1][i % 3]))
    half = 2**30
    general = [
        # neither operand exact; shifts to the left; no output shift; the largest multiplier; zero
        [128, 1518500250, -1, -127, 1234567890, -2, 20, 3, 2000000001, -18, -128, 127],
        [128, half, 1, 128, 1518500250, 2, 10, -3, half, -11, -100, 99],
        [-5, half, 0, 7, half, 0, 1, 0, 2147483647, 0, -128, 127],
        [0, half, 0, 0, 2147483647, -1, 20, 127, 2147483647, -20, -128, 127],
        [0, half, 0, 0, 0, -3, 20, -128, half, -22, -128, 127],
        [128, half, 0, 128, 1073741825, -30, 20, -128, half, -23, -128, 127],
        [128, half, 0, 128, 1900000001, -28, 20, -128, 1100000001, -1, -128, 127],
    ]
    for i, p in enumerate(general):
        a, b = rng.integers(-128, 128, (2, 133)).astype(np.int8)
        calls.append(add_call(f"add_general_{i}", a, b, p))
        calls.append(add_call(f"add_general_swapped_{i}", a, b, p[3:6] + p[:3] + p[6:], 0))
    for i in range(40):
        # So few bits that ties of both roundings are common and show in the output.
        o1, o2, oo = (int(v) for v in rng.integers(-128, 128, 3))
        m2, mo = (int(v) << 24 for v in rng.integers(64, 128, 2))
        left, e2, eo = (int(v) for v in rng.integers(1, 4, 3))
        p = [o1, half, 0, o2, m2, -e2, left, oo, mo, -eo, -128, 127]
        a, b = rng.integers(-128, 128, (2, 300)).astype(np.int8)
        calls.append(add_call(f"add_few_bits_{i}", a, b, p))
    pairs = every_pair()
    for i in range(2):
        calls.append(add_call(f"add_every_pair_{i}", *pairs, tflite_add(rng)))
    return calls


def mul_calls():
    rng = np.random.default_rng(8)
    calls = []
    for i in range(60):
        n = int(rng.integers(1, 70))
        a, b = rng.integers(-128, 128, (2, n)).astype(np.int8)
        m, e = quantize_multiplier(float(np.exp(rng.uniform(-9, 1))))
        z1, z2, zo = (int(z) for z in rng.integers(-128, 128, 3))
        low, high = (-128, 127) if rng.random() < 0.5 else sorted(int(v) for v in rng.integers(-128, 128, 2))
        calls.append(mul_call(f"mul_{i}", a, b, [-z1, -z2, zo, m, e, low, high], [None, 0, 1][i % 3]))
    for i in range(20):
        # Multipliers of few bits, so that ties are common.
        a, b = rng.integers(-128, 128, (2, 200)).astype(np.int8)
        m, e = int(rng.integers(8, 16)) << 27, -int(rng.integers(1, 9))
        calls.append(
            mul_call(
                f"mul_few_bits_{i}", a, b, [*(int(v) for v in rng.integers(-128, 128, 3)), m, e, -128, 127]
            )
        )
    for i, (m, e) in enumerate([(2**31 - 1, -1), (2**30, -22), (2**31 - 1, -31), (0, -4), (2**30, 3)]):
        a, b = rng.integers(-128, 128, (2, 67)).astype(np.int8)
        calls.append(mul_call(f"mul_general_{i}", a, b, [128, -127, -9, m, e, -128, 127]))
    calls.append(
        mul_call("mul_every_pair", *every_pair(), [-3, 128, -128, *quantize_multiplier(0.0071), -128, 127])
    )
    return calls


@pytest.mark.parametrize("target", TARGETS)
def test_add_and_mul_follow_the_specification(target: str, tmp_path: Path) -> None:
    run_calls([*add_calls(), *mul_calls()], FUNCTIONS, HEADERS, target, tmp_path)


@pytest.mark.parametrize("target", TARGETS)
def test_both_vectors_of_arm(target: str, tmp_path: Path) -> None:
    calls = []
    for name, c, data in require_shared_cases("arm_elementwise_add_s8"):
        keys = [
            "INPUT1_OFFSET",
            "INPUT1_MULT",
            "INPUT1_SHIFT",
            "INPUT2_OFFSET",
            "INPUT2_MULT",
            "INPUT2_SHIFT",
        ]
        keys += ["LEFT_SHIFT", "OUTPUT_OFFSET", "OUTPUT_MULT", "OUTPUT_SHIFT"]
        keys += ["OUT_ACTIVATION_MIN", "OUT_ACTIVATION_MAX"]
        p = [c[key] for key in keys]
        calls.append(add_call(name, data["input1"], data["input2"], p, expected=data["output_ref"]))
    for name, c, data in require_shared_cases("arm_elementwise_mul_s8"):
        keys = ["INPUT1_OFFSET", "INPUT2_OFFSET", "OUTPUT_OFFSET", "OUTPUT_MULT", "OUTPUT_SHIFT"]
        p = [c[key] for key in [*keys, "OUT_ACTIVATION_MIN", "OUT_ACTIVATION_MAX"]]
        calls.append(mul_call(name, data["input1"], data["input2"], p, expected=data["output_ref"]))
    assert len(calls) == 2
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path)


@pytest.mark.parametrize("target", TARGETS)
def test_table_and_requantize(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    values = np.arange(-128, 128).astype(np.int8)
    calls = []
    table = rng.integers(-128, 128, 256).astype(np.int8)
    code = "tinyc_lut_s8({0}, {1}, 256, {2});"
    calls.append(Call("lut", code, (values, np.zeros(256, np.int8), table), 1, table))
    shuffled = rng.permutation(values)
    in_place = "tinyc_lut_s8({0}, {0}, 256, {1});"
    calls.append(Call("lut_in_place", in_place, (shuffled, table), 0, table[shuffled.astype(int) + 128]))
    for i in range(24):
        m, e = quantize_multiplier(float(np.exp(rng.uniform(-8, 8))))
        zi, zo = (int(z) for z in rng.integers(-128, 128, 2))
        low, high = (-128, 127) if i % 2 else sorted(int(v) for v in rng.integers(-128, 128, 2))
        expected = np.clip(requantize(values.astype(np.int64) - zi, m, e) + zo, low, high)
        code = f"tinyc_requantize_s8({{0}}, {{{i % 2}}}, 256, {zi}, {zo}, {m}, {e}, {low}, {high});"
        buffers = (values, np.zeros(256, np.int8))
        calls.append(Call(f"requantize_{i}", code, buffers, i % 2, expected.astype(np.int8)))
    run_calls(calls, ["lut_s8", "requantize_s8"], ["tinyc_s8.h"], target, tmp_path)


@pytest.mark.parametrize("target", TARGETS)
def test_quantize_and_dequantize(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(10)
    calls, functions = [], []
    special = [np.nan, np.inf, -np.inf, 0.0, -0.0, 3.4e38, -3.4e38, 1e-45]
    halves = (np.arange(-300, 300) + 0.5) * 0.25
    values = np.concatenate([special, halves, rng.normal(0, 40, 200), rng.normal(0, 20000, 50)]).astype(
        np.float32
    )
    for suffix, dtype in [("s8", np.int8), ("u8", np.uint8), ("s16", np.int16)]:
        info = np.iinfo(dtype)
        functions += [f"quantize_f32_{suffix}", f"dequantize_{suffix}_f32"]
        for scale, zero in [(0.25, 0), (0.25, info.min), (0.1, info.max), (0.0037, 17), (300.0, 1)]:
            with np.errstate(over="ignore", invalid="ignore"):
                rounded = np.rint((values / np.float32(scale)).astype(np.float32)).astype(np.float64) + zero
            expected = np.clip(np.where(np.isnan(values), info.min, rounded), info.min, info.max).astype(
                dtype
            )
            code = f"tinyc_quantize_f32_{suffix}({{0}}, {{1}}, {values.size}, {scale}f, {zero});"
            name = f"quantize_{suffix}_{scale}_{zero}"
            calls.append(Call(name, code, (values, np.zeros(values.size, dtype)), 1, expected))
            q = rng.integers(info.min, info.max + 1, 99).astype(dtype)
            real = (q.astype(np.int32) - zero).astype(np.float32) * np.float32(scale)
            code = f"tinyc_dequantize_{suffix}_f32({{0}}, {{1}}, 99, {scale}f, {zero});"
            calls.append(Call("de" + name, code, (q, np.zeros(99, np.float32)), 1, real))
    q = np.array([0, 1, -1, 2**31 - 1, -(2**31), 16777217, 123456789], np.int32)
    code = f"tinyc_dequantize_s32_f32({{0}}, {{1}}, {q.size}, 0.013f);"
    real = q.astype(np.float32) * np.float32(0.013)
    calls.append(Call("dequantize_s32", code, (q, np.zeros(q.size, np.float32)), 1, real))
    run_calls(calls, [*functions, "dequantize_s32_f32"], ["tinyc_s8.h"], target, tmp_path)
