# SPDX-License-Identifier: Apache-2.0
"""Places the hard instances of minimalloc (../shared/minimalloc) within their capacity, and says how long it took."""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from tinyc.plan import Plan, Problem, check, lower_bound, solve
from tinyc.plan.csv import read_problem

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "minimalloc"


def measure(path: Path, effort: float) -> tuple[Problem, Plan, float]:
    """The instance, what was found for it, and seconds of processor time. Its capacity is in the file's name."""
    with path.open(newline="") as file:
        problem = read_problem(file, int(path.stem.rsplit(".", 1)[-1]))
    start = time.process_time()
    plan = solve(problem, effort, only_fit=True)
    return problem, plan, time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="instances, A to K; all by default")
    parser.add_argument("--effort", type=float, default=60.0, help="deterministic units, each about a second")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    paths = [p for p in sorted(FOLDER.glob("*.csv")) if not options.names or p.name.split(".")[0] in options.names]
    if not paths:
        sys.exit(f"no instances in {FOLDER}")
    solved = 0
    with ProcessPoolExecutor(options.jobs) as pool:
        results = pool.map(partial(measure, effort=options.effort), paths)
        for path, (problem, plan, seconds) in zip(paths, results, strict=True):
            fits = not check(problem, plan)
            solved += fits
            print(f"{path.name.split('.')[0]}: {len(problem.buffers)} buffers, bound {lower_bound(problem):,}, "
                  f"found {plan.bytes:,} of {problem.capacity:,} by {plan.method}, {seconds:.1f} s"
                  f"{'' if fits else '  DOES NOT FIT'}", flush=True)
    print(f"{solved} of {len(paths)} within capacity")
    sys.exit(0 if solved == len(paths) else 1)


if __name__ == "__main__":
    main()
