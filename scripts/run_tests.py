# SPDX-License-Identifier: Apache-2.0
"""Everything a change has to pass: ruff, mypy, cppcheck, pytest, the size gate.

All steps run even where one fails. The last line of the output counts tests, and each other step as one.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = [sys.executable, "-m"]
STEPS = ("ruff", "mypy", "cppcheck", "pytest", "size")


@dataclass(frozen=True)
class Outcome:
    """How many checks of a step passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)


def succeeds(name: str, command: Sequence[str]) -> bool:
    print(f"== {name}: {' '.join(command)}", flush=True)
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def cppcheck_command() -> list[str]:
    """The runtime's C. Shifts of negative numbers are meant: GCC and clang define them as arithmetic. A buffer
    that another function fills is no uninitialized variable, as version 2.17 believes."""
    return [
        "cppcheck", "--quiet", "--std=c99", "--enable=warning,performance,portability", "--inline-suppr",
        "--suppress=missingIncludeSystem", "--suppress=shiftTooManyBitsSigned", "--suppress=shiftNegativeLHS",
        "--suppress=duplicateAssignExpression", "--suppress=uninitvar:*/mat_mult_s8_dsp.c",
        "--suppress=normalCheckLevelMaxBranches", "--error-exitcode=1", "-j", "2",
        "-I", "runtime_c/include", "-I", "runtime_c/src/common", "runtime_c/src",
    ]


def run_pytest(jobs: str, fast: bool) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "junit.xml"
        command = [*PYTHON, "pytest", "-n", jobs, "--dist", "worksteal", f"--junitxml={report}", "--durations=10"]
        good = succeeds("pytest", [*command, *(["-m", "not slow"] if fast else [])])
        if not report.is_file():
            return Outcome(failed=1)
        suites = ElementTree.parse(report).getroot().iter("testsuite")
        passed = failed = skipped = 0
        for suite in suites:
            bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            left = int(suite.get("skipped", 0))
            passed += int(suite.get("tests", 0)) - bad - left
            failed += bad
            skipped += left
    return Outcome(passed, max(failed, 0 if good else 1), skipped)


def run_step(step: str, jobs: str, fast: bool) -> Outcome:
    if step == "pytest":
        return run_pytest(jobs, fast)
    command = {
        "ruff": [*PYTHON, "ruff", "check", "compiler", "examples", "scripts", "setup.py", "tests"],
        "mypy": [*PYTHON, "mypy"],
        "cppcheck": cppcheck_command(),
        "size": [sys.executable, "scripts/size_gate.py"],
    }[step]
    good = succeeds(step, command)
    if not good:
        print(f"== {step} FAILED", flush=True)
    return Outcome(passed=int(good), failed=int(not good))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", default="auto", help="test processes")
    parser.add_argument("--fast", action="store_true", help="leave out the tests marked slow")
    parser.add_argument("--only", nargs="+", choices=STEPS, default=STEPS)
    arguments = parser.parse_args()
    start = time.monotonic()
    outcomes = {step: run_step(step, arguments.jobs, arguments.fast) for step in arguments.only}
    total = sum(outcomes.values(), Outcome())
    broken = [step for step, outcome in outcomes.items() if outcome.failed]
    print("== " + (f"failed: {', '.join(broken)}" if broken else "all steps passed"))
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped in {time.monotonic() - start:.0f} s")
    sys.exit(1 if total.failed else 0)


if __name__ == "__main__":
    main()
