# SPDX-License-Identifier: Apache-2.0
"""Models that remember: outputs that come back as inputs in the next run (--stateful h0=hn)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyc.errors import TinycError
from tinyc.frontend import Imported
from tinyc.frontend.load import read_model
from tinyc.ir.graph import Graph
from tinyc.ir.types import Array, TensorType

if TYPE_CHECKING:
    from tinyc.compiler import Compiled


@dataclass(frozen=True)
class Remembered:
    """Input `input` of the graph is output `output` of the run before; at first `initial`."""

    name: str  # of the input in the model
    input: int
    output: int
    initial: Array


def remembered(
    imported: Imported, graph: Graph[Any], pairs: Sequence[tuple[str, str]], outputs: Sequence[str]
) -> tuple[Remembered, ...]:
    """The state that the user asked for. `outputs`: their names in the graph's order. Raises TinycError."""
    found: list[Remembered] = []
    for source, result in pairs:
        where = f"--stateful {source}={result}"
        for kind, name, names in (("input", source, imported.input_names), ("output", result, outputs)):
            if name not in names:
                raise TinycError(f"{where}: the model has no {kind} {name!r}", hint=f"it has {', '.join(names)}")
        place, end = imported.input_names.index(source), list(outputs).index(result)
        if any(r.input == place or r.output == end for r in found):
            raise TinycError(f"{where}: an input or output is named twice", hint="each can be state once")
        before, after = graph.type(graph.inputs[place]), graph.type(graph.outputs[end])
        if before.dtype is not after.dtype or before.shape != after.shape:
            raise TinycError(f"{where}: the input is {before}, the output {after}",
                             hint="both need the same element type and shape")
        if before.quant != after.quant:
            raise TinycError(f"{where}: the input and the output are quantized with different scales",
                             hint="--io-dtype model or float32 keeps the state in real numbers")
        if not before.elements or before.labels is not None:
            raise TinycError(f"{where}: a state of type {before}", hint="numbers can be state")
        found.append(Remembered(source, place, end, _initial(imported.initial.get(source), before)))
    if found and len(found) == len(graph.outputs):
        raise TinycError("--stateful leaves the model without an output", hint="leave out one")
    return tuple(found)


def _initial(given: Array | None, type_: TensorType) -> Array:
    """The model's constant, else real zeros."""
    if given is not None:
        return given.astype(type_.dtype.numpy)
    zero = type_.quant.zero_point[0] if type_.quant is not None and not type_.dtype.is_float else 0
    return np.full(type_.shape, zero, type_.dtype.numpy)


class Memory:
    """The state from case to case, for evaluations beside the generated C."""

    def __init__(self, compiled: Compiled) -> None:
        self.parts = compiled.state
        self.values = [part.initial for part in self.parts]

    def inputs(self, given: Sequence[Array]) -> list[Array]:
        """All inputs of the graph: the user's with the state in between."""
        waiting = iter(given)
        own = {part.input: value for part, value in zip(self.parts, self.values, strict=True)}
        return [own[k] if k in own else next(waiting) for k in range(len(given) + len(own))]

    def keep(self, outputs: Sequence[Any]) -> None:
        """Takes the next state from all outputs of the graph."""
        self.values = [np.asarray(outputs[part.output]).reshape(part.initial.shape) for part in self.parts]

    def visible(self, outputs: Sequence[Any], exposed: bool = False) -> list[Any]:
        """The outputs that are not state."""
        hidden = set() if exposed else {part.output for part in self.parts}
        return [value for k, value in enumerate(outputs) if k not in hidden]


def pair_of(text: str) -> tuple[str, str]:
    """(input, output) of "h0=hn". Raises TinycError."""
    source, _, result = text.partition("=")
    if not source or not result:
        raise TinycError(f"--stateful {text!r} is not INPUT=OUTPUT", hint="for example --stateful h0=hn")
    return source, result


def shared_out(models: Sequence[Path], pairs: Sequence[tuple[str, str]]) -> list[tuple[tuple[str, str], ...]]:
    """For each of several models the pairs that it has. Raises TinycError for one that none has."""
    found: list[tuple[tuple[str, str], ...]] = []
    for path in models:
        graph = read_model(path)[0].graph
        sources = {v.name for v in (*graph.input, *graph.initializer)}
        results = {v.name for v in graph.output}
        found.append(tuple((i, o) for i, o in pairs if i in sources and o in results))
    for pair in pairs:
        if all(pair not in own for own in found):
            raise TinycError(f"--stateful {'='.join(pair)}: no model has that input and output",
                             hint="tinyc inspect shows a model's inputs")
    return found
