# SPDX-License-Identifier: Apache-2.0
"""From scores to what classifiers and regressors of ai.onnx.ml give: post_transform, labels, ZipMap.

Where the standard is vague, this follows onnxruntime.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyc.ir.graph import NoAttrs
from tinyc.ir.types import DType
from tinyc.ops.arg_extremum import ArgAttrs
from tinyc.ops.cast import CastAttrs
from tinyc.ops.concat import ConcatAttrs
from tinyc.ops.elementwise import BinaryAttrs
from tinyc.ops.reduce import ReduceAttrs
from tinyc.ops.registry import Importing, imports
from tinyc.ops.select import GatherAttrs
from tinyc.ops.softmax import SoftmaxAttrs
from tinyc.ops.unary import UnaryAttrs
from tinyc.ops.view import ReshapeAttrs

DOMAIN = "ai.onnx.ml"
TRANSFORMS = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")
# Scores nearer to 0 than this take no part in SOFTMAX_ZERO.
NEARLY_ZERO = 1e-7


def strings(node: Importing, name: str) -> list[str]:
    """An attribute that is a list of strings; [] where it is absent."""
    return [v.decode() if isinstance(v, bytes) else str(v) for v in node.attributes.get(name) or []]


def class_labels(node: Importing, ints: str) -> list[int] | list[str]:
    """The classes' names: attribute `classlabels_strings`, or the integers of attribute `ints`."""
    labels: list[int] | list[str] = strings(node, "classlabels_strings") or [
        int(v) for v in node.attributes.get(ints) or []
    ]
    if not labels:
        raise node.fail("the classes have no labels")
    return labels


def transform_name(node: Importing) -> str:
    """The attribute post_transform."""
    name = node.attributes.get("post_transform", "NONE")
    if name not in TRANSFORMS:
        raise node.fail(f"post_transform {name!r} is not one of {', '.join(TRANSFORMS)}")
    return str(name)


def constant(node: Importing, *values: float) -> str:
    """A float32 constant: a scalar of one value, else a vector."""
    return node.const(np.array(values[0] if len(values) == 1 else values, np.float32))


def binary(node: Importing, op: str, left: str, right: str) -> str:
    return node.emit(op, BinaryAttrs(), [left, right])[0]


def unary(node: Importing, op: str, value: str) -> str:
    return node.emit(op, UnaryAttrs(), [value])[0]


def matrix(node: Importing) -> str:
    """Operand 0 as rows of features: a vector is one row."""
    shape = node.type(0).shape
    if len(shape) not in (1, 2):
        raise node.fail(f"features of shape {list(shape)}", "they must be a matrix: [rows, features]")
    return node.input(0) if len(shape) == 2 else node.emit("Reshape", ReshapeAttrs((1, *shape)), [node.input(0)])[0]


def float_matrix(node: Importing) -> str:
    """Operand 0 as rows of float32 features."""
    value = matrix(node)
    return value if node.type(0).dtype is DType.FLOAT32 else node.emit("Cast", CastAttrs(DType.FLOAT32), [value])[0]


def transformed(node: Importing, scores: str, name: str) -> str:
    """Scores [N, C] behind the post_transform `name`."""
    axis = node.type_of(scores).rank - 1
    if name == "SOFTMAX":
        return node.emit("Softmax", SoftmaxAttrs(axis), [scores])[0]
    if name == "LOGISTIC":
        return unary(node, "Sigmoid", scores)
    if name == "PROBIT":
        return unary(node, "Probit", scores)
    if name == "SOFTMAX_ZERO":
        return _softmax_zero(node, scores, axis)
    return scores


def _softmax_zero(node: Importing, scores: str, axis: int) -> str:
    """The softmax of those scores that are not zero; the others stay zero."""
    top = node.emit("ReduceMax", ReduceAttrs((axis,), True), [scores])[0]
    counts = binary(node, "Greater", unary(node, "Abs", scores), constant(node, NEARLY_ZERO))
    high = unary(node, "Exp", binary(node, "Sub", scores, top))
    total = node.emit("Where", NoAttrs(), [counts, high, constant(node, 0.0)])
    low = binary(node, "Mul", scores, unary(node, "Exp", unary(node, "Neg", top)))
    chosen = node.emit("Where", NoAttrs(), [counts, high, low])[0]
    return binary(node, "Div", chosen, node.emit("ReduceSum", ReduceAttrs((axis,), True), total)[0])


def label_of_best(node: Importing, scores: str, labels: Sequence[int] | Sequence[str]) -> str:
    """The label of the highest score in each row of [N, C]; of equal ones the first."""
    place = node.emit("ArgMax", ArgAttrs(1, keepdims=False), [scores])[0]
    return label_at(node, place, labels)


def label_at(node: Importing, place: str, labels: Sequence[int] | Sequence[str]) -> str:
    """The labels at places (int64) of the list."""
    if isinstance(labels[0], str):
        index = node.emit("Cast", CastAttrs(DType.INT32), [place])[0]
        return node.with_labels(index, [str(v) for v in labels])
    if list(labels) == list(range(len(labels))):
        return place
    return node.emit("Gather", GatherAttrs(0), [node.const(np.array(labels, np.int64)), place])[0]


def label_if(node: Importing, condition: str, labels: Sequence[int] | Sequence[str]) -> str:
    """labels[1] where a condition [N, 1] holds, else labels[0]."""
    condition = node.emit("Reshape", ReshapeAttrs(node.type_of(condition).shape[:1]), [condition])[0]
    if isinstance(labels[0], str):
        return node.with_labels(node.emit("Cast", CastAttrs(DType.INT32), [condition])[0], [str(v) for v in labels])
    if list(labels) == [0, 1]:
        return node.emit("Cast", CastAttrs(DType.INT64), [condition])[0]
    values = [node.const(np.array(v, np.int64)) for v in (labels[1], labels[0])]
    return node.emit("Where", NoAttrs(), [condition, *values])[0]


def both_scores(node: Importing, score: str, transform: str, positive: bool) -> str:
    """Scores [N, 2] of two classes from the score [N, 1] of the second one.

    positive: the score is a probability p, its complement 1 - p; otherwise the complement is -score.
    """
    if transform == "PROBIT":
        raise node.fail("post_transform PROBIT with one score for two classes is not defined")
    complement = unary(node, "Neg", score)
    if positive and transform != "LOGISTIC":
        complement = binary(node, "Sub", constant(node, 1.0), score)
    both = node.emit("Concat", ConcatAttrs(1), [complement, score])[0]
    return unary(node, "Sigmoid", both) if transform == "LOGISTIC" else both


@imports("ZipMap", domain=DOMAIN)
def _zip_map(node: Importing) -> Sequence[str]:
    """The map is dropped: the result is the tensor of its values, in the order of the keys."""
    keys = class_labels(node, "classlabels_int64s")
    if node.type(0).shape[-1:] != (len(keys),):
        raise node.fail(f"{len(keys)} keys for values of shape {list(node.type(0).shape)}")
    node.note("dropped, the output is the tensor of values in the order of the keys")
    node.as_map(node.outputs[0], keys)
    return [node.input(0)]
