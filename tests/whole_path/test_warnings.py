# SPDX-License-Identifier: Apache-2.0
"""Generated C and the runtime compile without a warning, with GCC for every target and with clang."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from c_projects import WARNINGS, command, generate, include_dirs, sources
from mlperf_tiny import MODELS, SHARED, model_path
from small_models import residual_net, two_ports_net
from tinyc.compiler import Compiled
from tinyc.resources import runtime_dir
from tinyc.targets import list_targets, load_target
from tinyc.toolchain.gcc import libc_flags

CLANG_CPUS = {
    "host": [],
    "cortex-m0plus": ["-mcpu=cortex-m0plus", "-mfloat-abi=soft"],
    "cortex-m4": ["-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"],
    "cortex-m33": ["-mcpu=cortex-m33", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16"],
    "cortex-m55": ["-mcpu=cortex-m55", "-mfloat-abi=hard"],
}


def every_model(target: str, folder: Path) -> list[Compiled]:
    """Models of each kind, in the variants whose C differs."""
    made = [generate(residual_net(folder / f"net_{int8}.onnx", int8), target, folder, f"net{k}", io=io, io_dtype=dtype)
            for k, (int8, io, dtype) in enumerate(
                [(True, "arena", "model"), (True, "caller", "int8"), (False, "arena", "model"),
                 (False, "caller", "model")])]
    made.append(generate(two_ports_net(folder / "ports.onnx"), target, folder))
    if (SHARED / "models").is_dir():
        made += [generate(model_path(f"{m}_{kind}"), target, folder) for m in MODELS for kind in ("int8", "f32")]
    return made


def compile_all(compiler: list[str], target: str, folder: Path) -> None:
    made = every_model(target, folder)
    done: set[str] = set()
    for result in made:
        includes = [f"-I{d}" for d in include_dirs(result, folder)]
        fresh = [s for s in sources(result, folder) if s.parent == folder / result.name
                 or str(s.relative_to(folder / result.name)) not in done]
        done |= {str(s.relative_to(folder / result.name)) for s in fresh}
        for source in fresh:
            command([*compiler, *WARNINGS, *includes, "-c", source, "-o", folder / "out.o"])


@pytest.mark.parametrize("target", [t.name for t in list_targets() if t.name != "microbit"])
def test_gcc(target: str, tmp_path: Path) -> None:
    described = load_target(target)
    compile_all([described.compiler, *described.cflags, *libc_flags(described), "-O2"], target, tmp_path)


def newlib_include() -> Path:
    """Where the Arm tool chain keeps the C library's headers."""
    text = subprocess.run(["arm-none-eabi-gcc", "-print-sysroot"], capture_output=True, text=True, check=True).stdout
    places = [Path(text.strip()) / "include", Path("/usr/lib/arm-none-eabi/include"), Path("/usr/include/newlib")]
    return next(p for p in places if (p / "stdint.h").is_file())


@pytest.mark.skipif(shutil.which("clang") is None, reason="clang is not installed")
@pytest.mark.parametrize("target", CLANG_CPUS)
def test_clang(target: str, tmp_path: Path) -> None:
    compiler = ["clang", "-O1", *CLANG_CPUS[target]]
    if target != "host":
        compiler += ["--target=arm-none-eabi", "-mthumb", "-isystem", str(newlib_include())]
    compile_all(compiler, target, tmp_path)


@pytest.mark.parametrize("variant", ["portable", "dsp", "mve"])
def test_whole_runtime_with_gcc(variant: str, tmp_path: Path) -> None:
    """Also the runtime's files that none of the models above use."""
    target = load_target({"portable": "cortex-m3", "dsp": "cortex-m4", "mve": "cortex-m55"}[variant])
    includes = [f"-I{runtime_dir() / d}" for d in ("include", "src/common")]
    others = {"portable": ("_dsp", "_mve"), "dsp": ("_mve",), "mve": ("_dsp",)}[variant]
    for source in sorted((runtime_dir() / "src").rglob("*.c")):
        if not source.stem.endswith(others):
            command([target.compiler, *target.cflags, *libc_flags(target), "-O2", *WARNINGS, *includes, "-c", source,
                     "-o", tmp_path / "out.o"])


def test_headers_in_cpp11(tmp_path: Path) -> None:
    made = every_model("host", tmp_path)
    unit = tmp_path / "all.cpp"
    unit.write_text("".join(f'#include "{r.name}/{r.name}.h"\n' for r in made)
                    + "".join(f"static {r.name.upper()}_ARENA({r.name}_arena);\n" for r in made)
                    + "int main() { return "
                    + " + ".join(f"static_cast<int>({r.name}_arena[0])" for r in made) + "; }\n")
    for compiler in ("g++", "clang++"):
        if shutil.which(compiler):
            command([compiler, "-std=c++11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror",
                     "-fsyntax-only", f"-I{tmp_path}", unit])
