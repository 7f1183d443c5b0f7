# SPDX-License-Identifier: Apache-2.0
"""Which range suits a value best, measured by the error that its integers leave in what reads the value.

All methods of `tinyc.quantize.ranges` propose one. Steps too coarse blur, ranges too narrow cut off; a Conv or Gemm
that reads the value averages blur but not cuts, so the error is taken in its sums. It counts relative to each sample's
own energy: quiet samples count as much as loud ones.

Few samples do not show the largest values to come: of N + 1 inputs, the last is the loudest with probability
1 / (N + 1). With that weight each range is also judged by louder copies of the samples. Where values are many and few
of them large, that hardly moves the choice; where all are large (means, a classifier's results), room is cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array, DType, Quant
from tinyc.quantize.ranges import METHODS, Range, fake, quant_of_range
from tinyc.quantize.runner import Runner
from tinyc.quantize.simulate import WEIGHTED, Chosen, Values, inherits

LOUDER = (1.25, 1.75)
MAX_SAMPLES = 16  # of those that the error is taken over


@dataclass(frozen=True)
class Choice:
    """The method that was best for a value, and its range as a scale and zero point for each type."""

    method: str
    quants: Mapping[DType, Quant]


def measured_ranges(
    graph: Graph[Any], real: Sequence[Values], chosen: Chosen, runner: Runner,
    tick: Callable[[str], None] = lambda name: None,
) -> dict[str, Choice]:
    """A range for each value that is quantized and has no scale of another's. real: the samples' values."""
    result = {}
    for name, dtypes in chosen.values.items():
        if not inherits(graph, name, chosen):
            tick(name)
            result[name] = _best(graph, name, dtypes, real, runner)
    return result


def _best(graph: Graph[Any], name: str, dtypes: Sequence[DType], real: Sequence[Values], runner: Runner) -> Choice:
    everything = [r[name] for r in real]
    few = everything[:: -(-len(everything) // MAX_SAMPLES)]
    readers = _readers(graph, name, runner)
    louder = () if name in graph.inputs and _bounded(everything) else LOUDER
    weights = {1.0: 1.0} | {factor: 1.0 / (len(everything) + 1) / len(louder) for factor in louder}
    wanted = [[read(array) for read in readers] for array in few]
    stacked = np.stack(everything)
    best: tuple[float, str, Range] | None = None
    for method, propose in METHODS.items():
        bounds = propose(stacked)
        if best is not None and bounds == best[2]:
            continue
        quant = quant_of_range(bounds, dtypes[0])
        error = sum(weight * _noise(array, want, readers, factor, quant, dtypes[0])
                    for factor, weight in weights.items() for array, want in zip(few, wanted, strict=True))
        if best is None or error < best[0]:
            best = (error, method, bounds)
    assert best is not None
    return Choice(best[1], {dtype: quant_of_range(best[2], dtype) for dtype in dtypes})


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


def _bounded(arrays: Sequence[Array]) -> bool:
    """Whether several samples have the same extremes: no chance, but the bound of what the model is given."""
    tops, bottoms = ([float(f(a)) for a in arrays] for f in (np.max, np.min))
    return tops.count(max(tops)) > 1 and (bottoms.count(min(bottoms)) > 1 or min(bottoms) >= 0)
