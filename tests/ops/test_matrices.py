# SPDX-License-Identifier: Apache-2.0
import pytest

from onnx_models import check_operator, random

MATMULS = [
    ((3, 4), (4, 5)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)), ((2, 1, 3, 4), (5, 4, 2)), ((4,), (4, 5)),
    ((3, 4), (4,)), ((4,), (4,)), ((1, 4), (4, 1)),
]  # fmt: skip


@pytest.mark.parametrize("a, b", MATMULS)
@pytest.mark.parametrize("constant", [[], [0], [1]])
def test_matmul(a, b, constant):
    check_operator("MatMul", [random(a, 1), random(b, 2)], constant=constant, opset=9)


@pytest.mark.parametrize("trans_a", [0, 1])
@pytest.mark.parametrize("trans_b", [0, 1])
@pytest.mark.parametrize("bias", [None, (5,), (1, 5), (3, 5), (3, 1), (1,), ()])
@pytest.mark.parametrize("alpha, beta", [(1.0, 1.0), (0.5, 2.0)])
def test_gemm(trans_a, trans_b, bias, alpha, beta):
    operands = [random((4, 3) if trans_a else (3, 4), 1), random((5, 4) if trans_b else (4, 5), 2)]
    if bias is not None:
        operands.append(random(bias, 3))
    for constant in ([1, 2], []):
        graph = check_operator("Gemm", operands, constant=constant, opset=11, transA=trans_a, transB=trans_b,
                               alpha=alpha, beta=beta)  # fmt: skip
        fits = bias in (None, (5,), (1, 5), (1,), ())
        if constant and fits:
            assert [n.op for n in graph.nodes() if n.op != "Transpose"] == ["Gemm"]


def test_gemm_at_opset_7():
    check_operator("Gemm", [random((2, 3), 1), random((3, 4), 2), random((4,), 3)], constant=[1, 2], opset=7)
