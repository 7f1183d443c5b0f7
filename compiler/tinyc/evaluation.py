# SPDX-License-Identifier: Apache-2.0
"""How good a model is on cases: in float, as integers on the host, and on the target; and which layer costs it most."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tinyc.cases import Cases, load_cases
from tinyc.compiler import Compiled, Request, compile_imported, compile_model
from tinyc.errors import TinycError
from tinyc.ir.graph import Graph
from tinyc.ir.types import Array
from tinyc.passes.constants import dequantize_of_constant
from tinyc.quantize.runner import Runner
from tinyc.quantize.schemes import WEIGHTS_ONLY
from tinyc.quantize.search import decibels
from tinyc.targets import load_target
from tinyc.verification import onnxruntime_outputs, run_cases

LAYER_CASES = 32  # by which layers are compared, at even distances
_LABELS = "an integer array 'labels' with one class for each case, or the expected outputs as out:NAME"


@dataclass(frozen=True)
class Result:
    """One way to run the model on the first `cases` cases.

    accuracy: percent of right classes, where there are labels. agreement: percent of cases with float's class.
    decibels: signal-to-noise ratio of the outputs, float's being the signal. exact: cases that equal the host's.
    """

    name: str
    cases: int
    accuracy: float | None
    agreement: float
    decibels: float
    exact: int | None = None


@dataclass(frozen=True)
class LayerNoise:
    """A quantized layer's result against float's: signal-to-noise ratio in dB. `scheme`: of its integers, "weights"
    where only its weights are some."""

    name: str
    op: str
    scheme: str
    decibels: float


@dataclass(frozen=True)
class Evaluation:
    """All results, float's first, and the layers in order of execution (none where the model came quantized)."""

    results: tuple[Result, ...]
    layers: tuple[LayerNoise, ...]


def evaluate_model(
    request: Request, inputs: Path, labelled: bool, sample: int, show: Callable[[str], None]
) -> Evaluation:
    """Compiles and runs. `sample`: how many cases run on an emulated target. Raises TinycError."""
    board = compile_model(request, show)
    cases = load_cases(inputs, board.emitted.inputs, board.emitted.outputs)
    labels = labels_of(inputs, cases) if labelled else None
    host = compile_imported(board.imported, replace(request, target=load_target("host"), name=board.name), show)
    show(f"running {len(cases)} cases in onnxruntime and on the host")
    wanted = _first(onnxruntime_outputs(board, cases))
    results = [_result("float (onnxruntime)", wanted, wanted, labels)]
    integer = _first(run_cases(host, cases)[0])
    whole = board.request.quantize is not None and not board.request.quantize.weights_only
    results.append(_result("integer (host)" if whole else "host", integer, wanted, labels))
    if request.target.name != "host":
        few = Cases(cases.inputs[:sample], None)
        show(f"running {len(few)} cases on {request.target.name}")
        emulated = _first(run_cases(board, few)[0])
        exact = sum(np.array_equal(a, b, equal_nan=True) for a, b in zip(emulated, integer, strict=False))
        on_target = _result(request.target.name, emulated, wanted[:sample], labels)
        results.append(replace(on_target, exact=int(exact)))
    return Evaluation(tuple(results), layer_noise(board, cases))


def _first(outputs: Sequence[tuple[Array, ...]]) -> list[Array]:
    return [np.asarray(case[0], np.float64) for case in outputs]


def _result(name: str, got: Sequence[Array], wanted: Sequence[Array], labels: Sequence[int] | None) -> Result:
    classes = [class_of(array) for array in got]
    accuracy = None
    if labels is not None:
        accuracy = 100.0 * float(np.mean([c == label for c, label in zip(classes, labels, strict=False)]))
    agreement = 100.0 * float(np.mean([c == class_of(w) for c, w in zip(classes, wanted, strict=True)]))
    return Result(name, len(got), accuracy, agreement, decibels(zip(wanted, got, strict=True)))


def class_of(output: Array) -> int:
    """The place of the largest element; of a single one, whether it is above a half."""
    return int(np.argmax(output)) if output.size > 1 else int(output.reshape(()) > 0.5)


def labels_of(path: Path, cases: Cases) -> list[int]:
    """The class of each case. Raises TinycError."""
    labels = labels_in(path, len(cases))
    if labels is None:
        if cases.expected is None:
            raise TinycError(f"{path.name} has no labels", hint=_LABELS)
        return [class_of(np.asarray(case[0])) for case in cases.expected]
    return labels


def labels_in(path: Path, count: int) -> list[int] | None:
    """The classes of so many cases, from the array 'labels' (or 'label') of an .npz; None where there is none.

    Raises TinycError.
    """
    if path.suffix != ".npz":
        return None
    try:
        with np.load(path, allow_pickle=False) as archive:
            labels = next((archive[name] for name in ("labels", "label") if name in archive.files), None)
    except (OSError, ValueError, zipfile.BadZipFile, KeyError):
        raise TinycError(f"cannot read labels from {path}", hint=_LABELS) from None
    if labels is None:
        return None
    if labels.size != count or labels.shape[:1] != (count,) or labels.dtype.kind not in "iub":
        raise TinycError(f"{path.name}: labels are {labels.dtype.name}{list(labels.shape)} for {count} cases",
                         hint=_LABELS)
    return [int(label) for label in labels.reshape(-1)]


def layer_noise(compiled: Compiled, cases: Cases) -> tuple[LayerNoise, ...]:
    """Compares each layer of the graph in QDQ form with the float graph.

    Equalization scales channels, so each channel (axis 1) of an equalized layer is compared up to a factor.
    """
    if compiled.quantized is None or compiled.real is None:
        return ()
    real, quantized, runner = compiled.real, compiled.quantized, Runner()
    few = cases.inputs[:: -(-len(cases) // LAYER_CASES)]
    pairs = {node.name: (node.outputs[0], _quantized_name(quantized, node.outputs[0])) for node in real.nodes()
             if node.outputs[0] and quantized.has_value(node.outputs[0])}
    found: dict[str, list[tuple[Array, Array]]] = {name: [] for name in pairs}
    for case in few:
        wanted = runner.graph(real, dict(zip(real.inputs, case, strict=True)))
        got = runner.graph(quantized, dict(zip(quantized.inputs, case, strict=True)))
        for name, (before, after) in pairs.items():
            found[name].append((np.asarray(wanted[before], np.float64), np.asarray(got[after], np.float64)))
    layers = []
    for node in real.nodes():
        if node.name in pairs and real.type(node.outputs[0]).dtype.is_float:
            own = found[node.name] if node.outputs[0] in real.outputs else _aligned(found[node.name])
            layers.append(LayerNoise(node.name, node.op, _scheme(quantized, pairs[node.name][1]), decibels(own)))
    return tuple(layers)


def _quantized_name(graph: Graph[Any], value: str) -> str:
    """What the readers of a value read: it, or what DequantizeLinear makes of it."""
    for node in graph.consumers(value):
        if node.op == "QuantizeLinear":
            for reader in graph.consumers(node.outputs[0]):
                if reader.op == "DequantizeLinear":
                    return reader.outputs[0]
    return value


def _scheme(graph: Graph[Any], value: str) -> str:
    node = graph.producer(value)
    if node is not None and node.op == "DequantizeLinear":
        return str(node.attrs.dtype.label)
    stored = node is not None and any(i and dequantize_of_constant(graph, i) is not None for i in node.inputs)
    return WEIGHTS_ONLY if stored else "float"


def _aligned(pairs: Sequence[tuple[Array, Array]]) -> list[tuple[Array, Array]]:
    """Each channel of what was got, times the factor that brings it nearest to what was wanted."""
    if pairs[0][0].ndim < 2 or not pairs[0][0].size:
        return list(pairs)
    axes = tuple(k for k in range(pairs[0][0].ndim) if k != 1)
    dot = sum((want * got).sum(axis=axes, keepdims=True) for want, got in pairs)
    own = sum(np.square(got).sum(axis=axes, keepdims=True) for _, got in pairs)
    factor = np.asarray(dot) / np.where(np.asarray(own) > 0, own, 1.0)
    return [(want, got * factor) for want, got in pairs]
