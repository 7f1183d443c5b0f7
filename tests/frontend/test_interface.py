# SPDX-License-Identifier: Apache-2.0
"""Graph inputs and outputs keep their names and meaning, however the model wires them."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from onnx_models import TARGET, imported, random, run
from tinyc.ir.verify import verify
from tinyc.passes.pipeline import run_passes


def graph_of(nodes, inputs, outputs, initializers=()):
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, (2, 3)) for name in inputs]
    results = [helper.make_empty_tensor_value_info(name) for name in outputs]
    tensors = [numpy_helper.from_array(array, name) for name, array in dict(initializers).items()]
    graph = helper.make_graph([helper.make_node(*n) for n in nodes], "g", infos, results, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])


W = random((2, 3), 9)
CASES = {
    "input is output": ([], ["x"], ["x"], {}, lambda x: [x]),
    "identity": ([("Identity", ["x"], ["y"])], ["x"], ["y"], {}, lambda x: [x]),
    "constant": ([("Relu", ["x"], ["y"])], ["x"], ["w", "y"], {"w": W}, lambda x: [W, np.maximum(x, 0)]),
    "folded": ([("Abs", ["w"], ["y"])], ["x"], ["y"], {"w": W}, lambda x: [np.abs(W)]),
    "twice": ([("Relu", ["x"], ["y"])], ["x"], ["y", "y"], {}, lambda x: [np.maximum(x, 0)] * 2),
    "two names": ([("Relu", ["x"], ["y"]), ("Identity", ["y"], ["z"])], ["x"], ["z", "y"], {},
                  lambda x: [np.maximum(x, 0)] * 2),
    "also read": ([("Relu", ["x"], ["y"]), ("Neg", ["y"], ["z"])], ["x"], ["y", "z"], {},
                  lambda x: [np.maximum(x, 0), -np.maximum(x, 0)]),
    "view of output": ([("Relu", ["x"], ["y"]), ("Flatten", ["y"], ["z"])], ["x"], ["y", "z"], {},
                       lambda x: [np.maximum(x, 0)] * 2),
    "input twice": ([("Identity", ["x"], ["a"]), ("Identity", ["x"], ["b"])], ["x"], ["a", "b", "x"], {},
                    lambda x: [x] * 3),
    "double identity": ([("Neg", ["x"], ["a"]), ("Neg", ["x"], ["b"])], ["x"], ["a", "b"], {}, lambda x: [-x] * 2),
    "name of a temporary": ([("Neg", ["x"], ["a"]), ("Abs", ["a"], ["abs.out"]), ("Neg", ["a"], ["b"])], ["x"],
                            ["abs.out", "b"], {}, lambda x: [np.abs(x), x]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_outputs(case):
    nodes, inputs, outputs, initializers, expected = CASES[case]
    x = random((2, 3), 4)
    first = imported(graph_of(nodes, inputs, outputs, initializers))
    for graph in (first, run_passes(first, TARGET)):
        verify(graph)
        assert len(graph.outputs) == len(outputs)
        fresh = [name for k, name in enumerate(outputs) if name not in inputs and name not in outputs[:k]]
        assert [name for name in graph.outputs if name in fresh] == fresh
        for got, want in zip(run(graph, {"x": x}), expected(x), strict=True):
            np.testing.assert_array_equal(got, want)
    final = run_passes(first, TARGET)
    for name in final.outputs:
        assert final.producer(name) is not None and not final.value(name).is_const


def test_initializers_listed_as_inputs_are_constants():
    model = graph_of([("Add", ["x", "w"], ["y"])], ["x", "w"], ["y"], {"w": W})
    assert imported(model).inputs == ("x",)


def test_inputs_that_nothing_reads_remain():
    model = graph_of([("Relu", ["x"], ["y"])], ["x", "unused"], ["y"])
    assert run_passes(imported(model), TARGET).inputs == ("x", "unused")


@pytest.mark.parametrize("name", ["", "a/b:0", "int", "x y", "ö", "x" * 300, "X", "op"])
def test_odd_value_names(name):
    value = name or "v"
    model = graph_of([("Relu", ["x"], [value], name), ("Neg", [value], ["y"], name)], ["x"], ["y"])
    x = random((2, 3), 4)
    np.testing.assert_array_equal(run(run_passes(imported(model), TARGET), {"x": x})[0], -np.maximum(x, 0))
