# SPDX-License-Identifier: Apache-2.0
"""Requantization in four instructions has the bits of the specification's two roundings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fixed_point import requantize
from int8_calls import with_buffers
from kernel_batch import Call, run_calls

CODE = """
for (int32_t i = 0; i < {count}; ++i) {{
    const int32_t half = tinyc_fast_requantize_half({offset}, {right});
    @1[i] = (int8_t)tinyc_fast_requantize(2 * @0[i], {multiplier}, half, {right});
}}
"""


def accumulators(rng: np.random.Generator, multiplier: int, right: int) -> np.ndarray:
    """Of every magnitude, around zero, at the ends of the range, and around values that lie between two results."""
    step = 2.0 ** (31 + right) / max(multiplier, 1)
    edges = np.array([(k + 0.5) * step for k in range(-300, 300)])
    near = np.rint(edges[:, None] + np.arange(-2, 3)).reshape(-1)
    wide = rng.integers(-(2**30) + 1, 2**30, 100) >> rng.integers(0, 30, 100)
    values = np.concatenate([near, wide, np.arange(-40, 41), [1 - 2**30, 2**30 - 1]])
    return np.clip(values, 1 - 2**30, 2**30 - 1).astype(np.int32)


@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m7", "cortex-m33"])
def test_the_bits_of_double_rounding(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    calls = []
    for right in range(1, 23):
        for offset in (-128, 127, int(rng.integers(-128, 128))):
            multiplier = int(rng.choice([2**30, 2**31 - 1, int(rng.integers(2**30, 2**31))]))
            acc = accumulators(rng, multiplier, right)
            expected = np.clip(requantize(acc, multiplier, -right) + offset, -128, 127).astype(np.int8)
            code = CODE.format(count=acc.size, offset=offset, right=right, multiplier=multiplier)
            buffers = (acc, np.zeros(acc.size, np.int8))
            calls.append(Call(f"{right} {offset} {multiplier}", with_buffers(code), buffers, 1, expected))
    run_calls(calls, [], ["tinyc_fast_requantize_dsp.h"], target, tmp_path)
