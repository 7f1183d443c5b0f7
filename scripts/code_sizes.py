# SPDX-License-Identifier: Apache-2.0
"""Measures the code of each runtime function and writes runtime_c/code_sizes.toml, by which kernels are compared.

    python scripts/code_sizes.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tinyc.backend.runtime import manifest
from tinyc.resources import runtime_dir
from tinyc.targets import Target, list_targets
from tinyc.toolchain.elf import ElfFile
from tinyc.toolchain.gcc import compile_sources

HEADING = """\
# SPDX-License-Identifier: Apache-2.0
#
# Bytes of code and constants of each function in each of its variants, without what it needs, compiled with -O2 for
# the smallest core that can use that variant. Written by scripts/code_sizes.py (make code-sizes).
"""


def cores() -> dict[str, Target]:
    """The bare-metal core on which each variant is measured."""
    found: dict[str, Target] = {}
    for target in list_targets():
        if target.family == "arm":
            for variant in target.variants:
                found.setdefault(variant, target)
    return found


def measure() -> dict[str, dict[str, int]]:
    """Bytes by function and variant."""
    root, functions = runtime_dir(), manifest()["functions"]
    include = [root / folder for folder in manifest()["include_dirs"]]
    sizes: dict[str, dict[str, int]] = {name: {} for name in functions}
    for variant, target in cores().items():
        files = sorted({f for entry in functions.values() for f in entry.get(variant, ())})
        with tempfile.TemporaryDirectory() as folder:
            objects = compile_sources(target, [root / f for f in files], include, ["-O2"], Path(folder))
            own = {f: flash_bytes(o) for f, o in zip(files, objects, strict=True)}
        for name, entry in functions.items():
            if variant in entry:
                sizes[name][variant] = sum(own[f] for f in entry[variant])
    return sizes


def flash_bytes(file: Path) -> int:
    return sum(s.bytes for s in ElfFile.read(file).sections if s.kind in ("code", "constants"))


def main() -> None:
    lines = [HEADING]
    for name, variants in sorted(measure().items()):
        values = ", ".join(f"{variant} = {size}" for variant, size in variants.items())
        lines.append(f"{name} = {{ {values} }}")
    (runtime_dir() / "code_sizes.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
