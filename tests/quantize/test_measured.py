# SPDX-License-Identifier: Apache-2.0
"""Ranges chosen by measured error, and evaluation by onnxruntime that they rest on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from small_models import float_graph, residual_net, two_ports_net
from tinyc.ir.evaluate import evaluate
from tinyc.ir.graph import Editor, Graph, NoAttrs, Node
from tinyc.ir.types import DType, TensorType
from tinyc.quantize.measured import extremes_of, measured_outputs, measured_ranges
from tinyc.quantize.runner import Runner
from tinyc.quantize.search import Search, calibrate, decibels
from tinyc.quantize.simulate import Settings, choose

Values = dict[str, np.ndarray]


def images(count: int, seed: int = 0) -> list[Values]:
    rng = np.random.default_rng(seed)
    return [{"image": rng.normal(size=(1, 4, 8, 8)).astype(np.float32)} for _ in range(count)]


def chain(readers: int = 0) -> Graph[None]:
    """x -> Abs -> y, and so many more readers of x."""
    editor = Editor("chain")
    editor.temp("x", TensorType(DType.FLOAT32, (1, 1000)))
    editor.inputs = ("x",)
    for k in range(1 + readers):
        editor.temp(f"y{k}", TensorType(DType.FLOAT32, (1, 1000)))
        editor.add(Node(f"abs{k}", "Abs", NoAttrs(), ("x",), (f"y{k}",), position=k))
    editor.outputs = ("y0",)
    return editor.done()


def test_the_runner_agrees_with_numpy(tmp_path: Path) -> None:
    graph = float_graph(residual_net(tmp_path / "net.onnx", int8=False))
    for sample in images(3):
        got, want = Runner().graph(graph, sample), evaluate(graph, sample)
        assert got.keys() == want.keys()
        assert all(np.allclose(got[n], want[n], rtol=1e-4, atol=1e-5) for n in want)


def test_nodes_that_differ_in_their_operands_do_not_share_a_session(tmp_path: Path) -> None:
    graph = float_graph(two_ports_net(tmp_path / "two.onnx"))
    runner = Runner()
    rng = np.random.default_rng(1)
    for _ in range(2):
        sample = {name: rng.normal(size=4).astype(np.float32) for name in graph.inputs}
        assert np.allclose(runner.graph(graph, sample)[graph.outputs[1]],
                           sample["left"] * (sample["left"] + sample["right"]))


def method_of(samples: list[np.ndarray], value: str = "x") -> str:
    graph = chain()
    real = [{"x": x.astype(np.float32), "y0": np.abs(x).astype(np.float32)} for x in samples]
    chosen = choose(graph)
    return measured_ranges(graph, real, extremes_of(real, chosen.values), chosen, Runner())[value].method


def test_the_input_keeps_the_bounds_that_samples_show() -> None:
    rng = np.random.default_rng(2)
    assert method_of([rng.uniform(size=(1, 1000)) for _ in range(6)]) in ("minmax", "mse")


def test_values_that_are_all_large_get_room() -> None:
    """Few results, as loud as the sample is: the next one may well be louder, and their steps are fine."""
    rng = np.random.default_rng(3)
    flat = [rng.uniform(0.9, 1.0, size=(1, 1000)) * scale for scale in (0.1, 0.2, 0.2, 0.3, 0.3, 1.0)]
    assert method_of(flat, "y0").startswith("minmax*1.")


def test_large_values_that_are_few_get_no_room() -> None:
    rng = np.random.default_rng(4)
    tails = [rng.standard_t(2, size=(1, 1000)) for _ in range(12)]
    assert method_of(tails) in ("mse", "percentile", "entropy", "minmax*0.9", "minmax")


@pytest.mark.parametrize("count", [1, 2, 9])
def test_few_samples(tmp_path: Path, count: int) -> None:
    """With one sample there is nothing to hold out; the search still ends with a sound quantization."""
    graph = float_graph(residual_net(tmp_path / "net.onnx", int8=False))
    steps = calibrate(graph, images(count), "sha").steps
    assert steps[0].decibels > 20 and all(np.isfinite(s.decibels) for s in steps)


def test_what_is_held_out_takes_no_part(tmp_path: Path) -> None:
    """A sample that is judged may not be among those by which weights are rounded."""
    graph = float_graph(residual_net(tmp_path / "net.onnx", int8=False))
    search = Search(graph, images(8), frozenset())
    assert sorted(k for fold in search.folds for k in fold) == list(range(8))
    best = search.score(Settings(rounding="fit", correct_bias=True))
    at, result = search.at(0.0), search.final(Settings(rounding="fit", correct_bias=True))
    outputs = measured_outputs(at.graph)
    own = [decibels((r[o], v[o]) for o in outputs) for r, v in zip(at.real, result.values, strict=True)]
    assert best < float(np.mean(own))
