# SPDX-License-Identifier: Apache-2.0
"""Instructions, estimated cycles, flash and RAM of models on cores, by `tinyc profile`, against the committed baseline.

    python scripts/bench.py [--models kws_int8,digits_int8] [--targets cortex-m4] [--builds speed] [--update]

Exit code 1 where a figure is more than 1 % worse than in the baseline. Models beside the repository (../shared/models)
are left out where they are missing. The column /tflm is instructions as a ratio to TFLite Micro with CMSIS-NN (-O3) on
the same emulated core, the column published the best published cycles on a part with that core, both from
../shared/peers.json where that is.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
BASELINE = ROOT / "tests" / "bench" / "baseline.json"
FIGURES = ("instructions", "cycles", "flash", "ram")
TOLERANCE = 0.01

OWN = {
    "digits_int8": ROOT / "examples" / "digits" / "digits_int8.onnx",
    "digits_f32": ROOT / "examples" / "digits" / "digits_f32.onnx",
    "sounds": ROOT / "examples" / "sounds" / "sounds.onnx",
}
MLPERF_TINY = ("kws", "vww", "ic", "ad")
PART_OF = {"stm32l4r5": "cortex-m4"}

Row = dict[str, int]


@dataclass(frozen=True)
class Case:
    """A model (its file's stem) on a target, with a level of --optimize."""

    model: str
    target: str
    build: str

    @property
    def key(self) -> str:
        return f"{self.model} {self.target} {self.build}"

    @property
    def path(self) -> Path:
        return OWN.get(self.model, SHARED / "models" / f"{self.model}.onnx")


def all_cases() -> Iterator[Case]:
    """What there is to measure, whether or not the model is here."""
    for target in ("cortex-m4", "cortex-m7", "cortex-m55", "cortex-m0plus"):
        yield Case("digits_int8", target, "default")
        for model in MLPERF_TINY:
            for build in ("speed", "default", "size", "ram"):
                yield Case(f"{model}_int8", target, build)
    for model in MLPERF_TINY:
        yield Case(f"{model}_int8", "stm32l4r5", "speed")
    for model in ("digits_f32", "sounds"):
        yield Case(model, "cortex-m4", "default")
    for model in ("kws", "ic", "ad"):
        yield Case(f"{model}_f32", "cortex-m4", "speed")


def measure(case: Case) -> Row | str:
    """The figures of a case, or what went wrong."""
    command = [sys.executable, "-m", "tinyc", "profile", str(case.path), "--target", case.target,
               "--optimize", case.build, "--json"]
    if case.path.with_suffix(".npz").is_file():
        command += ["--inputs", str(case.path.with_suffix(".npz"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return done.stderr.strip() or f"exit code {done.returncode}"
    report = json.loads(done.stdout)
    return {"instructions": report["instructions"], "cycles": report["cycles"], "flash": report["flash"]["total"],
            "ram": report["ram"]["total"]}


def worse(case: Case, row: Row, baseline: Mapping[str, Row]) -> list[str]:
    """What is more than TOLERANCE worse than the baseline's figures; nothing for a case that is not in it."""
    old = baseline.get(case.key, {})
    return [
        f"{case.key}: {figure} {old[figure]:,} -> {row[figure]:,} (+{100 * (row[figure] / old[figure] - 1):.1f} %)"
        for figure in FIGURES if figure in old and row[figure] > old[figure] * (1 + TOLERANCE)
    ]


def line(case: Case, row: Row, old: Row | None, peers: Mapping[str, Any]) -> str:
    """A row of the table; columns of what is not known are empty."""
    model, core = case.model.removesuffix("_int8"), PART_OF.get(case.target, case.target)
    tflm = peers.get("measured", {}).get(core, {}).get("tflm-O3", {}).get(model, {}).get("instructions")
    published = peers.get("published", {}).get("cycles_millions", {}).get(core, {}).get(model)
    ratio = f"{row['instructions'] / tflm:.2f}" if tflm else ""
    best = f"{published:.2f} M" if published else ""
    change = f"{100 * (row['instructions'] / old['instructions'] - 1):+.1f} %" if old else "new"
    return (f"{case.model:12} {case.target:13} {case.build:7} {row['instructions']:>12,} {change:>8} {ratio:>5} "
            f"{row['cycles']:>12,} {best:>10} {row['flash']:>9,} {row['ram']:>9,}")


def bench(cases: list[Case], baseline: dict[str, Row], jobs: int) -> tuple[dict[str, Row], list[str]]:
    """Measures, prints a line for each case, and returns the rows and what is wrong with them."""
    file = SHARED / "peers.json"
    peers = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    rows: dict[str, Row] = {}
    problems: list[str] = []
    print(f"{'model':12} {'target':13} {'build':7} {'instructions':>12} {'change':>8} {'/tflm':>5} {'est. cycles':>12} "
          f"{'published':>10} {'flash':>9} {'RAM':>9}")
    with ThreadPoolExecutor(jobs) as pool:
        for case, row in zip(cases, pool.map(measure, cases), strict=True):
            if isinstance(row, str):
                problems.append(f"{case.key}: {row}")
                continue
            rows[case.key] = row
            problems += worse(case, row, baseline)
            print(line(case, row, baseline.get(case.key), peers), flush=True)
    return rows, problems


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name in ("models", "targets", "builds"):
        parser.add_argument(f"--{name}", help="only these, separated by commas")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--update", action="store_true", help="write the figures to the baseline")
    options = parser.parse_args()
    wanted = {"model": options.models, "target": options.targets, "build": options.builds}
    cases = [case for case in all_cases() if case.path.is_file()
             and all(text is None or getattr(case, name) in text.split(",") for name, text in wanted.items())]
    if not cases:
        parser.error("nothing of that is here")
    baseline: dict[str, Row] = json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.is_file() else {}
    rows, problems = bench(cases, {} if options.update else baseline, options.jobs)
    for problem in problems:
        print(f"worse: {problem}", file=sys.stderr)
    if options.update:
        merged = dict(sorted({**baseline, **rows}.items()))
        BASELINE.write_text(json.dumps(merged, indent=1) + "\n", encoding="utf-8")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
