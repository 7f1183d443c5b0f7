# SPDX-License-Identifier: Apache-2.0
"""Generated loops compile without a warning, with GCC and clang, for the host and for Arm."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import classical_cases
import numpy as np
import pytest
import tensor_cases
from operator_cases import NUMPY, ORT, model_of

from support import Model, compile_proto
from tinyc.compiler import Compiled
from tinyc.execute import written

FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror", "-fsyntax-only")
TENSORS = (*tensor_cases.ORT, *tensor_cases.NUMPY)
ARM = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")


def newlib_include() -> str:
    root = subprocess.run(["arm-none-eabi-gcc", "-print-sysroot"], capture_output=True, text=True).stdout.strip()
    places = [Path(root) / "include", Path("/usr/include/newlib"), Path("/usr/lib/arm-none-eabi/include")]
    return str(next(p for p in places if (p / "stdint.h").is_file()))


def compilers(target: str) -> list[list[str]]:
    if target == "host":
        return [["gcc"], ["clang"]]
    clang = ["clang", "--target=arm-none-eabi", *ARM, "-isystem", newlib_include()]
    return [["arm-none-eabi-gcc", *ARM], clang]


def awkward_names() -> Model:
    """Inputs named like local variables, keywords and each other."""
    m = Model("t")
    names = ["t_0", "T_0", "t_v", "t_a", "t_acc", "int", "arena", "a/b", "a_b", "memcpy", "p_t_v"]
    for name in names:
        m.inputs[name] = np.ones((2, 3), np.float32)
        m.node("Exp", [name], [f"{name}!"])
        m.node("ReduceSum", [f"{name}!"], [f"t_{name}"])
        m.outputs.append(f"t_{name}")
    return m


@pytest.mark.parametrize("target", ("host", "cortex-m4"))
@pytest.mark.parametrize("group", (*ORT, *NUMPY, awkward_names, *TENSORS), ids=lambda g: g.__name__)
def test_no_warning(group: Any, target: str) -> None:
    make = tensor_cases.model_of if group in TENSORS else model_of
    model = awkward_names() if group is awkward_names else make(group)
    _check(compile_proto(model.proto(), target, plan_effort=0.05), target)


@pytest.mark.parametrize("optimize", ("size", "speed"))
@pytest.mark.parametrize("target", ("host", "cortex-m4"))
def test_no_warning_in_classical_models(target: str, optimize: str) -> None:
    for cases in (classical_cases.categories(), classical_cases.machines("POLY"), classical_cases.votes(2, 60),
                  *(classical_cases.forest(seed) for seed in (1, 2, 5, 12, 26))):
        _check(compile_proto(cases.proto(), target, plan_effort=0.01, optimize=optimize), target)


def _check(compiled: Compiled, target: str) -> None:
    """Compiles the model's files with every compiler for the target."""
    with written(compiled) as folder:
        includes = [f"-I{folder / d}" for d in compiled.emitted.include_dirs]
        sources = [folder / s for s in compiled.emitted.sources]
        for command in compilers(target):
            assert shutil.which(command[0]), f"{command[0]} is missing"
            done = subprocess.run([*command, *FLAGS, *includes, *sources], capture_output=True, text=True)
            assert done.returncode == 0, f"{command}\n{done.stderr[:4000]}"
