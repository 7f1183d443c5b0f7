# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from onnx_models import check_operator, random

OPS = ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
       "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp"]  # fmt: skip


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("axes", [None, [1], [-1], [0, 2], [3, -3]])
def test_reduce(op, keepdims, axes):
    x = random((2, 3, 4, 5), 1, 0.5, 1.5)
    attributes = {"keepdims": keepdims}
    old = dict(attributes, axes=axes) if axes is not None else attributes
    check_operator(op, [x], opset=11, tolerance=1e-4, **old)
    operand = [] if axes is None else [np.array(axes, np.int64)]
    check_operator(op, [x, *operand], constant=[1], opset=18, tolerance=1e-4, **attributes)


@pytest.mark.parametrize("op", ["ReduceMean", "ReduceSum"])
def test_no_axes_means_all_or_none(op):
    x, none = random((2, 3), 1), np.array([], np.int64)
    check_operator(op, [x, none], constant=[1], opset=18, noop_with_empty_axes=0)
    check_operator(op, [x, none], constant=[1], opset=18, noop_with_empty_axes=1)


def test_reduce_integers():
    x = np.arange(-6, 6, dtype=np.int32).reshape(3, 4)
    for op in ("ReduceSum", "ReduceMax", "ReduceProd"):
        check_operator(op, [x, np.array([0])], constant=[1], opset=18)


@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize("opset, axis", [(7, None), (11, 0), (11, 1), (11, 2), (11, -1), (13, None), (13, 1), (13, -3)])
def test_softmax(op, opset, axis):
    attributes = {} if axis is None else {"axis": axis}
    graph = check_operator(op, [random((2, 3, 4), 1, -8, 8)], opset=opset, **attributes)
    assert all(n.attrs.axis == graph.type(n.inputs[0]).rank - 1 for n in graph.nodes() if n.op == "Softmax")
