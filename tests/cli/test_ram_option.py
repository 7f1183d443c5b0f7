# SPDX-License-Identifier: Apache-2.0
"""--ram and --optimize ram on the command line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from checkout import DIGITS
from command_line import refuse_compile, succeed

INT8 = DIGITS / "digits_int8.onnx"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    copy = tmp_path / "digits.onnx"
    copy.write_bytes(INT8.read_bytes())
    return copy


def test_bound(model: Path, tmp_path: Path) -> None:
    def compiled(*options: str) -> dict:
        out = tmp_path / "".join(options).strip("-").replace(" ", "") if options else tmp_path / "plain"
        return succeed("compile", model, "--target", "cortex-m4", "--json", "-o", out, *options).json

    plain, least = compiled(), compiled("--optimize", "ram")
    assert plain["row_by_row"] == [] and plain["options"]["ram"] is None
    assert least["arena"]["bytes"] <= plain["arena"]["bytes"]
    assert compiled("--ram", "64K")["arena"] == plain["arena"]
    message = refuse_compile(model, "--ram", "300")
    found = re.search(r"within 300 bytes of RAM; the smallest found needs ([\d,]+)\n"
                      r"hint: arena ([\d,]+), stack about ([\d,]+)", message)
    assert found is not None
    need, arena, stack = (int(number.replace(",", "")) for number in found.groups())
    assert need == arena + stack <= least["arena"]["bytes"] + least["stack_estimate"]
    fitting = compiled("--ram", str(need))
    assert fitting["arena"]["bytes"] + fitting["stack_estimate"] <= need


@pytest.mark.parametrize("size", ["", "x", "-1", "3.5K", "12G", "1 0"])
def test_no_size(model: Path, size: str) -> None:
    assert "--ram" in refuse_compile(model, "--ram", size)
