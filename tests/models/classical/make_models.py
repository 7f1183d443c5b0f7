# SPDX-License-Identifier: Apache-2.0
"""Fits the models of this folder and exports them to ONNX; writes inputs.npz with rows to test them on.

Not run by the tests, which use the files. Needs scikit-learn, skl2onnx, onnxmltools, lightgbm and xgboost:

    python make_models.py [NAME...]

A model's name begins with the data set whose rows it takes.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxmltools import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as LooseFloat
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType
from sklearn import (
    cluster,
    datasets,
    decomposition,
    discriminant_analysis,
    ensemble,
    gaussian_process,
    impute,
    linear_model,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)

HERE = Path(__file__).resolve().parent
OPSET = {"": 17, "ai.onnx.ml": 3}
TESTED = 60  # rows kept for the tests


def _data() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    iris = datasets.load_iris(return_X_y=True)
    rng = np.random.default_rng(5)
    order = rng.permutation(len(iris[0]))
    two = datasets.make_classification(300, 8, n_informative=5, class_sep=0.9, flip_y=0.05, random_state=3)
    wave = datasets.make_friedman1(300, 6, noise=0.3, random_state=4)
    counts = rng.poisson(3.0 + 2.0 * two[1][:, None] * (np.arange(8) % 2), (300, 8))
    # The shape of the sonar data on which emlearn publishes its sizes; integers for the forest on int32 features.
    sonar = datasets.make_classification(
        208, 60, n_informative=20, n_redundant=10, flip_y=0.05, class_sep=1.0, random_state=1
    )
    low, high = sonar[0].min(axis=0), sonar[0].max(axis=0)
    scaled = (sonar[0] - low) / (high - low)
    holes = two[0].copy()
    holes[rng.random(holes.shape) < 0.1] = np.nan
    kinds = rng.integers(0, 5, (300, 3))
    return {
        "iris": (iris[0][order], iris[1][order]),
        "two": two,
        "wave": wave,
        "sonar": (scaled, sonar[1]),
        "echo": (np.round(scaled * 1000).astype(np.int32), sonar[1]),
        "counts": (counts, two[1]),
        "holes": (holes, two[1]),
        "kinds": (kinds, (kinds[:, 0] + 2 * kinds[:, 1] > 5).astype(int)),
    }


def _names(y: np.ndarray) -> np.ndarray:
    return np.array(["setosa", "versicolor", "virginica"])[y]


M = linear_model
CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "iris_logistic": lambda: M.LogisticRegression(max_iter=300),
    "two_logistic": lambda: M.LogisticRegression(),
    "iris_ridge": lambda: M.RidgeClassifier(),
    "iris_sgd": lambda: M.SGDClassifier(random_state=0),
    "two_perceptron": lambda: M.Perceptron(random_state=0),
    "iris_lda": lambda: discriminant_analysis.LinearDiscriminantAnalysis(),
    "iris_qda": lambda: discriminant_analysis.QuadraticDiscriminantAnalysis(),
    "iris_gaussian_nb": lambda: naive_bayes.GaussianNB(),
    "counts_bernoulli_nb": lambda: naive_bayes.BernoulliNB(binarize=2.0),
    "counts_multinomial_nb": lambda: naive_bayes.MultinomialNB(),
    "iris_knn": lambda: neighbors.KNeighborsClassifier(3),
    "iris_decision_tree": lambda: tree.DecisionTreeClassifier(max_depth=5, random_state=0),
    "iris_random_forest": lambda: ensemble.RandomForestClassifier(8, max_depth=4, random_state=0),
    "two_random_forest": lambda: ensemble.RandomForestClassifier(8, max_depth=6, random_state=0),
    "sonar_forest": lambda: ensemble.RandomForestClassifier(10, max_depth=10, random_state=1),
    "echo_forest": lambda: ensemble.RandomForestClassifier(10, max_depth=10, random_state=1),
    "two_extra_trees": lambda: ensemble.ExtraTreesClassifier(6, max_depth=5, random_state=0),
    "iris_gradient_boosting": lambda: ensemble.GradientBoostingClassifier(n_estimators=6, max_depth=2, random_state=0),
    "two_gradient_boosting": lambda: ensemble.GradientBoostingClassifier(n_estimators=12, max_depth=3, random_state=0),
    "holes_hist_boosting": lambda: ensemble.HistGradientBoostingClassifier(max_iter=8, max_depth=4, random_state=0),
    "iris_ada_boost": lambda: ensemble.AdaBoostClassifier(n_estimators=4, random_state=0),
    "two_bagging": lambda: ensemble.BaggingClassifier(
        tree.DecisionTreeClassifier(max_depth=3), n_estimators=4, random_state=0
    ),
    "iris_voting": lambda: ensemble.VotingClassifier(
        [("t", tree.DecisionTreeClassifier(max_depth=3)), ("g", naive_bayes.GaussianNB())],
        voting="soft", flatten_transform=False,
    ),
    "iris_svc_rbf": lambda: svm.SVC(kernel="rbf", C=2.0),
    "iris_svc_poly": lambda: svm.SVC(kernel="poly", degree=3),
    "two_svc_sigmoid": lambda: svm.SVC(kernel="sigmoid", C=0.3),
    "iris_svc_linear_names": lambda: svm.SVC(kernel="linear"),
    "two_nu_svc": lambda: svm.NuSVC(nu=0.3),
    "iris_svc_probability": lambda: svm.SVC(probability=True, random_state=0),
    "iris_linear_svc": lambda: svm.LinearSVC(random_state=0),
    "iris_mlp_names": lambda: neural_network.MLPClassifier(hidden_layer_sizes=(10,), max_iter=400, random_state=0),
    "iris_scaled_pca_logistic": lambda: pipeline.make_pipeline(
        preprocessing.StandardScaler(), decomposition.PCA(3), M.LogisticRegression()
    ),
    "holes_imputed_forest": lambda: pipeline.make_pipeline(
        impute.SimpleImputer(),
        preprocessing.MinMaxScaler(),
        ensemble.RandomForestClassifier(4, max_depth=4, random_state=0),
    ),
    "kinds_one_hot_logistic": lambda: pipeline.make_pipeline(
        preprocessing.OneHotEncoder(sparse_output=False), M.LogisticRegression()
    ),
    "two_normalized_tree": lambda: pipeline.make_pipeline(
        preprocessing.Normalizer(), tree.DecisionTreeClassifier(max_depth=5, random_state=0)
    ),
}
REGRESSORS: dict[str, Callable[[], Any]] = {
    "wave_polynomial_ridge": lambda: pipeline.make_pipeline(preprocessing.PolynomialFeatures(2), M.Ridge()),
    "wave_knn": lambda: neighbors.KNeighborsRegressor(4),
    "wave_random_forest": lambda: ensemble.RandomForestRegressor(6, max_depth=5, random_state=0),
    "wave_gradient_boosting": lambda: ensemble.GradientBoostingRegressor(n_estimators=15, max_depth=3, random_state=0),
    "wave_hist_boosting": lambda: ensemble.HistGradientBoostingRegressor(max_iter=10, max_depth=4, random_state=0),
    "wave_svr": lambda: svm.SVR(C=5.0, epsilon=0.5),
    "wave_mlp": lambda: neural_network.MLPRegressor(hidden_layer_sizes=(12,), max_iter=800, random_state=0),
    "wave_gaussian_process": lambda: gaussian_process.GaussianProcessRegressor(
        gaussian_process.kernels.RBF(2.0) + gaussian_process.kernels.WhiteKernel(0.1), optimizer=None
    ),
}
OTHERS: dict[str, Callable[[], Any]] = {
    "iris_k_means": lambda: cluster.KMeans(3, n_init=2, random_state=0),
    "two_mini_batch_k_means": lambda: cluster.MiniBatchKMeans(4, n_init=2, random_state=0),
    "two_isolation_forest": lambda: ensemble.IsolationForest(n_estimators=3, max_samples=16, random_state=0),
}


def _fewer(name: str) -> int:
    """How many rows a model is fitted on: those that keep them stay small."""
    return 50 if any(part in name for part in ("knn", "gaussian_process")) else 200


def _boosters(name: str, x: np.ndarray, y: np.ndarray) -> onnx.ModelProto:
    import lightgbm
    import xgboost

    kind = [("x", LooseFloat([None, x.shape[1]]))]
    if "lightgbm" in name:
        own = (lightgbm.LGBMRegressor if name.startswith("wave") else lightgbm.LGBMClassifier)(
            n_estimators=6, num_leaves=7, random_state=0, verbose=-1
        ).fit(x, y)
        return convert_lightgbm(own, initial_types=kind, target_opset=15, zipmap="iris" in name)
    booster = (xgboost.XGBRegressor if name.startswith("wave") else xgboost.XGBClassifier)(
        n_estimators=6, max_depth=3, random_state=0
    ).fit(x, y)
    return convert_xgboost(booster, initial_types=kind, target_opset=15)


BOOSTERS = ("two_lightgbm", "iris_lightgbm", "wave_lightgbm", "holes_lightgbm", "two_xgboost", "iris_xgboost",
            "wave_xgboost")


def _export(name: str, data: dict[str, tuple[np.ndarray, np.ndarray]]) -> onnx.ModelProto:
    x, y = data[name.split("_")[0]]
    if not name.startswith(("sonar", "echo")):  # those are measured, not judged: they see all rows
        x, y = x[TESTED : TESTED + _fewer(name)], y[TESTED : TESTED + _fewer(name)]
    if name in BOOSTERS:
        return _boosters(name, x.astype(np.float32), y)
    whole = name.startswith("kinds")
    x = x if whole else x.astype(np.float32)
    y = _names(y) if name.endswith("_names") else y
    model = {**CLASSIFIERS, **REGRESSORS, **OTHERS}[name]().fit(x, y)
    kind = (Int64TensorType if whole else FloatTensorType)([None, x.shape[1]])
    zipmap = {id(model): {"zipmap": name == "iris_logistic"}} if name in CLASSIFIERS else None
    if name == "iris_ridge" or "linear_svc" in name:
        zipmap = None
    result = to_onnx(model, initial_types=[("x", kind)], options=zipmap, target_opset=OPSET)
    return _on_integers(result) if name.startswith("echo") else result


def _on_integers(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model behind a Cast from int32."""
    for node in model.graph.node:
        node.input[:] = ["real" if name == "x" else name for name in node.input]
    model.graph.node.insert(0, onnx.helper.make_node("Cast", ["x"], ["real"], to=onnx.TensorProto.FLOAT))
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT32
    return model


def _plain_attributes() -> None:
    """Lets onnx take the NumPy integers and truth values that skl2onnx gives it for trees on histograms."""
    make = onnx.helper.make_attribute

    def plain(key: str, value: Any, *rest: Any, **more: Any) -> onnx.AttributeProto:
        if isinstance(value, list):
            value = [v.item() if isinstance(v, np.generic) else v for v in value]
            value = [int(v) if isinstance(v, bool) else v for v in value]
        return make(key, value, *rest, **more)

    onnx.helper.make_attribute = plain


def main(names: list[str]) -> None:
    warnings.simplefilter("ignore")
    _plain_attributes()
    data = _data()
    if not names:
        np.savez_compressed(HERE / "inputs.npz", **{
            key: x[:TESTED].astype({"kinds": np.int64, "echo": np.int32}.get(key, np.float32))
            for key, (x, _) in data.items()
        })
    for name in names or [*CLASSIFIERS, *REGRESSORS, *OTHERS, *BOOSTERS]:
        try:
            model = _export(name, data)
        except Exception as error:  # one exporter's fault must not hide the other models
            print(f"{name}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)
            continue
        model.doc_string = ""
        onnx.save(model, HERE / f"{name}.onnx")
        print(name, model.ByteSize(), sorted({n.op_type for n in model.graph.node}))


if __name__ == "__main__":
    main(sys.argv[1:])
