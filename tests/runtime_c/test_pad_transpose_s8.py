# SPDX-License-Identifier: Apache-2.0
"""Int8 pad and transpose against NumPy, and against Arm's vectors."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from kernel_batch import Call, require_shared_cases, run_calls

TARGETS = ["host", "cortex-m0plus", "cortex-m4", "cortex-m55"]
HEADERS = ["tinyc_cmsis_map.h"]


def dims(sizes):
    return f"&(const cmsis_nn_dims){{{{{', '.join(str(int(v)) for v in sizes)}}}}}"


def pad_call(name, x, before, after, value, expected=None):
    if expected is None:
        expected = np.pad(x, list(zip(before, after, strict=True)), constant_values=value)
    code = f"status = arm_pad_s8({{0}}, {{1}}, {value}, {dims(x.shape)}, {dims(before)}, {dims(after)});"
    return Call(name, code, (x, np.zeros(expected.shape, np.int8)), 1, expected)


def transpose_call(name, x, permutation, expected=None):
    if expected is None:
        expected = x.transpose(permutation)
    rank = x.ndim
    ones = [1] * (4 - rank)
    out = [x.shape[i] for i in permutation]
    code = f"""
        static const uint32_t permutation[] = {{{{{", ".join(str(int(i)) for i in permutation)}}}}};
        const cmsis_nn_transpose_params params = {{{{{rank}, permutation}}}};
        status = arm_transpose_s8({{0}}, {{1}}, {dims([*x.shape, *ones])}, {dims([*out, *ones])}, &params);
    """
    return Call(name, code, (x, np.zeros(x.size, np.int8)), 1, np.ascontiguousarray(expected))


def random_tensor(rng, rank, largest=9):
    return rng.integers(-128, 128, rng.integers(1, largest, rank)).astype(np.int8)


@pytest.mark.parametrize("target", TARGETS)
def test_pad(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    calls = []
    for i in range(40):
        before, after = rng.integers(0, 4, (2, 4)) * rng.integers(0, 2, (2, 4))
        calls.append(pad_call(f"{i}", random_tensor(rng, 4, 6), before, after, int(rng.integers(-128, 128))))
    run_calls(calls, ["arm_pad_s8"], HEADERS, target, tmp_path)


@pytest.mark.parametrize("target", TARGETS)
def test_transpose_in_every_order(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(12)
    calls = []
    for rank in (1, 2, 3, 4):
        for permutation in itertools.permutations(range(rank)):
            calls.append(transpose_call(f"{permutation}", random_tensor(rng, rank), permutation))
    run_calls(calls, ["arm_transpose_s8"], HEADERS, target, tmp_path)


def test_a_wrong_permutation_is_an_error(tmp_path: Path) -> None:
    x = np.zeros((2, 2, 2), np.int8)
    good = transpose_call("", x, (0, 1, 2))
    bad = good.code.replace("{{0, 1, 2}}", "{{0, 1, 3}}")
    calls = [Call("3 of 3", bad, good.buffers, 1, np.zeros(8, np.int8), status=-1)]
    run_calls(calls, ["arm_transpose_s8"], HEADERS, "host", tmp_path)


@pytest.mark.parametrize("target", TARGETS)
def test_both_pad_vectors_of_arm(target: str, tmp_path: Path) -> None:
    calls = []
    for name, c, data in require_shared_cases("arm_pad_s8"):
        x = data["input_tensor"].reshape([c[f"INPUT_{d}"] for d in "NHWC"])
        before, after = ([c[f"{when}_PAD_{d}"] for d in "NHWC"] for when in ("PRE", "POST"))
        calls.append(pad_call(name, x, before, after, c["PAD_VALUE"], data["output"]))
    assert len(calls) == 2
    run_calls(calls, ["arm_pad_s8"], HEADERS, target, tmp_path)


def explanations(x, y, rank):
    """Every shape and permutation under which y is the transpose of x."""

    def shapes(size, rank):
        if rank == 1:
            return [(size,)]
        divisors = [d for d in range(1, size + 1) if size % d == 0]
        return [(d, *rest) for d in divisors for rest in shapes(size // d, rank - 1)]

    for shape in shapes(x.size, rank):
        for permutation in itertools.permutations(range(rank)):
            if np.array_equal(x.reshape(shape).transpose(permutation).ravel(), y):
                yield shape, permutation


@pytest.mark.parametrize("target", TARGETS)
def test_all_ten_transpose_vectors_of_arm(target: str, tmp_path: Path) -> None:
    """Their configuration lacks shape and permutation, which follow from input and output instead."""
    calls = []
    for name, c, data in require_shared_cases("arm_transpose_s8"):
        x, y = data["input_tensor"], data["output"]
        shape, permutation = next(explanations(x, y, c["PERM_SIZE"]))
        calls.append(transpose_call(name, x.reshape(shape), permutation, y))
    assert len(calls) == 10
    run_calls(calls, ["arm_transpose_s8"], HEADERS, target, tmp_path)
