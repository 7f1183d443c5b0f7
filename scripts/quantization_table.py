# SPDX-License-Identifier: Apache-2.0
"""Accuracy of calibrated models beside onnxruntime's static quantizer: one table.

    python scripts/quantization_table.py [NAME ...] [--json]

A model is calibrated on the even ones of its cases and measured on the odd ones, which nothing before has seen: the
signal-to-noise ratio of the outputs in front of a final Softmax, over all cases together, of the quantized model as
onnxruntime runs it (for tinyc: as `--emit-onnx` writes it). onnxruntime's quantizer makes QDQ models with int8
activations and int8 weights per channel, after its own preprocessing; the best of MinMax, Entropy and Percentile
counts, chosen by the measurement itself.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quant_pre_process,
    quantize_static,
)

from tinyc.compiler import Request, compile_model
from tinyc.export.model import to_model
from tinyc.quantization import QuantizeRequest
from tinyc.quantize.search import decibels
from tinyc.targets import load_target

ROOT = Path(__file__).resolve().parents[1]
OWN = ROOT / "tests" / "models" / "quantization"
SHARED = ROOT.parent / "shared" / "models"
MARGIN = 0.5  # dB above onnxruntime that are asked for
METHODS = (CalibrationMethod.MinMax, CalibrationMethod.Entropy, CalibrationMethod.Percentile)
FINAL = ("Softmax", "LogSoftmax", "Sigmoid", "Identity", "Reshape", "QuantizeLinear", "DequantizeLinear")


@dataclass(frozen=True)
class Row:
    """Signal-to-noise ratios in dB. `onnxruntime`: of its best method."""

    model: str
    tinyc: float
    onnxruntime: float
    method: str

    @property
    def good(self) -> bool:
        return self.tinyc >= self.onnxruntime + MARGIN


def models() -> dict[str, tuple[Path, Path]]:
    """(model, its cases) by name: those of the repository, and MLPerf Tiny's where they lie beside it."""
    digits = ROOT / "examples" / "digits"
    found = {path.stem: (path, path.with_suffix(".npz")) for path in sorted(OWN.glob("*.onnx"))}
    found["digits"] = (digits / "digits_f32.onnx", digits / "digits_test.npz")
    for name in ("ad", "ic", "kws", "vww"):
        path = SHARED / f"{name}_f32.onnx"
        if path.is_file():
            found[name] = (path, path.with_suffix(".npz"))
    return found


def cases_of(model: Path, npz: Path) -> np.ndarray:
    """[cases, the input's shape]."""
    shape = [d.dim_value for d in onnx.load(model).graph.input[0].type.tensor_type.shape.dim]
    return np.load(npz)["input"].astype(np.float32).reshape(-1, *shape)


def logits(model: onnx.ModelProto, cases: np.ndarray) -> list[np.ndarray]:
    """onnxruntime's results in front of the operators that end the model."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    producers = {o: n for n in model.graph.node for o in n.output}
    name = model.graph.output[0].name
    while producers[name].op_type in FINAL and producers[name].input[0] in producers:
        name = producers[name].input[0]
    readers = [n for n in model.graph.node if name in n.input]
    if len(readers) == 1 and readers[0].op_type == "QuantizeLinear":  # as the rest of the model sees it
        name = next(n.output[0] for n in model.graph.node if readers[0].output[0] in n.input)
    del model.graph.output[:]
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    port = session.get_inputs()[0].name
    return [session.run(None, {port: case})[0] for case in cases]


def by_tinyc(model: Path, cases: np.ndarray, folder: Path) -> onnx.ModelProto:
    samples = folder / "samples.npz"
    np.savez(samples, input=cases)
    compiled = compile_model(Request(model, load_target("host"), quantize=QuantizeRequest(samples)),
                             lambda text: print(text, file=sys.stderr, flush=True))
    assert compiled.quantized is not None
    return to_model(compiled.quantized)


class _Reader(CalibrationDataReader):
    def __init__(self, name: str, cases: np.ndarray) -> None:
        self.rest: Iterator[dict[str, Any]] = iter([{name: case} for case in cases])

    def get_next(self) -> dict[str, Any] | None:
        return next(self.rest, None)


def by_onnxruntime(model: Path, cases: np.ndarray, method: CalibrationMethod, folder: Path) -> onnx.ModelProto:
    ready, result = folder / "ready.onnx", folder / "static.onnx"
    with contextlib.redirect_stdout(io.StringIO()):
        quant_pre_process(str(model), str(ready), skip_symbolic_shape=True)
        name = onnx.load(ready).graph.input[0].name
        quantize_static(str(ready), str(result), _Reader(name, cases), quant_format=QuantFormat.QDQ, per_channel=True,
                        activation_type=QuantType.QInt8, weight_type=QuantType.QInt8, calibrate_method=method)
    return onnx.load(result)


def row(name: str) -> Row:
    """Calibrates and measures one model."""
    logging.getLogger().setLevel(logging.ERROR)
    model, npz = models()[name]
    cases = cases_of(model, npz)
    even, odd = cases[::2], cases[1::2]
    wanted = logits(onnx.load(model), odd)
    with tempfile.TemporaryDirectory() as folder:
        def measured(made: onnx.ModelProto) -> float:
            return decibels(zip(wanted, logits(made, odd), strict=True))

        others = {m.name: measured(by_onnxruntime(model, even, m, Path(folder))) for m in METHODS}
        own = measured(by_tinyc(model, even, Path(folder)))
    best = max(others, key=lambda m: others[m])
    return Row(name, own, others[best], best)


def main() -> int:
    """0 where every model has the margin, else 1."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(models()))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    unknown = sorted(set(given.names) - set(models()))
    if unknown:
        parser.error(f"no model named {', '.join(unknown)}")
    rows = []
    if not given.json:
        print(f"{'model':<12} {'tinyc':>8} {'onnxruntime':>12}   best method")
    for name in given.names or models():
        rows.append(row(name))
        if not given.json:
            r = rows[-1]
            print(f"{r.model:<12} {r.tinyc:5.2f} dB {r.onnxruntime:9.2f} dB   {r.method:<10} "
                  f"{'' if r.good else 'below the margin'}", flush=True)
    if given.json:
        print(json.dumps([vars(r) for r in rows], indent=1))
    return 0 if all(r.good for r in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
