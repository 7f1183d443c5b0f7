# SPDX-License-Identifier: Apache-2.0
"""Random graphs through tinyc, compared with onnxruntime: `make fuzz N=10000 [SEED=0]`.

Graph k is drawn from seed SEED + k. Each failure is printed with its seed and a reduced graph, and saved in build/fuzz.
`--hostile` damages the graphs' files instead: whatever is in them, the compiler must refuse them with an error or
compile them.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "fuzz"), str(ROOT / "tests")]

import fuzz_hostile  # noqa: E402
from fuzz_judge import REFUSALS  # noqa: E402
from fuzz_lane import Result, run_seeds  # noqa: E402
from fuzz_table import ROWS, without_row  # noqa: E402

TOGETHER = 16  # graphs in one build


def show_failure(result: Result) -> None:
    print(f"FAILED seed {result.seed}: {result.reason}", flush=True)
    if result.reproduction:
        print("  reduced: " + result.reproduction.replace("\n", "\n  "))
        print(f"  saved: {result.saved}", flush=True)


def show_coverage(results: list[Result]) -> list[str]:
    """Prints how often each operator was drawn; those that never were."""
    drawn = Counter(name for r in results for name in r.operators)
    names = sorted({(row.domain, row.op) for row in ROWS})
    cells = [f"{domain + '.' if domain else ''}{op} {drawn[domain, op]}" for domain, op in names]
    width = max(map(len, cells)) + 2
    columns = max(1, 120 // width)
    for first in range(0, len(cells), columns):
        print("".join(cell.ljust(width) for cell in cells[first:first + columns]).rstrip())
    return [f"{d}.{o}" if d else o for d, o in names if not drawn[d, o]]


def run(work: Callable[[Sequence[int]], list[Result]], groups: Sequence[Sequence[int]], jobs: int) -> list[Result]:
    """The results of all groups of seeds, in order; failures are shown as they come."""
    start, results, count = time.monotonic(), list[Result](), sum(map(len, groups))
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork")) as pool:
        for found in pool.map(work, groups):
            results += found
            for result in found:
                if result.status == "failed":
                    show_failure(result)
            if len(results) // 100 > (len(results) - len(found)) // 100:
                spent = time.monotonic() - start
                print(f"{len(results)} of {count} in {spent:.0f} s", file=sys.stderr, flush=True)
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("count", nargs="?", type=int, default=1000, help="how many graphs")
    parser.add_argument("--seed", type=int, default=0, help="of the first graph")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "fuzz", help="where failures are saved")
    parser.add_argument("--hostile", action="store_true", help="damaged model files")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    seeds = range(options.seed, options.seed + options.count)
    with tempfile.TemporaryDirectory(prefix="tinyc-fuzz-objects-") as objects:
        work = partial(fuzz_hostile.run_seeds if options.hostile else run_seeds, folder=options.out,
                       objects=Path(objects))
        results = run(work, [seeds[k:k + TOGETHER] for k in range(0, len(seeds), TOGETHER)], options.jobs)
    counts = Counter(r.status for r in results)
    missing = [] if options.hostile else show_coverage(results)
    for reason, count in Counter(r.reason for r in results if r.status == "refused").most_common():
        if not options.hostile:
            print(f"refused {count}: {REFUSALS[reason]}")
    print(f"{len(results)} graphs, seeds {options.seed} to {options.seed + options.count - 1}: "
          + ", ".join(f"{count} {status}" for status, count in counts.most_common()))
    if missing:
        print(f"never drawn: {', '.join(missing)}")
    if not options.hostile and without_row():
        print(f"supported, but without a row in the table: {', '.join(without_row())}")
    failed = [r.seed for r in results if r.status == "failed"]
    if failed:
        print(f"failed seeds: {' '.join(map(str, failed))}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
