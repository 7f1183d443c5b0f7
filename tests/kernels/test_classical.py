# SPDX-License-Identifier: Apache-2.0
"""ai.onnx.ml's operators: the generated C and the NumPy evaluation against onnxruntime, labels exactly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from classical_cases import OPERATORS, Cases, ForestShape, forest, forest_attributes, rows_for, votes
from onnx import helper

from support import compile_proto, differences, execute, with_numpy, with_onnxruntime
from tinyc.cases import places_of
from tinyc.errors import TinycError

TOLERANCE = 1e-5


def check(cases: Cases, target: str = "host", **options: str) -> list[str]:
    """Compares, and returns the names of the kernels."""
    proto = cases.proto()
    compiled = compile_proto(proto, target, plan_effort=0.01, **options)
    want, inputs = with_onnxruntime(proto, cases.inputs), dict(cases.inputs)
    for port in compiled.emitted.inputs:
        if port.labels is not None:
            inputs[port.name] = places_of(inputs[port.name], port.labels)
    for port in compiled.emitted.outputs:
        if port.labels is not None:
            want[port.name] = places_of(np.asarray(want[port.name]), port.labels)
    assert not differences(with_numpy(compiled, inputs), want, TOLERANCE)
    assert not differences(execute(compiled, inputs, extra_cflags=("-O1",)), want, TOLERANCE)
    return [layer["kernel"] for layer in compiled.report["layers"]]


@pytest.mark.parametrize("cases", OPERATORS, ids=lambda make: make().name)
def test_operators(cases: Callable[[], Cases]) -> None:
    check(cases())


@pytest.mark.parametrize("seed", range(16))
def test_random_forests(seed: int) -> None:
    check(forest(seed))


@pytest.mark.parametrize("optimize", ("size", "speed"))
@pytest.mark.parametrize("seed", (26, 30, 33))
def test_both_forms_of_trees(seed: int, optimize: str) -> None:
    assert {"size": "tables", "speed": "branches"}[optimize] in check(forest(seed), optimize=optimize)


@pytest.mark.parametrize(("classes", "trees"), ((2, 7), (3, 10), (4, 60)))
def test_votes(classes: int, trees: int) -> None:
    check(votes(classes, trees))


@pytest.mark.parametrize("target", ("cortex-m0plus", "cortex-m4", "riscv32imac"))
@pytest.mark.parametrize("seed", (1, 2, 5))
def test_trees_on_emulated_cores(target: str, seed: int) -> None:
    check(forest(seed), target)


@pytest.mark.parametrize("target", ("cortex-m0plus", "riscv32imac"))
@pytest.mark.parametrize("classes", (2, 4))
def test_sums_without_a_floating_point_unit(target: str, classes: int) -> None:
    """So many trees that votes are not counted but added."""
    for optimize in ("size", "speed"):
        check(votes(classes, 60), target, optimize=optimize)


def test_machines_on_an_emulated_core() -> None:
    check(OPERATORS[5](), "cortex-m4")


@pytest.mark.parametrize("dtype", (np.int8, np.uint8, np.int16, np.int32, np.int64))
def test_features_cast_from_integers(dtype: type) -> None:
    """Thresholds become integers; nothing of the Cast remains. Beyond 2^24 float32 rounds the features."""
    rng = np.random.default_rng(9)
    shape = ForestShape(6, 6, 4, 2, "dense", ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_EQ"), True, False)
    attributes = forest_attributes(rng, shape, "target")
    info = np.iinfo(dtype)
    x = rng.integers(-4 if info.min else 0, 5, (40, 4)).astype(dtype)
    if info.bits >= 32:
        attributes["nodes_values"] = [v * 2.0**24 for v in attributes["nodes_values"]]
        x = (rng.integers(-4, 5, x.shape) * 2**24 + rng.integers(-2, 3, x.shape)).astype(dtype)
    nodes = [helper.make_node("Cast", ["x"], ["real"], to=onnx.TensorProto.FLOAT),
             helper.make_node("TreeEnsembleRegressor", ["real"], ["y"], domain="ai.onnx.ml", n_targets=2, **attributes)]
    graph = helper.make_graph(
        nodes, "cast", [helper.make_tensor_value_info("x", helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 1)]
    proto = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    compiled = compile_proto(proto)
    assert [layer["op"] for layer in compiled.report["layers"]] == ["TreeEnsemble"]
    want = with_onnxruntime(proto, {"x": x})
    assert not differences(execute(compiled, {"x": x}), want, TOLERANCE)
    assert not differences(with_numpy(compiled, {"x": x}), want, TOLERANCE)


def test_feature_vectorizer() -> None:
    cases = Cases("vectorizer")
    rng = np.random.default_rng(2)
    first, second = rng.standard_normal((3, 4)).astype(np.float32), rng.standard_normal((3, 2)).astype(np.float32)
    cases.add("f", "FeatureVectorizer", first, second, inputdimensions=[3, 4])
    compiled = compile_proto(cases.proto())
    want = np.concatenate([first[:, :3], second, np.zeros((3, 2), np.float32)], axis=1)
    assert not differences(execute(compiled, cases.inputs), {"f_y0": want}, 0.0)


def _stump(**changes: list[int]) -> onnx.ModelProto:
    attributes = {
        "nodes_treeids": [0, 0, 0], "nodes_nodeids": [0, 1, 2], "nodes_featureids": [1, 0, 0],
        "nodes_values": [0.5, 0.0, 0.0], "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"], "nodes_truenodeids": [1, 0, 0],
        "nodes_falsenodeids": [2, 0, 0], "target_treeids": [0, 0], "target_nodeids": [1, 2], "target_ids": [0, 0],
        "target_weights": [1.0, 2.0], **changes,
    }
    cases = Cases("stump", 1)
    rows = rows_for(np.random.default_rng(1), 2, np.float32)
    cases.add("f", "TreeEnsembleRegressor", rows, n_targets=1, **attributes)
    return cases.proto()


@pytest.mark.parametrize("changes", (
    {"nodes_truenodeids": [0, 0, 0]}, {"nodes_truenodeids": [7, 0, 0]}, {"nodes_featureids": [2, 0, 0]},
    {"nodes_featureids": [-1, 0, 0]}, {"nodes_values": [0.5, 0.0]}, {"target_ids": [0, 1]}, {"target_nodeids": [0, 2]},
    {"nodes_modes": ["BRANCH_LIKE", "LEAF", "LEAF"]}, {"nodes_nodeids": [0, 1, 1]}, {"target_nodeids": [1, 1]},
), ids=str)
def test_damaged_trees_are_refused(changes: dict[str, list[int]]) -> None:
    compile_proto(_stump())
    with pytest.raises(TinycError) as error:
        compile_proto(_stump(**changes))
    assert "TreeEnsembleRegressor" in str(error.value)


@pytest.mark.parametrize("op", ("DictVectorizer", "CastMap"))
def test_maps_are_refused_by_name(op: str) -> None:
    node = helper.make_node(op, ["x"], ["y"], domain="ai.onnx.ml")
    value = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = helper.make_graph([node], "maps", value[:1], value[1:])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 1)])
    with pytest.raises(TinycError, match=op):
        compile_proto(proto)
