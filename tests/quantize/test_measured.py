# SPDX-License-Identifier: Apache-2.0
"""Ranges chosen by measured error, and evaluation by onnxruntime that they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from small_models import float_graph, residual_net, two_ports_net
from tinyc.ir.evaluate import evaluate
from tinyc.ir.graph import Editor, Graph, NoAttrs, Node
from tinyc.ir.types import DType, TensorType
from tinyc.quantize.measured import Ranges, extremes_of, measured_outputs
from tinyc.quantize.ranges import Room
from tinyc.quantize.runner import Runner
from tinyc.quantize.search import Search, better, calibrate, decibels
from tinyc.quantize.simulate import Settings, Simulated, choose, simulate

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


def ranges_of(samples: list[np.ndarray]) -> Ranges:
    graph = chain()
    real = [{"x": x.astype(np.float32), "y0": np.abs(x).astype(np.float32)} for x in samples]
    chosen = choose(graph)
    return Ranges(graph, real, extremes_of(real, chosen.values), chosen, Runner())


def method_of(samples: list[np.ndarray], value: str = "x", prior: float = 1.0) -> str:
    return ranges_of(samples).choose(range(len(samples)), Room(halves=prior, prior=prior))[value].method


def test_the_input_keeps_the_bounds_that_samples_show() -> None:
    rng = np.random.default_rng(2)
    assert method_of([rng.uniform(size=(1, 1000)) for _ in range(6)]) in ("minmax", "mse")


def test_values_that_are_all_large_get_room() -> None:
    """Few results, as loud as the sample is: the next one may well be louder, and their steps are fine."""
    rng = np.random.default_rng(3)
    flat = [rng.uniform(0.9, 1.0, size=(1, 1000)) * scale for scale in (0.1, 0.2, 0.2, 0.3, 0.3, 1.0)]
    assert method_of(flat, "y0").startswith("minmax*1.")
    assert not method_of(flat, "y0", 0.0).startswith("minmax*1.")


def test_room_by_halves() -> None:
    """One half of the samples is ten times as loud as the other: the next ones may be ten times as loud again."""
    rng = np.random.default_rng(8)
    spread = [rng.normal(size=(1, 1000)) * scale for scale in (1.0, 1.0, 1.0, 10.0)]
    by_halves, by_prior = (ranges_of(spread).choose(range(4), Room(halves=halves))["y0"] for halves in (1.0, 0.0))
    assert by_halves.quants[DType.INT8].scale[0] > by_prior.quants[DType.INT8].scale[0]


def test_room_of_inputs() -> None:
    rng = np.random.default_rng(6)
    found = ranges_of([rng.uniform(-1, 1, size=(1, 1000)) for _ in range(4)])
    plain, wide = (found.choose(range(4), Room(inputs)) for inputs in (1.0, 1.125))
    (close,), (far,) = plain["x"].quants.values(), wide["x"].quants.values()
    assert far.scale[0] == pytest.approx(1.125 * close.scale[0], rel=1e-3)
    assert plain["y0"].quants == wide["y0"].quants


def test_ranges_are_those_of_the_samples_named() -> None:
    """What only others show takes no part, so that clipping it is seen where they are judged."""
    rng = np.random.default_rng(7)
    samples = [rng.uniform(size=(1, 1000)) * scale for scale in (1.0, 1.0, 1.0, 8.0)]
    few, alone, whole = ranges_of(samples).choose([0, 1, 2], Room()), ranges_of(samples[:3]), ranges_of(samples)
    assert few == alone.choose(range(3), Room())
    assert whole.choose(range(4), Room())["x"].quants[DType.INT8].scale[0] > 4 * few["x"].quants[DType.INT8].scale[0]


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
    assert search.parents and all(len(pair) == 2 for pair in search.parents)
    best = search.score(Settings(rounding="fit", correct_bias=True))
    at, result = search.at(0.0), search.final(Settings(rounding="fit", correct_bias=True))
    outputs = measured_outputs(at.graph)
    own = [decibels((r[o], v[o]) for o in outputs) for r, v in zip(at.real, result.values[:8], strict=True)]
    assert best.shape == (8,) and best.mean() < float(np.mean(own))


def test_mixtures_of_what_is_held_out_take_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = float_graph(residual_net(tmp_path / "net.onnx", int8=False))
    search = Search(graph, images(6), frozenset())
    counts = []

    def counted(graph: Graph[None], real: Sequence[Values], training: Sequence[int], *rest: Any) -> Simulated:
        counts.append(len(training))
        return simulate(graph, real, training, *rest)

    monkeypatch.setattr("tinyc.quantize.search.simulate", counted)
    search.score(Settings())
    search.final(Settings())
    kept = [sum(not pair & {*fold} for pair in search.parents) for fold in search.folds]
    folds = [6 - len(fold) + count for fold, count in zip(search.folds, kept, strict=True)]
    assert counts == [*folds, 6 + len(search.parents)]


def test_better_means_by_more_than_chance() -> None:
    before = np.array([30.0, 31.0, 29.0, 30.0])
    assert better(before + [1.0, 1.2, 0.9, 1.1], before)
    assert not better(before + [4.0, -3.0, 2.0, -2.0], before) and not better(before - 1.0, before)
    assert better(before[:1] + 0.1, before[:1])
