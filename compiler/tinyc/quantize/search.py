# SPDX-License-Identifier: Apache-2.0
"""Which settings quantize a network best: measured on samples that were held out, not chosen by taste.

Ranges have a method for each value (`tinyc.quantize.measured`). Each step tries a few alternatives for one setting and
keeps the best; what it brings is reported. The measure is the signal-to-noise ratio of the outputs on samples that took
no part in choosing ranges, weights and biases: the mean over samples in dB, so that none of them decides alone. An
alternative must be better by more than chance. Few samples are also judged with noise below a step of the input, other
roundings of the same signal, and weights are rounded by weighted means of two samples as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Graph
from tinyc.ir.types import Array, DType, Quant
from tinyc.quantize.equalize import equalize
from tinyc.quantize.measured import Choice, Ranges, extremes_of, measured_outputs
from tinyc.quantize.ranges import Room
from tinyc.quantize.recipe import Recipe
from tinyc.quantize.runner import Runner
from tinyc.quantize.schemes import INT8, Scheme
from tinyc.quantize.simulate import Settings, Simulated, Values, choose, simulate

FOLDS = 4
MAX_SAMPLES = 64  # by which weights and settings are chosen, taken at even distances; extremes are those of all
MIXED = 64  # mixtures of two samples by which weights and biases are chosen as well; each sample makes up for two
JUDGED = 24  # fewer samples are judged several times, with noise
START = Settings(rounding="reconstruct", correct_bias=True)  # what follows are alternatives to it
ROOMS = (Room(halves=0.0), Room(halves=0.3, prior=0.3))
INPUT_ROOM = 1.125
EQUALIZATIONS = (0.25, 0.5)
ROUNDINGS = ("nearest", "fit")


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
    """Largest magnitude of each channel (axis 1) of each value over the samples."""
    result = {}
    for value in graph.values():
        if value.is_const or not value.type.dtype.is_float or value.type.rank < 2:
            continue
        axes = tuple(k for k in range(value.type.rank) if k != 1)
        result[value.name] = np.max([np.abs(r[value.name]).max(axis=axes) for r in real], axis=0).astype(np.float64)
    return result


@dataclass(frozen=True)
class Equalized:
    """The graph for one strength of equalization; values of samples, copies and mixtures; the samples' ranges."""

    graph: Graph[Any]
    real: Sequence[Values]
    copies: Sequence[Values]
    mixed: Sequence[Values]
    ranges: Ranges

    def quants(self, places: Sequence[int], room: Room) -> Mapping[str, Mapping[DType, Quant]]:
        """By the samples `places`."""
        return {name: choice.quants for name, choice in self.ranges.choose(places, room).items()}


class Search:
    """Samples, folds and the float graph's values for each strength of equalization."""

    def __init__(
        self, graph: Graph[Any], samples: Sequence[Values], keep_float: frozenset[str], scheme: Scheme = INT8,
        say: Callable[[str], None] = lambda text: None, schemes: Mapping[str, Scheme] | None = None,
    ) -> None:
        self.say = say
        self.runner = Runner()
        step = -(-len(samples) // MAX_SAMPLES)
        self.samples = list(samples[::step])
        self.others = [sample for k, sample in enumerate(samples) if k % step]
        self.copied = max(1, JUDGED // len(self.samples)) - 1  # copies of each
        self.copies = _disturbed(graph, self.samples, self.copied)
        self.parents, self.mixed = _mixtures(graph, self.samples, MIXED - 2 * len(self.samples))
        self.keep_float = keep_float
        self.chosen = choose(graph, keep_float, scheme, schemes)
        self._at: dict[float, Equalized] = {}
        self._plain = graph
        count = min(FOLDS, len(self.samples))
        places = range(len(self.samples))
        self.folds = [[k for k in places if k % count == f] for f in range(count)] if count > 1 else [[0]]

    def at(self, strength: float) -> Equalized:
        """The graph after equalization, with values and ranges."""
        if strength not in self._at:
            graph = self._plain
            if strength:
                plain = self.at(0.0)
                graph = equalize(graph, magnitudes(graph, plain.real), strength, self.chosen.nodes)
            real, copies, mixed = ([self.runner.graph(graph, s) for s in group]
                                   for group in (self.samples, self.copies, self.mixed))
            self.say(f"choosing ranges of {len(self.chosen.values)} values, equalization {strength:g}")
            extremes = extremes_of(real, self.chosen.values)
            for sample in self.others:
                more = extremes_of([self.runner.graph(graph, sample)], self.chosen.values)
                extremes = {name: np.concatenate([pairs, more[name]]) for name, pairs in extremes.items()}
            ranges = Ranges(graph, real, extremes, self.chosen, self.runner)
            self._at[strength] = Equalized(graph, real, copies, mixed, ranges)
        return self._at[strength]

    def score(self, settings: Settings) -> Array:
        """dB of each sample, held out in turn, the mean of it and its copies; of a single sample itself."""
        at = self.at(settings.equalize)
        outputs = measured_outputs(at.graph)
        found = np.zeros(len(at.real))
        for fold in self.folds:
            training = [k for k in range(len(at.real)) if k not in fold] or fold
            judged = [at.real[k] for k in fold]
            judged += [at.copies[k * self.copied + c] for k in fold for c in range(self.copied)]
            result = self._simulated(settings, training, judged)
            pairs = zip(judged, result.values[-len(judged):], strict=True)
            own = np.array([decibels((want[o], got[o]) for o in outputs) for want, got in pairs])
            copies = own[len(fold):].reshape(len(fold), self.copied)
            found[fold] = np.concatenate([own[:len(fold), None], copies], axis=1).mean(axis=1)
        return found

    def final(self, settings: Settings) -> Simulated:
        """The quantization by all samples."""
        return self._simulated(settings, range(len(self.samples)), [])

    def judged(self, settings: Settings, samples: Sequence[Values], sha256: str) -> tuple[Recipe, float]:
        """As `recipe`, and the dB of further samples together."""
        at = self.at(settings.equalize)
        real = [self.runner.graph(at.graph, sample) for sample in samples]
        result = self._simulated(settings, range(len(self.samples)), real)
        pairs = zip(real, result.values[-len(real):], strict=True)
        noise = decibels((want[o], got[o]) for want, got in pairs for o in measured_outputs(at.graph))
        return self._recipe(result, settings, sha256), noise

    def recipe(self, settings: Settings, sha256: str) -> Recipe:
        """What `final` decides, for the model file with this hash."""
        return self._recipe(self.final(settings), settings, sha256)

    def _recipe(self, result: Simulated, settings: Settings, sha256: str) -> Recipe:
        ranges = self.at(settings.equalize).ranges.choose(range(len(self.samples)), settings.room)
        nodes = {name: own.name for name, own in self.chosen.nodes.items()}
        return Recipe(sha256, nodes, result.activations, result.layers,
                      {"ranges": _summary(ranges), "room": str(settings.room), "equalize": f"{settings.equalize:g}",
                       "rounding": settings.rounding, "correct_bias": str(settings.correct_bias)},
                      tuple(sorted(self.keep_float)))

    def _simulated(self, settings: Settings, training: Sequence[int], judged: Sequence[Values]) -> Simulated:
        """By the samples `training` and their mixtures, which come first."""
        at = self.at(settings.equalize)
        known = [at.real[k] for k in training]
        known += [values for pair, values in zip(self.parents, at.mixed, strict=True) if pair <= {*training}]
        return simulate(at.graph, [*known, *judged], range(len(known)), settings, self.chosen,
                        at.quants(training, settings.room), self.runner)


def _disturbed(graph: Graph[Any], samples: Sequence[Values], count: int) -> list[Values]:
    """`count` copies of each sample; real inputs with noise of half a step of 8 bits."""
    rng = np.random.default_rng(0)
    result = []
    steps = {name: float(np.ptp([s[name] for s in samples])) / 255
             for name in graph.inputs if graph.type(name).dtype.is_float}
    for sample in samples:
        for _ in range(count):
            noise = {n: (rng.normal(size=sample[n].shape) * step / 2).astype(np.float32) for n, step in steps.items()}
            result.append({**sample, **{n: (sample[n] + noise[n]).astype(sample[n].dtype) for n in noise}})
    return result


def _mixtures(
    graph: Graph[Any], samples: Sequence[Values], count: int
) -> tuple[list[frozenset[int]], list[Values]]:
    """So many weighted means of two samples, with the places of those; inputs that are not real are the first's."""
    rng = np.random.default_rng(0)
    parents, result = [], []
    for _ in range(count if len(samples) > 1 else 0):
        first, second = (int(k) for k in rng.choice(len(samples), 2, replace=False))
        share = np.float32(rng.uniform(0.2, 1.0))
        parents.append(frozenset((first, second)))
        result.append({name: value * share + samples[second][name] * (1 - share)
                       if graph.type(name).dtype.is_float else value for name, value in samples[first].items()})
    return parents, result


def calibrate(
    graph: Graph[Any], samples: Sequence[Values], sha256: str, keep_float: frozenset[str] = frozenset(),
    show: Callable[[Step], None] = lambda step: None, scheme: Scheme = INT8,
    say: Callable[[str], None] = lambda text: None,
) -> Calibration:
    """The best of the settings for the samples. `graph`: float, channels-first, clamps and normalizations folded.

    show: gets each setting that was tried; say: what is being done, where that takes long.
    """
    search = Search(graph, samples, keep_float, scheme, say)
    best = START
    scores = search.score(best)
    steps = [Step(str(best), float(scores.mean()), True)]
    show(steps[0])

    def attempt(settings: Settings, what: str) -> None:
        nonlocal best, scores
        got = search.score(settings)
        kept = better(got, scores)
        steps.append(Step(what, float(got.mean()), kept))
        show(steps[-1])
        if kept:
            best, scores = settings, got

    for strength in EQUALIZATIONS:
        attempt(replace(best, equalize=strength), f"equalization {strength:g}")
    for room in ROOMS:
        attempt(replace(best, room=room), str(room))
    attempt(replace(best, room=replace(best.room, inputs=INPUT_ROOM)), "room of inputs")
    for rounding in ROUNDINGS:
        attempt(replace(best, rounding=rounding), f"rounding {rounding}")
    attempt(replace(best, correct_bias=False), "no bias correction")
    recipe = search.recipe(best, sha256)
    return Calibration(search.at(best.equalize).graph, recipe, best, tuple(steps))


def better(got: Array, before: Array) -> bool:
    """Whether dB of the same samples rose by more than chance: by more than the standard error of the mean gain."""
    gain = got - before
    error = gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else 0.0
    return bool(gain.mean() > error)


def _summary(ranges: Mapping[str, Choice]) -> str:
    """How often each method was the best."""
    counts = Counter(choice.method for choice in ranges.values())
    return ", ".join(f"{method} ({count})" for method, count in sorted(counts.items(), key=lambda c: (-c[1], c[0])))
