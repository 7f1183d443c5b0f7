# SPDX-License-Identifier: Apache-2.0
"""The parts of calibration: ranges, rounding, equalization, recipes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from small_models import float_graph, residual_net
from tinyc.errors import TinycError
from tinyc.ir.evaluate import evaluate
from tinyc.ir.types import DType, Quant
from tinyc.passes.insert_qdq import insert_qdq
from tinyc.quantize.equalize import equalize
from tinyc.quantize.ranges import METHODS, fake, quant_of_range
from tinyc.quantize.recipe import Layer, Recipe, load_recipe, save_recipe
from tinyc.quantize.rounding import channel_scales, fit, nearest, reconstruct
from tinyc.quantize.search import magnitudes
from tinyc.quantize.simulate import choose


@given(low=st.floats(-1e6, 1e6), span=st.floats(0, 1e6))
@settings(max_examples=200, deadline=None)
def test_zero_is_exact_and_the_range_is_covered(low: float, span: float) -> None:
    quant = quant_of_range((low, low + span), DType.INT8)
    assert fake(np.zeros(1, np.float32), quant, DType.INT8)[0] == 0.0
    ends = np.array([min(low, 0.0), max(low + span, 0.0)], np.float32)
    assert np.abs(fake(ends, quant, DType.INT8) - ends).max() <= quant.scale[0] * 1.01


@pytest.mark.parametrize("method", sorted(METHODS))
def test_methods_give_ranges(method: str) -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(8, 1000)).astype(np.float32)
    low, high = METHODS[method](values)
    assert low < 0 < high
    assert METHODS[method](np.zeros((2, 5), np.float32)) == (0.0, 0.0)
    low, high = METHODS[method](np.maximum(values, 0))
    assert low == 0.0 and high > 1.0


def test_mse_cuts_outliers_off() -> None:
    values = np.random.default_rng(2).normal(size=(4, 50_000)).astype(np.float32)
    values[0, 0] = 30.0
    wide, narrow = (quant_of_range(METHODS[m](values), DType.INT8) for m in ("minmax", "mse"))
    errors = [np.square(fake(values, q, DType.INT8) - values).sum() for q in (wide, narrow)]
    assert errors[1] < errors[0]


def test_reconstruction_lowers_the_error_of_results() -> None:
    rng = np.random.default_rng(3)
    inputs = rng.normal(size=(400, 24)) @ rng.normal(size=(24, 24))
    weights = rng.normal(size=(10, 24))
    scales = channel_scales(weights, 7)
    covariance = inputs.T @ inputs / len(inputs)

    def error(rounded: np.ndarray) -> float:
        return float(np.square(inputs @ (rounded * scales[:, None] - weights).T).sum())

    assert error(reconstruct(weights, scales, covariance, 7)) < 0.7 * error(nearest(weights, scales, 7))


def test_fit_makes_up_for_wrong_inputs() -> None:
    rng = np.random.default_rng(4)
    right = rng.normal(size=(500, 6))
    wrong = right * 0.9
    weights = rng.normal(size=(3, 6))
    covariance = wrong.T @ wrong / len(wrong)
    missing = right @ weights.T - wrong @ weights.T
    moved = fit(weights, covariance, wrong.T @ missing / len(wrong), strength=1e-6)
    assert np.allclose(moved, weights / 0.9, rtol=1e-3)


def test_rows_of_zeros_have_a_scale() -> None:
    assert (channel_scales(np.array([[0.0, 0.0], [1.0, -2.0]])) > 0).all()
    assert (channel_scales(np.zeros((2, 2))) > 0).all()


@pytest.mark.parametrize("strength", [0.25, 1.0])
def test_equalization_is_exact_and_equalizes(tmp_path: Path, strength: float) -> None:
    graph = float_graph(residual_net(tmp_path / "net.onnx", int8=False))
    rng = np.random.default_rng(5)
    samples = [{"image": rng.normal(size=(1, 4, 8, 8)).astype(np.float32)} for _ in range(3)]
    before = [evaluate(graph, s) for s in samples]
    equalized = equalize(graph, magnitudes(graph, before), strength, choose(graph).nodes)
    after = [evaluate(equalized, s) for s in samples]
    output = graph.outputs[0]
    assert all(np.allclose(a[output], b[output], rtol=1e-4, atol=1e-6) for a, b in zip(after, before, strict=True))
    changed = [n for n in before[0] if n in after[0] and not np.allclose(after[0][n], before[0][n])]
    assert changed, "nothing was equalized"

    def spread(values: list[dict[str, np.ndarray]], name: str) -> float:
        largest = np.max([np.abs(v[name]).max(axis=(0, 2, 3)) for v in values], axis=0)
        return float(largest.max() / max(largest.min(), 1e-9))

    inner = next(n for n in changed if before[0][n].ndim == 4)
    assert spread(after, inner) < spread(before, inner)


def test_a_clamp_of_relu6_is_left_alone(tmp_path: Path) -> None:
    graph = float_graph(residual_net(tmp_path / "net.onnx", int8=False))
    real = [evaluate(graph, {"image": np.ones((1, 4, 8, 8), np.float32)})]
    from tinyc.ir.graph import Editor

    editor = Editor(graph)
    for node in graph.nodes():
        if node.op == "Conv" and node.attrs.clamp is not None:
            editor.replace(node, replace(node, attrs=replace(node.attrs, clamp=(0.0, 6.0))))
    clamped = editor.done()
    result = equalize(clamped, magnitudes(graph, real), 1.0, choose(clamped).nodes)
    for node in result.nodes():
        if node.op == "Conv" and node.attrs.clamp == (0.0, 6.0):
            assert np.array_equal(result.data(node.inputs[1]), clamped.data(clamped.node(node.name).inputs[1]))


def recipe() -> Recipe:
    layer = Layer(np.arange(-4, 4, dtype=np.int8).reshape(2, 4), (0.1, 0.25), np.array([0.5, -0.5], np.float32))
    quants = {DType.INT8: Quant((0.02,), (-3,)), DType.INT16: Quant((0.01,), (0,))}
    return Recipe("abc", {"conv": "int8", "gemm": "int16x8"}, {"x": quants},
                  {"conv": layer, "gemm": replace(layer, bias=None)}, {"ranges": "mse"})


def test_recipes_are_read_as_written(tmp_path: Path) -> None:
    save_recipe(recipe(), tmp_path / "r.json")
    again = load_recipe(tmp_path / "r.json", "abc")
    assert again.activations == recipe().activations and again.nodes == recipe().nodes
    assert again.settings == {"ranges": "mse"}
    for name, layer in recipe().layers.items():
        assert np.array_equal(again.layers[name].weights, layer.weights) and again.layers[name].scales == layer.scales
    assert again.layers["gemm"].bias is None
    save_recipe(again, tmp_path / "s.json")
    assert (tmp_path / "s.json").read_bytes() == (tmp_path / "r.json").read_bytes()


@pytest.mark.parametrize("change", [
    {"schema": 99}, {"model": "other"}, {"activations": {"x": {"int8": ["a", 0]}}}, {"activations": {"x": {}}},
    {"activations": {"x": {"int32": [1.0, 0]}}}, {"activations": {"x": {"int8": [0.0, 0]}}},
    {"nodes": {"conv": "int5"}}, {"layers": {"conv": {}}}, {"layers": 3},
])
def test_damaged_recipes(tmp_path: Path, change: dict[str, Any]) -> None:
    save_recipe(recipe(), tmp_path / "r.json")
    data = json.loads((tmp_path / "r.json").read_text())
    (tmp_path / "r.json").write_text(json.dumps({**data, **change}))
    with pytest.raises(TinycError):
        load_recipe(tmp_path / "r.json", "abc")


def test_hostile_recipes(tmp_path: Path) -> None:
    for text in ("", "[]", "null", "{", '{"schema": 1}'):
        (tmp_path / "r.json").write_text(text)
        with pytest.raises(TinycError):
            load_recipe(tmp_path / "r.json", "abc")
    with pytest.raises(TinycError, match="cannot read"):
        load_recipe(tmp_path / "absent.json", "abc")


def test_a_recipe_for_another_graph(tmp_path: Path) -> None:
    graph = float_graph(residual_net(tmp_path / "net.onnx", int8=False))
    with pytest.raises(TinycError, match="does not have"):
        insert_qdq(graph, replace(recipe(), layers={}))
    with pytest.raises(TinycError, match="does not have"):
        insert_qdq(graph, replace(recipe(), activations={}))
