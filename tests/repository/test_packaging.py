# SPDX-License-Identifier: Apache-2.0
"""A wheel carries all that tinyc needs: built, installed into a new environment, and used there."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from checkout import DIGITS, ROOT, files_below, tinyc

DATA = ("runtime_c", "targets")


def run(*command: object, cwd: Path) -> str:
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("compiler", *DATA, "pyproject.toml", "setup.py", "README.md", "LICENSE"):
        # Without what a build in the checkout may have left there.
        run("cp", "-r", ROOT / name, source / name, cwd=folder)
    run("find", source, "-name", "*.egg-info", "-prune", "-exec", "rm", "-r", "{}", "+", cwd=folder)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    run(*pip, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", folder, source, cwd=folder)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment with the wheel; the packages it needs are borrowed from this one."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "--python", python]
    run(*pip, "install", "--no-deps", "--no-index", wheel, cwd=folder)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def test_contents(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    for name in DATA:
        assert {f"tinyc/_data/{name}/{path}" for path in files_below(ROOT / name)} <= packed
    sources = [p for p in (ROOT / "compiler" / "tinyc").rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert {str(p.relative_to(ROOT / "compiler")) for p in sources} <= packed
    assert not [name for name in packed if name.startswith("tests") or "__pycache__" in name]
    metadata = next(name for name in packed if name.endswith("METADATA"))
    assert "License-Expression: Apache-2.0" in zipfile.ZipFile(wheel).read(metadata).decode()


def test_installed_command(python: Path, tmp_path: Path) -> None:
    code = "import tinyc, tinyc.resources as r; print(tinyc.__file__, r.runtime_dir())"
    where = run(python, "-c", code, cwd=tmp_path)
    assert all(word.startswith(str(python.parents[1])) for word in where.split())
    model = DIGITS / "digits_int8.onnx"
    command = python.parent / "tinyc"
    run(command, "compile", model, "--target", "cortex-m4", "-o", tmp_path / "installed", cwd=tmp_path)
    tinyc("compile", model, "--target", "cortex-m4", "-o", tmp_path / "checkout")
    assert files_below(tmp_path / "installed") == files_below(tmp_path / "checkout")
    run(command, "verify", model, "--target", "cortex-m4", cwd=tmp_path)
