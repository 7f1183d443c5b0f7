# SPDX-License-Identifier: Apache-2.0
"""ONNX's backend test suite through tinyc: `make conformance`.

Compares with tests/conformance/passing.txt: a test that is in the list and does not pass is an error, and so is any
test with a wrong result. With --write, the list and docs/operators.md are written again.
"""

from __future__ import annotations

import argparse
import fnmatch
import logging
import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "conformance"), str(ROOT / "tests")]

import check  # noqa: E402
import suite  # noqa: E402
from operators_page import operators_page  # noqa: E402

PASSING = ROOT / "tests" / "conformance" / "passing.txt"
PAGE = ROOT / "docs" / "operators.md"


def _work(test: suite.BackendTest) -> tuple[str, check.Outcome]:
    return test.name, check.check(test)


def run(tests: Sequence[suite.BackendTest], jobs: int) -> dict[str, check.Outcome]:
    """The outcome of each test, in the order of their names."""
    logging.disable(logging.WARNING)
    outcomes = {}
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork")) as pool:
        for done, (name, outcome) in enumerate(pool.map(_work, tests), 1):
            outcomes[name] = outcome
            if done % 100 == 0:
                print(f"{done} of {len(tests)}", file=sys.stderr, flush=True)
    return dict(sorted(outcomes.items()))


def scope(path: Path) -> dict[str, str]:
    """Tier of each test that a file lists: lines of name, tab, tier."""
    rows = [line.rstrip("\n").split("\t") for line in path.read_text().splitlines() if line.strip()]
    return {row[0]: row[1] for row in rows}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("patterns", nargs="*", help="names of tests, with wildcards (test_conv*); all by default")
    parser.add_argument("--scope", type=Path, help="file of test names and tiers: counts per tier")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--write", action="store_true", help="write passing.txt and docs/operators.md")
    parser.add_argument("--quiet", action="store_true", help="do not list the tests that were refused")
    options = parser.parse_args()
    tiers = scope(options.scope) if options.scope else {}
    everything = suite.backend_tests()
    tests = [t for t in everything if (not tiers or t.name in tiers) and (
        not options.patterns or any(fnmatch.fnmatch(t.name.split("/")[1], p) for p in options.patterns))]
    outcomes = run(tests, options.jobs)
    for status in ("refused", "failed"):
        for name, outcome in outcomes.items():
            if outcome.status == status and not (status == "refused" and options.quiet):
                print(f"{status:8}{tiers.get(name, ''):3} {name}: {outcome.reason}")
    counts = Counter((tiers.get(name, ""), outcome.status) for name, outcome in outcomes.items())
    for tier in sorted({t for t, _ in counts}):
        print(f"{tier or 'all'}: " + ", ".join(f"{counts[tier, s]} {s}" for s in ("passed", "refused", "failed")))
    passed = {n for n, o in outcomes.items() if o.status == "passed"}
    failed = [n for n, o in outcomes.items() if o.status == "failed"]
    if options.write:
        PASSING.write_text("".join(f"{name}\n" for name in sorted(passed)))
        PAGE.write_text(operators_page(tests, outcomes))
    known = set(PASSING.read_text().split()) if PASSING.is_file() else set()
    lost = sorted(n for n in known & set(outcomes) if n not in passed)
    for name in lost:
        print(f"lost: {name}")
    return 1 if failed or lost else 0


if __name__ == "__main__":
    sys.exit(main())
