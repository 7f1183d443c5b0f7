# SPDX-License-Identifier: Apache-2.0
"""Rows of ai.onnx.ml: trees, support vectors, linear models and their preprocessing."""

from __future__ import annotations

from typing import Any

import numpy as np
from fuzz_growing import Growing, Value
from fuzz_row import Row
from onnx import numpy_helper

ML = "ai.onnx.ml"
_TRANSFORMS = ("NONE", "NONE", "LOGISTIC", "SOFTMAX")


def _rows(g: Growing, types: tuple[str, ...] = ("float32",)) -> Value:
    """[cases, features]."""
    return g.operand([t for t in types if t in g.types()], 2, 2)


def _numbers(g: Growing, count: int, scale: float = 1.0) -> list[float]:
    return [float(v) for v in (g.source.numpy().standard_normal(count) * scale).astype(np.float32)]


def _scaler(g: Growing) -> None:
    x = _rows(g, ("float32", "float64", "int64", "int32"))
    count = g.pick([x.shape[1], 1])
    g.add([x], offset=_numbers(g, count), scale=_numbers(g, count))


def _normalizer(g: Growing) -> None:
    g.add([_rows(g, ("float32", "float64", "int64", "int32"))], norm=g.pick(["MAX", "L1", "L2"]))


def _imputer(g: Growing) -> None:
    x = g.operand(["float32"], 2, 2, special="nan")
    missing = float("nan") if g.chance(1, 2) else 0.5
    g.add([x], imputed_value_floats=_numbers(g, g.pick([1, x.shape[1]])), replaced_value_float=missing)


def _binarizer(g: Growing) -> None:
    g.add([_rows(g)], threshold=g.source.real(-1, 1))


def _one_hot(g: Growing) -> None:
    x = g.operand(["int64"], 1, 2, low=-5, high=5)
    g.add([x], cats_int64s=g.source.shuffled([0, 1, -2, 5, 3])[:g.integer(1, 5)], zeros=1)


def _label_encoder(g: Growing) -> None:
    x = g.operand(["int64"], 1, 2)
    keys = g.source.shuffled([0, 1, -2, 5, 3])[:g.integer(1, 5)]
    if g.chance(1, 2):
        g.add([x], keys_int64s=keys, values_floats=_numbers(g, len(keys)), default_float=0.5)
    else:
        g.add([x], keys_int64s=keys, values_int64s=list(range(len(keys))), default_int64=-7)


def _extractor(g: Growing) -> None:
    x = _rows(g, ("float32", "int64"))
    g.add([x, g.integers([g.integer(0, x.shape[1] - 1) for _ in range(g.integer(1, 3))])])


def _vectorizer(g: Growing) -> None:
    x = _rows(g)
    y = g.operand(["float32"], shape=(x.shape[0], g.integer(1, 3)))
    g.add([x, y], inputdimensions=[x.shape[1], y.shape[1]])


def _linear_regressor(g: Growing) -> None:
    x = _rows(g)
    targets = g.integer(1, 3)
    g.add([x], coefficients=_numbers(g, targets * x.shape[1]), targets=targets, **(
        {"intercepts": _numbers(g, targets)} if g.chance(1, 2) else {}))


def _linear_classifier(g: Growing) -> None:
    x = _rows(g)
    classes = g.integer(2, 4)
    g.add([x], count=2, coefficients=_numbers(g, classes * x.shape[1]), intercepts=_numbers(g, classes),
          classlabels_ints=[3, 1, 7, -2][:classes], post_transform=g.pick(_TRANSFORMS), multi_class=g.integer(0, 1))


def _kernel(g: Growing) -> dict[str, Any]:
    return {"kernel_type": g.pick(["LINEAR", "RBF", "POLY", "SIGMOID"]), "kernel_params": [0.25, 0.5, 2.0]}


def _svm_regressor(g: Growing) -> None:
    x = g.operand(["float32"], 2, 2, low=-4, high=4)
    supports = g.integer(1, 4)
    g.add([x], **_kernel(g), n_supports=supports, support_vectors=_numbers(g, supports * x.shape[1]),
          coefficients=_numbers(g, supports), rho=_numbers(g, 1), one_class=g.integer(0, 1))


def _svm_classifier(g: Growing) -> None:
    x = g.operand(["float32"], 2, 2, low=-4, high=4)
    classes = g.integer(2, 3)
    supports = [g.integer(1, 3) for _ in range(classes)]
    total, pairs = sum(supports), classes * (classes - 1) // 2
    probable = {"prob_a": [-1.5] * pairs, "prob_b": [0.25] * pairs} if g.chance(1, 2) else {}
    g.add([x], count=2, **_kernel(g), **probable, support_vectors=_numbers(g, total * x.shape[1]),
          vectors_per_class=supports, coefficients=_numbers(g, total * (classes - 1)), rho=_numbers(g, pairs),
          classlabels_ints=[5, 2, 9][:classes])


def _grow_tree(g: Growing, features: int, depth: int, tree: int, nodes: list[dict[str, Any]], mode: str) -> int:
    """Appends a random tree; the index of its root."""
    own = len(nodes)
    place = sum(n["tree"] == tree for n in nodes)
    node = {"tree": tree, "id": place, "feature": 0, "value": 0.0, "mode": "LEAF", "true": 0, "false": 0, "missing": 0}
    nodes.append(node)
    if depth and not g.chance(1, 5):
        node |= {"mode": mode, "feature": g.integer(0, features - 1), "missing": g.integer(0, 1),
                 "value": g.source.real(-2, 2)}
        node["true"] = nodes[_grow_tree(g, features, depth - 1, tree, nodes, mode)]["id"]
        node["false"] = nodes[_grow_tree(g, features, depth - 1, tree, nodes, mode)]["id"]
    return own


def _forest(g: Growing, features: int, leaves: str, targets: int) -> dict[str, Any]:
    nodes: list[dict[str, Any]] = []
    mode = g.pick(["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT"])
    for tree in range(g.integer(1, 3)):
        _grow_tree(g, features, g.integer(1, 4), tree, nodes, mode)
    ends = [n for n in nodes if n["mode"] == "LEAF"]
    names = {"treeids": "tree", "nodeids": "id", "featureids": "feature", "values": "value", "modes": "mode",
             "truenodeids": "true", "falsenodeids": "false", "missing_value_tracks_true": "missing"}
    return {**{f"nodes_{name}": [n[key] for n in nodes] for name, key in names.items()},
            f"{leaves}_treeids": [n["tree"] for n in ends], f"{leaves}_nodeids": [n["id"] for n in ends],
            f"{leaves}_ids": [g.integer(0, targets - 1) for _ in ends], f"{leaves}_weights": _numbers(g, len(ends))}


def _tree_regressor(g: Growing) -> None:
    x = _rows(g)
    targets = g.integer(1, 2)
    # With several targets onnxruntime leaves the base out where no leaf counts for a target.
    extra = {"base_values": _numbers(g, 1)} if targets == 1 and g.chance(1, 3) else {}
    g.add([x], **_forest(g, x.shape[1], "target", targets), n_targets=targets, **extra,
          aggregate_function=g.pick(["SUM", "AVERAGE", "MIN", "MAX"]))


def _tree_classifier(g: Growing) -> None:
    x = _rows(g)
    classes = g.integer(2, 4)
    g.add([x], count=2, **_forest(g, x.shape[1], "class", classes), classlabels_int64s=[4, 1, 7, -2][:classes],
          post_transform=g.pick(_TRANSFORMS))


def _tree_ensemble(g: Growing) -> None:
    """A stump for each tree, in the form of version 5."""
    x = _rows(g)
    trees = g.integer(1, 3)
    splits = np.array([g.source.real(-1, 1) for _ in range(trees)], np.float32)
    weights = np.array(_numbers(g, 2 * trees), np.float32)
    g.add([x], aggregate_function=1, post_transform=0, n_targets=1, tree_roots=list(range(trees)),
          nodes_modes=numpy_helper.from_array(np.zeros(trees, np.uint8), "modes"),
          nodes_featureids=[g.integer(0, x.shape[1] - 1) for _ in range(trees)],
          nodes_splits=numpy_helper.from_array(splits, "splits"), nodes_truenodeids=list(range(0, 2 * trees, 2)),
          nodes_falsenodeids=list(range(1, 2 * trees, 2)), nodes_trueleafs=[1] * trees, nodes_falseleafs=[1] * trees,
          leaf_targetids=[0] * (2 * trees), leaf_weights=numpy_helper.from_array(weights, "weights"))


ROWS = (
    Row("Scaler", _scaler, ML),
    Row("Normalizer", _normalizer, ML),
    Row("Imputer", _imputer, ML, exact=True),
    Row("Binarizer", _binarizer, ML, exact=True),
    Row("OneHotEncoder", _one_hot, ML, exact=True),
    Row("LabelEncoder", _label_encoder, ML, exact=True),
    Row("ArrayFeatureExtractor", _extractor, ML, exact=True),
    Row("FeatureVectorizer", _vectorizer, ML, exact=True),
    Row("LinearRegressor", _linear_regressor, ML),
    Row("LinearClassifier", _linear_classifier, ML),
    Row("SVMRegressor", _svm_regressor, ML),
    Row("SVMClassifier", _svm_classifier, ML),
    Row("TreeEnsembleRegressor", _tree_regressor, ML),
    Row("TreeEnsembleClassifier", _tree_classifier, ML),
    Row("TreeEnsemble", _tree_ensemble, ML),
)
