# SPDX-License-Identifier: Apache-2.0
"""The int8 functions at every optimization level: inline assembly and intrinsics must not depend on it."""

from __future__ import annotations

from pathlib import Path

import pytest
import test_elementwise_s8
import test_pooling_s8
import test_softmax_s8
from kernel_batch import run_calls

FUNCTIONS = [*test_elementwise_s8.FUNCTIONS, *test_pooling_s8.FUNCTIONS, *test_softmax_s8.FUNCTIONS]


@pytest.mark.parametrize("target", ["host", "cortex-m4", "cortex-m55"])
@pytest.mark.parametrize("flags", ["-O0", "-Og", "-Os", "-O3 -flto", "-O3 -fno-omit-frame-pointer"])
def test_results_do_not_depend_on_the_optimization(flags: str, target: str, tmp_path: Path) -> None:
    calls = [
        *test_elementwise_s8.add_calls()[::3],
        *test_elementwise_s8.mul_calls()[::3],
        *test_pooling_s8.random_calls()[::3],
        *test_pooling_s8.large_window_calls()[::5],
        *test_softmax_s8.softmax_calls()[::4],
    ]
    run_calls(calls, FUNCTIONS, ["tinyc_cmsis_map.h"], target, tmp_path, cflags=flags.split())
