# SPDX-License-Identifier: Apache-2.0
"""Channels-first networks become channels-last without Transposes in the middle."""

import numpy as np
import pytest

from onnx_models import Model, check_against_onnxruntime, compiled, random


def conv(model, x, inputs, outputs, kernel=3, seed=0, **attributes):
    w = model.const(random((outputs, inputs // attributes.get("group", 1), kernel, kernel), seed) / 3)
    b = model.const(random((outputs,), seed + 1))
    pads = [kernel // 2] * 4
    return model.add("Conv", [x, w, b], pads=pads, **attributes)


def batch_norm(model, x, c, seed=0):
    parts = [random((c,), seed + i, 0.5, 1.5) for i in range(4)]
    return model.add("BatchNormalization", [x, *(model.const(p) for p in parts)])


def residual_network(model, x, squeeze_and_excite=False, softmax=True):
    """What PyTorch's exporter writes: BatchNorm, residual Add, channel Concat, pooling, classifier."""
    x = model.add("Relu", [batch_norm(model, conv(model, x, 3, 8), 8)])
    x = model.add("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])
    y = model.add("Relu", [batch_norm(model, conv(model, x, 8, 8, group=8, seed=3), 8)])
    y = model.add("HardSwish", [batch_norm(model, conv(model, y, 8, 8, 1, seed=4), 8)])
    if squeeze_and_excite:
        s = model.add("GlobalAveragePool", [y])
        s = model.add("Relu", [conv(model, s, 8, 4, 1, seed=7)])
        y = model.add("Mul", [y, model.add("Sigmoid", [conv(model, s, 4, 8, 1, seed=8)])])
    x = model.add("Relu", [model.add("Add", [x, y])])
    x = model.add("Concat", [x, conv(model, x, 8, 4, seed=5, strides=[1, 1])], axis=1)
    x = model.add("ReduceMean", [x], axes=[-1, -2], keepdims=0)
    x = model.add("Gemm", [x, model.const(random((5, 12), 6)), model.const(random((5,), 7))], transB=1)
    return model.add("Softmax", [x]) if softmax else x


@pytest.mark.parametrize("squeeze_and_excite", [False, True])
def test_only_the_input_is_transposed(squeeze_and_excite):
    model, image = Model(opset=14), random((1, 3, 8, 8))
    y = residual_network(model, model.input("x", image), squeeze_and_excite)
    graph = check_against_onnxruntime(model, [y], {"x": image}, atol=1e-4)
    ops = [n.op for n in graph.nodes()]
    assert ops.count("Transpose") == 1 and ops[0] == "Transpose"
    assert not {"Mul", "Add"} & set(ops) - ({"Mul", "Add"} if squeeze_and_excite else {"Add"})


def test_a_skip_from_the_graph_input_shares_its_transpose():
    model, image = Model(opset=14), random((1, 4, 6, 6))
    x = model.input("x", image)
    for seed in range(3):
        x = model.add("Relu", [model.add("Add", [x, conv(model, x, 4, 4, seed=seed)])])
    graph = check_against_onnxruntime(model, [x], {"x": image}, atol=1e-4, rtol=1e-4)
    assert [n.op for n in graph.nodes()] == ["Transpose", *["Conv", "Add"] * 3, "Transpose"]


def test_one_channel_needs_no_transpose():
    model, image = Model(opset=14), random((1, 1, 8, 8))
    x = model.add("Relu", [conv(model, model.input("x", image), 1, 4)])
    x = model.add("Flatten", [model.add("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])])
    y = model.add("Gemm", [x, model.const(random((64, 3)))])
    graph = check_against_onnxruntime(model, [y], {"x": image}, atol=1e-4)
    assert [n.op for n in graph.nodes()] == ["Reshape", "Conv", "MaxPool", "Reshape", "Gemm"]


def test_flatten_into_gemm_permutes_the_weights():
    model, image = Model(opset=14), random((1, 2, 6, 6))
    x = model.add("Relu", [conv(model, model.input("x", image), 2, 4)])
    flat = model.add("Reshape", [x, model.const(np.array([1, -1]))])
    y = model.add("Gemm", [flat, model.const(random((144, 3)))])
    graph = check_against_onnxruntime(model, [y], {"x": image}, atol=1e-4)
    assert [n.op for n in graph.nodes()] == ["Transpose", "Conv", "Reshape", "Gemm"]


def test_one_dimensional_network():
    model, signal = Model(opset=14), random((1, 2, 16))
    x = model.input("x", signal)
    for k, (i, o) in enumerate(((2, 4), (4, 6))):
        x = model.add("Conv", [x, model.const(random((o, i, 3), k))], pads=[1, 1])
        x = model.add("Tanh", [batch_norm(model, x, o, k)])
    x = model.add("MaxPool", [x], kernel_shape=[2], strides=[2])
    x = model.add("Squeeze", [model.add("GlobalAveragePool", [x]), model.const(np.array([2]))])
    y = model.add("Gemm", [x, model.const(random((6, 3)))])
    graph = check_against_onnxruntime(model, [y], {"x": signal}, atol=1e-4)
    assert sum(n.op == "Transpose" for n in graph.nodes()) == 1
    assert graph.nodes()[0].op == "Reshape" or graph.nodes()[0].op == "Transpose"


def test_segmentation_keeps_transposes_at_its_edges():
    model, image = Model(opset=14), random((1, 3, 8, 8))
    x = model.add("Relu", [conv(model, model.input("x", image), 3, 4)])
    y = model.add("Softmax", [conv(model, x, 4, 5, 1)], axis=1)
    graph = check_against_onnxruntime(model, [y], {"x": image}, atol=1e-4)
    assert [n.op for n in graph.nodes()] == ["Transpose", "Conv", "Conv", "Softmax", "Transpose"]


def test_quantized_network_transposes_bytes_at_its_edges():
    model, image = Model(opset=14), random((1, 3, 8, 8))
    x = model.quantize(model.input("x", image), 0.02, 0)
    rng = np.random.default_rng(0)
    w = model.stored(rng.integers(-127, 128, (4, 3, 3, 3)).astype(np.int8), rng.uniform(0.01, 0.02, 4))
    x = model.quantize(model.add("Relu", [model.add("Conv", [x, w], pads=[1, 1, 1, 1])]), 0.03, -128)
    y = model.quantize(model.add("Sigmoid", [x]), 1 / 256, -128)
    graph = compiled(model.proto([y]))
    ops = ["QuantizeLinear", "Transpose", "Conv", "Sigmoid", "Transpose", "DequantizeLinear"]
    assert [n.op for n in graph.nodes()] == ops
    assert all(n.integer for n in graph.nodes()[1:-1])
    check_against_onnxruntime(model, [y], {"x": image}, atol=2 / 256)


@pytest.mark.parametrize(
    "op, operands, attributes",
    [
        ("Pad", [np.array([0, 1, 2, 0, 0, 0, 1, 3])], {}),
        ("Slice", [np.array([1, 0]), np.array([3, 4]), np.array([1, 3])], {}),
        ("Gather", [np.array([2, 0])], {"axis": 1}),
        ("Gather", [np.array(1)], {"axis": 2}),
        ("ReduceMax", [], {"axes": [1], "keepdims": 0}),
        ("ReduceMean", [], {"axes": [1], "keepdims": 1}),
        ("Expand", [np.array([2, 4, 6, 6])], {}),
        ("Unsqueeze", [np.array([0])], {}),
        ("Mul", [random((4, 1, 1))], {}),
        ("Add", [random((4, 6, 6))], {}),
        ("Max", [np.array(0.1, np.float32)], {}),
        ("PRelu", [random((4, 1, 1))], {}),
        ("Softmax", [], {"axis": 1}),
        ("Softmax", [], {"axis": 2}),
        ("LogSoftmax", [], {"axis": 1}),
        ("Sigmoid", [], {}),
        ("Cast", [], {"to": 11}),
        ("Clip", [np.array(0, np.float32)], {}),
        ("Where", [], {}),
        ("Flatten", [], {"axis": 2}),
        ("Transpose", [], {"perm": [0, 2, 1, 3]}),
    ],
)
def test_transposes_move_through(op, operands, attributes):
    """Conv, operator, Conv or nothing: the result stays right wherever the Transposes end up."""
    model, image = Model(opset=14), random((1, 3, 6, 6))
    x = conv(model, model.input("x", image), 3, 4)
    if op == "Where":
        y = model.add(
            "Where", [model.add("Greater", [x, model.const(np.float32(0))]), x, model.const(random((4, 1, 1)))]
        )
    else:
        y = model.add(op, [x, *(model.const(o) for o in operands)], **attributes)
    outputs = [y]
    shape_kept = op in (
        "Mul",
        "Add",
        "Max",
        "PRelu",
        "Softmax",
        "LogSoftmax",
        "Sigmoid",
        "Clip",
        "Where",
        "Pad",
        "Slice",
    )
    if shape_kept:
        channels = 5 if op == "Pad" else 2 if op == "Slice" else 4
        outputs = [conv(model, y, channels, 3)]
    graph = check_against_onnxruntime(model, outputs, {"x": image}, atol=1e-4, rtol=1e-4)
    if shape_kept and attributes != {"axis": 2}:
        assert [n.op for n in graph.nodes()].count("Transpose") == 2
