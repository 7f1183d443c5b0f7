# SPDX-License-Identifier: Apache-2.0
"""Cases for integer forms beyond CMSIS-NN's int8: zero points of weights, tables, normalizations, int16 activations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto

from support import Const, Model, Q

F32 = np.float32


def general_int8(m: Model) -> None:
    rng = np.random.default_rng(5)

    def values(*shape: int) -> Const:
        return Const(rng.standard_normal(shape).astype(F32))

    # Weights with zero points: of the tensor and of each channel.
    for name, w, axis in (("Whole", Q((4, 3, 3, 3), 0.01, 9, const=True), None),
                          ("Each", Q((4, 3, 3, 3), (0.01, 0.02, 0.005, 0.01), 0, const=True), 0)):
        zero = 9 if axis is None else np.array([9, 0, -4, 127], np.int8)
        data = rng.integers(-128, 128, w.shape).astype(np.int8)
        for op, attributes, shape in (("Conv", {"pads": [1, 1, 1, 1]}, (1, 3, 6, 5)), ("MatMul", {}, (2, 27))):
            stored = data if op == "Conv" else np.ascontiguousarray(data.reshape(4, 27).T)
            constant = m.const(f"{op}{name}_w", stored)
            real = m.dequantized(constant, w.scale, zero, axis=0 if op == "Conv" else 1)
            m.int8(f"{op}{name}", op, Q(shape), real, *([values(4)] if op == "Conv" else []), scale=0.5, **attributes)
    m.int8("DepthwiseZero", "Conv", Q((1, 4, 6, 6)), Q((4, 1, 3, 3), 0.02, -7, const=True), group=4, scale=0.3)
    # Quotients and slopes.
    m.int8("Div", "Div", Q((3, 50)), Q((3, 50), 0.1, -7))
    m.int8("DivZero", "Div", Q((7, 41)), Q((41,), 0.02, 0, low=-1, high=1), zero=100)
    m.int8("DivScalar", "Div", Q((3, 9)), Const(np.array(0.37, F32)))
    m.int8("DivRow", "Div", Q((3, 9)), Const(rng.uniform(0.5, 2, 9).astype(F32)))
    m.int8("PRelu", "PRelu", Q((2, 4, 5)), Const(rng.uniform(-0.2, 0.5, (4, 1)).astype(F32)))
    m.int8("PReluQuantized", "PRelu", Q((2, 4, 5)), Q((5,), 0.01, 4, const=True))
    # Functions of one value, by table.
    for exponent in (2.0, 3.0, 0.5, -1.0):
        m.int8(f"Pow{exponent}", "Pow", Q((3, 50)), Const(np.array(exponent, F32)), scale=0.2)
    m.inputs["chain"] = rng.integers(-128, 128, (4, 60)).astype(np.int8)
    m.dequantized("chain", 0.05, 3)
    for k, (op, operands) in enumerate((("Div", ["chain_real", m.const("root", np.array(1.4142135, F32))]),
                                        ("Erf", ["chain0"]), ("Add", ["chain1", m.const("one", np.array(1, F32))]),
                                        ("Mul", ["chain_real", "chain2"]),
                                        ("Mul", ["chain3", m.const("half", np.array(0.5, F32))]))):
        m.node(op, operands, [f"chain{k}"])
    m.outputs.append(m.quantized("chain4", "chain_y", 0.03, -120))
    # A factor and an offset for each channel, and constants that are not quantized.
    for name, shape, factor in (("Second", (2, 4, 5, 3), (4, 1, 1)), ("Last", (2, 3, 6), (6,)), ("Rank2", (3, 7), (7,)),
                                ("Middle", (2, 3, 4, 5, 2), (4, 1, 1))):
        first = m._operand(f"affine{name}", 0, Q(shape))
        scale, shift = (m.const(f"affine{name}_{k}", rng.standard_normal(factor).astype(F32)) for k in "sb")
        m.node("Mul", [first, scale], [f"affine{name}_m"])
        m.node("Add", [f"affine{name}_m", shift], [f"affine{name}_a"])
        m.outputs.append(m.quantized(f"affine{name}_a", f"affine{name}_y", 0.06, 11))
    for op in ("Add", "Sub", "Mul", "Max"):
        m.int8(f"{op}Real", op, Q((2, 3, 5)), values(3, 5))
    m.int8("ConcatReal", "Concat", Q((2, 3)), values(2, 4), axis=1)
    # Normalizations, averages, unquantized filters.
    m.int8("InstanceNorm", "InstanceNormalization", Q((2, 3, 5, 4)), values(3), values(3), epsilon=1e-3)
    m.int8("InstanceNormFlat", "InstanceNormalization", Q((1, 3, 7), low=4, high=4), values(3), values(3))
    m.int8("CountedCeil", "AveragePool", Q((1, 2, 8, 8)), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 0, 0],
           count_include_pad=1, ceil_mode=1)
    for name, shape in (("Mean", (1, 7, 5, 6)), ("MeanMany", (1, 3, 20, 20)), ("MeanBatch", (2, 3, 4, 4))):
        m.int8(f"{name}Scaled", "GlobalAveragePool", Q(shape, low=-128, high=120), scale=0.003, zero=-100)
        m.int8(f"{name}Line", "GlobalAveragePool", Q(shape[:3]), scale=0.01, zero=7)
    m.int8("RealFilters", "ConvTranspose", Q((1, 3, 6, 6)), values(3, 4, 3, 3), values(4), scale=0.2, strides=[2, 2])


def int16(m: Model) -> None:
    rng = np.random.default_rng(6)

    def q16(shape: tuple[int, ...], scale: Any = 0.0005, zero: int = 0, const: bool = False) -> Q:
        return Q(shape, scale, zero, const, dtype=np.int16, low=-32768, high=32767)

    def case(name: str, op: str, *operands: Any, scale: float = 0.0005, zero: int = 0, **attributes: Any) -> None:
        names = [m._operand(name, k, o) for k, o in enumerate(operands)]
        m.node(op, names, [f"{name}_float"], **attributes)
        m.outputs.append(m.quantized(f"{name}_float", f"{name}_y", scale, zero, np.int16))

    def filters(*shape: int) -> Q:
        return Q(shape, rng.uniform(0.002, 0.01, shape[0]).tolist(), 0, const=True)

    bias = Const(rng.standard_normal(4).astype(F32))
    for zero in (0, 321):
        z: Sequence[int] = (zero, -2 * zero)
        case(f"Conv{zero}", "Conv", q16((1, 3, 6, 5), zero=z[0]), filters(4, 3, 3, 3), bias, pads=[1, 1, 1, 1],
             zero=z[1])
        case(f"Depthwise{zero}", "Conv", q16((1, 4, 6, 5), zero=z[0]), filters(4, 1, 3, 3), bias, group=4)
        case(f"Gemm{zero}", "MatMul", q16((3, 9), zero=z[0]), Q((9, 5), 0.01, 0, const=True), zero=z[1])
        case(f"MatMul{zero}", "MatMul", q16((2, 3, 4), zero=z[0]), q16((2, 4, 5), 0.0001, z[1]), scale=0.002)
        for op in ("Add", "Sub", "Mul"):
            case(f"{op}{zero}", op, q16((2, 3, 4), zero=z[0]), q16((3, 1), 0.0002, z[1]), scale=0.004, zero=z[0])
        for op in ("Tanh", "Sigmoid", "HardSwish", "Exp", "Gelu"):
            case(f"{op}{zero}", op, q16((3, 50), 0.0003, z[0]), zero=z[1])
        case(f"Relu{zero}", "Relu", q16((3, 9), zero=z[0]), scale=0.0003, zero=z[1])
        case(f"Concat{zero}", "Concat", q16((2, 3), zero=z[0]), q16((2, 4), 0.0002, z[1]), axis=1)
        case(f"Max{zero}", "Max", q16((2, 3), zero=z[0]), q16((2, 3), 0.0002, z[1]))
        case(f"AveragePool{zero}", "AveragePool", q16((1, 2, 6, 6), zero=z[0]), kernel_shape=[3, 3], pads=[1, 1, 0, 0])
        case(f"MaxPool{zero}", "MaxPool", q16((1, 2, 6, 6), zero=z[0]), kernel_shape=[2, 2], strides=[2, 2])
        case(f"Mean{zero}", "ReduceMean", q16((2, 3, 5), zero=z[0]), Const(np.array([1])), zero=z[1])
        case(f"Pad{zero}", "Pad", q16((2, 3), zero=z[0]), Const(np.array([0, 1, 0, 2])), scale=0.0005, zero=z[0])
        case(f"Transpose{zero}", "Transpose", q16((2, 3), zero=z[0]), perm=[1, 0], zero=z[1])
        case(f"Softmax{zero}", "Softmax", q16((3, 7), zero=z[0]), scale=1 / 32768)
        case(f"SoftmaxFirst{zero}", "Softmax", q16((5, 2, 3), 0.0001, z[0]), scale=0.00002, axis=0)
        case(f"Pow{zero}", "Pow", q16((3, 50), 0.0001, z[0]), Const(np.array(2, F32)), scale=0.0002, zero=z[1])
        case(f"MulReal{zero}", "Mul", q16((2, 3, 4), zero=z[0]), Const(rng.standard_normal((3, 1)).astype(F32)))
    case("WideFilters", "Conv", q16((1, 3, 6, 5)), q16((4, 3, 3, 3), 0.00002, const=True), bias)


def integer_products(m: Model) -> None:
    """Against onnxruntime."""
    rng = np.random.default_rng(8)

    def whole(dtype: type, *shape: int) -> np.ndarray:
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max + 1, shape).astype(dtype)

    def zero(dtype: type, *shape: int) -> Const:
        return Const(whole(dtype, *shape))

    m.plain("Whole", "MatMulInteger", whole(np.uint8, 3, 5), whole(np.uint8, 5, 4), zero(np.uint8), zero(np.uint8))
    m.plain("Columns", "MatMulInteger", whole(np.uint8, 2, 3, 5), Const(whole(np.int8, 5, 4)), zero(np.uint8),
            zero(np.int8, 4))
    m.plain("Bare", "MatMulInteger", whole(np.uint8, 2, 3, 5), whole(np.int8, 2, 5, 4))
    m.plain("RunTime", "MatMulInteger", whole(np.uint8, 3, 5), whole(np.int8, 5, 4), whole(np.uint8), whole(np.int8))
    m.plain("Conv", "ConvInteger", whole(np.uint8, 1, 2, 6, 5), Const(whole(np.uint8, 4, 2, 3, 3)), zero(np.uint8),
            zero(np.uint8), pads=[1, 1, 0, 1], strides=[2, 1])
    m.plain("ConvGroups", "ConvInteger", whole(np.uint8, 2, 4, 9), Const(whole(np.uint8, 4, 2, 3)), zero(np.uint8),
            group=2, dilations=[2])
    for name, x in (("Both", rng.standard_normal((3, 5))), ("Above", rng.uniform(1, 2, (3, 5))),
                    ("Below", rng.uniform(-2, -1, 7)), ("Nothing", np.zeros((2, 2)))):
        m.plain(f"Dynamic{name}", "DynamicQuantizeLinear", x.astype(F32), count=3)
    real, scale = rng.standard_normal((3, 5)).astype(F32), np.array(0.02, F32)
    m.plain("ToFloat", "MatMulIntegerToFloat", whole(np.uint8, 3, 5), Const(whole(np.int8, 5, 4)), Const(scale),
            Const(rng.uniform(0.1, 1, 4).astype(F32)), zero(np.uint8), zero(np.int8, 4), Const(real[0, :4]),
            domain="com.microsoft")
    m.plain("DynamicMatMul", "DynamicQuantizeMatMul", real, Const(whole(np.int8, 5, 4)), Const(scale),
            domain="com.microsoft")
    m.types |= {"ToFloat_y": TensorProto.FLOAT, "DynamicMatMul_y": TensorProto.FLOAT}
