# SPDX-License-Identifier: Apache-2.0
"""Instructions per MAC of the runtime's kernels, from the same cases as their tests.

    python scripts/bench_kernels.py [-k EXPRESSION] [--targets cortex-m4,cortex-m55] [--json FILE]

Runs tests/runtime_c and prints a line for each kernel's test on each core, with its largest case.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
Row = dict[str, Any]


def per_mac(row: Row) -> str:
    return f"{row['instructions'] / row['macs']:.2f}"


def lines(rows: Iterable[Row]) -> list[str]:
    """A table of the rows that have MACs, a line for each function, core and build."""
    groups: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row["macs"]:
            groups[row["function"], row["target"], row["options"]].append(row)
    table = [f"{'kernel':28} {'core':13} {'build':18} {'cases':>5} {'/MAC':>6}   largest case"]
    for (name, target, options), cases in sorted(groups.items()):
        total = {key: sum(case[key] for case in cases) for key in ("instructions", "macs")}
        largest = max(cases, key=lambda case: case["macs"])
        table.append(f"{name[:28]:28} {target:13} {options[:18]:18} {len(cases):5} {per_mac(total):>6}   "
                     f"{per_mac(largest)} at {largest['macs']:,} MACs: {largest['call'][:60]}")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-k", help="only tests that match, as pytest's -k")
    parser.add_argument("--targets", help="only these cores, separated by commas")
    parser.add_argument("--jobs", default="auto", help="test processes")
    parser.add_argument("--json", help="write a line of JSON for each call to this file", metavar="FILE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "counts.jsonl"
        command: list[str | Path] = [sys.executable, "-m", "pytest", "-q", "-n", options.jobs, "tests/runtime_c"]
        command += ["--kernel-counts", counts]
        code = subprocess.run([*command, *(["-k", options.k] if options.k else [])], cwd=ROOT, check=False).returncode
        text = counts.read_text(encoding="utf-8") if counts.is_file() else ""
    rows = [json.loads(line) for line in text.splitlines()]
    if options.targets:
        rows = [row for row in rows if row["target"] in options.targets.split(",")]
    if options.json:
        Path(options.json).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    print("\n".join(lines(rows)))
    sys.exit(code)


if __name__ == "__main__":
    main()
