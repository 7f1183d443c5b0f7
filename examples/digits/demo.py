# SPDX-License-Identifier: Apache-2.0
"""Compiles the int8 digits model for a Cortex-M4, runs it in QEMU and shows accuracy, time, RAM and flash.

    python demo.py [--model digits_int8.onnx] [--target cortex-m4] [--out DIR] [--json]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tinyc.cases import load_cases
from tinyc.compiler import Request, compile_model
from tinyc.targets import load_target
from tinyc.verification import run_cases

HERE = Path(__file__).resolve().parent
TEST_SPLIT = HERE / "digits_test.npz"


def tinyc(*words: object) -> str:
    """Runs the command line tool as a user would, shows what it ran and returns what it printed."""
    texts = [str(word) for word in words]
    print("$ tinyc " + " ".join(texts), file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, "-m", "tinyc", *texts], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        print(done.stdout, end="")
        sys.exit(done.returncode)
    return done.stdout


def accuracy(model: Path, target: str) -> tuple[int, int]:
    """(correct, all): the emulated core classifies every image of the test split."""
    compiled = compile_model(Request(model, load_target(target)))
    cases = load_cases(TEST_SPLIT, compiled.emitted.inputs, compiled.emitted.outputs)
    outputs, _ = run_cases(compiled, cases)
    with np.load(TEST_SPLIT) as split:
        labels = split["label"]
    return sum(int(o.argmax() == label) for (o,), label in zip(outputs, labels, strict=True)), len(labels)


def measure(model: Path, target: str, out: Path) -> dict[str, Any]:
    """Everything that the demo shows, from the tool's JSON output."""
    tinyc("compile", model, "--target", target, "-o", out)
    verified = json.loads(tinyc("verify", model, "--target", target, "--inputs", TEST_SPLIT, "--json"))
    profile = json.loads(tinyc("profile", model, "--target", target, "--inputs", TEST_SPLIT, "--json"))
    correct, images = accuracy(model, target)
    return {"correct": correct, "images": images, "verified": verified, "profile": profile}


def show(found: dict[str, Any], model: Path, target: str, out: Path) -> None:
    verified, profile = found["verified"], found["profile"]
    print(f"\n{model.name} on an emulated {target}")
    print(f"  accuracy      {found['correct']} of {found['images']} test images correct "
          f"({100 * found['correct'] / found['images']:.1f} %)")
    exact = min(output["bit_exact_cases"] for output in verified["outputs"])
    print(f"  verified      {exact} of {verified['cases']} outputs bit-exact "
          f"against the {verified['reference']}")
    if profile["instructions"] is not None:
        print(f"  time          {profile['instructions']:,} instructions per inference (counted in QEMU)")
        for layer in profile["layers"]:
            print(f"                {layer['instructions']:>9,}  {layer['op']} {layer['name']}")
    flash, ram = profile["flash"], profile["ram"]
    print(f"  flash         {flash['total']:,} bytes: weights {flash['weights']:,}, code {flash['code']:,}, "
          f"constants {flash['constants']:,}")
    stack = "" if ram["stack"] is None else f", stack {ram['stack']:,}"
    print(f"  RAM           {ram['total']:,} bytes: arena {ram['arena']:,} (inputs and outputs in it){stack}")
    print(f"  generated C   {out}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=HERE / "digits_int8.onnx")
    parser.add_argument("--target", default="cortex-m4")
    parser.add_argument("--out", type=Path, default=Path("build/digits"), help="folder for the generated C")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    found = measure(arguments.model, arguments.target, arguments.out)
    if arguments.json:
        print(json.dumps(found, indent=1))
    else:
        show(found, arguments.model, arguments.target, arguments.out)


if __name__ == "__main__":
    main()
