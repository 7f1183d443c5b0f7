# SPDX-License-Identifier: Apache-2.0
"""Integer forms against a scalar reference of the int8 specification, and against the real numbers.

The reference here is written out with Python's integers, one element at a time, on purpose: it shares
nothing with the vectorized evaluation.
"""

import itertools
import math

import numpy as np
import pytest

from onnx_models import Model, compiled, imported, random, run
from tinyc.quantize.numbers import divide_by_power_of_two, doubling_high_mul, requantize


def fixed_point(real):
    if real == 0:
        return 0, 0
    mantissa, exponent = math.frexp(real)
    multiplier = int(math.floor(mantissa * 2**31 + 0.5))
    return (multiplier // 2, exponent + 1) if multiplier == 2**31 else (multiplier, exponent)


def scaled(value, multiplier, shift):
    """MultiplyByQuantizedMultiplier with both roundings, on one Python integer."""
    left, right = max(shift, 0), max(-shift, 0)
    product = value * 2**left * multiplier
    high = (product + 2**30) >> 31
    if right == 0:
        return high
    half = 2 ** (right - 1)
    return (high + half) >> right if high >= 0 else -((-high + half) >> right)


def clip8(value):
    return max(-128, min(127, value))


def f32(value):
    return float(np.float32(value))


def quantized_input(model, name, shape, scale, zero, seed, dtype=np.int8):
    """An int8 graph input behind DequantizeLinear; (value, array)."""
    info = np.iinfo(dtype)
    array = np.random.default_rng(seed).integers(info.min, info.max + 1, shape).astype(dtype)
    operands = [model.const(np.float32(scale)), model.const(np.array(zero, dtype))]
    return model.add("DequantizeLinear", [model.input(name, array), *operands]), array


def quantized_output(model, value, scale, zero, dtype=np.int8):
    return model.add("QuantizeLinear", [value, model.const(np.float32(scale)), model.const(np.array(zero, dtype))])


def integer_graph(model, output, ops):
    graph = compiled(model.proto([output]))
    assert [n.op for n in graph.nodes()] == ops
    assert all(n.integer for n in graph.nodes())
    return graph


@pytest.mark.parametrize("seed", range(20))
def test_requantize_equals_the_scalar_reference(seed):
    rng = np.random.default_rng(seed)
    values = rng.integers(-(2**24), 2**24, 200)
    multiplier, shift = fixed_point(float(2.0 ** rng.uniform(-14, 4)))
    expected = [scaled(int(v), multiplier, shift) for v in values]
    assert requantize(values, multiplier, shift).tolist() == expected


def test_rounding_of_ties():
    assert divide_by_power_of_two(np.array([-3, -1, 1, 3, 5]), 1).tolist() == [-2, -1, 1, 2, 3]
    assert doubling_high_mul(-(2**31), -(2**31)) == 2**31 - 1


@pytest.mark.parametrize("op", ["Add", "Sub"])
@pytest.mark.parametrize("scales", [(0.1, 0.1, 0.2), (0.03, 0.5, 0.4), (1.0, 0.001, 0.9)])
def test_add_and_sub(op, scales):
    model = Model()
    s1, s2, s3 = (f32(s) for s in scales)
    a, x = quantized_input(model, "a", (2, 3, 4), s1, -3, 1)
    b, y = quantized_input(model, "b", (3, 1), s2, 7, 2)
    graph = integer_graph(model, quantized_output(model, model.add(op, [a, b]), s3, 5), [op])
    twice = 2 * max(s1, s2)
    first, second, last = fixed_point(s1 / twice), fixed_point(s2 / twice), fixed_point(twice / (2**20 * s3))
    sign = 1 if op == "Add" else -1
    wide = np.broadcast_arrays(x, y)
    expected = []
    for p, q in zip(wide[0].reshape(-1), wide[1].reshape(-1), strict=True):
        total = scaled((int(p) + 3) * 2**20, *first) + sign * scaled((int(q) - 7) * 2**20, *second)
        expected.append(clip8(scaled(total, *last) + 5))
    got = run(graph, {"a": x, "b": y})[0].reshape(-1)
    assert np.abs(got.astype(int) - expected).max() <= (1 if op == "Sub" else 0)
    assert np.mean(got != expected) <= (0.01 if op == "Sub" else 0)  # where the negated half rounds up


def test_mul():
    model = Model()
    s1, s2, s3 = f32(0.05), f32(0.02), f32(0.07)
    a, x = quantized_input(model, "a", (4, 5), s1, -3, 1)
    b, y = quantized_input(model, "b", (5,), s2, 7, 2)
    graph = integer_graph(model, quantized_output(model, model.add("Mul", [a, b]), s3, -9), ["Mul"])
    m = fixed_point(s1 * s2 / s3)
    expected = [[clip8(scaled((int(p) + 3) * (int(q) - 7), *m) - 9) for p, q in zip(row, y, strict=True)] for row in x]
    assert run(graph, {"a": x, "b": y})[0].tolist() == expected


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("relu", [False, True])
def test_conv(per_channel, relu):
    """Grouped, dilated, padded, with a bias: seven nested loops."""
    model, rng = Model(), np.random.default_rng(3)
    s1, s3 = f32(0.04), f32(0.3)
    a, x = quantized_input(model, "a", (1, 4, 6, 5), s1, 11, 1)
    weights = rng.integers(-127, 128, (6, 2, 3, 2)).astype(np.int8)
    scales = rng.uniform(0.01, 0.05, 6).astype(np.float32) if per_channel else np.float32([0.02] * 6)
    w = model.stored(weights, scales if per_channel else scales[0])
    bias = rng.integers(-2000, 2000, 6).astype(np.int32)
    b = model.stored(bias, (scales * np.float32(s1)) if per_channel else scales[0] * np.float32(s1))
    y = model.add("Conv", [a, w, b], group=2, dilations=[1, 2], pads=[1, 0, 1, 1], strides=[2, 1])
    y = model.add("Relu", [y]) if relu else y
    graph = compiled(model.proto([quantized_output(model, y, s3, -20)]))
    assert [n.op for n in graph.nodes()] == ["Transpose", "Conv", "Transpose"]
    got = run(graph, {"a": x})[0]
    for o, i, j in itertools.product(*(range(d) for d in got.shape[1:])):
        acc = int(bias[o])
        for c, p, q in itertools.product(range(2), range(3), range(2)):
            r, s = i * 2 - 1 + p, j + q * 2
            if 0 <= r < 6 and 0 <= s < 5:
                acc += (int(x[0, (o // 3) * 2 + c, r, s]) - 11) * int(weights[o, c, p, q])
        value = clip8(scaled(acc, *fixed_point(s1 * float(scales[o]) / s3)) - 20)
        assert got[0, o, i, j] == (max(value, -20) if relu else value)


@pytest.mark.parametrize("op", ["Gemm", "MatMul"])
def test_fully_connected(op):
    model, rng = Model(), np.random.default_rng(3)
    s1, s2, s3 = f32(0.04), f32(0.02), f32(0.6)
    a, x = quantized_input(model, "a", (3, 7), s1, 11, 1)
    weights = rng.integers(-127, 128, (7, 5)).astype(np.int8)
    bias = rng.integers(-2000, 2000, 5).astype(np.int32)
    w, b = model.stored(weights, s2), model.stored(bias, np.float32(s1) * np.float32(s2))
    y = model.add("Gemm", [a, w, b]) if op == "Gemm" else model.add("Add", [model.add("MatMul", [a, w]), b])
    graph = integer_graph(model, quantized_output(model, y, s3, 4), ["Gemm"])
    m = fixed_point(s1 * s2 / s3)
    expected = [
        [clip8(scaled(sum((int(x[r, k]) - 11) * int(weights[k, c]) for k in range(7)) + int(bias[c]), *m) + 4)
         for c in range(5)]
        for r in range(3)
    ]  # fmt: skip
    assert run(graph, {"a": x})[0].tolist() == expected


def test_matmul_of_two_activations():
    model = Model()
    a, x = quantized_input(model, "a", (2, 3, 4), 0.04, 11, 1)
    b, y = quantized_input(model, "b", (2, 4, 5), 0.02, -7, 2)
    graph = integer_graph(model, quantized_output(model, model.add("MatMul", [a, b]), 0.5, 1), ["MatMul"])
    real = (x.astype(float) - 11) * f32(0.04) @ ((y.astype(float) + 7) * f32(0.02))
    steps = np.clip(np.rint(real / f32(0.5)) + 1, -128, 127)
    assert np.abs(run(graph, {"a": x, "b": y})[0] - steps).max() <= 1


def test_average_pool_counts_the_input_only():
    model = Model()
    a, x = quantized_input(model, "a", (1, 1, 5, 5), 0.1, 4, 1)
    y = model.add("AveragePool", [a], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])
    graph = compiled(model.proto([quantized_output(model, y, 0.1, 4)]))
    assert {n.op for n in graph.nodes()} == {"Reshape", "AveragePool"}
    got = run(graph, {"a": x})[0]
    for i, j in itertools.product(range(3), range(3)):
        window = [int(x[0, 0, r, s]) for r in range(2 * i - 1, 2 * i + 2) for s in range(2 * j - 1, 2 * j + 2)
                  if 0 <= r < 5 and 0 <= s < 5]  # fmt: skip
        mean = abs(sum(window)) / len(window)
        assert got[0, 0, i, j] == math.floor(mean + 0.5) * (1 if sum(window) > 0 else -1)


@pytest.mark.parametrize("op, attributes", [("GlobalAveragePool", {}), ("AveragePool", {"kernel_shape": [5, 6]})])
def test_mean_of_an_image_with_a_scale_of_its_own(op, attributes):
    model = Model()
    a, x = quantized_input(model, "a", (2, 3, 5, 6), 0.1, 4, 1)
    y = model.add(op, [a], **attributes)
    graph = compiled(model.proto([quantized_output(model, y, 0.013, -6)]))
    assert [n.op for n in graph.nodes() if n.op not in ("Transpose", "Reshape")] == ["AveragePool"]
    m = fixed_point(f32(0.1) / (f32(0.013) * 30))
    got = run(graph, {"a": x})[0].reshape(2, 3)
    for n, c in itertools.product(range(2), range(3)):
        assert got[n, c] == clip8(scaled(int((x[n, c].astype(int) - 4).sum()), *m) - 6)


def test_other_means_have_their_operands_scale():
    model = Model()
    a, x = quantized_input(model, "a", (1, 1, 4, 4), 0.1, 4, 1)
    y = model.add("AveragePool", [a], kernel_shape=[2, 2], strides=[2, 2])
    graph = compiled(model.proto([quantized_output(model, y, 0.05, -6)]))
    assert [n.op for n in graph.nodes() if n.op != "Reshape"] == ["AveragePool", "Requantize"]


def test_average_pool_that_counts_padding():
    model = Model()
    a, x = quantized_input(model, "a", (1, 2, 5, 6), 0.1, 4, 1)
    y = model.add("AveragePool", [a], kernel_shape=[3, 2], pads=[1, 0, 1, 1], strides=[2, 2], count_include_pad=1)
    graph = compiled(model.proto([quantized_output(model, y, 0.1, 4)]))
    assert all(n.integer for n in graph.nodes())
    assert not any(n.attrs.count_include_pad for n in graph.nodes() if n.op == "AveragePool")
    got = run(graph, {"a": x})[0]
    padded = np.pad(x.astype(int), [(0, 0), (0, 0), (1, 1), (0, 1)], constant_values=4)
    for c, i, j in itertools.product(range(2), range(3), range(3)):
        total = int(padded[0, c, 2 * i:2 * i + 3, 2 * j:2 * j + 2].sum())
        assert got[0, c, i, j] == math.floor(abs(total) / 6 + 0.5) * (1 if total > 0 else -1)


@pytest.mark.parametrize("keepdims", [0, 1])
def test_reduce_mean(keepdims):
    model = Model()
    a, x = quantized_input(model, "a", (2, 3, 4, 5), 0.1, 4, 1)
    axes = model.const(np.array([1, 3]))
    y = model.add("ReduceMean", [a, axes], keepdims=keepdims)
    graph = integer_graph(model, quantized_output(model, y, 0.05, -6), ["ReduceMean"])
    m = fixed_point(f32(0.1) / (f32(0.05) * 15))
    got = run(graph, {"a": x})[0].reshape(2, 4)
    for n, h in itertools.product(range(2), range(4)):
        assert got[n, h] == clip8(scaled(int((x[n, :, h].astype(int) - 4).sum()), *m) - 6)


CLOSE = {
    "ReduceSum": (lambda m, a: m.add("ReduceSum", [a, m.const(np.array([1]))]), lambda x: x.sum(1, keepdims=True)),
    "ReduceMax": (lambda m, a: m.add("ReduceMax", [a, m.const(np.array([1]))]), lambda x: x.max(1, keepdims=True)),
    "Softmax": (lambda m, a: m.add("Softmax", [a], axis=1), lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True)),
    "SoftmaxLast": (lambda m, a: m.add("Softmax", [a]), lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
    "MaxPool": (lambda m, a: m.add("MaxPool", [a], kernel_shape=[2, 2]),
                lambda x: np.maximum.reduce([x[..., i:i + 3, j:j + 4] for i in (0, 1) for j in (0, 1)])),
    "Relu6": (lambda m, a: m.add("Clip", [a, m.const(np.float32(0)), m.const(np.float32(6))]),
              lambda x: np.clip(x, 0, 6)),
    "Slice": (lambda m, a: m.add("Slice", [a, *(m.const(np.array([v])) for v in (1, 3, 2))]),
              lambda x: x[:, :, 1:3]),
    "Gather": (lambda m, a: m.add("Gather", [a, m.const(np.array([2, 0]))], axis=1), lambda x: x[:, [2, 0]]),
    "Pad": (lambda m, a: m.add("Pad", [a, m.const(np.array([0, 0, 1, 0, 0, 0, 0, 2]))]),
            lambda x: np.pad(x, [(0, 0), (0, 0), (1, 0), (0, 2)])),
    "PadReflect": (lambda m, a: m.add("Pad", [a, m.const(np.array([0, 0, 1, 0, 0, 0, 0, 2]))], mode="reflect"),
                   lambda x: np.pad(x, [(0, 0), (0, 0), (1, 0), (0, 2)], mode="reflect")),
    "Concat": (lambda m, a: m.add("Concat", [a, a], axis=2), lambda x: np.concatenate([x, x], 2)),
    "Transpose": (lambda m, a: m.add("Transpose", [a], perm=[0, 3, 1, 2]), lambda x: x.transpose(0, 3, 1, 2)),
    "Reshape": (lambda m, a: m.add("Reshape", [a, m.const(np.array([2, -1]))]), lambda x: x.reshape(2, -1)),
    "Expand": (lambda m, a: m.add("Expand", [a, m.const(np.array([2, 2, 3, 4, 5]))]), lambda x: np.stack([x, x])),
}  # fmt: skip


@pytest.mark.parametrize("name", CLOSE)
@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
def test_close_to_the_real_numbers(name, same, dtype):
    """Integers throughout, and within a step of quantizing the exact result (two if requantized)."""
    build, exact = CLOSE[name]
    model, away = Model(), 128 if dtype is np.uint8 else 0
    scale, zero = f32(0.07), -20 + away
    a, x = quantized_input(model, "a", (2, 3, 4, 5), scale, zero, 1, dtype)
    out_scale, out_zero = (scale, zero) if same else (f32(0.09), 10 + away)
    if name.startswith("Softmax"):
        out_scale, out_zero = (f32(1 / 256), -128 + away) if same else (f32(1 / 255), -128 + away)
    graph = compiled(model.proto([quantized_output(model, build(model, a), out_scale, out_zero, dtype)]))
    assert all(n.integer or n.op == "ShiftSign" for n in graph.nodes())
    assert sum(n.op == "ShiftSign" for n in graph.nodes()) == (2 if away else 0)
    real = (x.astype(float) - zero) * scale
    info = np.iinfo(dtype)
    steps = np.clip(np.rint(exact(real) / out_scale) + out_zero, info.min, info.max)
    assert np.abs(run(graph, {"a": x})[0] - steps).max() <= (1 if same or name == "Relu6" else 2)


@pytest.mark.parametrize("op", ["Concat", "Max", "Min", "Where"])
def test_operands_of_different_scales_are_requantized(op):
    model = Model()
    a, x = quantized_input(model, "a", (2, 3), 0.07, 5, 1)
    b, y = quantized_input(model, "b", (2, 3), 0.11, -9, 2)
    p, q = (x.astype(float) - 5) * f32(0.07), (y.astype(float) + 9) * f32(0.11)
    condition = np.array([True, False, True])
    if op == "Concat":
        z, real = model.add("Concat", [a, b], axis=0), np.concatenate([p, q])
    elif op == "Where":
        z, real = model.add("Where", [model.const(condition), a, b]), np.where(condition, p, q)
    else:
        z, real = model.add(op, [a, b]), (np.maximum if op == "Max" else np.minimum)(p, q)
    graph = integer_graph(model, quantized_output(model, z, 0.11, -9), ["Requantize", op])
    steps = np.clip(np.rint(real / f32(0.11)) - 9, -128, 127)
    assert np.abs(run(graph, {"a": x, "b": y})[0] - steps).max() <= 1


def test_pad_outside_the_range_stays_float():
    model = Model()
    a, x = quantized_input(model, "a", (1, 4), 0.1, 0, 1)
    y = model.add("Pad", [a, model.const(np.array([0, 1, 0, 0])), model.const(np.float32(99))])
    graph = compiled(model.proto([quantized_output(model, y, 1.0, 0)]))
    node = next(n for n in graph.nodes() if n.op == "Pad")
    assert not node.integer and "99" in node.obstacle
    assert run(graph, {"a": x})[0][0, 0] == 99


@pytest.mark.parametrize("axis", [None, 1])
def test_asymmetric_weights(axis):
    model = Model()
    a, x = quantized_input(model, "a", (1, 4), 0.1, 7, 1)
    weights, zero = np.arange(12, dtype=np.int8).reshape(4, 3), 5 if axis is None else np.array([5, 0, -3], np.int8)
    scale = 0.1 if axis is None else np.array([0.1, 0.2, 0.3], np.float32)
    y = model.add("MatMul", [a, model.stored(weights, scale, zero, **({} if axis is None else {"axis": axis}))])
    graph = integer_graph(model, quantized_output(model, y, 0.5, 0), ["Gemm"])
    want = [[clip8(scaled(sum((int(p) - 7) * (int(w) - int(z)) for p, w in zip(x[0], column, strict=True)),
                          *fixed_point(f32(0.1) * f32(s) / 0.5)))
             for column, z, s in zip(weights.T, np.broadcast_to(zero, 3), np.broadcast_to(scale, 3), strict=True)]]
    assert run(graph, {"a": x})[0].tolist() == want


def test_uint8_weights_with_zero_point_128_are_symmetric():
    model, rng = Model(), np.random.default_rng(1)
    a, x = quantized_input(model, "a", (2, 6), 0.1, 100, 1, np.uint8)
    w = model.stored(rng.integers(0, 256, (6, 3)).astype(np.uint8), 0.02, 128)
    output = quantized_output(model, model.add("MatMul", [a, w]), 0.2, 120, np.uint8)
    graph = compiled(model.proto([output]))
    assert [n.op for n in graph.nodes()] == ["ShiftSign", "Gemm", "ShiftSign"]
    want = run(imported(model.proto([output])), {"a": x})[0]
    assert np.abs(run(graph, {"a": x})[0].astype(int) - want).max() <= 1
    assert graph.type(graph.inputs[0]).quant.zero_point == (100,)
    assert graph.type(graph.outputs[0]).quant.zero_point == (120,)


def test_float_input_and_output():
    model = Model()
    x = model.input("x", random((2, 3)))
    y = model.quantize(model.add("Tanh", [model.quantize(x, 0.02, 3)]), 0.01, 0)
    graph = compiled(model.proto([y]))
    assert [n.op for n in graph.nodes()] == ["QuantizeLinear", "Tanh", "DequantizeLinear"]
    np.testing.assert_allclose(run(graph, {"x": random((2, 3))})[0], np.tanh(random((2, 3))), atol=0.02)
