# SPDX-License-Identifier: Apache-2.0
"""Random graphs from their seeds to their verdicts; what fails is saved, with a smaller graph that fails too."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from fuzz_growing import Case
from fuzz_judge import Verdict, check, compare, compiled_or_refused
from fuzz_reduce import reduced
from fuzz_reference import Dropped
from fuzz_source import Source
from fuzz_table import random_case
from onnx import helper

from shared_library import BuildError, Fault, build_together, isolated, run
from tinyc.compiler import Compiled


@dataclass(frozen=True)
class Result:
    """Status: passed, excused, refused or failed (see fuzz_judge), or dropped: the seed leads to no graph."""

    seed: int
    status: str
    reason: str = ""
    operators: Sequence[tuple[str, str]] = ()
    saved: str = ""
    reproduction: str = ""


def drawn(seed: int) -> Case | Result:
    """The seed's graph; else what became of it."""
    try:
        return random_case(Source(seed))
    except Dropped as reason:
        return Result(seed, "dropped", str(reason))
    except Exception as error:
        return Result(seed, "failed", f"the generator: {type(error).__name__}: {error}")


def run_seeds(seeds: Sequence[int], folder: Path, objects: Path) -> list[Result]:
    """Draws and judges graphs; what fails is reduced and saved in `folder`. `objects`: see build_together."""
    found = {seed: drawn(seed) for seed in seeds}
    cases = {seed: case for seed, case in found.items() if isinstance(case, Case)}
    verdicts = check_together(cases, objects)
    return [_result(seed, case, verdicts[seed], folder) if isinstance(case, Case) else case
            for seed, case in found.items()]


def check_together(cases: Mapping[int, Case], objects: Path) -> dict[int, Verdict]:
    """What `check` says of each, sooner. Any that spoils the common build or run is found by checking each alone."""
    with tempfile.TemporaryDirectory(prefix="tinyc-fuzz-") as name:
        folder = Path(name)
        found = {seed: compiled_or_refused(case, folder, f"g{seed}") for seed, case in cases.items()}
        ready = {seed: compiled for seed, compiled in found.items() if isinstance(compiled, Compiled)}
        verdicts = {seed: verdict for seed, verdict in found.items() if isinstance(verdict, Verdict)}
        try:
            library = build_together(list(ready.values()), folder, objects)
            outputs = isolated(lambda: {s: run(c, library, cases[s].inputs) for s, c in ready.items()})
        except (BuildError, Fault):
            return verdicts | {seed: check(cases[seed]) for seed in ready}
    return verdicts | {seed: compare(cases[seed], compiled, outputs[seed]) for seed, compiled in ready.items()}


def _result(seed: int, case: Case, verdict: Verdict, folder: Path) -> Result:
    if verdict.status != "failed":
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
