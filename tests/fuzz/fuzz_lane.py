# SPDX-License-Identifier: Apache-2.0
"""One random graph from its seed to its verdict; what fails is saved, with a smaller graph that fails too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from fuzz_growing import Case
from fuzz_judge import check
from fuzz_reduce import reduced
from fuzz_reference import Dropped
from fuzz_source import Source
from fuzz_table import random_case
from onnx import helper


@dataclass(frozen=True)
class Result:
    """Status: passed, excused, refused or failed (see fuzz_judge), or dropped: the seed leads to no graph."""

    seed: int
    status: str
    reason: str = ""
    operators: Sequence[tuple[str, str]] = ()
    saved: str = ""
    reproduction: str = ""


def run_seed(seed: int, folder: Path | None = None) -> Result:
    """Draws and judges a graph; with a folder, what fails is reduced and saved there."""
    try:
        case = random_case(Source.seeded(seed))
    except Dropped as reason:
        return Result(seed, "dropped", str(reason))
    except Exception as error:
        return Result(seed, "failed", f"the generator: {type(error).__name__}: {error}")
    verdict = check(case)
    if verdict.status != "failed" or folder is None:
        return Result(seed, verdict.status, verdict.reason, case.operators)
    small = reduced(case, lambda c: check(c).status == "failed")
    folder.mkdir(parents=True, exist_ok=True)
    save(case, folder / f"seed{seed}.onnx")
    path = save(small, folder / f"seed{seed}_reduced.onnx")
    return Result(seed, "failed", verdict.reason, case.operators, str(path),
                  f"{check(small).reason}\n{describe(small)}")


def save(case: Case, path: Path) -> Path:
    """The model, and its inputs and expected outputs beside it in the form of `tinyc verify`."""
    onnx.save(case.model, path)
    arrays = {f"in:{n}": a[None] for n, a in case.inputs.items()} | {f"out:{n}": a[None] for n, a in
                                                                    case.expected.items()}
    np.savez(path.with_suffix(".npz"), **arrays)
    return path


def describe(case: Case) -> str:
    """The nodes as text, with types and shapes."""
    held = {t.name for t in case.model.graph.initializer}

    def value(name: str) -> str:
        if name not in case.known:
            return name or "-"
        array = case.known[name]
        text = f"{array.dtype}{list(array.shape)}"
        return f"{text} {array.tolist()}" if name in held and array.size <= 8 else f"{name} {text}"

    lines = [f"opset {case.model.opset_import[0].version}, options {case.options or 'default'}"]
    for node in case.model.graph.node:
        if node.op_type == "Constant":
            continue
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        inputs, outputs = (", ".join(value(n) for n in names) for names in (node.input, node.output))
        lines.append(f"  {outputs} = {node.op_type}({inputs}) {attributes or ''}")
    return "\n".join(lines)
