# SPDX-License-Identifier: Apache-2.0
"""The same model, options and version give the same bytes, wherever and whenever they are compiled."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from checkout import DIGITS, TINYC, environment, files_below


def compiled_in(folder: Path, model: Path, seed: str, *options: str) -> dict[str, bytes]:
    folder.mkdir()
    shutil.copy(model, folder / model.name)
    command = [*TINYC, "compile", model.name, "-o", "out", *options]
    env = {**environment(), "PYTHONHASHSEED": seed, "TZ": f"UTC{seed}", "LC_ALL": "C" if seed == "1" else "C.UTF-8"}
    subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)
    return files_below(folder / "out")


@pytest.mark.parametrize("model", ["digits_int8", "digits_f32"])
def test_same_bytes(model: str, tmp_path: Path) -> None:
    path = DIGITS / f"{model}.onnx"
    first = compiled_in(tmp_path / "a folder", path, "1", "--target", "cortex-m4")
    second = compiled_in(tmp_path / "elsewhere", path, "2", "--target", "cortex-m4")
    assert first == second
    everything = b"".join(first.values())
    assert os.fsencode(tmp_path) not in everything and b"a folder" not in everything


def test_compiling_again_leaves_the_same_files(tmp_path: Path) -> None:
    path = DIGITS / "digits_int8.onnx"
    first = compiled_in(tmp_path / "x", path, "1", "--target", "cortex-m4")
    command = [*TINYC, "compile", str(path), "-o", "out", "--target"]
    for target in ("host", "cortex-m4"):
        subprocess.run([*command, target], cwd=tmp_path / "x", env=environment(), check=True, capture_output=True)
    assert files_below(tmp_path / "x" / "out") == first
