# SPDX-License-Identifier: Apache-2.0
"""Networks that onnxruntime's quantizer made run on integers from end to end."""

import numpy as np
import onnx
import pytest
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quant_pre_process, quantize_static
from test_layout import residual_network

from onnx_models import Model, compiled, random, run, run_onnxruntime
from tinyc.passes.integer_report import integer_report

IMAGES = [random((1, 3, 8, 8), seed) for seed in range(8)]


class Images(CalibrationDataReader):
    def __init__(self):
        self.rest = iter(IMAGES)

    def get_next(self):
        image = next(self.rest, None)
        return None if image is None else {"x": image}


def network(folder, squeeze_and_excite, softmax):
    model = Model(opset=14)
    y = residual_network(model, model.input("x", IMAGES[0]), squeeze_and_excite, softmax)
    onnx.save(model.proto([y]), folder / "float.onnx")
    quant_pre_process(folder / "float.onnx", folder / "ready.onnx", skip_symbolic_shape=True)
    return folder / "ready.onnx"


@pytest.mark.parametrize("activations", [QuantType.QUInt8, QuantType.QInt8])
@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("squeeze_and_excite", [False, True])
@pytest.mark.parametrize("softmax", [False, True])
def test_quantize_static(tmp_path, activations, per_channel, squeeze_and_excite, softmax):
    quantize_static(
        network(tmp_path, squeeze_and_excite, softmax),
        tmp_path / "int8.onnx",
        Images(),
        quant_format=QuantFormat.QDQ,
        activation_type=activations,
        weight_type=QuantType.QInt8,
        per_channel=per_channel,
    )
    proto = onnx.load(tmp_path / "int8.onnx")
    graph = compiled(proto)
    assert integer_report(graph) == []
    ops = [n.op for n in graph.nodes()]
    assert ops.count("Transpose") == 1 and "ShiftSign" not in ops
    assert (ops[0], ops[-1]) == ("QuantizeLinear", "DequantizeLinear")
    if softmax:  # a step of the logits may be many steps of a probability
        return
    step = graph.nodes()[-1].attrs.quant.scale[0]
    for image in IMAGES:
        want = run_onnxruntime(proto, {"x": image})[0]
        assert np.abs(run(graph, {"x": image})[0] - want).max() <= 6.01 * step  # roundings of some ten layers
