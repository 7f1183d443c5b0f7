# SPDX-License-Identifier: Apache-2.0
"""Cases of ai.onnx.ml's operators, in models of some nodes each, and random forests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

F32 = np.float32
FLOAT, LONG, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING
_TYPES = {np.dtype(np.float32): FLOAT, np.dtype(np.float64): TensorProto.DOUBLE, np.dtype(np.int64): LONG,
          np.dtype(np.int32): TensorProto.INT32, np.dtype(object): STRING}
MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")


@dataclass
class Cases:
    """Nodes with inputs of their own."""

    name: str
    opset: int = 2
    inputs: dict[str, np.ndarray] = field(default_factory=dict)
    nodes: list[Any] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)

    def add(self, name: str, op: str, *arrays: Any, types: Sequence[int] = (FLOAT,), **attributes: Any) -> None:
        own = [f"{name}_x{k}" for k in range(len(arrays))]
        self.inputs |= {n: np.asarray(a) for n, a in zip(own, arrays, strict=True)}
        results = [f"{name}_y{k}" for k in range(len(types))]
        self.nodes.append(helper.make_node(op, own, results, name=name, domain="ai.onnx.ml", **attributes))
        self.outputs += [helper.make_tensor_value_info(r, t, None) for r, t in zip(results, types, strict=True)]

    def proto(self) -> onnx.ModelProto:
        inputs = [helper.make_tensor_value_info(n, _TYPES[a.dtype], a.shape) for n, a in self.inputs.items()]
        graph = helper.make_graph(self.nodes, self.name, inputs, self.outputs)
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", self.opset)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def features() -> Cases:
    rng, c = np.random.default_rng(3), Cases("features")
    x = rng.standard_normal((7, 4)).astype(F32)
    c.add("scaler", "Scaler", x, scale=[1.5, 2.0, 0.1, 3.0], offset=[0.1, 0.2, 0.3, -4.0])
    c.add("scaler_one", "Scaler", rng.integers(-9, 9, (3, 4)), scale=[1.5], offset=[0.1])
    zeros = x.copy()
    zeros[2], zeros[3] = 0, -np.abs(zeros[3])
    for norm in ("MAX", "L1", "L2"):
        c.add(f"normalizer_{norm}", "Normalizer", zeros, norm=norm)
    holes = x.copy()
    holes[rng.random(x.shape) < 0.3] = np.nan
    c.add("imputer", "Imputer", holes, imputed_value_floats=[1.0, 2, 3, 4], replaced_value_float=float("nan"))
    c.add("imputer_one", "Imputer", np.round(x), imputed_value_floats=[7.0], replaced_value_float=0.0)
    c.add("imputer_whole", "Imputer", rng.integers(-2, 2, (5, 3)), types=(LONG,), imputed_value_int64s=[7, 8, 9],
          replaced_value_int64=-1)
    c.add("binarizer", "Binarizer", x, threshold=0.2)
    c.add("extract", "ArrayFeatureExtractor", x, np.array([[2, 0, 3]]))
    c.add("extract_vector", "ArrayFeatureExtractor", x[0], np.array([[1, 2]]))
    c.add("extract_rank_3", "ArrayFeatureExtractor", rng.standard_normal((2, 3, 5)).astype(F32), np.array([1, 4]))
    return c


def categories() -> Cases:
    rng, c = np.random.default_rng(4), Cases("categories")
    whole, texts = rng.integers(0, 6, (5, 2)), np.array(["a", "b", "zz", "c"], object)
    known = [1, 3, 4, 0]
    c.add("one_hot", "OneHotEncoder", whole, cats_int64s=known, zeros=1)
    c.add("one_hot_float", "OneHotEncoder", whole.astype(F32), cats_int64s=known, zeros=1)
    c.add("one_hot_texts", "OneHotEncoder", texts.reshape(2, 2), cats_strings=["c", "b"], zeros=1)
    c.add("numbers", "LabelEncoder", whole, types=(LONG,), keys_int64s=[1, 3], values_int64s=[-7, 9], default_int64=5)
    c.add("to_float", "LabelEncoder", whole, keys_int64s=[1, 3], values_floats=[0.5, 2.5])
    c.add("to_text", "LabelEncoder", whole, types=(STRING,), keys_int64s=[1, 3], values_strings=["one", "three"],
          default_string="none")
    c.add("floats", "LabelEncoder", np.array([1, np.nan, 2.5], F32), keys_floats=[2.5, float("nan")],
          values_floats=[1.0, 9.0], default_float=-3.0)
    c.add("text_to_number", "LabelEncoder", texts, types=(LONG,), keys_strings=["b", "c"], values_int64s=[4, 5],
          default_int64=42)
    c.add("text_to_text", "LabelEncoder", texts, types=(STRING,), keys_strings=["b", "c"], values_strings=["x", "y"])
    c.add("mapper", "CategoryMapper", texts, types=(LONG,), cats_strings=["b", "c"], cats_int64s=[4, 5])
    c.add("mapper_back", "CategoryMapper", whole, types=(STRING,), cats_strings=["b", "c"], cats_int64s=[1, 3])
    return c


def linear() -> Cases:
    rng, c = np.random.default_rng(5), Cases("linear")
    x, w = rng.standard_normal((7, 4)).astype(F32), rng.standard_normal((3, 4)).round(3)
    for post in ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"):
        c.add(f"regressor_{post}", "LinearRegressor", x, coefficients=w.ravel().tolist(), intercepts=[0.1, 0.2, 0.3],
              targets=3, post_transform=post)
        c.add(f"single_{post}", "LinearRegressor", x, coefficients=w[0].tolist(), intercepts=[0.1], post_transform=post)
        c.add(f"classes_{post}", "LinearClassifier", x, types=(LONG, FLOAT), coefficients=w.ravel().tolist(),
              intercepts=[0.1, 0.2, 0.3], classlabels_ints=[4, 5, 6], post_transform=post)
        if post != "PROBIT":
            c.add(f"names_{post}", "LinearClassifier", x, types=(STRING, FLOAT), coefficients=w[0].tolist(),
                  intercepts=[0.1], classlabels_strings=["no", "yes"], post_transform=post)
    return c


def machines(kernel: str) -> Cases:
    """Support vector machines with one kind of kernel."""
    rng, c = np.random.default_rng(6), Cases(f"svm_{kernel.lower()}")
    x, common = rng.standard_normal((7, 4)).astype(F32), {"kernel_type": kernel, "kernel_params": [0.3, 0.5, 3.0]}
    for vectors, probable, post in product(([3, 4], [2, 3, 2], [2, 1, 3, 1]), (False, True), ("NONE", "LOGISTIC")):
        classes, count = len(vectors), sum(vectors)
        if post != "NONE" and classes != 2:
            continue
        pairs = classes * (classes - 1) // 2
        sigmoids = {"prob_a": (-rng.random(pairs) - 0.5).tolist(), "prob_b": rng.standard_normal(pairs).tolist()}
        labels = {"classlabels_ints": [7, 3, 9, 1][:classes]}
        if classes == 3:
            labels = {"classlabels_strings": ["r", "g", "b"]}
        c.add(f"classes_{classes}_{int(probable)}_{post}", "SVMClassifier", x, types=(STRING if classes == 3 else LONG,
              FLOAT), vectors_per_class=vectors, support_vectors=rng.standard_normal(count * 4).tolist(),
              coefficients=rng.standard_normal((classes - 1) * count).tolist(), post_transform=post,
              rho=rng.standard_normal(pairs).tolist(), **common, **labels, **(sigmoids if probable else {}))
    for one_class in (0, 1):
        c.add(f"regressor_{one_class}", "SVMRegressor", x, n_supports=5, rho=[0.1], one_class=one_class,
              support_vectors=rng.standard_normal(20).tolist(), coefficients=rng.standard_normal(5).tolist(), **common)
    return c


@dataclass
class ForestShape:
    """What a random forest is like. leaves: "dense" (a weight for each target), "owner" (one target a tree), "sparse"
    (some targets)."""

    trees: int
    depth: int
    features: int
    targets: int
    leaves: str
    modes: Sequence[str]
    positive: bool
    missing: bool


def forest_attributes(rng: np.random.Generator, shape: ForestShape, kind: str) -> dict[str, list[Any]]:
    """Attributes of a TreeEnsembleRegressor (kind "target") or TreeEnsembleClassifier ("class")."""
    a: dict[str, list[Any]] = {f"nodes_{n}": [] for n in ("treeids", "nodeids", "featureids", "values", "modes",
                                                         "truenodeids", "falsenodeids", "missing_value_tracks_true")}
    a |= {f"{kind}_{n}": [] for n in ("treeids", "nodeids", "ids", "weights")}
    for number in range(shape.trees):
        owner, rows = int(rng.integers(shape.targets)), {}

        def grow(depth: int, number: int = number, owner: int = owner, rows: dict[int, Any] = rows) -> int:
            own = len(rows)
            rows[own] = None
            if depth == 0 or rng.random() < 0.15:
                rows[own] = (0, 0.0, "LEAF", 0, 0, 0)
                some = sorted(rng.choice(shape.targets, rng.integers(1, shape.targets + 1), replace=False).tolist())
                for target in {"dense": range(shape.targets), "owner": [owner], "sparse": some}[shape.leaves]:
                    weight = rng.integers(0, 5) / 8 if rng.random() < 0.5 else rng.random()
                    weight = float(F32(weight)) - (0.0 if shape.positive else 0.4)
                    for name, item in (("treeids", number), ("nodeids", own), ("ids", target), ("weights", weight)):
                        a[f"{kind}_{name}"].append(item)
                return own
            value = float(rng.integers(-3, 4)) + (0.0 if rng.random() < 0.5 else float(F32(rng.random())))
            if rng.random() < 0.1:
                value = float(rng.choice([np.inf, -np.inf, 0.0, -0.0, 1e9, -1e9]))
            head = (int(rng.integers(shape.features)), value, str(rng.choice(shape.modes)))
            rows[own] = (*head, grow(depth - 1), grow(depth - 1), int(shape.missing and rng.random() < 0.5))
            return own

        grow(shape.depth)
        for own, row in sorted(rows.items()):
            names = ("featureids", "values", "modes", "truenodeids", "falsenodeids", "missing_value_tracks_true")
            for name, item in (("treeids", number), ("nodeids", own), *zip(names, row, strict=True)):
                a[f"nodes_{name}"].append(item)
    return a


def rows_for(rng: np.random.Generator, features: int, dtype: Any, count: int = 40) -> np.ndarray:
    """Rows of features near the thresholds of `forest_attributes`; reals with NaN of both signs, infinity and -0."""
    x = rng.integers(-4, 5, (count, features)).astype(np.float64) + rng.random((count, features)) * rng.integers(0, 2)
    if np.dtype(dtype).kind == "f":
        for special in (np.nan, -np.nan, np.inf, -0.0):
            x[rng.random(x.shape) < 0.04] = special
    return x.astype(dtype)


def forest(seed: int) -> Cases:
    """A random forest of a random shape, as a classifier or a regressor."""
    rng, c = np.random.default_rng(seed), Cases(f"forest_{seed}", 1)
    kind, targets = str(rng.choice(["class", "target"])), int(rng.choice([1, 2, 3, 5]))
    types = [np.float32, np.float64, np.int32, np.int64]
    dtype = types[int(rng.integers(2 if kind == "target" else 4))]
    one = kind == "class" and targets == 2
    leaves = "owner" if one else str(rng.choice(["dense", "owner", "sparse"]))
    modes = MODES if rng.random() < 0.5 else (str(rng.choice(MODES)),)
    shape = ForestShape(int(rng.choice([1, 2, 10, 30])), int(rng.choice([1, 3, 6, 8])), int(rng.choice([1, 7, 300])),
                        1 if one else targets, leaves, modes, bool(rng.random() < 0.5), bool(rng.random() < 0.4))
    attributes: dict[str, Any] = forest_attributes(rng, shape, kind)
    post = str(rng.choice(["NONE", "SOFTMAX", "LOGISTIC", *(["SOFTMAX_ZERO"] if targets > 2 else [])]))
    x = rows_for(rng, shape.features, dtype)
    # onnxruntime forgets the base value of a target without weight.
    if rng.random() < 0.4 and (kind == "class" or leaves == "dense"):
        attributes["base_values"] = [float(F32(v)) for v in rng.random(1 if one else targets) - 0.5]
    if kind == "target":
        aggregate = str(rng.choice(["SUM", "AVERAGE", "MIN", "MAX"]))
        c.add("f", "TreeEnsembleRegressor", x, n_targets=targets, aggregate_function=aggregate, post_transform=post,
              **attributes)
        return c
    labels = [int(v) for v in rng.permutation(20)[:targets]] if rng.random() < 0.5 else list(range(targets))
    if targets > 1 and rng.random() < 0.3:
        c.add("f", "TreeEnsembleClassifier", x, types=(STRING, FLOAT), post_transform=post,
              classlabels_strings=[f"c{v}" for v in labels], **attributes)
    else:
        c.add("f", "TreeEnsembleClassifier", x, types=(LONG, FLOAT), post_transform=post, classlabels_int64s=labels,
              **attributes)
    return c


def votes(classes: int, trees: int) -> Cases:
    """A classifier each of whose leaves is of one class."""
    rng, c = np.random.default_rng(classes), Cases(f"votes_{classes}_{trees}", 1)
    columns = 1 if classes == 2 else classes
    attributes = forest_attributes(rng, ForestShape(trees, 5, 6, columns, "dense", MODES, True, False), "class")
    chosen: dict[tuple[int, int], int] = {}
    weights = []
    for tree, node, target in zip(attributes["class_treeids"], attributes["class_nodeids"], attributes["class_ids"],
                                  strict=True):
        winner = chosen.setdefault((tree, node), int(rng.integers(classes)))
        weights.append(1.0 / trees if winner == (1 if columns == 1 else target) else 0.0)
    attributes["class_weights"] = weights
    c.add("f", "TreeEnsembleClassifier", rows_for(rng, 6, F32), types=(LONG, FLOAT), **attributes,
          classlabels_int64s=list(range(classes)))
    return c


OPERATORS = (features, categories, linear, *(lambda k=k: machines(k) for k in ("LINEAR", "POLY", "RBF", "SIGMOID")))
