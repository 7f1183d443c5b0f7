# SPDX-License-Identifier: Apache-2.0
"""Which settings quantize a network best: measured on samples that were held out, not chosen by taste.

Each step tries a few alternatives for one setting and keeps the best; what it brings is reported. The measure is the
signal-to-noise ratio of the outputs over samples that took no part in choosing ranges, weights and biases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinyc.ir.evaluate import evaluate
from tinyc.ir.graph import Graph
from tinyc.ir.types import Array
from tinyc.quantize.equalize import equalize
from tinyc.quantize.ranges import METHODS
from tinyc.quantize.recipe import Recipe
from tinyc.quantize.schemes import INT8, Scheme
from tinyc.quantize.simulate import Settings, Values, choose, simulate

FOLDS = 4
MAX_SAMPLES = 64  # more change little and cost time; taken at even distances
EQUALIZATIONS = (0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Step:
    """A setting that was tried, its signal-to-noise ratio in dB on held-out samples, and whether it was kept."""

    what: str
    decibels: float
    kept: bool


@dataclass(frozen=True)
class Calibration:
    """The graph that the recipe belongs to (equalized), the recipe, and how it was found."""

    graph: Graph[Any]
    recipe: Recipe
    settings: Settings
    steps: tuple[Step, ...]


def measured_outputs(graph: Graph[Any]) -> list[str]:
    """The outputs by which accuracy is judged: in front of a final Softmax or Sigmoid, which hide errors."""
    names = []
    for output in graph.outputs:
        node = graph.producer(output)
        while node is not None and node.op in ("Softmax", "Sigmoid", "LogSoftmax", "Reshape", "Identity"):
            if graph.value(node.inputs[0]).is_const:
                break
            output = node.inputs[0]
            node = graph.producer(output)
        names.append(output)
    return names


def decibels(pairs: Iterable[tuple[Array, Array]]) -> float:
    """Signal-to-noise ratio of (wanted, got) pairs, in dB; at most 200."""
    signal = noise = 0.0
    for want, got in pairs:
        signal += float(np.square(want, dtype=np.float64).sum())
        noise += float(np.square(np.asarray(want, np.float64) - got).sum())
    if noise <= signal * 1e-20:
        return 200.0
    return float(10 * np.log10(max(signal, 1e-300) / noise))


def magnitudes(graph: Graph[Any], real: Sequence[Values]) -> Mapping[str, Array]:
    """Root mean square of each channel (axis 1) of each value over the samples."""
    result = {}
    for value in graph.values():
        if value.is_const or not value.type.dtype.is_float or value.type.rank < 2:
            continue
        axes = tuple(k for k in range(value.type.rank) if k != 1)
        squares = [np.mean(np.square(r[value.name], dtype=np.float64), axis=axes) for r in real]
        result[value.name] = np.sqrt(np.mean(squares, axis=0))
    return result


class Search:
    """Samples, folds and the float graph's values for each strength of equalization."""

    def __init__(
        self, graph: Graph[Any], samples: Sequence[Values], keep_float: frozenset[str], scheme: Scheme = INT8
    ) -> None:
        self.graph = graph
        step = -(-len(samples) // MAX_SAMPLES)
        self.samples = list(samples[::step])
        self.chosen = choose(graph, keep_float, scheme)
        self._graphs: dict[float, tuple[Graph[Any], list[Values]]] = {0.0: (graph, self._real(graph))}
        count = min(FOLDS, len(self.samples))
        places = range(len(self.samples))
        self.folds = [[k for k in places if k % count == f] for f in range(count)] if count > 1 else []

    def _real(self, graph: Graph[Any]) -> list[Values]:
        return [evaluate(graph, sample) for sample in self.samples]

    def at(self, strength: float) -> tuple[Graph[Any], list[Values]]:
        """The graph after equalization, with each sample's values."""
        if strength not in self._graphs:
            plain, real = self._graphs[0.0]
            graph = equalize(plain, magnitudes(plain, real), strength, self.chosen.nodes)
            self._graphs[strength] = (graph, self._real(graph))
        return self._graphs[strength]

    def score(self, settings: Settings) -> float:
        """dB on samples held out in turn; with a single sample, on that."""
        graph, real = self.at(settings.equalize)
        outputs = measured_outputs(graph)
        everything = list(range(len(real)))
        pairs: list[tuple[Array, Array]] = []
        for fold in self.folds or [everything]:
            training = [k for k in everything if k not in fold] or everything
            result = simulate(graph, real, training, settings, self.chosen)
            pairs += [(real[k][o], result.values[k][o]) for k in fold for o in outputs]
        return decibels(pairs)


def calibrate(
    graph: Graph[Any], samples: Sequence[Values], sha256: str, keep_float: frozenset[str] = frozenset(),
    show: Callable[[Step], None] = lambda step: None, scheme: Scheme = INT8,
) -> Calibration:
    """The best of the settings for the samples. `graph`: float, channels-first, clamps and normalizations folded."""
    search = Search(graph, samples, keep_float, scheme)
    best = Settings()
    score = search.score(best)
    steps = [Step(str(best), score, True)]
    show(steps[0])

    def attempt(settings: Settings, what: str) -> None:
        nonlocal best, score
        got = search.score(settings)
        kept = got > score
        steps.append(Step(what, got, kept))
        show(steps[-1])
        if kept:
            best, score = settings, got

    for method in METHODS:
        if method != best.ranges:
            attempt(replace(best, ranges=method), f"ranges {method}")
    for rounding in ("reconstruct", "fit"):
        attempt(replace(best, rounding=rounding, correct_bias=True), f"rounding {rounding}, bias correction")
    if not best.correct_bias:
        attempt(replace(best, correct_bias=True), "bias correction")
    for strength in EQUALIZATIONS:
        attempt(replace(best, equalize=strength), f"equalization {strength:g}")
    final, real = search.at(best.equalize)
    result = simulate(final, real, list(range(len(real))), best, search.chosen)
    nodes = {name: own.name for name, own in search.chosen.nodes.items()}
    recipe = Recipe(sha256, nodes, result.activations, result.layers,
                    {"ranges": best.ranges, "equalize": f"{best.equalize:g}", "rounding": best.rounding,
                     "correct_bias": str(best.correct_bias)})
    return Calibration(final, recipe, best, tuple(steps))
