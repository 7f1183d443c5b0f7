# SPDX-License-Identifier: Apache-2.0
"""Fully connected layers of eight outputs at a time, against a NumPy statement of the specification."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from int8_calls import fast, finish, random_int8, with_buffers
from kernel_batch import Call, c_array, run_calls

from tinyc.kernels.fully_connected_bytes_s8 import filled, packed

TARGETS = ["host", "cortex-m0", "cortex-m0plus", "cortex-m23", "cortex-m3", "riscv32imac"]
FUNCTIONS, HEADERS = ["fully_connected_bytes_s8"], ["tinyc_fully_connected_bytes.h"]


def layer_call(name: str, rng: np.random.Generator, depth: int, outputs: int, shift: int, extreme: bool) -> Call:
    x, w = random_int8(rng, depth, extreme), random_int8(rng, (outputs, depth), extreme)
    zero, offset = int(rng.integers(-128, 128)), int(rng.integers(-128, 128))
    clamp = (-128, 127) if rng.random() < 0.6 else tuple(sorted(int(v) for v in rng.integers(-128, 128, 2)))
    multiplier = int(rng.integers(2**30, 2**31))
    bias = rng.integers(-(2**13), 2**13, outputs)
    acc = bias + w.astype(np.int64) @ (x.astype(np.int64) - zero)
    expected = finish(acc, np.full(outputs, multiplier), np.full(outputs, shift), offset, clamp)
    folded = filled(bias - zero * w.astype(np.int64).sum(1)).astype(np.int32)
    numbers = (depth, outputs, multiplier, -shift, offset, *clamp)
    code = (
        f"const tinyc_fully_connected_bytes layer = {{{', '.join(map(str, numbers))}}};\n"
        f"tinyc_fully_connected_bytes_s8(&layer, @0, @1, {c_array('int32_t', folded)}, @2);"
    )
    return Call(name, with_buffers(code), (x, packed(w), np.zeros(outputs, np.int8)), 2, expected)


@pytest.mark.parametrize("target", TARGETS)
def test_random_layers(target: str, tmp_path: Path) -> None:
    """Also sums beyond 20 bits, which a scale above 2^-12 clamps."""
    rng = np.random.default_rng(51)
    calls = []
    for i in range(40):
        depth = 16 * int(rng.choice([1, 2, 3, 8, 40]))
        shift = -int(rng.integers(6, 12)) if i % 4 else -int(rng.integers(1, 5))
        calls.append(layer_call(f"layer_{i}", rng, depth, int(rng.integers(1, 26)), shift, i % 5 == 0))
    run_calls(calls, FUNCTIONS, HEADERS, target, tmp_path, cflags=fast(target))


@pytest.mark.parametrize(("target", "most"), [("cortex-m0plus", 10.2), ("cortex-m3", 11.0), ("riscv32imac", 11.0)])
def test_instructions(target: str, most: float, tmp_path: Path) -> None:
    """A layer of the autoencoder, 128 to 128, with the copies that the test makes."""
    call = layer_call("count", np.random.default_rng(52), 128, 128, -8, False)
    used = run_calls([call], FUNCTIONS, HEADERS, target, tmp_path, optimize="speed", count_instructions=True)
    assert used is not None and used < most * 128 * 128
