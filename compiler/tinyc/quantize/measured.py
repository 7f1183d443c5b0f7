# SPDX-License-Identifier: Apache-2.0
"""Which range suits a value best, measured by the error that its integers leave in what reads the value.

All methods of `tinyc.quantize.ranges` propose one. Steps too coarse blur, ranges too narrow cut off; a Conv or Gemm
that reads the value averages blur but not cuts, so the error is taken in its sums, relative to their energy. A sample
counts by the energy of the model's outputs for it: what is quiet inside may be as loud in the end. The noise of all
values adds up, so what is quiet may as well have more room.

And room it needs: few samples do not show the largest values to come. How often one half of the samples exceeds the
other by a factor says how often further inputs will; a prior counts as two more samples. What is chosen is the range
with the best expectation of the signal-to-noise ratio in dB over as many inputs again, louder copies of the samples
among them. The model's inputs come from outside, mostly with bounds that samples show. Whether they need room, and
whether what halves say is chance, is found out by samples that take no part (`tinyc.quantize.search`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array, DType, Quant
from tinyc.quantize.ranges import METHODS, Range, Room, fake, quant_of_range
from tinyc.quantize.runner import Runner
from tinyc.quantize.simulate import WEIGHTED, Chosen, Values, inherits

LOUDER = {1.25: (1.125, 1.5), 1.75: (1.5, math.inf)}  # factors, and the interval that each stands for
PRIOR_TAIL, PRIOR_SAMPLES = 4.0, 2.0  # a factor f with probability f^-PRIOR_TAIL / 2; counts as so many samples


@dataclass(frozen=True)
class Choice:
    """The method that was best for a value, and its range as a scale and zero point for each type."""

    method: str
    quants: Mapping[DType, Quant]


class Ranges:
    """Chooses a range for each value that is quantized and has no scale of another's, by any of the samples.

    real: the values of the samples by which errors are measured. extremes: each value's smallest and largest element,
    [samples, 2], of these and then of more samples.
    """

    def __init__(
        self, graph: Graph[Any], real: Sequence[Values], extremes: Mapping[str, Array], chosen: Chosen, runner: Runner
    ) -> None:
        self._graph, self._real, self._extremes, self._chosen = graph, real, extremes, chosen
        self._runner = runner
        self._names = [name for name in chosen.values if not inherits(graph, name, chosen)]
        self._noise: dict[tuple[str, Range], Mapping[float, Array]] = {}
        self._found: dict[tuple[tuple[int, ...], Room], dict[str, Choice]] = {}
        self._energies = np.array([sum(float(np.square(r[o], dtype=np.float64).sum()) for o in measured_outputs(graph))
                                   for r in real])

    def choose(self, places: Sequence[int], room: Room) -> Mapping[str, Choice]:
        """By the samples `places`, and by those of which only extremes are known."""
        key = tuple(places), room
        if key not in self._found:
            self._found[key] = self._choose(list(places), room)
        return self._found[key]

    def _choose(self, places: Sequence[int], room: Room) -> dict[str, Choice]:
        energies = self._energies[places]
        shares = energies / energies.mean() if energies.mean() > 0 else np.ones(len(places))
        seen = [*places, *range(len(self._real), len(next(iter(self._extremes.values()), ())))]
        tried = {}
        for name in self._names:
            bounds = self._bounds(name, places, self._extremes[name][seen])
            noise = self._noises(name, list(bounds))
            tried[name] = {bounds[b]: (b, {f: float(np.mean(shares * n[places])) for f, n in noise[b].items()})
                           for b in bounds}
        least = {name: min(noise[1.0] for _, noise in found.values()) for name, found in tried.items()}
        result = {}
        for name in self._names:
            outside = name in self._graph.inputs
            chances = {} if outside else _chances(self._extremes[name][seen], room)
            rest = sum(least.values()) - least[name] + 1e-12
            method = max(tried[name], key=lambda m: _expected(tried[name][m][1], rest, chances, len(seen)))
            grow = room.inputs if outside else 1.0
            low, high = tried[name][method][0]
            quants = {d: quant_of_range((low * grow, high * grow), d) for d in self._chosen.values[name]}
            result[name] = Choice(method, quants)
        return result

    def _bounds(self, name: str, places: Sequence[int], extremes: Array) -> dict[Range, str]:
        """All methods' ranges, equal ones once. Those that cut off what only samples show over which no error is
        taken are left out."""
        few = np.stack([self._real[k][name] for k in places]).reshape(-1)
        stacked = np.concatenate([few, extremes.reshape(-1)]).astype(np.float32)
        found: dict[Range, str] = {}
        for method, propose in METHODS.items():
            bounds = propose(stacked)
            unseen = len(extremes) > len(places) and (bounds[0] > extremes.min() or bounds[1] < extremes.max())
            if not unseen:
                found.setdefault(bounds, method)
        return found

    def _noises(self, name: str, bounds: Sequence[Range]) -> Mapping[Range, Mapping[float, Array]]:
        """Energy of the error relative to the signal's, for each sample, as it is and louder."""
        missing = [b for b in bounds if (name, b) not in self._noise]
        if missing:
            readers = _readers(self._graph, name, self._runner)
            dtype = self._chosen.values[name][0]
            arrays = [r[name] for r in self._real]
            wanted = [[read(array) for read in readers] for array in arrays]
            for b in missing:
                quant = quant_of_range(b, dtype)
                self._noise[name, b] = {
                    factor: np.array([_noise(array, want, readers, factor, quant, dtype)
                                      for array, want in zip(arrays, wanted, strict=True)])
                    for factor in (1.0, *LOUDER)}
        return {b: self._noise[name, b] for b in bounds}


def _expected(noise: Mapping[float, float], rest: float, chances: Mapping[float, float], count: int) -> float:
    """The expected signal-to-noise ratio over `count` inputs, in dB, beside the noise `rest` of all other values.

    noise: relative to the signal, of the samples (factor 1) and of louder copies.
    """
    usual = rest + noise[1.0]
    total = -(1.0 - sum(chances.values())) * math.log10(usual)
    for factor, chance in chances.items():
        share = factor**2 / (count - 1 + factor**2)  # of the energy: one of the inputs is louder
        total -= chance * math.log10(usual + share * noise[factor])
    return float(10 * total)


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


def extremes_of(values: Sequence[Values], names: Iterable[str]) -> dict[str, Array]:
    """Smallest and largest element of each of these values, [samples, 2]."""
    return {name: np.array([(float(v[name].min()), float(v[name].max())) for v in values]) for name in names}


Read = Callable[[Array], Array]


def _readers(graph: Graph[Any], name: str, runner: Runner) -> list[Read]:
    """Where the error of a value is taken: in the sums of what multiplies it with weights; else in itself."""
    def sums(node: Node) -> Read:
        plain = replace(node, attrs=replace(node.attrs, clamp=None), inputs=node.inputs[:2])
        weights = graph.data(node.inputs[1])
        return lambda array: runner.node(graph, plain, [array, weights])[0]

    consumers = graph.consumers(name)
    weighted = [n for n in consumers if n.op in WEIGHTED and n.inputs[0] == name and graph.value(n.inputs[1]).is_const]
    own: list[Read] = [] if weighted and len(weighted) == len(consumers) else [lambda array: array]
    return [sums(node) for node in weighted] + own


def _noise(
    array: Array, want: Sequence[Array], readers: Sequence[Read], factor: float, quant: Quant, dtype: DType
) -> float:
    """Energy of the error relative to that of the result, for the value times `factor`; the sum over the readers."""
    rounded = fake(array * np.float32(factor), quant, dtype)
    total = 0.0
    for read, result in zip(readers, want, strict=True):
        wide = result.astype(np.float64) * factor
        total += float(np.square(read(rounded) - wide).sum()) / max(float(np.square(wide).sum()), 1e-30)
    return total


def _chances(extremes: Array, room: Room) -> dict[float, float]:
    """The probability that one of as many inputs again is louder than all samples, for each factor of LOUDER."""
    peaks = sorted(np.abs(extremes).max(axis=1).tolist(), reverse=True)
    count = len(peaks)

    def exceeds(factor: float) -> float:
        """Whether the half with the largest peak is that of the inputs to come, and how large the other's may be."""
        seen = sum(0.5**k for k, peak in enumerate(peaks[1:], 1) if peaks[0] > factor * peak) / 2
        prior = 0.5 * math.pow(factor, -PRIOR_TAIL)
        return (room.halves * seen * count + room.prior * prior * PRIOR_SAMPLES) / (count + PRIOR_SAMPLES)

    return {factor: exceeds(low) - exceeds(high) for factor, (low, high) in LOUDER.items()}
