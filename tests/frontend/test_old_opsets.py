# SPDX-License-Identifier: Apache-2.0
"""Opsets before 7, which onnxruntime no longer runs, and inputs without elements: against NumPy."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from onnx_models import Model, imported, random, run
from tinyc.errors import TinycError


def result(op, operands, opset, constant=(), **attributes):
    """The one output of an operator."""
    model, names, feeds = Model(opset), [], {}
    for k, array in enumerate(operands):
        if k in constant:
            names.append(model.const(array))
        else:
            names.append(model.input(f"x{k}", array))
            feeds[f"x{k}"] = array
    return run(imported(model.proto([model.add(op, names, **attributes)])), feeds)[0]


@pytest.mark.parametrize(("shape", "axis", "aligned"), [
    ((4,), None, (4,)), ((3, 4), None, (3, 4)), ((3,), 1, (3, 1)), ((2,), 0, (2, 1, 1)), ((2, 3), 0, (2, 3, 1)),
    ((), None, ()), ((3,), -2, (3, 1)), ((1, 1), 0, (1, 1, 1)),
])
@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div", "Pow"])
def test_broadcast_and_axis(op, shape, axis, aligned):
    a, b = random((2, 3, 4), 1, 0.5, 2), random(shape, 2, 0.5, 2)
    attributes = {"broadcast": 1} | ({} if axis is None else {"axis": axis})
    function = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide, "Pow": np.power}[op]
    want = function(a, b.reshape(aligned))
    np.testing.assert_allclose(result(op, [a, b], 6, **attributes), want, 1e-6)


def test_comparisons_broadcast_too():
    a, b = random((2, 3, 4), 1), random((3,), 2)
    np.testing.assert_array_equal(result("Greater", [a, b], 1, broadcast=1, axis=1), a > b[:, None])
    p, q = a > 0, b > 0
    np.testing.assert_array_equal(result("Xor", [p, q], 1, broadcast=1, axis=1), p ^ q[:, None])


@pytest.mark.parametrize(("shapes", "attributes"), [
    (((2, 3), (3,)), {}), (((2, 3), (2,)), {"broadcast": 1}), (((2, 3), (3,)), {"broadcast": 1, "axis": 0}),
    (((3,), (2, 3)), {"broadcast": 1}), (((2, 3), (3,)), {"broadcast": 1, "axis": 5}),
])
def test_operands_that_do_not_align(shapes, attributes):
    with pytest.raises(TinycError, match="shape"):
        result("Add", [random(s) for s in shapes], 6, **attributes)


def test_prelu_has_a_slope_for_each_channel():
    x, slope = random((2, 3, 4, 5)), random((3,), 1)
    np.testing.assert_allclose(result("PRelu", [x, slope], 6), np.where(x < 0, x * slope[:, None, None], x), 1e-6)
    np.testing.assert_allclose(result("PRelu", [x, slope[:1]], 1), np.where(x < 0, x * slope[0], x), 1e-6)


def test_attributes_that_became_operands():
    x = random((2, 3, 4))
    np.testing.assert_array_equal(result("Reshape", [x], 1, shape=[0, -1]), x.reshape(2, 12))
    np.testing.assert_array_equal(result("Pad", [x[0]], 1, paddings=[0, 1, 2, 0], value=3.0),
                                  np.pad(x[0], ((0, 2), (1, 0)), constant_values=3.0))
    np.testing.assert_array_equal(result("Pad", [x[0]], 2, pads=[0, 1, 2, 0]), np.pad(x[0], ((0, 2), (1, 0))))
    np.testing.assert_array_equal(result("Cast", [x], 1, to="INT32"), x.astype(np.int32))
    np.testing.assert_array_equal(result("Slice", [x], 1, starts=[1], ends=[3], axes=[2]), x[:, :, 1:3])
    np.testing.assert_array_equal(result("Clip", [x], 6, min=-0.5, max=0.25), np.clip(x, -0.5, 0.25))
    np.testing.assert_array_equal(result("Concat", [x, x], 1), np.concatenate([x, x], 1))
    tiled = result("Tile", [x, np.array(2, np.float32), np.array(1, np.float32)], 1, (1, 2))
    np.testing.assert_array_equal(tiled, np.tile(x, (1, 2, 1)))
    np.testing.assert_allclose(result("Selu", [x], 1), 1.0507 * np.where(x < 0, 1.6732 * np.expm1(x), x), 1e-5)


@pytest.mark.parametrize("op", ["Dropout", "BatchNormalization"])
def test_operators_that_train_are_refused(op):
    x, one = random((2, 3)), np.ones(3, np.float32)
    operands = [x] if op == "Dropout" else [x, one, one, one, one]
    constant = range(1, len(operands))
    with pytest.raises(TinycError, match="trains"):
        result(op, operands, 6, constant)
    np.testing.assert_allclose(result(op, operands, 6, constant, is_test=1), x, 1e-4)


def test_the_mask_of_a_dropout_that_does_nothing():
    model = Model(13)
    x = random((2, 3))
    outputs = model.add("Dropout", [model.input("x", x)], 2)
    y, mask = run(imported(model.proto(outputs)), {"x": x})
    np.testing.assert_array_equal(y, x)
    assert mask.dtype == np.bool_ and mask.all()


def test_inputs_without_elements():
    x, nothing = random((2, 3)), np.zeros((0,), np.float64)
    np.testing.assert_array_equal(result("CastLike", [x, nothing], 19), x.astype(np.float64))
    np.testing.assert_array_equal(result("Concat", [x, np.zeros((0, 3), np.float32)], 13, axis=0), x)
    assert result("Relu", [np.zeros((4, 0), np.float32)], 13).shape == (4, 0)


def test_floats_modulo():
    a = np.array([5, -5, 5, -5, 1, -1, np.inf, 3, 3.5, -0.0], np.float32)
    b = np.array([3, 3, -3, -3, np.inf, np.inf, 2, 0, -1.25, 2], np.float32)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(result("Mod", [a, b], 13), np.mod(a, b))


def test_a_batch_given_as_nothing_stays_nothing():
    info = helper.make_tensor_value_info
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "g", [info("x", TensorProto.FLOAT, (0, 2))],
                              [info("y", TensorProto.FLOAT, (0, 2))])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model)
    assert imported(model).type("y").shape == (0, 2)


@pytest.mark.parametrize(("op", "want"), [
    ("ReduceSum", 0), ("ReduceProd", 1), ("ReduceMax", -np.inf), ("ReduceMin", np.inf), ("ReduceL2", 0),
    ("ReduceLogSumExp", -np.inf),
])
def test_reductions_of_nothing(op, want):
    x = np.zeros((2, 0, 3), np.float32)
    with np.errstate(all="ignore"):
        got = result(op, [x, np.array([1])], 18 if op != "ReduceSum" else 13, (1,), keepdims=0)
    np.testing.assert_array_equal(got, np.full((2, 3), want, np.float32))
