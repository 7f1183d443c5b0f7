# SPDX-License-Identifier: Apache-2.0
"""Operators that move elements: views, Transpose, Concat, Slice, Split, Gather, Expand, Tile, Pad."""

import numpy as np
import pytest

from onnx_models import Model, check_against_onnxruntime, check_operator, random

INT64_MAX = 2**63 - 1


@pytest.mark.parametrize("shape", [[6, 4], [-1], [0, -1], [2, 0, -1], [1, 2, 3, 4]])
def test_reshape(shape):
    check_operator("Reshape", [random((2, 3, 4)), np.array(shape, np.int64)], constant=[1], opset=7)
    check_operator("Reshape", [random((2, 3, 4)), np.array(shape, np.int64)], constant=[1])


@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1])
def test_flatten(axis):
    check_operator("Flatten", [random((2, 3, 4))], opset=11, axis=axis)


def test_squeeze_and_unsqueeze():
    x = random((1, 3, 1, 4))
    check_operator("Squeeze", [x], opset=7)
    check_operator("Squeeze", [x], opset=11, axes=[0, -2])
    check_operator("Squeeze", [x, np.array([2])], constant=[1], opset=13)
    check_operator("Squeeze", [x], opset=13)
    check_operator("Unsqueeze", [x], opset=11, axes=[0, -1])
    check_operator("Unsqueeze", [x, np.array([1, 3])], constant=[1], opset=13)


@pytest.mark.parametrize("perm", [None, [0, 2, 3, 1], [3, 1, 0, 2], [0, 1, 2, 3]])
def test_transpose(perm):
    check_operator("Transpose", [random((2, 3, 4, 5))], opset=7, **({} if perm is None else {"perm": perm}))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_concat(axis):
    shapes = [[2, 3, 4], [2, 3, 4], [2, 3, 4]]
    shapes[1][axis], shapes[2][axis] = 1, 5
    check_operator("Concat", [random(s, i) for i, s in enumerate(shapes)], opset=7, axis=axis)
    check_operator("Concat", [random(s, i) for i, s in enumerate(shapes)], constant=[1], axis=axis)


SLICES = [
    ([1], [3], [0], None),
    ([0, -3], [INT64_MAX, -1], [1, 2], None),
    ([-1], [-INT64_MAX], [2], [-1]),
    ([5, 0], [1, 3], [2, 1], [-2, 2]),
    ([3], [1], [2], None),
    ([1, 1], [2, 2], None, None),
]


@pytest.mark.parametrize("starts, ends, axes, steps", SLICES)
def test_slice(starts, ends, axes, steps):
    x = random((4, 3, 6))
    operands = [np.array(starts), np.array(ends), None if axes is None else np.array(axes)]
    operands += [] if steps is None else [np.array(steps)]
    check_operator("Slice", [x, *operands], constant=[1, 2, 3, 4], opset=13)
    if steps is None:
        attributes = {} if axes is None else {"axes": axes}
        check_operator("Slice", [x], opset=9, starts=starts, ends=ends, **attributes)


def test_split():
    x = random((2, 7, 3))
    check_operator("Split", [x], outputs=2, opset=11, axis=1, split=[3, 4])
    check_operator("Split", [x], outputs=3, opset=7, axis=-1)
    check_operator("Split", [x, np.array([1, 6])], constant=[1], outputs=2, opset=13, axis=1)
    check_operator("Split", [x], outputs=3, opset=18, axis=1, num_outputs=3)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("indices", [2, [0, 2, 1], [[0, -1], [1, 1]]])
def test_gather(axis, indices):
    x = random((3, 4, 3))
    check_operator("Gather", [x, np.array(indices, np.int64)], constant=[1], opset=11, axis=axis)
    check_operator("Gather", [x, np.array(indices, np.int32)], opset=13, axis=axis)


@pytest.mark.parametrize("shape", [[2, 3, 4], [3, 1], [5, 1, 3, 4], [1]])
def test_expand(shape):
    check_operator("Expand", [random((3, 1)), np.array(shape, np.int64)][:2], constant=[1], opset=8)


def test_tile():
    check_operator("Tile", [random((2, 3)), np.array([2, 3])], constant=[1], opset=13)


PADS = [
    ([0, 0, 1, 2, 0, 0, 3, 1], "constant", 0.0),
    ([1, 1, 0, 0, 0, 2, 0, 1], "constant", 1.5),
    ([0, 0, -1, 1, 0, 0, 2, -2], "constant", -1.0),
    ([0, 0, 1, 2, 0, 0, 3, 1], "edge", 0.0),
    ([0, 0, 1, 2, 0, 0, 3, 1], "reflect", 0.0),
    ([0, 1, 1, 2, 0, 0, 3, 1], "wrap", 0.0),
]


@pytest.mark.parametrize("pads, mode, value", PADS)
def test_pad(pads, mode, value):
    x = random((1, 2, 5, 6))
    opset = 19 if mode == "wrap" else 13
    check_operator("Pad", [x, np.array(pads), np.float32(value)], constant=[1, 2], opset=opset, mode=mode)
    if mode != "wrap":
        check_operator("Pad", [x], opset=7, mode=mode, pads=pads, value=value)


def test_pad_of_some_axes():
    x = random((2, 3, 4))
    check_operator("Pad", [x, np.array([1, 2, 0, 1]), None, np.array([-1, 0])], constant=[1, 3], opset=18)


def test_pad_of_integers():
    x = np.arange(6, dtype=np.int32).reshape(2, 3)
    check_operator("Pad", [x, np.array([1, 0, 0, 2]), np.int32(-7)], constant=[1, 2], opset=13)


def test_shape_arithmetic_folds_away():
    """What exporters write for x.view(x.size(0), -1): only a Reshape is left (and a copy to the output)."""
    model = Model(opset=13)
    x = model.input("x", random((2, 3, 4)))
    first = model.add("Gather", [model.add("Shape", [x]), model.const(np.array(0, np.int64))], axis=0)
    size = model.add("Div", [model.add("Size", [x]), first])
    parts = [model.add("Unsqueeze", [v, model.const(np.array([0]))]) for v in (first, size)]
    y = model.add("Reshape", [x, model.add("Concat", parts, axis=0)])
    graph = check_against_onnxruntime(model, [y], {"x": random((2, 3, 4))})
    assert [n.op for n in graph.nodes()] == ["Reshape", "Identity"]


def test_constants_of_shape_and_ranges_fold_away():
    model = Model(opset=13)
    x = model.input("x", random((2, 3)))
    shape = model.add("Shape", [x])
    import onnx

    ones = model.add("ConstantOfShape", [shape], value=onnx.numpy_helper.from_array(np.array([2], np.float32)))
    zero, one = model.const(np.array(0, np.float32)), model.const(np.array(1, np.float32))
    ramp = model.add("Range", [zero, model.const(np.array(3, np.float32)), one])
    limit = model.add("Cast", [model.add("Greater", [shape, model.const(np.array([2, 2]))])], to=1)
    chosen = model.add("Where", [model.add("Cast", [limit], to=9), model.const(np.float32([5, 6])),
                                 model.const(np.float32([7, 8]))])  # fmt: skip
    total = model.add("ReduceSum", [chosen], keepdims=0)
    y = model.add("Add", [model.add("Mul", [x, model.add("Add", [ones, ramp])]), total])
    graph = check_against_onnxruntime(model, [y], {"x": random((2, 3))})
    assert [n.op for n in graph.nodes()] == ["Fused"]  # Mul and Add
