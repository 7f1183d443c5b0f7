# SPDX-License-Identifier: Apache-2.0
"""Options of the tests, and which of them are slow."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

# The fast lane runs on one core and without sanitizers; the full lane has the same tests for the others.
FAST_TARGET = "cortex-m4"
SLOW_FILES = {
    "test_bench.py", "test_builds.py", "test_int8_builds.py", "test_mlperf_tiny.py", "test_optimization_s8.py",
    "test_warnings.py",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files instead of comparing")
    parser.addoption("--kernel-counts", metavar="FILE", help="add what each call of tests/runtime_c executes to FILE")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--kernel-counts"):
        os.environ["TINYC_KERNEL_COUNTS"] = os.path.abspath(config.getoption("--kernel-counts"))


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    for item in items:
        parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        other_target = parameters.get("target", FAST_TARGET) != FAST_TARGET
        if item.path.name in SLOW_FILES or other_target or "sanitize" in item.name:
            item.add_marker(pytest.mark.slow)
