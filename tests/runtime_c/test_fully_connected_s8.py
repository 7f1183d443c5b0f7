# SPDX-License-Identifier: Apache-2.0
"""Int8 fully connected layers against a NumPy statement of the specification, and against Arm's vectors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from fixed_point import quantize_multiplier
from int8_calls import fast, finish, random_int8, random_quantization, variant, with_buffers
from kernel_batch import Call, c_array, require_shared_cases, run_calls

TARGETS = ["host", "cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m33", "cortex-m55", "riscv32imac"]
ROOTS = ["fully_connected_s8", "fully_connected_per_channel_s8", "fully_connected_wrapper_s8"]
FUNCTIONS = [f"arm_{name}" for name in [*ROOTS, "fully_connected_s8_get_buffer_size"]]
HEADERS = ["tinyc_cmsis_map.h"]


@dataclass(frozen=True)
class FullyConnected:
    """x [batch][depth], w [channel][depth]; multiplier and shift have one element or one per channel."""

    x: np.ndarray
    w: np.ndarray
    bias: np.ndarray | None
    multiplier: np.ndarray
    shift: np.ndarray
    input_offset: int
    filter_offset: int
    output_offset: int
    clamp: tuple[int, int]


def expected_fully_connected(p: FullyConnected) -> np.ndarray:
    x, w = p.x.astype(np.int64) + p.input_offset, p.w.astype(np.int64) + p.filter_offset
    acc = x @ w.T + (0 if p.bias is None else p.bias)
    n = len(p.w)
    return finish(acc, np.resize(p.multiplier, n), np.resize(p.shift, n), p.output_offset, p.clamp)


def kernel_sums(p: FullyConnected) -> np.ndarray:
    """What the context holds on Helium."""
    sums = (p.w.astype(np.int64) + p.filter_offset).sum(axis=1) * p.input_offset
    return (sums + (0 if p.bias is None else p.bias)).astype(np.int32)


def call(
    name: str, p: FullyConnected, function: str, target: str, expected: np.ndarray | None = None
) -> Call:
    """On Helium with the kernel sums in the context; elsewhere with a context that must not be read."""
    (batches, depth), channels = p.x.shape, len(p.w)
    helium = variant(target) == "mve"
    multiplier, shift = (c_array("int32_t", v) for v in (p.multiplier, p.shift))
    pointers = f"(int32_t *)(uintptr_t){multiplier}, (int32_t *)(uintptr_t){shift}"
    quant = {
        "fully_connected_s8": f"cmsis_nn_per_tensor_quant_params quant = {{{p.multiplier[0]}, {p.shift[0]}}}",
        "fully_connected_per_channel_s8": f"cmsis_nn_per_channel_quant_params quant = {{{pointers}}}",
        "fully_connected_wrapper_s8": f"cmsis_nn_quant_params quant = {{{pointers}, {int(p.multiplier.size > 1)}}}",
    }[function]
    filter_dims = f"&(const cmsis_nn_dims){{{depth}, 1, 1, {channels}}}"
    bias = "NULL" if p.bias is None else c_array("int32_t", p.bias)
    code = f"""
        const cmsis_nn_fc_params params = {{{p.input_offset}, {p.filter_offset}, {p.output_offset},
            {{{p.clamp[0]}, {p.clamp[1]}}}}};
        const {quant};
        const int32_t size = arm_fully_connected_s8_get_buffer_size({filter_dims});
        const cmsis_nn_context context = {{{"@3" if helium else "NULL"}, size}};
        status = size == {4 * channels if helium else 0} ? 0 : 99;
        if (status == 0) status = arm_{function}(&context, &params, &quant,
            &(const cmsis_nn_dims){{{batches}, 1, 1, {depth}}}, @0, {filter_dims}, @1,
            &(const cmsis_nn_dims){{1, 1, 1, {channels}}}, {bias},
            &(const cmsis_nn_dims){{{batches}, 1, 1, {channels}}}, @2);
    """
    reference = expected_fully_connected(p) if expected is None else expected
    result = np.full(reference.size, 0x55, np.int8)
    buffers = (p.x.reshape(-1), p.w.reshape(-1), result, kernel_sums(p))
    return Call(f"{function} {name}", with_buffers(code), buffers, 2, reference, macs=batches * p.w.size)


def functions_for(p: FullyConnected) -> list[str]:
    scale = "fully_connected_per_channel_s8" if p.multiplier.size > 1 else "fully_connected_s8"
    return [scale, "fully_connected_wrapper_s8"]


def vector(c: dict[str, int], data: dict[str, np.ndarray]) -> tuple[FullyConnected, np.ndarray] | None:
    """A case and its result; None where the file lacks something."""
    depth, channels, batches = c["ACCUMULATION_DEPTH"], c["OUT_CH"], c["INPUT_BATCHES"]
    bias = data.get("biases", data.get("bias"))
    if "OUTPUT_MULTIPLIER" in c:
        multiplier, shift = np.array([c["OUTPUT_MULTIPLIER"]]), np.array([c["OUTPUT_SHIFT"]])
        result = data["output_ref"]
    else:
        multiplier, shift, result = data["output_multiplier"], data["output_shift"], data["output"]
    sizes = (data["input"].size, data["weights"].size, result.size)
    if (
        bias is None
        or bias.size != channels
        or sizes != (batches * depth, channels * depth, batches * channels)
    ):
        return None
    p = FullyConnected(
        data["input"].reshape(batches, depth), data["weights"].reshape(channels, depth), bias, multiplier, shift,
        c["INPUT_OFFSET"], c.get("FILTER_OFFSET", 0), c["OUTPUT_OFFSET"],
        (c["OUT_ACTIVATION_MIN"], c["OUT_ACTIVATION_MAX"]),
    )  # fmt: skip
    return p, result


@pytest.mark.parametrize("target", TARGETS)
def test_complete_vectors_of_arm(target: str, tmp_path: Path) -> None:
    calls = []
    for name, config, data in require_shared_cases("arm_fully_connected_s8"):
        case = vector(config, data)
        if case is not None:
            calls += [call(name, case[0], function, target, case[1]) for function in functions_for(case[0])]
    # Of seven files, the others lack their filters or biases.
    assert len(calls) == 2 * 4
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


def random_fully_connected(rng: np.random.Generator) -> FullyConnected:
    channels, depth = int(rng.integers(1, 14)), int(rng.choice([1, 3, 4, 15, 16, 17, 33, 64, 131]))
    quant = random_quantization(rng, channels, depth)
    if rng.random() < 0.5 or channels == 1:
        quant["multiplier"], quant["shift"] = (
            np.array([v]) for v in quantize_multiplier(1 / (300 * depth**0.5))
        )
    filter_offset = int(rng.integers(-127, 129)) if rng.random() < 0.4 else 0
    x = random_int8(rng, (int(rng.integers(1, 4)), depth), rng.random() < 0.1)
    w = random_int8(rng, (channels, depth), rng.random() < 0.1)
    return FullyConnected(x, w, filter_offset=filter_offset, **quant)


@pytest.mark.parametrize("target", TARGETS)
def test_random_shapes(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(31)
    calls = []
    for i in range(120):
        p = random_fully_connected(rng)
        calls += [call(f"random_{i}", p, function, target) for function in functions_for(p)]
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))
