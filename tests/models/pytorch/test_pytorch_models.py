# SPDX-License-Identifier: Apache-2.0
"""PyTorch networks through both exporters, float and quantized by onnxruntime in QDQ and QOperator form.

Float: within 1e-4 of the output's range of onnxruntime. Quantized: the generated C gives what the NumPy evaluation
gives, which is on average within a step of onnxruntime, with the same best class except where the two best are within
2 steps; and no float operator remains but those named here.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quant_pre_process, quantize_static

from support import differences, with_numpy, with_onnxruntime
from tinyc.compiler import Compiled, Request, compile_model
from tinyc.execute import build_model, written
from tinyc.ir.graph import Graph
from tinyc.passes.integer_report import integer_report
from tinyc.targets import load_target
from tinyc.toolchain import run

HERE = Path(__file__).parent
TRAINED = sorted(HERE.glob("trained_*.onnx"))  # the rounding is part of these
FILES = sorted(set(HERE.glob("*.onnx")) - set(TRAINED))
LABELS = ("crnn", "densenet", "group_norm", "gru", "kws", "lenet", "lstm", "mlp", "mobilenet_v1", "mobilenet_v2",
          "mobilenet_v3", "resnet", "shufflenet", "squeeze_excite", "tcn", "transformer", "vit")

# Operators that remain float in the quantized forms, by model. The quantizer leaves them out: recurrent layers, an
# L2 normalization within the graph, what lies between a float input and the first QuantizeLinear (a normalization) or
# between the last DequantizeLinear and a float output (LogSoftmax, Tanh; in QOperator form ConvTranspose too).
LOG_SOFTMAX = {"Sub", "Exp", "ReduceMax", "ReduceSum", "Log", "Fused"}
FLOAT: dict[str, set[str]] = {
    "autoencoder": {"ConvTranspose", "Tanh"},
    "crnn": LOG_SOFTMAX | {"GRU"},
    "group_norm": {"ReduceMean", "Mul", "ReduceSum", "Sqrt", "Clip", "Fused", "Expand", "Div"},
    "gru": {"GRU"},
    "lstm": {"LSTM"},
    "mlp": {"Sub", "Div", "Fused"},
    "squeeze_excite": LOG_SOFTMAX,
}

FORMS = {
    "qdq": {"quant_format": QuantFormat.QDQ, "activation_type": QuantType.QInt8, "per_channel": True},
    "qoperator": {"quant_format": QuantFormat.QOperator, "activation_type": QuantType.QUInt8, "per_channel": False},
}


def inputs_of(model: onnx.ModelProto, count: int, seed: int) -> list[np.ndarray]:
    shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(np.float32) for _ in range(count)]


class Calibration(CalibrationDataReader):
    def __init__(self, arrays: list[np.ndarray]) -> None:
        self.rest = iter(arrays)

    def get_next(self) -> dict[str, np.ndarray] | None:
        array = next(self.rest, None)
        return None if array is None else {"input": array}


def quantized(path: Path, form: str, folder: Path) -> Path:
    """The model as onnxruntime's quantizer writes it, calibrated with seeded inputs."""
    return requantized(path, folder, weight_type=QuantType.QInt8, **FORMS[form])


def requantized(path: Path, folder: Path, **options) -> Path:
    ready, result = folder / "ready.onnx", folder / "quantized.onnx"
    quant_pre_process(path, ready, skip_symbolic_shape=True)
    quantize_static(ready, result, Calibration(inputs_of(onnx.load(path), 8, seed=1)), **options)
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


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name.removesuffix(".onnx"))
def test_float(path):
    model = onnx.load(path)
    cases = inputs_of(model, 2, seed=2)
    compiled = compile_model(Request(path, load_target("host"), name="net"))
    for case, got in zip(cases, outputs_of(compiled, cases), strict=True):
        assert differences(got, with_onnxruntime(model, {"input": case}), 1e-4) == []


@pytest.mark.parametrize("path", TRAINED, ids=lambda p: p.name.removesuffix(".onnx"))
def test_trained_for_integers(path):
    """Fake quantization as both exporters write it: uint8, int8, and 7 bits with a Clip behind QuantizeLinear."""
    check_integers(path, set())


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name.removesuffix(".onnx"))
def test_quantized(path, form, tmp_path):
    name = path.name.split(".")[0]
    check_integers(quantized(path, form, tmp_path), FLOAT.get(name, set()), labels=name in LABELS)


def check_integers(path, allowed, labels=False, tolerance=1.0):
    """Compiles, runs and compares a quantized model. allowed: operators that may remain float."""
    model = onnx.load(path)
    cases = inputs_of(model, 4, seed=3)
    compiled = compile_model(Request(path, load_target("host"), name="net"))
    left = {f.op for f in integer_report(compiled.graph)}
    assert left <= allowed
    step, distances = last_step(compiled.graph), []
    for case, got in zip(cases, outputs_of(compiled, cases), strict=True):
        want = with_numpy(compiled, {"input": case})
        if left:
            assert differences(got, want, 1e-5) == []
        else:
            assert all(np.array_equal(got[o], want[o]) for o in want)
        result, reference = got["output"], with_onnxruntime(model, {"input": case})["output"]
        distances.append(np.abs(result - reference).mean() / step)
        if labels:
            best = np.sort(reference, -1)
            near = best[..., -1] - best[..., -2] <= 2.01 * step
            assert np.all(near | (result.argmax(-1) == reference.argmax(-1)))
    assert np.mean(distances) <= tolerance


BYTES = ((QuantType.QUInt8, QuantType.QUInt8), (QuantType.QUInt8, QuantType.QInt8), (QuantType.QInt8, QuantType.QInt8))
SYMMETRIES = ({}, {"WeightSymmetric": False}, {"ActivationSymmetric": True, "WeightSymmetric": True})


@pytest.mark.slow
@pytest.mark.parametrize("types", BYTES, ids=lambda t: "-".join(k.name for k in t))
@pytest.mark.parametrize("quant_format", QuantFormat)
def test_arrangements(quant_format, types, tmp_path):
    """Every combination of types, symmetries, per tensor or channel, and a reduced range of the quantizer."""
    kinds = [(dict(s), each, False) for s in SYMMETRIES for each in (False, True)] + [({}, True, True)]
    for name, (extra, per_channel, reduced) in zip(itertools.cycle(("tcn.script", "shufflenet.dynamo")), kinds):
        path = requantized(HERE / f"{name}.onnx", tmp_path, quant_format=quant_format, activation_type=types[0],
                           weight_type=types[1], per_channel=per_channel, reduce_range=reduced, extra_options=extra)
        check_integers(path, set(), labels=True)


@pytest.mark.slow
@pytest.mark.parametrize("types", ((QuantType.QInt16, QuantType.QInt8), (QuantType.QInt16, QuantType.QInt16),
                                   (QuantType.QUInt16, QuantType.QUInt8)), ids=lambda t: "-".join(k.name for k in t))
@pytest.mark.parametrize("symmetric", [False, True])
def test_16_bit_activations(types, symmetric, tmp_path):
    """Steps are 256 times as fine; products are rounded with multipliers of 16 bits."""
    for name in ("lenet.script", "mobilenet_v3.dynamo"):
        path = requantized(HERE / f"{name}.onnx", tmp_path, quant_format=QuantFormat.QDQ, weight_type=types[1],
                           activation_type=types[0], per_channel=True,
                           extra_options={"UseQDQContribOps": True, "ActivationSymmetric": symmetric})
        check_integers(path, set(), labels=True, tolerance=2.0)
