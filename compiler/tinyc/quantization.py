# SPDX-License-Identifier: Apache-2.0
"""A float model is quantized on request: to integers by calibration samples, or by ranges saved before; or its weights
alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyc.errors import TinycError
from tinyc.frontend import Imported
from tinyc.ir.graph import Graph
from tinyc.passes.constants import dequantize_of_constant
from tinyc.passes.fold_constants import fold_constants
from tinyc.passes.insert_qdq import insert_qdq
from tinyc.passes.insert_weights import insert_weights
from tinyc.passes.pipeline import PassFunction, run_passes
from tinyc.passes.remove_dead_code import remove_dead_code
from tinyc.quantize.recipe import Recipe, load_recipe, save_recipe
from tinyc.quantize.samples import load_samples
from tinyc.quantize.schemes import INT8, SCHEMES, WEIGHTS_ONLY
from tinyc.quantize.search import Step, calibrate
from tinyc.targets import Target

WITH_WEIGHTS = ("Conv", "ConvTranspose", "Gemm", "GRU", "LSTM", "MatMul", "RNN")  # operators whose operand 1 is weights


@dataclass(frozen=True)
class QuantizeRequest:
    """What the user asks of quantization. One of `samples`, `load` and `recipe` is there, or the scheme is that of
    weights only."""

    samples: Path | None = None
    load: Path | None = None
    save: Path | None = None
    keep_float: tuple[str, ...] = ()
    scheme: str | None = None  # of tinyc.quantize.schemes, for the nodes that have a form in it; int8 where not said
    recipe: Recipe | None = None
    budget: Mapping[str, float] | None = None  # of scheme auto, until schemes are chosen (see tinyc.explore)
    explored: Mapping[str, Any] | None = None  # how they were, for report.json

    @property
    def weights_only(self) -> bool:
        return self.scheme == WEIGHTS_ONLY


_FOUND: dict[tuple[QuantizeRequest, str, tuple[tuple[str, int, int], ...]], Recipe] = {}


def quantizer(
    request: QuantizeRequest, names: Sequence[str], sha256: str, show: Callable[[str], None]
) -> PassFunction:
    """The pass. `names`: the inputs' names in the model; `show` gets a line for each setting that is tried."""

    def run(graph: Graph[Any], _target: object) -> Graph[Any]:
        prepared = _prepared(graph, request.keep_float)
        if request.weights_only:  # those that are int8 already stay as they are
            graph = insert_weights(graph, request.keep_float)
            show(_weights_line(graph))
            return graph
        graph = prepared
        if request.recipe is not None:
            return insert_qdq(graph, request.recipe, request.keep_float)
        if request.load is not None:
            return insert_qdq(graph, _loaded(request, request.load, sha256), request.keep_float)
        assert request.samples is not None
        assert request.budget is None
        key = (request, sha256, _stamps(request.samples))
        if key not in _FOUND:  # verify and profile compile one model several times
            _FOUND[key] = _recipe(graph, request, names, sha256, show)
            if request.save is not None:
                save_recipe(_FOUND[key], request.save)
        return insert_qdq(graph, _FOUND[key], request.keep_float)

    return run


def float_graph(imported: Imported, target: Target, keep_float: Sequence[str]) -> Graph[Any]:
    """The graph that calibration sees. Raises TinycError where it cannot be quantized."""
    found: list[Graph[Any]] = []

    def keep(graph: Graph[Any], _target: object) -> Graph[Any]:
        found.append(_prepared(graph, keep_float))
        return graph

    run_passes(imported.graph, target, quantize=keep)
    return found[0]


def _loaded(request: QuantizeRequest, path: Path, sha256: str) -> Recipe:
    recipe = load_recipe(path, sha256)
    if request.scheme is not None and request.scheme not in recipe.nodes.values():
        raise TinycError(f"{path.name} has no layer in {request.scheme}",
                         hint="leave --quantize out, or calibrate again")
    return recipe


def _stamps(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, size and time of change of the samples' files, none where there are none."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    found = ((f.name, f.stat()) for f in files if f.exists())
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in found)


def _recipe(
    graph: Graph[Any], request: QuantizeRequest, names: Sequence[str], sha256: str, show: Callable[[str], None]
) -> Recipe:
    assert request.samples is not None
    samples = load_samples(request.samples, graph, names)

    def report(step: Step) -> None:
        show(f"calibration: {step.decibels:6.2f} dB {'+' if step.kept else ' '} {step.what}")

    show(f"calibration: {len(samples)} samples")
    return calibrate(graph, samples, sha256, frozenset(request.keep_float), report,
                     SCHEMES[request.scheme or INT8.name], lambda text: show(f"calibration: {text}")).recipe


def _weights_line(graph: Graph[Any]) -> str:
    """Which layers have weights of int8 and which stay float."""
    layers = [node for node in graph.nodes() if node.op in WITH_WEIGHTS]
    stored = [n for n in layers if dequantize_of_constant(graph, n.inputs[1]) is not None]
    rest = [f"{n.name!r}, {n.op}" for n in layers if graph.value(n.inputs[1]).is_const]
    count = sum(graph.type(n.inputs[1]).elements for n in stored)
    more = f" and {len(rest) - 5} more" if len(rest) > 5 else ""
    return (f"weights: {count:,} of {len(stored)} layers as int8"
            + (f"; float: {'; '.join(rest[:5])}{more}" if rest else ""))


def _prepared(graph: Graph[Any], keep_float: Sequence[str]) -> Graph[Any]:
    """Without constants to compute. Raises TinycError where the graph cannot be quantized as asked."""
    graph = remove_dead_code(fold_constants(graph, keep_dequantize=False))
    names = {node.name for node in graph.nodes()}
    for name in keep_float:
        if name not in names:
            raise TinycError(f"--keep-float {name!r} is no node of the model",
                             hint="tinyc inspect lists the nodes; some are folded into others before quantization")
    for node in graph.nodes():
        if node.op in ("QuantizeLinear", "DequantizeLinear") or node.integer:
            raise TinycError("the model is already quantized", node=f"{node.name!r}, {node.op}",
                             hint="compile it as it is, or quantize the float model")
    return graph
