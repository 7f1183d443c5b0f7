# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from onnx_models import check_operator, random

SHAPES = [
    ((2, 3, 4), (2, 3, 4)),
    ((2, 3, 4), (4,)),
    ((3, 1), (2, 1, 5)),
    ((), (3, 2)),
    ((1, 4, 1, 2), (4, 3, 1)),
]


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div", "Max", "Min"])
@pytest.mark.parametrize("shapes", SHAPES)
def test_broadcasting(op, shapes):
    check_operator(op, [random(shapes[0], 1), random(shapes[1], 2, 0.5, 2)], opset=8 if op in ("Max", "Min") else 7)
    check_operator(op, [random(shapes[0], 1), random(shapes[1], 2, 0.5, 2)], constant=[1])


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div"])
@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.int8, np.uint8])
def test_integers(op, dtype):
    a = np.array([7, 100, 3, 9, 1], dtype)
    b = np.array([2, 3, 7, 4, 1], dtype)
    if dtype is not np.uint8 and op == "Div":
        a = a * np.array([1, -1, -1, 1, -1], dtype)
    check_operator(op, [a, b], opset=14)


@pytest.mark.parametrize("fmod", [0, 1])
def test_modulo(fmod):
    a, b = np.array([7, -7, 7, -7, 6], np.int32), np.array([3, 3, -3, -3, 3], np.int32)
    check_operator("Mod", [a, b], fmod=fmod, opset=13)
    check_operator("Mod", [random((6,), 3), random((6,), 4, 0.3, 1)], fmod=1, opset=13)


def test_power_with_exponents_of_another_type():
    base = random((3, 4), 5, 0.2, 3)
    check_operator("Pow", [base, random((4,), 6)], opset=7)
    check_operator("Pow", [base, np.array([2, 3, 1, 0], np.int32)], opset=15)
    check_operator("Pow", [np.array([2, 3], np.int32), np.array([3, 2], np.int32)], opset=15)


@pytest.mark.parametrize("slope", [(3, 1, 1), (1,), (2, 3, 4, 5)])
def test_prelu(slope):
    check_operator("PRelu", [random((2, 3, 4, 5), 1), random(slope, 2)], opset=9, constant=[1])


@pytest.mark.parametrize("op", ["Max", "Min", "Sum", "Mean"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_variadic(op, count):
    check_operator(op, [random((2, 3), 1), random((3,), 2), random((2, 1), 3)][:count], opset=8)


@pytest.mark.parametrize("op", ["Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual"])
def test_comparisons(op):
    a = np.array([1, 2, 3], np.float32)
    check_operator(op, [a, np.array([2, 2, 2], np.float32)], opset=16 if "Or" in op else 13)
    check_operator(op, [a.astype(np.int32), np.array([2, 2, 2], np.int32)], opset=16 if "Or" in op else 9)


@pytest.mark.parametrize("op", ["And", "Or", "Xor"])
def test_logic(op):
    check_operator(op, [np.array([[True], [False]]), np.array([True, False])])


@pytest.mark.parametrize("op", ["BitwiseAnd", "BitwiseOr", "BitwiseXor"])
def test_bits(op):
    check_operator(op, [np.array([12, -5], np.int32), np.array([10, 6], np.int32)], opset=18)


def test_where():
    condition = np.array([[True, False, True]])
    check_operator("Where", [condition, random((2, 3), 1), random((2, 1), 2)], opset=9)
    check_operator("Where", [condition, random((2, 3), 1), np.float32(3)], constant=[0, 2], opset=16)


@pytest.mark.parametrize("opset", [7, 11, 13, 21])
@pytest.mark.parametrize("bounds", [(-0.5, 0.7), (None, 1.0), (0.0, None), (1.0, -1.0)])
def test_clip(opset, bounds):
    x = random((3, 5), 1)
    if opset == 7 and bounds == (1.0, -1.0):
        return  # onnxruntime refuses it
    if opset == 7:
        attributes = {k: v for k, v in zip(("min", "max"), bounds, strict=True) if v is not None}
        check_operator("Clip", [x], opset=7, **attributes)
    else:
        operands = [None if b is None else np.float32(b) for b in bounds]
        check_operator("Clip", [x, *operands], constant=[1, 2], opset=opset)


def test_clip_with_bounds_computed_at_run_time():
    low, high = np.array(-0.3, np.float32), np.array(0.9, np.float32)
    graph = check_operator("Clip", [random((3, 5), 1), low, high], opset=13)
    assert [n.op for n in graph.nodes()] == ["Fused"]  # Max and Min in one loop


def test_clip_of_integers():
    check_operator("Clip", [np.arange(-5, 6, dtype=np.int32), np.int32(-2), np.int32(3)], constant=[1, 2], opset=13)


def test_relu():
    check_operator("Relu", [random((2, 3), 1)], opset=7)


@pytest.mark.parametrize("to", ["FLOAT", "INT32", "INT64", "UINT8", "BOOL"])
@pytest.mark.parametrize("source", [np.float32, np.int32, np.int64, np.bool_, np.uint8])
def test_cast(source, to):
    import onnx

    array = np.array([0, 1, 3, 100], source)
    check_operator("Cast", [array], opset=13, to=getattr(onnx.TensorProto, to))
