# SPDX-License-Identifier: Apache-2.0
"""Puts the C runtime and the target descriptions, which lie beside the package, into the wheel."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
DATA = ("runtime_c", "targets")


class BuildWithData(build_py):
    """tinyc.resources finds the folders as tinyc/_data/NAME in a wheel and at the root of a checkout."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for name in DATA:
            out = Path(self.build_lib) / "tinyc" / "_data" / name
            if out.exists():
                shutil.rmtree(out)
            shutil.copytree(ROOT / name, out)

    def get_source_files(self) -> list[str]:
        """The source distribution carries the folders, too."""
        files: list[str] = super().get_source_files()
        data = [p for name in DATA for p in sorted((ROOT / name).rglob("*")) if p.is_file()]
        return files + [str(p.relative_to(ROOT)) for p in data]


setup(cmdclass={"build_py": BuildWithData})
