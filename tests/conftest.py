# SPDX-License-Identifier: Apache-2.0
"""Options of the tests. The file also puts this folder on the path, so that tests share its modules."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files instead of comparing")
