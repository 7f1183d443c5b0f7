# SPDX-License-Identifier: Apache-2.0
"""Every scheme, and mixtures of them, as integer code: equal to the integer evaluation on the host and the cores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from command_line import refuse_compile
from recipes import recipe_of, written_recipe
from small_models import float_graph, residual_net
from tinyc.cases import random_cases
from tinyc.compiler import Compiled, Request, compile_model
from tinyc.ir.evaluate import evaluate
from tinyc.ir.types import DType
from tinyc.quantization import QuantizeRequest
from tinyc.quantize.narrow import SHARE, small_layers
from tinyc.quantize.recipe import Recipe, save_recipe
from tinyc.quantize.schemes import INT4W, INT8, INT16X8, SCHEMES
from tinyc.quantize.simulate import choose
from tinyc.targets import load_target
from tinyc.verification import run_cases

TARGETS = ["host", "cortex-m0plus", "cortex-m4", "cortex-m55"]


def compiled(model: Path, recipe: Recipe, target: str, optimize: str = "default") -> Compiled:
    quantize = QuantizeRequest(load=written_recipe(model, recipe))
    request = Request(model, load_target(target), quantize=quantize, optimize=optimize)
    return compile_model(request, lambda text: None)


def assert_exact(result: Compiled) -> None:
    """The generated code gives what the integer evaluation gives."""
    cases = random_cases(result.emitted.inputs, 3)
    outputs, unaligned = run_cases(result, cases)
    assert unaligned is None
    for case, got in zip(cases.inputs, outputs, strict=True):
        values = evaluate(result.graph, dict(zip(result.graph.inputs, case, strict=True)))
        assert np.array_equal(values[result.graph.outputs[0]], got[0])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_one_scheme(tmp_path: Path, scheme: str, target: str) -> None:
    model = residual_net(tmp_path / "net.onnx", int8=False)
    result = compiled(model, recipe_of(model, {}, SCHEMES[scheme]), target)
    nodes = [n for n in result.graph.nodes() if n.op not in ("QuantizeLinear", "DequantizeLinear")]
    assert all(n.integer for n in nodes)
    own = SCHEMES[scheme]
    assert {result.graph.type(n.outputs[0]).dtype for n in nodes} == {own.activations}
    types = {n.name: result.graph.type(n.inputs[1]) for n in nodes if n.op in ("Conv", "Gemm")}
    small = small_layers(float_graph(model)) if own is INT4W else {}
    assert all(t.dtype is (DType.INT8 if name in small else own.weights) for name, t in types.items())
    assert_exact(result)


@pytest.mark.parametrize("target", ["host", "cortex-m4"])
@pytest.mark.parametrize("seed", range(3))
def test_a_scheme_for_each_node(tmp_path: Path, seed: int, target: str) -> None:
    """Where a node reads another type of activations than it was computed in, a Requantize lies between."""
    model = residual_net(tmp_path / "net.onnx", int8=False)
    rng = np.random.default_rng(seed)
    names = [node.name for node in float_graph(model).nodes()]
    schemes = {name: list(SCHEMES.values())[int(rng.integers(3))] for name in names}
    result = compiled(model, recipe_of(model, schemes), target)
    edges = [n for n in result.graph.nodes() if n.op == "Requantize"]
    assert any({result.graph.type(v).dtype for v in (n.inputs[0], n.outputs[0])} == {DType.INT8, DType.INT16}
               for n in edges)
    assert all(n.integer for n in result.graph.nodes() if n.op not in ("QuantizeLinear", "DequantizeLinear"))
    assert_exact(result)


def test_rows_in_every_scheme(tmp_path: Path) -> None:
    model = residual_net(tmp_path / "net.onnx", int8=False)
    for scheme in SCHEMES.values():
        assert_exact(compiled(model, recipe_of(model, {}, scheme), "host", optimize="ram"))


def test_a_value_in_two_types(tmp_path: Path) -> None:
    """It is computed in one and converted for the readers of the other; the wider one holds the narrower one."""
    model = residual_net(tmp_path / "net.onnx", int8=False)
    graph = float_graph(model)
    shared = next(v.name for v in graph.values() if len(graph.consumers(v.name)) > 1 and not v.is_const)
    first, second = graph.consumers(shared)[:2]
    producer = graph.producer(shared)
    assert producer is not None
    chosen = choose(graph, schemes={first.name: INT16X8, second.name: INT8, producer.name: INT8})
    assert chosen.values[shared] == (DType.INT8, DType.INT16)
    chosen = choose(graph, schemes={first.name: INT8, second.name: INT16X8, producer.name: INT16X8})
    assert chosen.values[shared] == (DType.INT16, DType.INT8)


def test_small_layers_keep_eight_bits(tmp_path: Path) -> None:
    model = residual_net(tmp_path / "net.onnx", int8=False)
    graph = float_graph(model)
    counts = {n.name: graph.type(n.inputs[1]).elements for n in graph.nodes() if n.op in ("Conv", "Gemm")}
    small = small_layers(graph)
    assert small and sum(counts[name] for name in small) <= SHARE * sum(counts.values())
    assert max(counts[name] for name in small) <= min(c for name, c in counts.items() if name not in small)
    assert choose(graph, scheme=INT4W).nodes[next(iter(small))] is INT8
    named = {name: INT4W for name in small}
    assert choose(graph, scheme=INT4W, schemes=named).nodes[next(iter(small))] is INT4W


def test_ranges_of_another_scheme(tmp_path: Path) -> None:
    model = residual_net(tmp_path / "net.onnx", int8=False)
    save_recipe(recipe_of(model, {}), tmp_path / "r.json")
    assert "no layer in int4w" in refuse_compile(model, "--load-ranges", tmp_path / "r.json", "--quantize", "int4w")


def test_quantize_needs_samples(tmp_path: Path) -> None:
    model = residual_net(tmp_path / "net.onnx", int8=False)
    for scheme in SCHEMES:
        assert f"--quantize {scheme} needs samples" in refuse_compile(model, "--quantize", scheme)


def test_files_are_read_each_time(tmp_path: Path) -> None:
    """As a library: another content of the same file counts."""
    model = residual_net(tmp_path / "net.onnx", int8=False)
    types = []
    for scheme in ("int4w", "int8"):
        result = compiled(model, recipe_of(model, {"Conv_t1": SCHEMES[scheme]}), "host")
        types.append(next(result.graph.type(n.inputs[1]).dtype for n in result.graph.nodes() if n.name == "Conv_t1"))
    assert types == [DType.INT4, DType.INT8]
