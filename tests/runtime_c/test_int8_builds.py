# SPDX-License-Identifier: Apache-2.0
"""The int8 inner loops under other compiler flags, and the C twins of those written in assembly."""

from __future__ import annotations

from pathlib import Path

import kernel_batch
import numpy as np
import pytest
import test_convolution_s8 as convolution
import test_depthwise_s8 as depthwise
import test_fully_connected_s8 as fully_connected
from int8_calls import conv_call
from kernel_batch import Call, run_calls

FUNCTIONS = [*convolution.FUNCTIONS, *depthwise.FUNCTIONS, *fully_connected.FUNCTIONS]
BUILDS = [
    ("-O0",),
    ("-Og",),
    ("-Os",),
    ("-O2", "-fno-omit-frame-pointer"),
    ("-O3", "-flto"),
]


def some_of_everything(target: str) -> list[Call]:
    rng = np.random.default_rng(41)
    calls = []
    for i in range(6):
        for kind in ["any", "one_by_one", "row"]:
            p = convolution.random_conv(rng, kind)
            calls.append(conv_call(f"{kind}_{i}", p, "convolve_wrapper_s8", target))
        for kind in ["any", "3x3", "multiplied"]:
            p = depthwise.random_depthwise(rng, kind)
            calls.append(conv_call(f"{kind}_{i}", p, "depthwise_conv_wrapper_s8", target))
        q = fully_connected.random_fully_connected(rng)
        calls.append(fully_connected.call(f"{i}", q, "fully_connected_wrapper_s8", target))
    p = convolution.plain(rng, (3, 3), 40, 33)
    calls.append(conv_call("overlapping", p, "convolve_wrapper_s8", target, overlap=0))
    return calls


@pytest.mark.parametrize("flags", BUILDS, ids=" ".join)
@pytest.mark.parametrize("target", ["host", "cortex-m0plus", "cortex-m4", "cortex-m55"])
def test_exact_however_it_is_compiled(target: str, flags: tuple[str, ...], tmp_path: Path) -> None:
    run_calls(some_of_everything(target), FUNCTIONS, convolution.HEADERS, target, tmp_path, cflags=flags)


@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m55"])
def test_the_c_twins_of_assembly(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = kernel_batch.runtime_sources

    def with_twins(*arguments) -> list[Path]:
        files = [file.with_suffix(".c") for file in original(*arguments)]
        assert files != original(*arguments)
        return files

    monkeypatch.setattr(kernel_batch, "runtime_sources", with_twins)
    run_calls(some_of_everything(target), FUNCTIONS, convolution.HEADERS, target, tmp_path)
