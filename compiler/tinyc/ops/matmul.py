# SPDX-License-Identifier: Apache-2.0
"""MatMul: NumPy's matrix product, and how ONNX's Gemm and MatMul are expressed by it or by Gemm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.conv import rescaled
from tinyc.ops.elementwise import BinaryAttrs
from tinyc.ops.registry import (
    Arrays,
    Importing,
    Operator,
    ShapeError,
    Types,
    array,
    imports,
    need,
    quantized_obstacle,
    register,
    scale_zero,
)
from tinyc.ops.transpose import TransposeAttrs
from tinyc.quantize.numbers import MAX_WIDE_SHIFT, quantize_multiplier


@dataclass(frozen=True)
class MatMulAttrs:
    clamp: tuple[float, float] | None = None


@register
class MatMul(Operator):
    """A [..., M, K] times B [..., K, N], batch axes broadcast; vectors as in NumPy."""

    name = "MatMul"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a, b = need(types[0], "A"), need(types[1], "B")
        if a.rank < 1 or b.rank < 1 or a.shape[-1] != b.shape[-2 if b.rank > 1 else 0]:
            raise ShapeError(f"{a.shape} times {b.shape}")
        left = a.shape if a.rank > 1 else (1, *a.shape)
        right = b.shape if b.rank > 1 else (*b.shape, 1)
        try:
            batch = np.broadcast_shapes(left[:-2], right[:-2])
        except ValueError:
            raise ShapeError(f"{a.shape} times {b.shape}") from None
        rows = left[-2:-1] if a.rank > 1 else ()
        columns = right[-1:] if b.rank > 1 else ()
        return [TensorType(a.dtype, (*batch, *rows, *columns))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a, b = array(inputs[0]), array(inputs[1])
        wide = np.float64 if a.dtype.kind == "f" else a.dtype
        result = np.matmul(a.astype(wide), b.astype(wide))
        if node.attrs.clamp is not None:
            result = np.clip(result, *node.attrs.clamp)
        return [np.asarray(result).astype(outputs[0].dtype.numpy)]

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        obstacle = quantized_obstacle(types, output)
        if obstacle is None and output.dtype is DType.INT16:
            (s1, _), (s2, _), (s3, _) = (scale_zero(t) for t in (*types, output))
            if quantize_multiplier(s1 * s2 / s3)[1] > MAX_WIDE_SHIFT:
                return "the result's scale is below 2^-14 of the products'"
        return obstacle

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        (s1, z1), (s2, z2), (s3, _) = (scale_zero(t) for t in (*types, outputs[0]))
        a, b = array(inputs[0]).astype(np.float64) - z1, array(inputs[1]).astype(np.float64) - z2
        acc = np.asarray(np.matmul(a, b)).astype(np.int64)
        multiplier, shift = (np.array(v) for v in quantize_multiplier(s1 * s2 / s3))
        return [rescaled(acc, multiplier, shift, need(types[0], "A"), outputs[0], node.attrs.clamp)]

    def macs(self, node: Node, types: Types, outputs: Sequence[TensorType]) -> int:
        return outputs[0].elements * need(types[0], "A").shape[-1]


@imports("MatMul")
def _matmul(node: Importing) -> Sequence[str]:
    return node.emit("MatMul", MatMulAttrs(), [node.input(0), node.input(1)])


@imports("Gemm")
def _gemm(node: Importing) -> Sequence[str]:
    """alpha * A' * B' + beta * C as MatMul, Mul and Add; passes fuse what they can."""
    attributes = node.attributes
    operands = [node.input(0), node.input(1)]
    for i, flag in enumerate(("transA", "transB")):
        if attributes.get(flag, 0):
            operands[i] = node.emit("Transpose", TransposeAttrs((1, 0)), [operands[i]])[0]
    dtype = node.type(0).dtype.numpy
    result = node.emit("MatMul", MatMulAttrs(), operands)[0]
    alpha, beta = float(attributes.get("alpha", 1.0)), float(attributes.get("beta", 1.0))
    if alpha != 1.0:
        result = node.emit("Mul", BinaryAttrs(), [result, node.const(np.array(alpha, dtype))])[0]
    if node.has(2) and beta != 0.0:
        bias = node.input(2)
        if beta != 1.0:
            bias = node.emit("Mul", BinaryAttrs(), [bias, node.const(np.array(beta, dtype))])[0]
        result = node.emit("Add", BinaryAttrs(), [result, bias])[0]
    return [result]
