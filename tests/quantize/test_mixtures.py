# SPDX-License-Identifier: Apache-2.0
"""Random schemes, float among them, for the nodes of a network: every layer's result is that of the evaluation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from checkout import ROOT
from recipes import written_recipe
from small_models import Net, float_graph
from tinyc.cases import Cases
from tinyc.compiler import Compiled, Request, compile_model
from tinyc.ir.evaluate import evaluate_node
from tinyc.quantization import QuantizeRequest
from tinyc.quantize.recipe import Recipe, load_recipe
from tinyc.quantize.schemes import SCHEMES
from tinyc.quantize.search import Search
from tinyc.quantize.simulate import Settings
from tinyc.targets import load_target
from tinyc.verification import run_cases

TRAINED = ROOT / "tests" / "models" / "quantization"


def branches_net(path: Path) -> Path:
    """6x6x3 -> 4 classes: where branches meet, in Add, Mul and Concat, each may have another scheme."""
    net = Net(int8=False)
    a = net.conv("x", 3, 8, 3)
    b, c = net.conv(a, 8, 8, 1, relu=False), net.conv(a, 8, 8, 3, group=8)
    d = net.op("Add", [b, c])
    e = net.op("AveragePool", [d], kernel_shape=[2, 2], strides=[2, 2])
    f = net.op("MaxPool", [a], kernel_shape=[2, 2], strides=[2, 2])
    g = net.op("Concat", [e, f], axis=1)
    h = net.op("Mul", [g, net.op("Sigmoid", [net.conv(g, 16, 16, 1, relu=False)])])
    i = net.op("Flatten", [net.op("GlobalAveragePool", [h])])
    y = net.op("Tanh", [net.op("Gemm", [i, net.weights(4, 16), net.bias(4)], transB=1)])
    net.nodes.append(helper.make_node("Identity", [y], ["y"], name="last"))
    return net.save(path, [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 6, 6])],
                    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])])


def mixture(model: Path, samples: list[dict[str, np.ndarray]], seed: int) -> Recipe:
    """A scheme, or float, for each node at random."""
    graph, rng = float_graph(model), np.random.default_rng(seed)
    picked = {node.name: (*SCHEMES.values(), None)[int(rng.integers(4))] for node in graph.nodes()}
    floats = frozenset(name for name, scheme in picked.items() if scheme is None)
    search = Search(graph, samples, floats, schemes={n: s for n, s in picked.items() if s is not None})
    return search.recipe(Settings(), compile_model(Request(model, load_target("host"))).imported.sha256)


def samples_of(model: Path) -> list[dict[str, np.ndarray]]:
    graph = float_graph(model)
    (name,) = graph.inputs
    shape, archive = graph.type(name).shape, model.with_suffix(".npz")
    arrays = np.load(archive)["input"][:6] if archive.exists() else np.random.default_rng(0).normal(size=(6, *shape))
    return [{name: array.reshape(shape).astype(np.float32)} for array in arrays]


def assert_each_layer(result: Compiled, cases: Cases) -> None:
    """Every node's result is what it makes of its operands as the generated code computed them.

    Integers are exact. Sums of real numbers depend on their order, and so does a step of what is quantized behind them:
    results are not compared from end to end.
    """
    outputs, _ = run_cases(result, cases)
    for case, got in zip(cases.inputs, outputs, strict=True):
        known = {v.name: v.data for v in result.graph.values() if v.data is not None}
        known |= dict(zip(result.graph.inputs, case, strict=True))
        known |= {port.name: array for port, array in zip(result.emitted.outputs, got, strict=True)}
        for node in result.graph.nodes():
            for name, array in evaluate_node(result.graph, node, known).items():
                if array.dtype.kind == "f":
                    np.testing.assert_allclose(known[name], array, atol=1e-5 * max(float(np.ptp(array)), 1e-3))
                else:
                    assert np.array_equal(known[name], array), f"{node.name}, {node.op}"


@pytest.mark.parametrize(("name", "seed", "target"), [
    *((name, seed, target) for name in ("branches", "sensor_cnn", "mobilenet")
      for seed, target in enumerate(("host", "host", "cortex-m4"))),
    ("branches", 3, "cortex-m0plus"), ("branches", 4, "cortex-m55"),
])
def test_mixtures(tmp_path: Path, name: str, seed: int, target: str) -> None:
    model = branches_net(tmp_path / "net.onnx") if name == "branches" else TRAINED / f"{name}.onnx"
    samples = samples_of(model)
    quantize = QuantizeRequest(recipe=mixture(model, samples, seed))
    request = Request(model, load_target(target), quantize=quantize)
    result = compile_model(request, lambda text: None, expose=True)
    floats = [n for n in result.graph.nodes() if not n.integer and n.op not in ("QuantizeLinear", "DequantizeLinear")]
    assert floats and any(n.integer for n in result.graph.nodes())
    assert_each_layer(result, Cases(tuple(tuple(sample.values()) for sample in samples[:2]), None))


def test_what_is_float_is_saved(tmp_path: Path) -> None:
    """A file of ranges says which nodes shall stay float, so it needs no --keep-float."""
    model = branches_net(tmp_path / "net.onnx")
    recipe = mixture(model, samples_of(model), 0)
    path = written_recipe(model, recipe)
    assert recipe.floats and load_recipe(path, recipe.model).floats == recipe.floats
    loaded, direct = (compile_model(Request(model, load_target("host"), quantize=quantize), lambda text: None)
                      for quantize in (QuantizeRequest(load=path), QuantizeRequest(recipe=recipe)))
    assert loaded.emitted.files == direct.emitted.files
