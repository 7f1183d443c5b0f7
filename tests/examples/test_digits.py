# SPDX-License-Identifier: Apache-2.0
"""The digits example: what its demo shows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from checkout import DIGITS, ROOT, environment


def demo(*words: str) -> str:
    command = [sys.executable, str(DIGITS / "demo.py"), *words]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("model", "target"), [("digits_int8", "cortex-m4"), ("digits_f32", "host")])
def test_figures(model: str, target: str, tmp_path: Path) -> None:
    options = ["--model", str(DIGITS / f"{model}.onnx"), "--target", target, "--out", str(tmp_path / "c")]
    found: dict[str, Any] = json.loads(demo(*options, "--json"))
    assert found["images"] == 360
    assert found["correct"] >= 355  # as many as onnxruntime finds, give or take two
    assert found["verified"]["passed"] and found["verified"]["cases"] == 360
    profile = found["profile"]
    if target != "host":
        assert all(o["bit_exact_cases"] == 360 for o in found["verified"]["outputs"])
        assert sum(layer["instructions"] for layer in profile["layers"]) <= profile["instructions"]
        assert profile["ram"]["total"] == profile["ram"]["arena"] + profile["ram"]["stack"] + profile["ram"]["static"]
    assert (tmp_path / "c" / f"{model}.h").is_file()


def test_text(tmp_path: Path) -> None:
    text = demo("--out", str(tmp_path / "c"))
    for word in ("accuracy", "bit-exact", "instructions per inference", "flash", "RAM"):
        assert word in text
