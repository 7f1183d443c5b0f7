# SPDX-License-Identifier: Apache-2.0
"""Exported networks, float and quantized by onnxruntime: the C beside onnxruntime and the NumPy evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, quant_pre_process, quantize_static

from support import differences, with_numpy, with_onnxruntime
from tinyc.compiler import Compiled, Request, compile_model
from tinyc.execute import build_model, written
from tinyc.ir.graph import Graph
from tinyc.passes.integer_report import integer_report
from tinyc.targets import load_target
from tinyc.toolchain import run


def inputs_of(model: onnx.ModelProto, count: int, seed: int) -> list[np.ndarray]:
    """Seeded values for the first input, a batch that is left open taken as one."""
    port = model.graph.input[0].type.tensor_type
    shape = [d.dim_value or 1 for d in port.shape.dim]
    rng = np.random.default_rng(seed)
    if port.elem_type == onnx.TensorProto.INT32:
        return [rng.integers(0, 30, shape).astype(np.int32) for _ in range(count)]
    return [rng.standard_normal(shape).astype(np.float32) for _ in range(count)]


class Calibration(CalibrationDataReader):
    def __init__(self, name: str, arrays: list[np.ndarray]) -> None:
        self.name, self.rest = name, iter(arrays)

    def get_next(self) -> dict[str, np.ndarray] | None:
        array = next(self.rest, None)
        return None if array is None else {self.name: array}


def requantized(path: Path, folder: Path, **options: Any) -> Path:
    """The model as onnxruntime's quantizer writes it, calibrated with seeded inputs."""
    ready, result = folder / "ready.onnx", folder / "quantized.onnx"
    quant_pre_process(path, ready, skip_symbolic_shape=True)
    model = onnx.load(path)
    quantize_static(ready, result, Calibration(model.graph.input[0].name, inputs_of(model, 8, seed=1)), **options)
    return result


def outputs_of(compiled: Compiled, cases: list[np.ndarray]) -> list[dict[str, np.ndarray]]:
    """What the C gives for each case, built for the host."""
    with written(compiled) as folder:
        elf = build_model(compiled, folder, sanitize=False)
        result = run(elf, [[case.tobytes()] for case in cases])
    assert result.status == 0
    ports = compiled.emitted.outputs
    return [{p.name: np.frombuffer(raw, p.dtype.numpy).reshape(p.shape) for p, raw in zip(ports, raws, strict=True)}
            for raws in result.outputs]


def last_step(graph: Graph) -> float:
    """The scale of the quantized value that the first output is computed from."""
    node = graph.producer(graph.outputs[0])
    while node is not None and node.op != "DequantizeLinear":
        node = next((p for p in map(graph.producer, node.inputs) if p is not None), None)
    assert node is not None
    return float(node.attrs.quant.scale[0])


def check_float(path: Path) -> None:
    """The C for the host gives each output within 1e-4 of onnxruntime's range."""
    model = onnx.load(path)
    cases = inputs_of(model, 2, seed=2)
    compiled = compile_model(Request(path, load_target("host"), name="net"))
    for case, got in zip(cases, outputs_of(compiled, cases), strict=True):
        assert differences(got, with_onnxruntime(model, {model.graph.input[0].name: case}), 1e-4) == []


def check_integers(path: Path, allowed: set[str], labels: bool = False, tolerance: float = 1.0) -> None:
    """A quantized model in C for the host gives what the NumPy evaluation gives, and on average what onnxruntime does.

    allowed: operators that may remain float. labels: the best class is the same, but where two are within 2 steps.
    tolerance: of the average, in steps of the output."""
    model = onnx.load(path)
    source, output = model.graph.input[0].name, model.graph.output[0].name
    cases = inputs_of(model, 4, seed=3)
    compiled = compile_model(Request(path, load_target("host"), name="net"))
    left = {f.op for f in integer_report(compiled.graph)}
    assert left <= allowed
    step, distances = last_step(compiled.graph), []
    for case, got in zip(cases, outputs_of(compiled, cases), strict=True):
        want = with_numpy(compiled, {source: case})
        if left:
            assert differences(got, want, 1e-5) == []
        else:
            assert all(np.array_equal(got[o], want[o]) for o in want)
        result, reference = got[output], with_onnxruntime(model, {source: case})[output]
        distances.append(np.abs(result - reference).mean() / step)
        if labels:
            best = np.sort(reference, -1)
            near = best[..., -1] - best[..., -2] <= 2.01 * step
            assert np.all(near | (result.argmax(-1) == reference.argmax(-1)))
    assert np.mean(distances) <= tolerance
