# SPDX-License-Identifier: Apache-2.0
"""The examples' flash and RAM against budgets and the committed baseline, by `tinyc size` as CI would call it.

    python scripts/size_gate.py [--update]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BASELINE = ROOT / "examples" / "ci" / "size-baseline.json"
# (model, target, budget): a little above what is needed now, so that growth has to be decided on.
GATES = (
    ("examples/digits/digits_int8.onnx", "cortex-m4", "flash=16K,ram=2K"),
    ("examples/digits/digits_int8.onnx", "cortex-m0plus", "flash=18K,ram=2K"),
    ("examples/digits/digits_f32.onnx", "cortex-m4", "flash=32K,ram=6K"),
)


def gate(update: bool) -> int:
    """Runs every gate; the number of those that failed."""
    failed = 0
    for model, target, budget in GATES:
        command = [sys.executable, "-m", "tinyc", "size", model, "--target", target, "--budget", budget,
                   "--baseline", str(BASELINE.relative_to(ROOT)), *(["--update"] if update else [])]
        done = subprocess.run(command, cwd=ROOT, check=False)
        failed += done.returncode != 0
    return failed


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--update", action="store_true", help="write the sizes to the baseline")
    sys.exit(1 if gate(parser.parse_args().update) else 0)


if __name__ == "__main__":
    main()
