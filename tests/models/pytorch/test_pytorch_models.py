# SPDX-License-Identifier: Apache-2.0
"""PyTorch networks through both exporters, float and quantized by onnxruntime in QDQ and QOperator form.

Float: within 1e-4 of the output's range of onnxruntime. Quantized: the generated C gives what the NumPy evaluation
gives, which is on average within a step of onnxruntime, with the same best class except where the two best are within
2 steps; and no float operator remains but those named here.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from exported import check_float, check_integers, requantized
from onnxruntime.quantization import QuantFormat, QuantType

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


def quantized(path: Path, form: str, folder: Path) -> Path:
    return requantized(path, folder, weight_type=QuantType.QInt8, **FORMS[form])


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name.removesuffix(".onnx"))
def test_float(path):
    check_float(path)


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
