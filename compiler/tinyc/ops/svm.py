# SPDX-License-Identifier: Apache-2.0
"""SVMRegressor and SVMClassifier of ai.onnx.ml."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tinyc.ir.graph import NoAttrs, Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.ml_linear import floats, linear_scores
from tinyc.ops.ml_scores import (
    DOMAIN,
    binary,
    both_scores,
    class_labels,
    constant,
    float_matrix,
    label_if,
    label_of_best,
    transform_name,
    transformed,
    unary,
)
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Types, array, imports, need, register

KERNEL_TYPES = ("LINEAR", "POLY", "RBF", "SIGMOID")


@dataclass(frozen=True)
class SvmAttrs:
    """`vectors`: how many support vectors each class has; one number for a regression."""

    kernel: str
    gamma: float
    coef0: float
    degree: float
    vectors: tuple[int, ...]


def class_pairs(count: int) -> list[tuple[int, int]]:
    """The pairs of classes in the order of their scores; a regression's only score stands for (0, 0)."""
    return list(combinations(range(count), 2)) if count > 1 else [(0, 0)]


@register
class SvmScores(Operator):
    """Features [N, F], support vectors [V, F], coefficients [max(C - 1, 1), V], offsets [P] to scores [N, P].

    P is the number of pairs of classes. Row r of a vector of class c belongs to the pair of c with the r-th of
    the other classes.
    """

    name = "SvmScores"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: SvmAttrs = node.attrs
        x, vectors, coefficients, offsets = (need(t, "an operand") for t in types)
        count, pairs = len(a.vectors), len(class_pairs(len(a.vectors)))
        if x.rank != 2 or vectors.shape != (sum(a.vectors), x.shape[1]):
            raise ShapeError(f"support vectors {vectors.shape} for features {x.shape}")
        if coefficients.shape != (max(count - 1, 1), vectors.shape[0]) or offsets.shape != (pairs,):
            raise ShapeError(f"coefficients {coefficients.shape}, offsets {offsets.shape} for {count} classes")
        return [TensorType(DType.FLOAT32, (x.shape[0], pairs))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: SvmAttrs = node.attrs
        x, vectors, coefficients, offsets = (array(i).astype(np.float64) for i in inputs)
        products = a.gamma * (x @ vectors.T) + a.coef0
        if a.kernel == "RBF":
            products = np.exp(-a.gamma * ((x[:, None, :] - vectors[None]) ** 2).sum(axis=2))
        elif a.kernel == "POLY":
            products = products**a.degree
        elif a.kernel == "SIGMOID":
            products = np.tanh(products)
        else:
            products = x @ vectors.T
        owner = np.repeat(np.arange(len(a.vectors)), a.vectors)
        scores = []
        for k, (first, second) in enumerate(class_pairs(len(a.vectors))):
            weights = np.zeros(len(owner))
            if first == second:
                weights = coefficients[0]
            else:
                weights[owner == first] = coefficients[second - 1, owner == first]
                weights[owner == second] = coefficients[first, owner == second]
            scores.append(products @ weights + offsets[k])
        return [np.stack(scores, axis=1).astype(np.float32)]

    def macs(self, node: Node, types: Types, outputs: Sequence[TensorType]) -> int:
        return need(types[1], "support vectors").elements * outputs[0].shape[0]


@register
class PairVotes(Operator):
    """Scores [N, P] of the pairs of classes to votes [N, C] (int32): a positive score is one for the first class."""

    name = "PairVotes"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x = need(types[0], "scores")
        count = next((c for c in range(2, 1 + max(2, x.shape[-1] + 1)) if c * (c - 1) // 2 == x.shape[-1]), 0)
        if x.rank != 2 or not count:
            raise ShapeError(f"scores {x.shape} are not those of all pairs of classes")
        return [TensorType(DType.INT32, (x.shape[0], count))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        scores, votes = array(inputs[0]), np.zeros(outputs[0].shape, np.int32)
        for k, (first, second) in enumerate(class_pairs(outputs[0].shape[1])):
            votes[:, first] += scores[:, k] > 0
            votes[:, second] += ~(scores[:, k] > 0)
        return [votes]


@dataclass(frozen=True)
class ProbabilityAttrs:
    """Platt's sigmoid for each pair of classes: 1 / (1 + exp(a * score + b))."""

    a: tuple[float, ...]
    b: tuple[float, ...]


@register
class PairProbabilities(Operator):
    """Scores [N, P] of the pairs of classes to probabilities [N, C], by the iteration of Wu, Lin and Weng."""

    name = "PairProbabilities"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        result = PairVotes().infer(node, types, constants)[0]
        if len(node.attrs.a) != need(types[0], "scores").shape[1] or len(node.attrs.b) != len(node.attrs.a):
            raise ShapeError("prob_a and prob_b need a number for each pair of classes")
        return [TensorType(DType.FLOAT32, result.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        rows = [self._row(node.attrs, row, outputs[0].shape[1]) for row in array(inputs[0])]
        return [np.stack(rows).astype(np.float32)]

    def _row(self, a: ProbabilityAttrs, scores: Array, count: int) -> Array:
        exponents = scores.astype(np.float32) * np.array(a.a, np.float32) + np.array(a.b, np.float32)
        pairwise = np.clip(1.0 / (1.0 + np.exp(exponents.astype(np.float64))), 1e-7, 1 - 1e-7).astype(np.float32)
        r = np.zeros((count, count), np.float32)  # r[i, j]: i rather than j
        for k, (first, second) in enumerate(class_pairs(count)):
            r[first, second], r[second, first] = pairwise[k], np.float32(1) - pairwise[k]
        q = -(r.T * r)
        np.fill_diagonal(q, (r.T**2).sum(axis=1))
        p = np.full(count, 1.0 / count, np.float32)
        for _ in range(100):
            qp = q @ p
            total = p @ qp
            if np.abs(qp - total).max() < np.float32(0.005) / np.float32(count):
                break
            for t in range(count):
                step = (total - qp[t]) / q[t, t]
                p[t] += step
                total = (total + step * (step * q[t, t] + 2 * qp[t])) / (1 + step) / (1 + step)
                qp = (qp + step * q[t]) / (1 + step)
                p /= 1 + step
        return p


def _scores(node: Importing, vectors: Sequence[int], coefficients: Sequence[float], offsets: Sequence[float]) -> str:
    """Scores of the pairs of classes; `vectors` as in SvmAttrs. A linear kernel becomes a matrix product."""
    kernel = node.attributes.get("kernel_type", "LINEAR")
    parameters = floats(node, "kernel_params") or [0.0, 0.0, 0.0]
    if kernel not in KERNEL_TYPES or len(parameters) < 3:
        raise node.fail(f"kernel_type {kernel!r} with {len(parameters)} kernel_params")
    x, flat = float_matrix(node), np.array(floats(node, "support_vectors"), np.float32)
    count, features = sum(vectors), node.type_of(float_matrix(node)).shape[1]
    pairs = class_pairs(len(vectors))
    if count < 1 or min(vectors) < 0 or flat.size != count * features or len(offsets) < len(pairs):
        raise node.fail(f"{flat.size} numbers in support_vectors for {count} vectors of {features} features, "
                        f"{len(offsets)} offsets")
    rows = max(len(vectors) - 1, 1)
    if len(coefficients) != rows * count:
        raise node.fail(f"{len(coefficients)} coefficients for {rows} rows of {count} support vectors")
    support, weights = flat.reshape(count, features), np.array(coefficients, np.float32).reshape(rows, count)
    offset = np.array(offsets[: len(pairs)], np.float32)
    if kernel == "LINEAR":
        return _linear(node, vectors, support, weights, offset)
    attrs = SvmAttrs(kernel, parameters[0], parameters[1], parameters[2], tuple(vectors))
    return node.emit("SvmScores", attrs, [x, node.const(support), node.const(weights), node.const(offset)])[0]


def _linear(node: Importing, vectors: Sequence[int], support: Array, weights: Array, offset: Array) -> str:
    """The support vectors of each pair of classes added up."""
    owner = np.repeat(np.arange(len(vectors)), vectors)
    sums = []
    for first, second in class_pairs(len(vectors)):
        own = weights[0].astype(np.float64)
        if first != second:
            own = np.where(owner == first, weights[second - 1], np.where(owner == second, weights[first], 0.0))
        sums.append(own @ support.astype(np.float64))
    return linear_scores(node, np.concatenate(sums).tolist(), offset.tolist(), len(sums))


@imports("SVMRegressor", domain=DOMAIN)
def _svm_regressor(node: Importing) -> Sequence[str]:
    supports, coefficients, rho = int(node.attributes.get("n_supports", 0)), floats(node, "coefficients"), floats(
        node, "rho")
    if transform_name(node) != "NONE":
        raise node.fail("post_transform is not supported")
    if not rho:
        raise node.fail("rho is missing")
    if supports > 0:
        result = _scores(node, (supports,), coefficients, rho[:1])
    else:
        result = linear_scores(node, coefficients, rho[:1], 1)
    if node.attributes.get("one_class", 0):
        inside = binary(node, "Greater", result, constant(node, 0.0))
        result = node.emit("Where", NoAttrs(), [inside, constant(node, 1.0), constant(node, -1.0)])[0]
    return [result]


@imports("SVMClassifier", domain=DOMAIN)
def _svm_classifier(node: Importing) -> Sequence[str]:
    labels, transform = class_labels(node, "classlabels_ints"), transform_name(node)
    vectors = [int(v) for v in node.attributes.get("vectors_per_class") or []]
    coefficients, rho = floats(node, "coefficients"), floats(node, "rho")
    a, b = floats(node, "prob_a"), floats(node, "prob_b")
    if len(labels) < 2:
        raise node.fail("fewer than two classes")
    if not sum(vectors):
        if len(labels) == 2 or not rho:
            raise node.fail("two classes without support vectors", "export a LinearClassifier")
        scores = linear_scores(node, coefficients, rho[:1] * len(labels), len(labels))
        return [label_of_best(node, scores, labels), transformed(node, scores, transform)]
    if len(vectors) != len(labels):
        raise node.fail(f"vectors_per_class has {len(vectors)} numbers for {len(labels)} classes")
    scores = _scores(node, vectors, coefficients, rho)
    if len(labels) == 2:
        condition = unary(node, "Not", binary(node, "Greater", scores, constant(node, 0.0)))
        label = label_if(node, condition, labels)
    else:
        label = label_of_best(node, node.emit("PairVotes", NoAttrs(), [scores])[0], labels)
    if a or b:
        pairs = len(class_pairs(len(labels)))
        attrs = ProbabilityAttrs(tuple(a[:pairs]), tuple(b[:pairs]))
        return [label, transformed(node, node.emit("PairProbabilities", attrs, [scores])[0], transform)]
    if len(labels) == 2:
        return [label, both_scores(node, scores, transform, transform != "NONE")]
    return [label, transformed(node, scores, transform)]
