# SPDX-License-Identifier: Apache-2.0
"""Cases for every operator's kernels, in groups; each group is one model. See tests/support.py."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from quantized_cases import general_int8, int16, integer_products

from support import Const, Model, Q

F32 = np.float32
RNG = np.random.default_rng(11)


def real(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(F32)


def between(low: float, high: float, *shape: int) -> np.ndarray:
    return RNG.uniform(low, high, shape).astype(F32)


def whole(dtype: type, low: int, high: int, *shape: int) -> np.ndarray:
    return RNG.integers(low, high, shape, endpoint=True).astype(dtype)


def ints(*values: int) -> Const:
    return Const(np.array(values, np.int64))


# -- float32, against onnxruntime ----------------------------------------------------------------


def unary_float(m: Model) -> None:
    for op in ("Abs Neg Sign Exp Floor Ceil Round Sin Cos Tan Atan Sinh Cosh Tanh Asinh Erf Sigmoid HardSigmoid "
               "HardSwish LeakyRelu Elu Celu Selu ThresholdedRelu Shrink Softplus Softsign Mish Gelu Relu").split():
        m.plain(op, op, 2 * real(3, 5))
    for op in ("Log", "Sqrt", "Reciprocal"):
        m.plain(op, op, between(0.1, 4, 2, 3, 4))
    for op in ("Asin", "Acos", "Atanh"):
        m.plain(op, op, between(-0.95, 0.95, 7))
    m.plain("Acosh", "Acosh", between(1.1, 5, 1))
    m.plain("RoundHalf", "Round", np.array([0.5, 1.5, 2.5, -0.5, -1.5], F32))
    m.plain("GeluTanh", "Gelu", real(9), approximate="tanh")
    for op, attributes in (("LeakyRelu", {"alpha": 0.3}), ("Elu", {"alpha": 2.0}), ("Celu", {"alpha": 0.5}),
                           ("HardSigmoid", {"alpha": 0.5, "beta": 0.1}), ("ThresholdedRelu", {"alpha": 0.4}),
                           ("Shrink", {"bias": 0.2, "lambd": 0.3})):
        m.plain(f"{op}With", op, 2 * real(2, 8), **attributes)
    m.plain("Scalar", "Exp", np.array(0.5, F32))
    m.plain("ScalarToo", "Tanh", np.array(0.5, F32))
    m.plain("Clip", "Clip", real(4, 4), Const(np.array(-0.5, F32)), Const(np.array(0.25, F32)))
    m.plain("ClipLow", "Clip", real(4, 4), Const(np.array(-0.5, F32)))
    m.plain("ClipHigh", "Clip", real(4, 4), None, Const(np.array(0.5, F32)))
    m.plain("ClipComputed", "Clip", real(4, 4), np.array(-0.5, F32), np.array(0.25, F32))
    m.plain("ClipCrossed", "Clip", real(4), Const(np.array(0.5, F32)), Const(np.array(-0.25, F32)))


def binary_float(m: Model) -> None:
    shapes = [((2, 3, 4), (2, 3, 4)), ((2, 3, 4), (3, 1)), ((4,), (2, 3, 4)), ((), (5,)), ((2, 1, 4), (1, 3, 1)),
              ((1, 1), (1,)), ((2, 3, 2, 3, 2), (3, 1, 3, 1))]
    for op in ("Add", "Sub", "Mul", "Div"):
        for k, (a, b) in enumerate(shapes):
            m.plain(f"{op}{k}", op, real(*a), between(0.5, 2, *b))
    for k, op in enumerate(("Max", "Min", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal")):
        m.plain(op, op, np.round(2 * real(2, 9)), np.round(2 * real(9)))
        m.plain(f"{op}Wide", op, real(*shapes[k][0]), real(*shapes[k][1]))
    m.plain("MaxMany", "Max", real(2, 3), real(3), real(1))
    m.plain("SumMany", "Sum", real(2, 3), real(3), real(2, 1))
    m.plain("MeanMany", "Mean", real(2, 3), real(3), real(2, 1))
    m.plain("Pow", "Pow", between(0.2, 3, 2, 3), real(3))
    m.plain("PowWhole", "Pow", between(-3, 3, 2, 3), Const(np.array([2], np.int64)))
    m.plain("Fmod", "Mod", 5 * real(4, 5), between(0.5, 2, 5), fmod=1)
    m.plain("PRelu", "PRelu", real(2, 3, 4), Const(between(0.1, 0.5, 3, 1)))
    m.plain("Same", "Mul", "Add0_0", "Add0_0")
    m.plain("Where", "Where", real(3, 4) > 0, real(3, 4), real(4))
    m.plain("WhereWide", "Where", real(4) > 0, real(3, 1), np.array(2.0, F32))
    for op in ("And", "Or", "Xor"):
        m.plain(op, op, real(2, 5) > 0, real(5) > 0)
    m.plain("Not", "Not", real(2, 5) > 0)
    m.plain("Constant", "Sub", Const(real(3, 4)), real(4))


def convolution_float(m: Model) -> None:
    def conv(name: str, x: tuple[int, ...], w: tuple[int, ...], bias: bool = True, **attributes: object) -> None:
        m.plain(name, "Conv", x, Const(0.3 * real(*w)), Const(real(w[0])) if bias else None, **attributes)

    conv("OneD", (1, 3, 10), (4, 3, 3), pads=[1, 1])
    conv("OneDStrided", (2, 2, 11), (4, 1, 3), group=2, strides=[2], dilations=[2])
    conv("Plain", (1, 3, 8, 7), (5, 3, 3, 3), pads=[1, 1, 1, 1])
    conv("Pointwise", (1, 6, 5, 5), (4, 6, 1, 1), bias=False)
    conv("Strided", (2, 3, 9, 8), (4, 3, 3, 2), strides=[2, 3], pads=[0, 1, 2, 0])
    conv("Dilated", (1, 2, 9, 9), (3, 2, 3, 3), dilations=[2, 3], pads=[2, 3, 2, 3])
    conv("Grouped", (1, 6, 6, 6), (9, 2, 3, 3), group=3)
    conv("Depthwise", (1, 4, 6, 6), (4, 1, 3, 3), group=4, pads=[1, 1, 1, 1])
    conv("Multiplied", (1, 3, 6, 6), (6, 1, 3, 3), group=3, strides=[2, 2], auto_pad="SAME_UPPER")
    conv("SameLower", (1, 2, 7, 6), (3, 2, 4, 3), auto_pad="SAME_LOWER")
    conv("Valid", (1, 2, 7, 6), (3, 2, 4, 3), auto_pad="VALID")
    conv("ThreeD", (1, 2, 5, 6, 4), (3, 2, 3, 2, 2), pads=[1, 0, 1, 1, 1, 0], strides=[2, 1, 1])
    conv("ThreeDGrouped", (2, 4, 4, 4, 4), (4, 2, 2, 2, 2), group=2, dilations=[1, 2, 1], bias=False)
    m.plain("ComputedWeights", "Conv", (1, 3, 6, 6), (4, 3, 3, 3), (4,), pads=[1, 1, 1, 1])
    m.plain("ComputedBias", "Conv", (1, 3, 6, 6), Const(real(4, 3, 3, 3)), (4,))
    m.node("Relu", ["Plain_y"], ["ReluAfter"])
    m.outputs.remove("Plain_y")
    m.outputs.append("ReluAfter")
    m.node("Clip", ["ThreeD_y", "ClipMin", "ClipMax"], ["ClipAfter"])
    m.const("ClipMin", np.array(0, F32))
    m.const("ClipMax", np.array(0.5, F32))
    m.outputs.remove("ThreeD_y")
    m.outputs.append("ClipAfter")


def pooling_float(m: Model) -> None:
    for op in ("MaxPool", "AveragePool"):
        m.plain(f"{op}1", op, (1, 3, 9), kernel_shape=[3], strides=[2], pads=[1, 1])
        m.plain(f"{op}2", op, (2, 3, 9, 8), kernel_shape=[3, 2], strides=[2, 2], pads=[1, 1, 1, 0])
        m.plain(f"{op}3", op, (1, 2, 5, 6, 4), kernel_shape=[2, 3, 2], strides=[1, 2, 1], pads=[1, 0, 1, 0, 1, 0])
        m.plain(f"{op}Ceil", op, (1, 2, 8, 8), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
        m.plain(f"{op}Dilated", op, (1, 2, 8, 9), kernel_shape=[2, 3], dilations=[3, 2], pads=[1, 1, 1, 1])
        m.plain(f"{op}Dilated3", op, (1, 2, 6, 5, 5), kernel_shape=[2, 2, 2], dilations=[3, 2, 1])
        m.plain(f"{op}Same", op, (1, 2, 7, 6), kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")
        m.plain(f"Global{op}", f"Global{op}", (2, 3, 4, 5))
        m.plain(f"Global{op}3", f"Global{op}", (2, 3, 4, 5, 2))
    for rank in (1, 2, 3):
        m.plain(f"Counted{rank}", "AveragePool", (1, 2, *([7] * rank)), kernel_shape=[3] * rank, strides=[2] * rank,
                pads=[1] * (2 * rank), count_include_pad=1)
    m.plain("CountedCeil", "AveragePool", (1, 2, 8, 8), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 0, 0],
            count_include_pad=1, ceil_mode=1)
    m.plain("Bytes", "MaxPool", whole(np.uint8, 0, 255, 1, 2, 6, 6), kernel_shape=[2, 2], strides=[2, 2])
    m.plain("SignedBytes", "MaxPool", whole(np.int8, -128, 127, 1, 2, 6), kernel_shape=[3], pads=[1, 1])


def matrices_float(m: Model) -> None:
    for k, (a, b) in enumerate([((3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)), ((2, 3, 4), (4, 5)), ((3, 4), (2, 4, 5)),
                                ((4,), (4, 5)), ((3, 4), (4,)), ((4,), (4,)), ((2, 1, 3, 4), (5, 4, 2)),
                                ((7, 3, 3, 4), (3, 4, 2)), ((2, 4), (3, 2, 4, 1)), ((4,), (2, 4, 3))]):
        m.plain(f"MatMul{k}", "MatMul", a, b)
    m.plain("Constant", "MatMul", (2, 3, 4), Const(real(4, 5)))
    m.plain("ConstantLeft", "MatMul", Const(real(3, 4)), (4, 5))
    m.plain("ConstantBatch", "MatMul", (2, 3, 4), Const(real(2, 4, 5)))
    for k, (a, b, attributes) in enumerate([((3, 4), (4, 5), {}), ((4, 3), (4, 5), {"transA": 1}),
                                            ((3, 4), (5, 4), {"transB": 1}),
                                            ((4, 3), (5, 4), {"transA": 1, "transB": 1, "alpha": 0.5, "beta": 2.0})]):
        m.plain(f"Gemm{k}", "Gemm", a, Const(real(*b)), Const(real(5)), **attributes)
        m.plain(f"GemmComputed{k}", "Gemm", a, b, (3, 1), **attributes)
    m.plain("GemmBare", "Gemm", (3, 4), Const(real(4, 5)))
    m.node("Relu", ["MatMul1_y"], ["ReluAfter"])
    m.outputs.append("ReluAfter")
    for axis, shape in ((-1, (3, 5)), (0, (3, 5)), (1, (2, 3, 4)), (2, (2, 3, 4, 2)), (0, (6,))):
        m.plain(f"Softmax{len(m.outputs)}", "Softmax", 3 * real(*shape), axis=axis)
        m.plain(f"LogSoftmax{len(m.outputs)}", "LogSoftmax", 3 * real(*shape), axis=axis)
    m.plain("Normalized", "BatchNormalization", (2, 3, 4), *(Const(between(0.5, 2, 3)) for _ in range(4)))


def reductions_float(m: Model) -> None:
    axes = [(1,), (0, 2), (-1,), (0, 1, 2, 3), (2, 3), (0,), (1, 3)]
    for op in ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
               "ReduceSumSquare", "ReduceLogSumExp"):
        for k, own in enumerate(axes):
            m.plain(f"{op}{k}", op, (2, 3, 4, 5), ints(*own), keepdims=k % 2)
        m.plain(f"{op}All", op, (3, 4))
        m.plain(f"{op}None", op, (3, 4), noop_with_empty_axes=1)
    m.plain("ReduceLogSum", "ReduceLogSum", between(0.1, 2, 3, 4), ints(1))
    m.plain("Vector", "ReduceSum", (5,), ints(0), keepdims=0)
    m.plain("Six", "ReduceMean", (2, 3, 2, 2, 3, 2), ints(1, 4))
    for op in ("ArgMax", "ArgMin"):
        for k, axis in enumerate((0, 1, -1)):
            m.plain(f"{op}{k}", op, np.round(real(3, 4, 5)), axis=axis, keepdims=k % 2, select_last_index=k // 2)
        m.plain(f"{op}Vector", op, real(9), keepdims=0)
        m.plain(f"{op}Byte", op, whole(np.uint8, 0, 9, 3, 7), axis=1, select_last_index=1)


def moves(m: Model) -> None:
    makers = {"F": real, "I": lambda *s: whole(np.int64, -9, 9, *s), "H": lambda *s: whole(np.uint8, 0, 255, *s)}
    for kind, make in makers.items():
        m.plain(f"Transpose{kind}", "Transpose", make(2, 3, 4), perm=[2, 0, 1])
        m.plain(f"Transpose{kind}5", "Transpose", make(2, 3, 2, 2, 3), perm=[4, 2, 0, 1, 3])
        m.plain(f"Concat{kind}", "Concat", make(2, 3, 4), make(2, 1, 4), Const(make(2, 2, 4)), axis=1)
        m.plain(f"Concat{kind}0", "Concat", make(2, 3), make(1, 3), axis=0)
        m.plain(f"Concat{kind}L", "Concat", make(2, 3, 1), make(2, 3, 2), axis=-1)
        m.plain(f"Slice{kind}", "Slice", make(5, 6, 7), ints(1, -3), ints(4, 100), ints(0, 2), ints(1, 1))
        m.plain(f"Slice{kind}S", "Slice", make(5, 6, 7), ints(-1, 0), ints(-100, 5), ints(1, 2), ints(-2, 2))
        m.plain(f"Split{kind}", "Split", make(2, 7, 3), ints(2, 4, 1), axis=1, count=3)
        m.plain(f"Expand{kind}", "Expand", make(3, 1, 2), ints(2, 3, 4, 2))
        m.plain(f"Tile{kind}", "Tile", make(2, 3), ints(2, 2))
        m.plain(f"Gather{kind}", "Gather", make(4, 5, 3), Const(np.array([[0, -1], [2, 2]])), axis=1)
        m.plain(f"Gather{kind}1", "Gather", make(4, 5, 3), Const(np.array(-2)), axis=0)
        m.plain(f"Gather{kind}D", "Gather", make(4, 5, 3), np.array([3, 0, -4], np.int32), axis=0)
        m.plain(f"Gather{kind}L", "Gather", make(4, 5), np.array([3, -1], np.int64), axis=1)
        m.plain(f"Reshape{kind}", "Reshape", make(4, 6), ints(2, -1, 3))
        for mode in ("constant", "edge", "reflect", "wrap"):
            m.plain(f"Pad{kind}{mode}", "Pad", make(3, 4, 5), ints(1, 0, 2, 0, 3, 1), mode=mode)
            if mode != "wrap":  # onnxruntime and ONNX differ about negative pads that wrap
                m.plain(f"Crop{kind}{mode}", "Pad", make(4, 5), ints(-1, 2, 1, -2), mode=mode)
    m.plain("PadValue", "Pad", (3, 4), ints(0, 1, 1, 0), Const(np.array(1.5, F32)))
    m.plain("PadAxes", "Pad", (3, 4), ints(2, 1), Const(np.array(-2.0, F32)), ints(-1))
    m.plain("Scalar", "Unsqueeze", np.array(3.0, F32), ints(0))
    m.plain("Squeeze", "Squeeze", (1, 3, 1), ints(0))
    m.plain("Flatten", "Flatten", (2, 3, 4), axis=2)
    m.plain("Identity", "Identity", (2, 3))


# -- other element types, against the NumPy evaluation ---------------------------------------------


def whole_numbers(m: Model) -> None:
    limits = {np.int8: (-128, 127), np.uint8: (0, 255), np.int16: (-300, 300), np.uint16: (0, 600),
              np.int32: (-(1 << 31), (1 << 31) - 1), np.uint32: (0, (1 << 32) - 1), np.int64: (-(1 << 62), 1 << 62)}
    for dtype, (low, high) in limits.items():
        label = np.dtype(dtype).name
        x, y = whole(dtype, low, high, 3, 6), whole(dtype, max(low, -5), 5, 6)
        y[0] = 0
        for op in ("Add", "Sub", "Mul", "Div", "Mod", "Max", "Min", "BitwiseAnd", "BitwiseOr", "BitwiseXor",
                   "Equal", "Less", "GreaterOrEqual"):
            m.plain(f"{op}_{label}", op, x, y)
        m.plain(f"BitwiseNot_{label}", "BitwiseNot", x)
        m.plain(f"Abs_{label}", "Abs", x)
        m.plain(f"Sign_{label}", "Sign", x)
        m.plain(f"Clip_{label}", "Clip", x, Const(np.array(1, dtype)), Const(np.array(4, dtype)))
        m.plain(f"Where_{label}", "Where", real(6) > 0, x, y)
        if low < 0:
            m.plain(f"Neg_{label}", "Neg", x)
            m.plain(f"Fmod_{label}", "Mod", x, y, fmod=1)
        if np.dtype(dtype).itemsize >= 4:
            small = whole(dtype, max(low, -9), 9, 3, 4, 5)
            for op in ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd"):
                m.plain(f"{op}_{label}", op, small, ints(1))
            m.plain(f"MatMul_{label}", "MatMul", x, y)
            m.plain(f"MatMulConstant_{label}", "MatMul", small, Const(whole(dtype, 0, 3, 5, 2)))
            if low < 0:
                m.plain(f"Pow_{label}", "Pow", np.abs(small), Const(np.array(3, dtype)))
    m.plain("SignedReduce", "ReduceMax", whole(np.int8, -128, 127, 3, 9), ints(1))
    m.plain("UnsignedReduce", "ReduceMin", whole(np.uint8, 0, 255, 3, 9), ints(0))


def casts(m: Model) -> None:
    codes = {"float32": 1, "uint8": 2, "int8": 3, "uint16": 4, "int16": 5, "int32": 6, "int64": 7, "bool": 9,
             "float16": 10, "float64": 11, "uint32": 12}
    for source in ("float32", "float64", "float16", "int8", "uint8", "int32", "int64", "bool", "uint32"):
        for target, code in codes.items():
            if target != source:
                values = np.array([0, 1, 2, 3.75, 100, 7.5, 0.25, 64], np.float64)
                signed = source[0] in "if" and target[0] in "if"
                m.plain(f"{source}_{target}", "Cast", (-values if signed else values).astype(source), to=code)
    bits = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    m.plain("EveryHalf", "Cast", bits[np.isfinite(bits)], to=1)
    near = np.concatenate([bits[np.isfinite(bits)].astype(F32) * F32(1 + e) for e in (0, 2**-11, -(2**-11), 3e-4)])
    m.plain("NearHalf", "Cast", near, to=10)


def newest(m: Model) -> None:
    """What onnxruntime does not have yet."""
    m.opset = 24
    m.plain("Swish", "Swish", real(3, 5))
    m.plain("SwishAlpha", "Swish", real(7), alpha=0.5)


def half_and_double(m: Model) -> None:
    for dtype in (np.float16, np.float64):
        label = np.dtype(dtype).name

        def make(*shape: int, dtype: type = dtype) -> np.ndarray:
            return real(*shape).astype(dtype)

        for op in ("Exp", "Tanh", "Sigmoid", "Erf", "HardSwish", "Gelu", "Softplus", "Relu", "Neg", "Abs", "Selu"):
            m.plain(f"{op}_{label}", op, make(2, 5))
        for op in ("Add", "Mul", "Div", "Max", "Less"):
            m.plain(f"{op}_{label}", op, make(2, 5), make(5))
        m.plain(f"Softmax_{label}", "Softmax", make(2, 3, 4), axis=1)
        m.plain(f"Conv_{label}", "Conv", make(1, 2, 5, 5), Const(make(3, 2, 3, 3)), Const(make(3)), pads=[1, 1, 1, 1])
        m.plain(f"MaxPool_{label}", "MaxPool", make(1, 2, 5, 5), kernel_shape=[2, 2])
        m.plain(f"AveragePool_{label}", "AveragePool", make(1, 2, 5, 5), kernel_shape=[2, 2], pads=[1, 1, 0, 0])
        m.plain(f"Gemm_{label}", "Gemm", make(2, 3), Const(make(3, 4)), Const(make(4)))
        m.plain(f"MatMul_{label}", "MatMul", make(2, 3), make(3, 4))
        m.plain(f"ReduceMean_{label}", "ReduceMean", make(2, 3), ints(1))
        m.plain(f"ReduceMax_{label}", "ReduceMax", make(2, 3), ints(0))
        m.plain(f"Pad_{label}", "Pad", make(2, 3), ints(1, 1, 0, 0), Const(np.array(0.5, dtype)))
        m.plain(f"Transpose_{label}", "Transpose", make(2, 3))
        m.plain(f"Where_{label}", "Where", real(3) > 0, make(2, 3), make(2, 3))
        m.plain(f"Clip_{label}", "Clip", make(7), Const(np.array(-0.25, dtype)), Const(np.array(0.5, dtype)))
    m.plain("Subnormal", "Neg", np.array([6e-8, 3e-6, 6.1e-5, 65504, 0, np.inf, 2e-5], np.float16))


def quantization(m: Model) -> None:
    scales, wide = [0.05, 0.1, 0.02], (2, 3, 4)
    for dtype in (np.int8, np.uint8, np.int16, np.uint16):
        label = np.dtype(dtype).name
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        x = (6 * real(*wide)).astype(F32)
        x.reshape(-1)[:3] = [1e9, -1e9, 0.025]
        middle = 3 if low < 0 else 100
        m.inputs[f"x_{label}"], m.inputs[f"q_{label}"] = x, whole(dtype, low, high, *wide)
        m.outputs.append(m.quantized(f"x_{label}", f"whole_{label}", 0.05, middle, dtype))
        m.outputs.append(m.quantized(f"x_{label}", f"each_{label}", scales, [middle, 0, middle], dtype, 1))
        m.outputs.append(m.dequantized(f"q_{label}", 0.05, middle, dtype))
        m.inputs[f"r_{label}"] = whole(dtype, low, high, *wide)
        m.outputs.append(m.dequantized(f"r_{label}", scales, [middle, 0, middle], dtype, 1))
    for name, scale in (("one", 0.001), ("many", [0.001, 0.002, 0.004])):
        m.inputs[f"bias_{name}"] = whole(np.int32, -(1 << 30), 1 << 30, 2, 3)
        m.outputs.append(m.dequantized(f"bias_{name}", scale, 0, np.int32, 1))


# -- int8, exact against the NumPy evaluation --------------------------------------------------------


def elementwise_int8(m: Model) -> None:
    for op in ("Add", "Sub", "Mul"):
        m.int8(op, op, Q((2, 3, 4)), Q((2, 3, 4), 0.1, -7))
        m.int8(f"{op}Wide", op, Q((2, 3, 4)), Q((3, 1), 0.02, 9))
        m.int8(f"{op}Row", op, Q((2, 3, 8)), Q((8,), 0.02, 9, const=True))
        m.int8(f"{op}Scalar", op, Q((2, 3, 8)), Q((1,), 0.02, 9, const=True))
        m.int8(f"{op}ScalarLeft", op, Q((), 0.02, 9, const=True), Q((2, 3, 8)))
    for op in ("Max", "Min"):
        m.int8(op, op, Q((2, 3, 4)), Q((3, 1)), scale=0.05, zero=3)
        m.int8(f"{op}Scaled", op, Q((2, 3, 4)), Q((4,)), scale=0.1, zero=-9)
    for op in ("Relu", "Sigmoid", "Tanh", "HardSwish", "HardSigmoid", "LeakyRelu", "Elu", "Exp", "Abs", "Neg", "Erf",
               "Gelu", "Softplus", "Sqrt", "Mish", "Selu"):
        m.int8(op, op, Q((3, 7)))
    m.int8("ReluSame", "Relu", Q((3, 7)), scale=0.05, zero=3)
    m.int8("Relu6", "Clip", Q((3, 7)), Const(np.array(0, F32)), Const(np.array(6, F32)), scale=0.05, zero=3)
    m.int8("ClipScaled", "Clip", Q((3, 7)), Const(np.array(-1, F32)), Const(np.array(2, F32)))
    m.int8("Steep", "Clip", Q((3, 7), 40000.0), Const(np.array(-1, F32)), Const(np.array(2, F32)), scale=1e-4)
    m.int8("Softmax", "Softmax", Q((3, 7)), scale=1 / 256, zero=-128)
    m.int8("SoftmaxMiddle", "Softmax", Q((2, 5, 3)), scale=1 / 256, zero=-128, axis=1)
    m.int8("SoftmaxScaled", "Softmax", Q((2, 5)), scale=0.01, zero=-100)
    m.int8("Where", "Where", real(3, 4) > 0, Q((3, 4)), Q((4,)), scale=0.05, zero=3)
    m.int8("Less", "Sub", Q((3, 4)), Q((3, 4), 0.02))


def windows_int8(m: Model) -> None:
    def conv(
        name: str, x: tuple[int, ...], w: tuple[int, ...], bias: bool = True, each: bool = True, **attributes: object
    ) -> None:
        scale = between(0.002, 0.01, w[0]).tolist() if each else 0.005
        weights = Q(w, scale, 0, const=True, low=-127)
        m.int8(name, "Conv", Q(x), weights, Const(real(w[0])) if bias else None, scale=0.06, **attributes)

    conv("OneD", (1, 3, 10), (4, 3, 3), pads=[1, 1])
    conv("OneDDilated", (1, 4, 12), (8, 4, 3), pads=[2, 2], dilations=[2])
    conv("Plain", (1, 3, 8, 7), (5, 3, 3, 3), pads=[1, 1, 1, 1])
    conv("PerTensor", (2, 3, 8, 7), (5, 3, 3, 3), each=False, strides=[2, 1])
    conv("Pointwise", (1, 6, 5, 5), (4, 6, 1, 1), bias=False)
    conv("PointwiseStrided", (1, 6, 5, 5), (4, 6, 1, 1), strides=[2, 2])
    conv("Dilated", (1, 2, 9, 9), (3, 2, 3, 3), dilations=[2, 3], pads=[2, 3, 2, 3])
    conv("Grouped", (1, 6, 6, 6), (9, 2, 3, 3), group=3)
    conv("Depthwise", (1, 4, 6, 6), (4, 1, 3, 3), group=4, pads=[1, 1, 1, 1])
    conv("DepthwiseWide", (2, 5, 7, 6), (5, 1, 5, 2), group=5, strides=[2, 1], pads=[2, 0, 2, 1])
    conv("Multiplied", (1, 3, 6, 6), (6, 1, 3, 3), group=3, strides=[2, 2], auto_pad="SAME_UPPER")
    conv("ThreeD", (1, 2, 5, 6, 4), (3, 2, 3, 2, 2), pads=[1, 0, 1, 1, 1, 0], strides=[2, 1, 1])
    conv("ThreeDGrouped", (2, 4, 4, 4, 4), (4, 2, 2, 2, 2), group=2, dilations=[1, 2, 1], bias=False, each=False)
    m.int8("ComputedWeights", "Conv", Q((1, 3, 6, 6)), Q((4, 3, 3, 3), 0.01, 0), Const(real(4)), pads=[1, 1, 1, 1])
    for op in ("MaxPool", "AveragePool"):
        same = {"scale": 0.05, "zero": 3}
        m.int8(f"{op}1", op, Q((1, 3, 9)), kernel_shape=[3], strides=[2], pads=[1, 1], **same)
        m.int8(f"{op}2", op, Q((2, 3, 9, 8)), kernel_shape=[3, 2], strides=[2, 2], pads=[1, 1, 1, 0], **same)
        m.int8(f"{op}Scaled", op, Q((1, 8, 9, 8)), kernel_shape=[2, 2])
        m.int8(f"{op}3", op, Q((1, 2, 5, 6, 4)), kernel_shape=[2, 3, 2], pads=[1, 0, 1, 0, 1, 0], **same)
        m.int8(f"{op}Dilated", op, Q((1, 2, 8, 9)), kernel_shape=[2, 3], dilations=[3, 2], pads=[1, 1, 1, 1], **same)
        m.int8(f"{op}Ceil", op, Q((1, 2, 8, 8)), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1, **same)
        m.int8(f"Global{op}", f"Global{op}", Q((1, 3, 4, 5)), **same)


def matrices_int8(m: Model) -> None:
    for k, (a, b) in enumerate([((3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)), ((3, 4), (2, 4, 5)), ((4,), (4, 5)),
                                ((3, 4), (4,)), ((2, 1, 3, 4), (5, 4, 2))]):
        m.int8(f"MatMul{k}", "MatMul", Q(a), Q(b, 0.02, 7))
    scales = between(0.01, 0.03, 5).tolist()
    m.int8("Dense", "MatMul", Q((2, 3, 4)), Q((4, 5), scales, 0, const=True, axis=1))
    m.int8("DensePerTensor", "MatMul", Q((3, 4)), Q((4, 5), 0.02, 0, const=True))
    m.int8("Gemm", "Gemm", Q((3, 4)), Q((5, 4), scales, 0, const=True), Const(real(5)), transB=1)
    m.int8("GemmPerTensor", "Gemm", Q((1, 4)), Q((5, 4), 0.02, 0, const=True), Const(real(5)), transB=1)
    for op in ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"):
        for k, axes in enumerate(((1,), (2, 3), (0, 2), (-1,), (0, 1, 2, 3))):
            m.int8(f"{op}{k}", op, Q((2, 3, 4, 5)), ints(*axes), keepdims=k % 2)
        m.int8(f"{op}Same", op, Q((1, 3, 4, 5)), ints(2, 3), scale=0.05, zero=3)


def moves_int8(m: Model) -> None:
    same = {"scale": 0.05, "zero": 3}
    m.int8("Transpose", "Transpose", Q((2, 3, 4)), perm=[2, 0, 1], **same)
    m.int8("TransposeFive", "Transpose", Q((2, 3, 2, 2, 3)), perm=[4, 2, 0, 1, 3])
    m.int8("Concat", "Concat", Q((2, 3, 4)), Q((2, 1, 4)), Q((2, 2, 4), const=True), axis=1, **same)
    m.int8("ConcatScaled", "Concat", Q((2, 3, 4)), Q((2, 1, 4), 0.1, -4), axis=1)
    m.int8("Slice", "Slice", Q((5, 6, 7)), ints(1, -1), ints(4, -100), ints(0, 2), ints(1, -2), **same)
    m.int8("Expand", "Expand", Q((3, 1)), ints(2, 3, 9), **same)
    m.int8("Gather", "Gather", Q((4, 5)), np.array([3, -1], np.int64), axis=1, **same)
    m.int8("Reshape", "Reshape", Q((4, 6)), ints(2, 12))
    for mode in ("constant", "edge", "reflect", "wrap"):
        m.int8(f"Pad{mode}", "Pad", Q((1, 4, 5, 3)), ints(0, 1, 2, 0, 0, 3, 1, 1), mode=mode, **same)
    m.int8("PadValue", "Pad", Q((4, 5)), ints(1, -1, 0, 2), Const(np.array(1.2, F32)), **same)
    m.int8("PadFive", "Pad", Q((1, 2, 2, 2, 3)), ints(0, 1, 0, 1, 0, 0, 0, 0, 1, 2), **same)
    for name, dtype in (("Unsigned", np.uint8), ("Signed", np.int8)):
        q = Q((1, 3, 6, 6), 0.05, 130 if dtype is np.uint8 else 3, dtype=dtype, low=0, high=120)
        m.inputs[f"{name}_x"] = whole(dtype, 0, 120, *q.shape)
        m.node("Relu", [m.dequantized(f"{name}_x", q.scale, q.zero, dtype)], [f"{name}_relu"])
        m.outputs.append(m.quantized(f"{name}_relu", f"{name}_y", 0.04, 100 if dtype is np.uint8 else -20, dtype))


def chains(m: Model) -> None:
    """Values that live for one step only, so that results lie on operands."""
    m.inputs["a"], m.inputs["b"] = real(2, 3, 4), real(2, 3, 4)
    steps = [("Relu", ["a"], {}), ("Sigmoid", ["0"], {}), ("Transpose", ["1"], {"perm": [0, 2, 1]}),
             ("Add", ["2", "b2"], {}), ("Softmax", ["3"], {"axis": 1}), ("Mul", ["4", "4"], {}),
             ("ReduceMean", ["5", "axis"], {"keepdims": 1}), ("Sub", ["5", "6"], {}),
             ("Concat", ["7", "6", "7"], {"axis": 2}), ("Exp", ["8"], {}), ("Cast", ["9"], {"to": 6}),
             ("Cast", ["10"], {"to": 3}), ("Cast", ["11"], {"to": 1}), ("Max", ["9", "12"], {})]
    m.const("axis", np.array([2], np.int64))
    m.node("Transpose", ["b"], ["b2"], perm=[0, 2, 1])
    for k, (op, inputs, attributes) in enumerate(steps):
        m.node(op, inputs, [str(k)], **attributes)
    m.outputs.append(str(len(steps) - 1))


ORT: tuple[Callable[[Model], None], ...] = (
    unary_float, binary_float, convolution_float, pooling_float, matrices_float, reductions_float, moves, quantization,
    chains, integer_products,
)
NUMPY: tuple[Callable[[Model], None], ...] = (
    whole_numbers, casts, newest, half_and_double, elementwise_int8, windows_int8, matrices_int8, moves_int8,
    general_int8, int16,
)
CORES = (chains, quantization, half_and_double, elementwise_int8, windows_int8, matrices_int8, moves_int8, general_int8,
         int16)
INT8 = (elementwise_int8, windows_int8, matrices_int8, moves_int8, general_int8, int16)


def model_of(group: Callable[[Model], None]) -> Model:
    """A group's model; the same every time."""
    global RNG
    RNG = np.random.default_rng(11)
    m = Model(group.__name__)
    group(m)
    return m
