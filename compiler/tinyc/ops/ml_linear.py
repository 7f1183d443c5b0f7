# SPDX-License-Identifier: Apache-2.0
"""LinearRegressor and LinearClassifier of ai.onnx.ml as a matrix product."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyc.ops.elementwise import BinaryAttrs
from tinyc.ops.matmul import MatMulAttrs
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
)
from tinyc.ops.registry import Importing, imports


def floats(node: Importing, name: str) -> list[float]:
    """An attribute that is a list of floats; [] where it is absent."""
    return [float(v) for v in node.attributes.get(name) or []]


def linear_scores(node: Importing, coefficients: Sequence[float], intercepts: Sequence[float], count: int) -> str:
    """Features [N, F] times the transposed coefficients [count, F], plus intercepts: [N, count]."""
    x = float_matrix(node)
    features = node.type_of(x).shape[1]
    if not features or len(coefficients) != count * features or len(intercepts) not in (0, count):
        raise node.fail(f"{len(coefficients)} coefficients and {len(intercepts)} intercepts for {features} features "
                        f"and {count} scores")
    weights = np.array(coefficients, np.float32).reshape(count, features)
    result = node.emit("MatMul", MatMulAttrs(), [x, node.const(np.ascontiguousarray(weights.T))])[0]
    if any(intercepts):
        bias = node.const(np.array(intercepts, np.float32))
        result = node.emit("Add", BinaryAttrs(), [result, bias])[0]
    return result


@imports("LinearRegressor", domain=DOMAIN)
def _linear_regressor(node: Importing) -> Sequence[str]:
    targets = int(node.attributes.get("targets", 1))
    if targets < 1:
        raise node.fail(f"targets is {targets}")
    result = linear_scores(node, floats(node, "coefficients"), floats(node, "intercepts"), targets)
    transform = transform_name(node)
    if targets == 1 and transform not in ("NONE", "PROBIT"):
        node.note(f"post_transform {transform} has no effect on a single target, as in onnxruntime")
        return [result]
    return [transformed(node, result, transform)]


@imports("LinearClassifier", domain=DOMAIN)
def _linear_classifier(node: Importing) -> Sequence[str]:
    labels, transform = class_labels(node, "classlabels_ints"), transform_name(node)
    intercepts = floats(node, "intercepts")
    count = len(intercepts) or len(labels)
    scores = linear_scores(node, floats(node, "coefficients"), intercepts, count)
    if count > 1:
        if len(labels) < count:
            raise node.fail(f"{len(labels)} labels for {count} scores")
        return [label_of_best(node, scores, labels[:count]), transformed(node, scores, transform)]
    condition = binary(node, "Greater", scores, constant(node, 0.0))
    if len(labels) == 2:
        return [label_if(node, condition, labels), both_scores(node, scores, transform, True)]
    if isinstance(labels[0], str):
        raise node.fail("one score and other than two classes with strings as labels")
    if transform not in ("NONE", "PROBIT"):
        node.note(f"post_transform {transform} has no effect on a single score, as in onnxruntime")
        transform = "NONE"
    return [label_if(node, condition, (0, 1)), transformed(node, scores, transform)]
