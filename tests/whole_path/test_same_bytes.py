# SPDX-License-Identifier: Apache-2.0
"""The same model, options and version give the same bytes, wherever and whenever."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from checkout import TINYC, environment, files_below
from mlperf_tiny import model_path, needs_models


def compile_in(folder: Path, model: Path, hash_seed: str, *options: str) -> dict[str, bytes]:
    """The files of a compilation in a process of its own, from a folder of its own, of a copy of the model."""
    (folder / "models").mkdir(parents=True)
    copy = Path(shutil.copy(model, folder / "models" / model.name))
    named = copy if hash_seed == "1" else Path("models") / model.name
    subprocess.run([*TINYC, "compile", str(named), "--target", "cortex-m4", "-o", "out", *options], cwd=folder,
                   env={**environment(), "PYTHONHASHSEED": hash_seed, "TZ": f"UTC+{hash_seed}"}, check=True,
                   capture_output=True)
    os.utime(copy, (0, 0))
    return files_below(folder / "out")


@needs_models
@pytest.mark.parametrize("options", [(), ("--io", "caller", "--optimize", "ram")], ids=["default", "ram"])
@pytest.mark.parametrize("model", ["ic_int8", "vww_int8", "kws_f32"])
def test_same_bytes_from_two_folders(model: str, options: tuple[str, ...], tmp_path: Path) -> None:
    first = compile_in(tmp_path / "a", model_path(model), "1", *options)
    second = compile_in(tmp_path / "elsewhere" / "b", model_path(model), "2", *options)
    assert sorted(first) == sorted(second) and len(first) > 5
    assert [name for name in first if first[name] != second[name]] == []
    assert not any(str(tmp_path).encode() in text for text in first.values())
