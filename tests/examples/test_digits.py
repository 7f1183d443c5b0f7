# SPDX-License-Identifier: Apache-2.0
"""The digits example: what its demo shows."""

from __future__ import annotations

import json
import runpy
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


def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    layers = [{"instructions": 700, "op": "Conv", "name": "first"}]
    found = {
        "correct": 357, "images": 360,
        "verified": {"cases": 360, "reference": "integer evaluation", "outputs": [{"bit_exact_cases": 360}]},
        "profile": {
            "instructions": 1_234, "layers": layers,
            "flash": {"weights": 5_000, "code": 600, "constants": 70, "total": 5_670},
            "ram": {"arena": 1_000, "io": 0, "state": 0, "static": 0, "stack": 200, "total": 1_200},
        },
    }
    show = runpy.run_path(str(DIGITS / "demo.py"))["show"]
    show(found, Path("m.onnx"), "cortex-m4", Path("out"))
    text = capsys.readouterr().out
    for words in ("357 of 360 test images correct (99.2 %)", "360 of 360 outputs bit-exact",
                  "1,234 instructions per inference", "700  Conv first", "flash         5,670 bytes",
                  "RAM           1,200 bytes"):
        assert words in text
