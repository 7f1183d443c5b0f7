# SPDX-License-Identifier: Apache-2.0
"""Where the files lie that tinyc carries besides Python: the C runtime and the target descriptions."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _find(name: str) -> Path:
    """A wheel carries the folder as tinyc/_data/NAME; in a checkout it lies at the repository's root."""
    for candidate in (_PACKAGE / "_data" / name, _PACKAGE.parents[1] / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"the installation of tinyc is incomplete: no folder {name!r}")


def runtime_dir() -> Path:
    """The folder runtime_c (include/, src/, runtime.toml)."""
    return _find("runtime_c")


def targets_dir() -> Path:
    """The folder with one TOML per target."""
    return _find("targets")


def harness_dir() -> Path:
    """The folder with the test harness' C, linker scripts and QEMU plugin (part of the package itself)."""
    return _PACKAGE / "toolchain" / "harness"
