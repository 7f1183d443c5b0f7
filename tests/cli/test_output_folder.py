# SPDX-License-Identifier: Apache-2.0
"""The output folder is whole or as before, and files that tinyc did not write stay."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from checkout import DIGITS, files_below
from command_line import refuse, succeed
from small_models import two_ports_net

INT8 = DIGITS / "digits_int8.onnx"


def compile_to(folder: Path, model: Path, target: str = "cortex-m4", *options: object) -> dict[str, bytes]:
    succeed("compile", model, "--target", target, "-o", folder, *options)
    return files_below(folder)


def test_fresh_folder(tmp_path: Path) -> None:
    files = compile_to(tmp_path / "new" / "out", INT8)
    assert {"digits_int8.h", "digits_int8.c", "CMakeLists.txt", "report.json"} <= files.keys()
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["out"]
    assert os.stat(tmp_path / "new" / "out").st_mode == os.stat(tmp_path / "new").st_mode


def test_default_folder_is_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    succeed("compile", INT8, "--target", "host", "--name", "Net")
    assert (tmp_path / "net" / "net.h").is_file()


def test_files_of_the_former_run_go(tmp_path: Path) -> None:
    out = tmp_path / "out"
    plain = compile_to(out, two_ports_net(tmp_path / "ports.onnx"), "host")
    compile_to(out, INT8)
    assert "ports.c" not in files_below(out)
    assert compile_to(out, tmp_path / "ports.onnx", "host") == plain
    assert all(any(p.iterdir()) for p in out.rglob("*") if p.is_dir())


def test_other_files_stay(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "main.c").write_text("int main(void) { return 0; }\n")
    compile_to(out, INT8)
    compile_to(out, two_ports_net(tmp_path / "ports.onnx"))
    assert (out / "main.c").read_text() == "int main(void) { return 0; }\n"


@pytest.mark.parametrize("name", ["CMakeLists.txt", "digits_int8.c", "report.json"])
def test_files_of_others_are_not_overwritten(name: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text('{"files": ["CMakeLists.txt", "report.json", "digits_int8.c"]}\n')
    before = files_below(tmp_path)
    assert name in refuse("compile", INT8, "--target", "host", "-o", tmp_path / "out")
    assert files_below(tmp_path) == before


def test_a_failed_command_leaves_the_former_files(tmp_path: Path) -> None:
    before = compile_to(tmp_path / "out", INT8)
    (tmp_path / "bad.onnx").write_bytes(INT8.read_bytes()[:1000])
    refuse("compile", tmp_path / "bad.onnx", "--target", "cortex-m4", "-o", tmp_path / "out")
    assert files_below(tmp_path / "out") == before


@pytest.mark.parametrize("fails_at", [0, 1, 5, 12])
def test_a_full_disk_leaves_the_former_files(fails_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = two_ports_net(tmp_path / "ports.onnx")
    before = compile_to(tmp_path / "out", model, "host")
    calls = 0
    replace = os.replace

    def replace_until_full(source: Any, target: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == fails_at + 1:
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", replace_until_full)
    assert "No space left" in refuse("compile", INT8, "--target", "cortex-m4", "-o", tmp_path / "out")
    assert files_below(tmp_path / "out") == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "ports.onnx"]


def test_output_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    assert "is a file" in refuse("compile", INT8, "--target", "host", "-o", tmp_path / "file")
    refuse("compile", INT8, "--target", "host", "-o", tmp_path / "file" / "below")
    assert files_below(tmp_path) == {"file": b"mine"}


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    refuse("compile", INT8, "--target", "host", "-o", "/proc/tinyc/out")
    if os.geteuid() != 0:  # to root nothing is read-only
        (tmp_path / "locked").mkdir(mode=0o555)
        refuse("compile", INT8, "--target", "host", "-o", tmp_path / "locked" / "out")
        assert files_below(tmp_path) == {}
