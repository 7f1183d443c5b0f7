# SPDX-License-Identifier: Apache-2.0
"""The checkout that is under test, and tinyc run in it as a program of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
DIGITS = EXAMPLES / "digits"
TINYC = [sys.executable, "-m", "tinyc"]


def environment(root: Path = ROOT) -> dict[str, str]:
    """The environment in which `python -m tinyc` is that of the checkout `root`."""
    return {**os.environ, "PYTHONPATH": str(root / "compiler"), "NO_COLOR": "1", "COLUMNS": "200"}


def tinyc(*words: object, cwd: Path = ROOT, root: Path = ROOT, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Runs the command line tool and checks its exit code."""
    command = [*TINYC, *(str(word) for word in words)]
    done = subprocess.run(command, cwd=cwd, env=environment(root), capture_output=True, text=True, check=False)
    assert done.returncode == code, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done


def files_below(folder: Path) -> dict[str, bytes]:
    """Relative path -> contents of every file."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
