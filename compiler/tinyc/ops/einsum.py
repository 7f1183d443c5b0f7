# SPDX-License-Identifier: Apache-2.0
"""Einsum: sums of products over labelled axes.

A matrix product of axes that lie in order becomes MatMul; three and more operands are contracted from the left.
"""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, TensorType
from tinyc.ops.matmul import MatMulAttrs
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Types, array, imports, need, register
from tinyc.ops.transpose import TransposeAttrs
from tinyc.ops.view import ReshapeAttrs

LABELS = string.ascii_lowercase + string.ascii_uppercase


@dataclass(frozen=True)
class EinsumAttrs:
    """One label a character for each axis of each operand and of the result; no ellipsis.

    A label twice in an operand takes its diagonal; an axis of extent 1 is broadcast.
    """

    operands: tuple[str, ...]
    result: str


def extents(attrs: EinsumAttrs, shapes: Sequence[Sequence[int]]) -> dict[str, int]:
    """Extent of each label. Raises ShapeError where operands disagree."""
    sizes: dict[str, int] = {}
    for labels, shape in zip(attrs.operands, shapes, strict=True):
        if len(labels) != len(shape):
            raise ShapeError(f"labels {labels!r} for a shape {tuple(shape)}")
        for label, size in zip(labels, shape, strict=True):
            if sizes.setdefault(label, size) == 1:
                sizes[label] = size
            elif size not in (1, sizes[label]):
                raise ShapeError(f"axis {label!r} is {sizes[label]} and {size}")
    return sizes


@register
class Einsum(Operator):
    name = "Einsum"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: EinsumAttrs = node.attrs
        operands = [need(t, "operand") for t in types]
        dtype = operands[0].dtype
        if any(t.dtype is not dtype for t in operands) or not (dtype.is_float or dtype.is_integer):
            raise ShapeError(f"operands of types {', '.join(t.dtype.label for t in operands)}")
        sizes = extents(a, [t.shape for t in operands])
        if any(label not in sizes for label in a.result) or len(set(a.result)) != len(a.result):
            raise ShapeError(f"a result with axes {a.result!r}")
        return [TensorType(dtype, tuple(sizes[label] for label in a.result))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: EinsumAttrs = node.attrs
        operands = [array(i) for i in inputs]
        wide = np.float64 if operands[0].dtype.kind == "f" else operands[0].dtype
        sizes = extents(a, [x.shape for x in operands])
        # Broadcast axes are written out, since NumPy sums over them only if they agree.
        full = [np.broadcast_to(x, [sizes[c] for c in labels]) if len(set(labels)) == len(labels) else x
                for x, labels in zip(operands, a.operands, strict=True)]
        equation = f"{','.join(a.operands)}->{a.result}"
        return [np.asarray(np.einsum(equation, *(x.astype(wide) for x in full))).astype(outputs[0].dtype.numpy)]

    def macs(self, node: Node, types: Types, outputs: Sequence[TensorType]) -> int:
        return math.prod(extents(node.attrs, [need(t, "operand").shape for t in types]).values())


def parse(equation: str, ranks: Sequence[int]) -> EinsumAttrs:
    """The equation with every axis labelled: ellipsis replaced, an implicit result written out."""
    left, arrow, result = equation.replace(" ", "").partition("->")
    operands = left.split(",")
    if len(operands) != len(ranks):
        raise ShapeError(f"equation {equation!r} for {len(ranks)} operands")
    if any(c not in LABELS for c in equation.replace(" ", "").replace("->", "").replace("...", "").replace(",", "")):
        raise ShapeError(f"equation {equation!r} is not well-formed")
    width = max((rank - len(t.replace("...", "")) for t, rank in zip(operands, ranks, strict=True) if "..." in t),
                default=0)
    free = [c for c in LABELS if c not in equation]
    if width < 0 or width > len(free):
        raise ShapeError(f"equation {equation!r} does not fit the operands")
    dots = "".join(free[:width])
    written = []
    for term, rank in zip(operands, ranks, strict=True):
        count = rank - len(term.replace("...", ""))
        if count < 0 or term.count("...") > 1 or (count and "..." not in term):
            raise ShapeError(f"{term!r} does not fit an operand of rank {rank}")
        written.append(term.replace("...", dots[width - count :]))
    if not arrow:
        once = sorted(c for c in set("".join(operands)) - {"."} if "".join(operands).count(c) == 1)
        result = ("..." if "..." in left else "") + "".join(once)
    return EinsumAttrs(tuple(written), result.replace("...", dots))


@imports("Einsum")
def _einsum(node: Importing) -> Sequence[str]:
    types = [node.type(k) for k in range(len(node.inputs))]
    attrs = parse(str(node.attributes["equation"]), [t.rank for t in types])
    sizes = extents(attrs, [t.shape for t in types])
    values, labels = [node.input(k) for k in range(len(types))], list(attrs.operands)
    while len(values) > 2:
        # Labels of the first two that anything else still needs.
        others = set("".join(labels[2:])) | set(attrs.result)
        kept = "".join(c for c in dict.fromkeys(labels[0] + labels[1]) if c in others)
        first = _pair(node, values[:2], EinsumAttrs((labels[0], labels[1]), kept), sizes)
        values, labels = [first, *values[2:]], [kept, *labels[2:]]
    return [_pair(node, values, EinsumAttrs(tuple(labels), attrs.result), sizes)]


def _pair(node: Importing, values: Sequence[str], attrs: EinsumAttrs, sizes: dict[str, int]) -> str:
    product = _as_matmul(node, values, attrs, sizes) if len(values) == 2 else None
    return product if product is not None else node.emit("Einsum", attrs, values)[0]


def _as_matmul(node: Importing, values: Sequence[str], attrs: EinsumAttrs, sizes: dict[str, int]) -> str | None:
    """The product as MatMul, where axes lie together and in order; None where that needs more than a Transpose."""
    (a, b), result = attrs.operands, attrs.result
    if any(len(set(t)) != len(t) for t in (a, b)) or not node.type_of(values[0]).dtype.is_float:
        return None
    for labels, value in ((a, values[0]), (b, values[1])):
        if node.type_of(value).shape != tuple(sizes[c] for c in labels):
            return None
    batch = "".join(c for c in a if c in b and c in result)
    inner = "".join(c for c in a if c in b and c not in result)
    rows = "".join(c for c in a if c not in b)
    columns = "".join(c for c in b if c not in a)
    if not inner or any(c not in result for c in rows + columns) or result != batch + rows + columns:
        return None
    left = _matrix(node, values[0], a, (batch, rows, inner), sizes)
    right = _matrix(node, values[1], b, (batch, inner, columns), sizes)
    if left is None or right is None:
        return None
    product = node.emit("MatMul", MatMulAttrs(), [left, right])[0]
    return node.emit("Reshape", ReshapeAttrs(tuple(sizes[c] for c in result)), [product])[0]


def _matrix(
    node: Importing, value: str, labels: str, groups: tuple[str, str, str], sizes: dict[str, int]
) -> str | None:
    """The operand as [batch, rows, columns]; its last two groups may have to change places."""
    batch, rows, columns = groups
    shape = [math.prod(sizes[c] for c in g) for g in groups]
    if labels == batch + rows + columns:
        return node.emit("Reshape", ReshapeAttrs(tuple(shape)), [value])[0]
    if labels == batch + columns + rows:
        seen = node.emit("Reshape", ReshapeAttrs((shape[0], shape[2], shape[1])), [value])
        return node.emit("Transpose", TransposeAttrs((0, 2, 1)), seen)[0]
    return None
