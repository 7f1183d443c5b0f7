# SPDX-License-Identifier: Apache-2.0
"""Each pass by itself: what it changes, and that results stay the same."""

import numpy as np
import pytest

from onnx_models import Model, compiled, imported, random, run
from tinyc.ir.verify import verify
from tinyc.passes.channels_last import channels_last
from tinyc.passes.constant_views import constant_views
from tinyc.passes.fold_batch_norm import fold_batch_norm
from tinyc.passes.fold_constants import fold_constants
from tinyc.passes.fuse_bias import fuse_bias
from tinyc.passes.fuse_clamp import fuse_clamp
from tinyc.passes.fuse_pad import fuse_pad
from tinyc.passes.integer_report import integer_report
from tinyc.passes.matmul_to_gemm import matmul_to_gemm
from tinyc.passes.merge_duplicates import merge_duplicates
from tinyc.passes.pad_average import pad_average
from tinyc.passes.propagate_quant import propagate_quant
from tinyc.passes.qdq_to_integer import qdq_to_integer
from tinyc.passes.quantize_selection import quantize_selection
from tinyc.passes.remove_dead_code import remove_dead_code
from tinyc.passes.remove_identities import remove_identities
from tinyc.passes.separate_outputs import separate_outputs
from tinyc.passes.sink_transposes import sink_transposes
from tinyc.passes.softmax_last_axis import softmax_last_axis
from tinyc.passes.transpose_into_gemm import transpose_into_gemm
from tinyc.passes.uint8_to_int8 import uint8_to_int8

X = random((2, 4), 1)
IMAGE = random((1, 3, 5, 6), 2)


def through(model, outputs, passes, array, tolerance=1e-6):
    """Runs passes, one after the other; the graph after them, which computes the same as before."""
    graph = imported(model.proto(outputs))
    before = run(graph, {"x": array})
    for step in passes:
        graph = step(graph)
        verify(graph)
    for want, have in zip(before, run(graph, {"x": array}), strict=True):
        np.testing.assert_allclose(have, want, tolerance, tolerance)
    return graph


def ops(graph):
    return [n.op for n in graph.nodes()]


def conv(model, x, bias=True):
    operands = [x, model.const(random((4, 3, 3, 3), 3))] + ([model.const(random((4,), 4))] if bias else [])
    return model.add("Conv", operands)


def test_fold_constants_keeps_weights_in_integers_until_told():
    model = Model()
    w = model.stored(np.arange(8, dtype=np.int8).reshape(4, 2), 0.5)
    y = model.add("MatMul", [model.input("x", X), model.add("Transpose", [w], perm=[0, 1])])
    kept = through(model, [y], [fold_constants], X)
    assert "DequantizeLinear" in ops(kept)
    assert ops(fold_constants(kept, keep_dequantize=False)) == ["MatMul"]


def test_remove_dead_code():
    model = Model()
    x = model.input("x", X)
    y = model.add("Relu", [x])
    model.add("Neg", [model.add("Abs", [y])])
    graph = through(model, [y], [remove_dead_code], X)
    assert ops(graph) == ["Clip"] and len(graph.values()) == 2


def test_remove_identities_joins_chains():
    model = Model()
    x = model.input("x", IMAGE)
    y = model.add("Transpose", [model.add("Transpose", [x], perm=[0, 2, 3, 1])], perm=[0, 3, 1, 2])
    y = model.add("Reshape", [model.add("Reshape", [y, model.const([3, 30])]), model.const([1, 3, 5, 6])])
    graph = through(model, [model.add("Neg", [y])], [remove_identities], IMAGE)
    assert ops(graph) == ["Neg"]
    model = Model()
    y = model.add("Transpose", [model.input("x", X[:1])], perm=[1, 0])
    assert ops(through(model, [y], [remove_identities], X[:1])) == ["Reshape"]


def test_constant_views_keep_integers():
    model = Model()
    scales = random((2,), 0, 0.1, 1)
    w = model.stored(np.arange(8, dtype=np.int8).reshape(2, 4), scales)
    y = model.add("MatMul", [model.input("x", X), model.add("Transpose", [w], perm=[1, 0])])
    graph = through(model, [y], [constant_views, remove_dead_code], X)
    assert ops(graph) == ["DequantizeLinear", "MatMul"]
    assert graph.nodes()[0].attrs.quant.axis == 1
    model = Model()
    w = model.stored(np.arange(8, dtype=np.int8), 0.5)
    y = model.add("MatMul", [model.input("x", X), model.add("Reshape", [w, model.const([4, 2])])])
    assert ops(through(model, [y], [constant_views, remove_dead_code], X)) == ["DequantizeLinear", "MatMul"]


def test_matmul_to_gemm_and_bias():
    model = Model()
    y = model.add("MatMul", [model.input("x", X), model.const(random((4, 3)))])
    y = model.add("Add", [model.const(random((3,), 5)), y])
    graph = through(model, [y], [matmul_to_gemm, fuse_bias], X)
    assert ops(graph) == ["Gemm"] and graph.type(graph.nodes()[0].inputs[1]).shape == (3, 4)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("addend", [(4, 1, 1), (1, 4, 1, 1), (1,), ()])
def test_fuse_bias(bias, addend):
    model = Model()
    y = model.add("Add", [conv(model, model.input("x", IMAGE), bias), model.const(random(addend, 5))])
    assert ops(through(model, [y], [fuse_bias], IMAGE, 1e-5)) == ["Conv"]


@pytest.mark.parametrize("addend", [(4,), (1, 1, 3, 4), (2, 4, 3, 4)])
def test_fuse_bias_leaves_other_adds(addend):
    model = Model()
    y = model.add("Add", [conv(model, model.input("x", IMAGE)), model.const(random(addend, 5))])
    assert ops(through(model, [y], [fuse_bias], IMAGE)) == ["Conv", "Add"]


def test_fuse_bias_wants_the_only_reader():
    model = Model()
    c = conv(model, model.input("x", IMAGE))
    outputs = [model.add("Add", [c, model.const(random((4, 1, 1)))]), model.add("Neg", [c])]
    assert ops(through(model, outputs, [fuse_bias], IMAGE)) == ["Conv", "Add", "Neg"]


def test_fold_batch_norm():
    model = Model()
    y = conv(model, model.input("x", IMAGE), bias=False)
    for seed in (5, 9):
        parts = [model.const(random((4,), seed + i, 0.5, 1.5)) for i in range(4)]
        y = model.add("BatchNormalization", [y, *parts])
    assert ops(through(model, [y], [fold_batch_norm], IMAGE, 1e-5)) == ["Conv"]


@pytest.mark.parametrize("factor, folds", [(0.5, True), (-0.5, False)])
def test_fold_scale_of_integer_weights_scales_their_scale(factor, folds):
    model = Model()
    w = model.stored(np.arange(-4, 8, dtype=np.int8).reshape(4, 3), random((3,), 0, 0.1, 1), axis=1)
    y = model.add("Gemm", [model.input("x", X), w], alpha=factor)
    graph = through(model, [y], [matmul_to_gemm, fold_batch_norm], X, 1e-5)
    assert ("Mul" not in ops(graph)) == folds
    assert "DequantizeLinear" in ops(graph)


def test_fuse_clamp_intersects():
    model = Model()
    y = model.add("Relu", [conv(model, model.input("x", IMAGE))])
    y = model.add("Clip", [y, model.const(np.float32(-1)), model.const(np.float32(0.5))])
    graph = through(model, [y], [fuse_clamp], IMAGE)
    assert ops(graph) == ["Conv"] and graph.nodes()[0].attrs.clamp == (0.0, 0.5)


def test_fuse_clamp_wants_the_only_reader():
    model = Model()
    c = conv(model, model.input("x", IMAGE))
    graph = through(model, [model.add("Relu", [c]), c], [fuse_clamp], IMAGE)
    assert ops(graph) == ["Conv", "Clip"]


@pytest.mark.parametrize(
    "pads, value, fuses",
    [
        ([0, 0, 1, 2, 0, 0, 3, 0], 0.0, True),
        ([0, 0, 1, 2, 0, 0, 3, 0], 1.0, False),
        ([0, 0, -1, 2, 0, 0, 3, 0], 0.0, False),
        ([1, 0, 1, 2, 0, 0, 3, 0], 0.0, False),
    ],
)
def test_fuse_pad(pads, value, fuses):
    model = Model()
    y = model.add("Pad", [model.input("x", IMAGE), model.const(pads), model.const(np.float32(value))])
    graph = through(model, [conv(model, y)], [fuse_pad], IMAGE)
    assert ops(graph) == (["Conv"] if fuses else ["Pad", "Conv"])
    if fuses:
        assert graph.nodes()[0].attrs.pads == (1, 2, 3, 0)


def test_fuse_pad_of_integers():
    model = Model()
    x = model.quantize(model.input("x", IMAGE), 0.02, 7)
    x = model.quantize(model.add("Pad", [x, model.const([0, 0, 1, 1, 0, 0, 1, 1])]), 0.02, 7)
    w = model.stored(np.random.default_rng(0).integers(-9, 9, (4, 3, 3, 3)).astype(np.int8), 0.1)
    y = model.quantize(model.add("Conv", [x, w]), 0.2, 0)
    passes = [merge_duplicates, qdq_to_integer, remove_dead_code, propagate_quant, fuse_pad]
    graph = through(model, [y], passes, IMAGE, 0.2)
    assert ops(graph) == ["QuantizeLinear", "Conv", "DequantizeLinear"]
    assert graph.nodes()[1].attrs.pads == (1, 1, 1, 1)


def test_pad_average():
    model = Model()
    x = model.quantize(model.input("x", IMAGE), 0.02, 7)
    y = model.add("AveragePool", [x], kernel_shape=[2, 2], pads=[1, 0, 0, 1], count_include_pad=1)
    y = model.quantize(y, 0.02, 7)
    graph = through(model, [y], [qdq_to_integer, remove_dead_code, pad_average], IMAGE, 0.02)
    assert ops(graph) == ["QuantizeLinear", "Pad", "AveragePool", "DequantizeLinear"]
    assert graph.nodes()[1].attrs.pads == (0, 0, 1, 0, 0, 0, 0, 1)


def test_merge_duplicates():
    model = Model()
    x = model.input("x", X)
    a, b = (model.quantize(model.add("Neg", [x]), 0.1, 3) for _ in range(2))
    graph = through(model, [model.add("Add", [a, b])], [merge_duplicates], X)
    # Their parameters are constants of the node's attributes, not operands: equal ones are equal.
    assert ops(graph) == ["Neg", "QuantizeLinear", "DequantizeLinear", "Add"]


def test_merge_duplicates_keeps_outputs_apart():
    model = Model()
    x = model.input("x", X)
    graph = through(model, [model.add("Neg", [x]), model.add("Neg", [x])], [merge_duplicates], X)
    assert len(set(graph.outputs)) == 2


def test_qdq_to_integer_says_why_not():
    model = Model()
    x = model.quantize(model.input("x", X), 0.02, 0)
    y = model.quantize(model.add("Pow", [x, x]), 0.02, 0)
    z = model.add("Neg", [model.quantize(model.add("Relu", [x]), 0.02, 0)])
    graph = through(model, [y, z], [qdq_to_integer], X)
    report = {r.op: r.reason for r in integer_report(graph)}
    assert report == {"Pow": "Pow has no integer form", "Neg": "its result is not quantized"}


def test_a_result_that_is_also_read_as_float_stays_float():
    model = Model()
    x = model.quantize(model.input("x", X), 0.02, 0)
    a = model.add("Relu", [x])
    graph = through(model, [model.quantize(a, 0.02, 0), model.add("Neg", [a])], [qdq_to_integer], X)
    assert [n.integer for n in graph.nodes() if n.op == "Clip"] == [False]


def test_one_input_read_under_two_scales():
    model = Model()
    array = np.arange(-4, 4, dtype=np.int8)
    x = model.input("x", array)
    results = []
    for scale in (0.1, 0.2):
        operands = [model.const(np.float32(scale)), model.const(np.int8(0))]
        y = model.add("DequantizeLinear", [x, *operands])
        results.append(model.quantize(model.add("Relu", [y]), scale, 0))
    through(model, results, [qdq_to_integer, propagate_quant], array)


def test_quantize_selection_moves_both_ways():
    model = Model()
    x = model.quantize(model.input("x", IMAGE), 0.02, 0)
    pooled = model.add("MaxPool", [x], kernel_shape=[2, 2])  # no QuantizeLinear behind it
    y = model.quantize(model.add("Sigmoid", [pooled]), 1 / 256, -128)
    z = model.add("Sqrt", [model.add("Sigmoid", [pooled])])
    z = model.quantize(model.add("Flatten", [z]), 0.01, 0)
    graph = through(model, [y, z], [quantize_selection, qdq_to_integer, propagate_quant], IMAGE, 1 / 200)
    integer = {n.op for n in graph.nodes() if n.integer}
    assert {"MaxPool", "Sigmoid", "Reshape"} <= integer


def test_uint8_to_int8_is_exact():
    model = Model()
    x = model.quantize(model.input("x", IMAGE), 0.02, 100, np.uint8)
    y = model.quantize(model.add("Relu", [x]), 0.01, 3, np.uint8)
    graph = through(model, [y], [uint8_to_int8, remove_dead_code], IMAGE, 0)
    assert "ShiftSign" not in ops(graph)
    assert [n.attrs.quant.zero_point for n in graph.nodes() if n.op == "QuantizeLinear"] == [(-28,), (-125,)]


def test_uint8_through_operators_on_bytes():
    """QuantizeLinear, MaxPool of uint8, DequantizeLinear."""
    model = Model()
    operands = [model.const(np.float32(0.02)), model.const(np.uint8(100))]
    q = model.add("QuantizeLinear", [model.input("x", IMAGE), *operands])
    q = model.add("MaxPool", [q], kernel_shape=[2, 2])
    y = model.add("DequantizeLinear", [q, *operands])
    graph = through(model, [y], [uint8_to_int8, propagate_quant, remove_dead_code], IMAGE, 0)
    assert ops(graph) == ["QuantizeLinear", "MaxPool", "DequantizeLinear"] and graph.nodes()[1].integer


def test_channels_last_and_sinking():
    model = Model()
    y = model.add("Sigmoid", [conv(model, model.input("x", IMAGE))])
    y = model.add("MaxPool", [y], kernel_shape=[2, 2])
    graph = through(model, [y], [channels_last], IMAGE, 1e-5)
    assert ops(graph).count("Transpose") == 4
    graph = remove_dead_code(sink_transposes(graph))
    verify(graph)
    assert ops(graph) == ["Transpose", "Conv", "Sigmoid", "MaxPool", "Transpose"]


def test_softmax_last_axis():
    model = Model()
    y = model.add("Softmax", [model.input("x", IMAGE)], axis=1)
    assert ops(through(model, [y], [softmax_last_axis], IMAGE)) == ["Transpose", "Softmax", "Transpose"]


@pytest.mark.parametrize("perm, rows", [([0, 2, 3, 1], 1), ([0, 1, 3, 2], 3), ([0, 1, 3, 2], 1)])
def test_transpose_into_gemm(perm, rows):
    model = Model()
    y = model.add("Transpose", [model.input("x", IMAGE)], perm=perm)
    y = model.add("Reshape", [y, model.const([rows, -1])])
    y = model.add("MatMul", [y, model.const(random((90 // rows, 2)))])
    passes = [matmul_to_gemm, transpose_into_gemm, remove_dead_code]
    assert ops(through(model, [y], passes, IMAGE, 1e-5)) == ["Reshape", "Gemm"]


def test_transpose_into_gemm_leaves_mixed_rows():
    model = Model()
    y = model.add("Transpose", [model.input("x", IMAGE)], perm=[1, 0, 3, 2])
    y = model.add("Reshape", [y, model.const([6, 15])])
    y = model.add("MatMul", [y, model.const(random((15, 2)))])
    graph = through(model, [y], [matmul_to_gemm, transpose_into_gemm, remove_dead_code], IMAGE, 1e-5)
    assert "Transpose" in ops(graph)


def test_separate_outputs():
    model = Model()
    y = model.add("Reshape", [model.input("x", X), model.const([-1])])
    graph = through(model, [y], [separate_outputs], X)
    assert ops(graph) == ["Reshape", "Identity"] and graph.outputs == (y,)
    assert ops(through(model, [y], [separate_outputs, separate_outputs], X)) == ["Reshape", "Identity"]


def test_weights_that_the_model_quantizes_itself():
    """PyTorch writes QuantizeLinear and DequantizeLinear of float weights, per channel, and float biases."""
    model = Model()
    x = model.quantize(model.input("x", IMAGE), 0.02, 3, np.uint8)
    weights = random((4, 3, 3, 3), 5)
    operands = [model.const(np.abs(weights).max((1, 2, 3)) / np.float32(127)), model.const(np.zeros(4, np.int8))]
    w = model.add("QuantizeLinear", [model.const(weights), *operands], axis=0)
    w = model.add("DequantizeLinear", [w, *operands], axis=0)
    y = model.add("Conv", [x, w, model.const(random((4,), 6))])
    y = model.quantize(model.add("Flatten", [model.add("Relu", [y])]), 0.05, 0, np.uint8)
    w = model.stored(np.arange(-96, 96).reshape(2, 96)[:, :48].astype(np.int8), random((2,), 7, 0.01, 0.02))
    y = model.add("Gemm", [y, w, model.const(random((2,), 8))], transB=1)
    graph = compiled(model.proto([model.quantize(y, 2.0, 100, np.uint8)]))
    assert integer_report(graph) == []
    want = run(imported(model.proto(graph.outputs)), {"x": IMAGE})[0]
    assert np.abs(run(graph, {"x": IMAGE})[0] - want).max() <= 2.0
