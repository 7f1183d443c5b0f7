# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from onnx_models import Model, check_operator, compiled, random, run
from tinyc.ir.graph import Node
from tinyc.ir.types import DType, Quant, TensorType
from tinyc.ops.unary import ROWS, TABLE, UnaryAttrs, c_expression, lookup_table

# Operand ranges where the function is defined, if not [-2, 2].
RANGES = {
    "Log": (0.1, 4), "Sqrt": (0, 4), "Reciprocal": (0.5, 3), "Asin": (-1, 1), "Acos": (-1, 1),
    "Acosh": (1, 5), "Atanh": (-0.9, 0.9),
}  # fmt: skip
# The first opset with the operator, if not 7 or older.
OPSETS = {
    "Mish": 18, "Gelu": 20, "HardSwish": 14, "Celu": 12, "ThresholdedRelu": 10, "Round": 11, "Shrink": 9,
    "Sign": 9, "Erf": 9, "Asinh": 9, "Acosh": 9, "Atanh": 9, "Sinh": 9, "Cosh": 9,
}  # fmt: skip
# Without an ONNX operator of that name; and those that ask a question of a number are tested in tests/kernels.
OTHERS = ("GeluTanh", "Swish", "Probit")
FLOAT_ROWS = [row.name for row in ROWS if row.c_float and row.result is None and row.name not in OTHERS]


@pytest.mark.parametrize("op", FLOAT_ROWS)
@pytest.mark.parametrize("latest", [False, True])
def test_float(op, latest):
    low, high = RANGES.get(op, (-2, 2))
    opset = 21 if latest else OPSETS.get(op, 7)
    check_operator(
        op,
        [random((2, 3, 5), 1, low * 3 if op not in RANGES else low, high * 3 if op not in RANGES else high)],
        opset=opset,
    )


@pytest.mark.parametrize(
    "op, attributes, opset",
    [
        ("LeakyRelu", {"alpha": 0.3}, 7),
        ("Elu", {"alpha": 0.7}, 7),
        ("Celu", {"alpha": 2.0}, 12),
        ("Selu", {"alpha": 1.1, "gamma": 0.9}, 7),
        ("HardSigmoid", {"alpha": 0.5, "beta": 0.1}, 7),
        ("ThresholdedRelu", {"alpha": 0.4}, 10),
        ("Shrink", {"bias": 0.2, "lambd": 0.7}, 9),
        ("Gelu", {"approximate": "tanh"}, 20),
        ("Gelu", {"approximate": "none"}, 20),
    ],
)
def test_attributes(op, attributes, opset):
    check_operator(op, [random((4, 6), 2)], opset=opset, **attributes)


@pytest.mark.parametrize("op", ["Abs", "Neg", "Sign"])
@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.int8])
def test_integers(op, dtype):
    check_operator(op, [np.array([-7, -1, 0, 1, 9], dtype)], opset=13)


def test_not_and_bitwise_not():
    check_operator("Not", [np.array([True, False])])
    check_operator("BitwiseNot", [np.array([0, 5, -3], np.int32)], opset=18)


def test_swish_is_silu():
    x = np.linspace(-4, 4, 9)
    np.testing.assert_allclose(TABLE["Swish"].function(x, 1.0), x / (1 + np.exp(-x)))


@pytest.mark.parametrize("op", FLOAT_ROWS)
def test_integer_form_is_the_quantized_function(op):
    """Every int8 input: the function of the real number, rounded to the nearest step."""
    model = Model()
    every = np.arange(-128, 128, dtype=np.int8)
    low, high = RANGES.get(op, (-2, 2))
    in_scale, in_zero = (high - low) / 255, int(round(-128 - low * 255 / (high - low)))
    scale, zero = np.float32(in_scale), np.int8(np.clip(in_zero, -128, 127))
    x = model.add("DequantizeLinear", [model.input("x", every), model.const(scale), model.const(zero)])
    real = (every.astype(np.float64) - float(zero)) * float(scale)
    with np.errstate(all="ignore"):
        exact = np.asarray(TABLE[op].function(real, *TABLE[op].parameters.values()))
    finite = exact[np.isfinite(exact)]
    out_scale = np.float32((finite.max() - finite.min() + 0.1) / 255)
    out_zero = np.int8(np.clip(np.rint(-128 - finite.min() / out_scale), -128, 127))
    opset = max(OPSETS.get(op, 13), 13)
    model.opset = opset
    y = model.add("QuantizeLinear", [model.add(op, [x]), model.const(out_scale), model.const(out_zero)])
    graph = compiled(model.proto([y]))
    assert [n.op for n in graph.nodes()] == [op] and graph.nodes()[0].integer
    got = run(graph, {"x": every})[0]
    with np.errstate(all="ignore"):
        steps = np.clip(np.rint(exact / float(out_scale)) + float(out_zero), -128, 127)
    ok = np.isfinite(exact)
    assert np.abs(got[ok].astype(int) - steps[ok]).max() <= 1
    assert (got[ok] != steps[ok]).mean() < 0.02  # float32 ties only


def test_lookup_table_is_indexed_by_value_plus_128():
    node = Node("n", "Abs", UnaryAttrs(), ("x",), ("y",), True)
    type_ = TensorType(DType.INT8, (1,), Quant((0.5,), (0,)))
    table = lookup_table(node, type_, type_)
    assert table.dtype == np.int8 and table.shape == (256,)
    assert table[128 - 5] == 5 and table[128 + 7] == 7 and table[0] == 127


def test_c_expression_fills_parameters():
    node = Node("n", "LeakyRelu", UnaryAttrs((0.1,)), ("x",), ("y",))
    assert c_expression(node, DType.FLOAT32, "v") == "(v < 0.0f ? 0.1f * v : v)"
    assert c_expression(Node("n", "Abs", UnaryAttrs(), ("x",), ("y",)), DType.UINT8, "v") == "v"
