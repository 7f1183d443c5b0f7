# SPDX-License-Identifier: Apache-2.0
"""Convolution and pooling: kernels, strides, dilations, pads, groups, one to three spatial axes."""

import numpy as np
import pytest

from onnx_models import check_operator, random

CONVOLUTIONS = [
    # input, weights, attributes
    ((1, 3, 8), (4, 3, 3), {}),
    ((2, 4, 9), (4, 2, 3), {"group": 2, "strides": [2], "pads": [1, 0]}),
    ((1, 4, 9), (8, 1, 3), {"group": 4, "dilations": [2]}),
    ((1, 3, 7, 6), (5, 3, 3, 3), {"pads": [1, 1, 1, 1]}),
    ((2, 3, 7, 6), (5, 3, 3, 2), {"strides": [2, 1], "pads": [0, 1, 2, 0]}),
    ((1, 4, 9, 9), (4, 1, 3, 3), {"group": 4, "dilations": [2, 3]}),
    ((1, 4, 9, 9), (8, 1, 3, 3), {"group": 4, "auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    ((1, 6, 5, 5), (9, 2, 2, 2), {"group": 3, "auto_pad": "SAME_LOWER"}),
    ((1, 6, 5, 5), (4, 6, 1, 1), {"auto_pad": "VALID"}),
    ((1, 2, 4, 5, 3), (3, 2, 2, 3, 2), {"pads": [1, 0, 1, 0, 1, 0]}),
    ((1, 4, 4, 4, 4), (4, 1, 2, 2, 2), {"group": 4, "strides": [2, 1, 2]}),
]


@pytest.mark.parametrize("x, w, attributes", CONVOLUTIONS)
@pytest.mark.parametrize("bias", [False, True])
def test_conv(x, w, attributes, bias):
    operands = [random(x, 1), random(w, 2), random(w[:1], 3)][: 3 if bias else 2]
    check_operator("Conv", operands, constant=[1, 2], opset=11, tolerance=1e-4, **attributes)


def test_conv_with_weights_computed_at_run_time():
    check_operator("Conv", [random((1, 2, 5, 5), 1), random((3, 2, 3, 3), 2)], opset=7, tolerance=1e-4)
    check_operator("Conv", [random((1, 2, 5), 1), random((3, 2, 3), 2)], opset=7, tolerance=1e-4)


POOLS = [
    ((1, 2, 9), {"kernel_shape": [3]}),
    ((1, 2, 9), {"kernel_shape": [2], "strides": [2], "ceil_mode": 1}),
    ((2, 3, 7, 8), {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 1]}),
    ((1, 3, 7, 8), {"kernel_shape": [2, 2], "strides": [2, 3], "ceil_mode": 1}),
    ((1, 3, 7, 8), {"kernel_shape": [3, 3], "auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    ((1, 3, 7, 8), {"kernel_shape": [3, 3], "auto_pad": "SAME_LOWER", "strides": [2, 2]}),
    ((1, 3, 7, 8), {"kernel_shape": [7, 8]}),
    ((1, 2, 4, 5, 6), {"kernel_shape": [2, 2, 2], "strides": [1, 2, 3]}),
]


@pytest.mark.parametrize("op, opset", [("MaxPool", 12), ("AveragePool", 11), ("AveragePool", 19)])
@pytest.mark.parametrize("x, attributes", POOLS)
def test_pool(op, opset, x, attributes):
    check_operator(op, [random(x, 1)], opset=opset, **attributes)


@pytest.mark.parametrize("ceil_mode", [0, 1])
def test_average_that_counts_padding(ceil_mode):
    for pads in ([1, 1, 1, 1], [0, 1, 1, 0]):
        check_operator("AveragePool", [random((1, 2, 7, 7), 1)], opset=19, kernel_shape=[3, 3], pads=pads,
                       strides=[2, 2], ceil_mode=ceil_mode, count_include_pad=1)  # fmt: skip


def test_dilated_pools():
    x = random((1, 2, 9, 9), 1)
    check_operator("MaxPool", [x], opset=10, kernel_shape=[2, 3], dilations=[2, 3], pads=[1, 0, 0, 1])
    check_operator("AveragePool", [x], opset=19, kernel_shape=[2, 3], dilations=[2, 3])


@pytest.mark.parametrize("op", ["GlobalAveragePool", "GlobalMaxPool"])
@pytest.mark.parametrize("shape", [(1, 3, 5), (2, 3, 4, 5), (1, 2, 3, 4, 2)])
def test_global_pool(op, shape):
    check_operator(op, [random(shape, 1)], opset=7)


@pytest.mark.parametrize("opset", [7, 9, 14, 15])
@pytest.mark.parametrize("shape", [(2, 3), (1, 3, 5), (2, 3, 4, 5)])
def test_batch_normalization(opset, shape):
    c = shape[1]
    parameters = [random((c,), 1, 0.5, 2), random((c,), 2), random((c,), 3), random((c,), 4, 0.1, 2)]
    check_operator("BatchNormalization", [random(shape, 5), *parameters], constant=[1, 2, 3, 4], opset=opset,
                   epsilon=1e-3)  # fmt: skip
    check_operator("BatchNormalization", [random(shape, 5), *parameters], opset=opset)


def test_pool_of_integers():
    x = np.random.default_rng(0).integers(-128, 128, (1, 2, 6, 6)).astype(np.int8)
    check_operator("MaxPool", [x], opset=12, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    check_operator("MaxPool", [x.view(np.uint8)], opset=12, kernel_shape=[2, 2])
