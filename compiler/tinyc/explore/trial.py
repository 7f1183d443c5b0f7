# SPDX-License-Identifier: Apache-2.0
"""One trial: a model with a scheme for each unit, guessed at or measured. Runs in any process, by its arguments alone.

A guess is for ranking: the noise of simulated integers, and costs as kernels state them. A measurement is of the
generated code: flash and RAM by the linker, cycles by QEMU, accuracy by its integers on the host.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinyc.cases import Cases
from tinyc.compiler import Compiled, Request, compile_imported
from tinyc.evaluation import class_of
from tinyc.explore.units import Assignment, Unit, float_nodes, scheme_of_nodes
from tinyc.frontend import Imported
from tinyc.ir.graph import Graph
from tinyc.ir.types import Array
from tinyc.kernels.lower import estimate
from tinyc.profiling import profile_compiled
from tinyc.quantization import QuantizeRequest
from tinyc.quantize.recipe import Recipe
from tinyc.quantize.samples import Sample
from tinyc.quantize.search import Search, decibels
from tinyc.quantize.simulate import Settings
from tinyc.report import size
from tinyc.targets import load_target
from tinyc.verification import run_cases

GUESSED = 16  # samples by which a guess is made, and as many that judge it


@dataclass(frozen=True)
class Judge:
    """Samples that took no part in calibration, with the first output of the float model for each.

    labels: the classes of the samples. classes: whether the largest element of the output is a class.
    """

    samples: Sequence[Sample]
    wanted: Sequence[Array]
    labels: Sequence[int] | None
    classes: bool

    def figures(self, outputs: Sequence[Array]) -> dict[str, float]:
        """snr: dB beside float. right: percent of right classes, by float's where there are no labels; drop: the
        percentage points that float has more."""
        got = [np.asarray(output, np.float64) for output in outputs]
        found = {"snr": round(decibels(zip(self.wanted, got, strict=True)), 3)}
        if self.classes:
            labels = self.labels if self.labels is not None else [class_of(w) for w in self.wanted]
            right, best = (sum(class_of(a) == c for a, c in zip(arrays, labels, strict=True))
                           for arrays in (got, self.wanted))
            found["right"] = round(100.0 * right / len(got), 3)
            found["drop"] = round(100.0 * (best - right) / len(got), 3)
        return found


@dataclass(frozen=True)
class Task:
    """What all trials of a model have in common. graph: float. counted: whether QEMU counts cycles."""

    imported: Imported
    request: Request
    graph: Graph[Any]
    units: Sequence[Unit]
    keep_float: frozenset[str]
    settings: Settings
    training: Sequence[Sample]
    judge: Judge
    counted: bool


@dataclass(frozen=True)
class Guess:
    """noise: its energy relative to the signal's. The rest as in tinyc.budget."""

    noise: float
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Trial:
    """What was measured, by the words of tinyc.budget and "right"; what is not known is not there."""

    assignment: Assignment
    figures: Mapping[str, float]
    recipe: Recipe


def guess(task: Task, assignment: Assignment) -> Guess:
    """By a few samples."""
    few, judges = _thinned(task.training), _thinned(task.judge.samples)
    recipe, ratio = _search(task, assignment, few).judged(task.settings, judges, task.imported.sha256)
    compiled = _compiled(task, recipe, plan_effort=0.0)
    kernels = estimate(compiled.graph, compiled.options)
    return Guess(10.0 ** (-ratio / 10), {"flash": kernels.flash, "ram": compiled.arena.bytes,
                                         "instructions": kernels.instructions, "cycles": kernels.instructions})


def measure(task: Task, assignment: Assignment) -> Trial:
    """By all samples, on the real code. Raises TinycError where the target's tools are missing."""
    recipe = _search(task, assignment, task.training).recipe(task.settings, task.imported.sha256)
    compiled = _compiled(task, recipe)
    figures: dict[str, float] = {}
    if task.counted:
        profile = profile_compiled(compiled, [task.judge.samples[0][name] for name in task.graph.inputs])
        figures |= {word: profile[word] for word in ("cycles", "instructions") if profile[word] is not None}
        figures |= {"flash": profile["flash"]["total"],
                    "ram": profile["ram"]["total"] - (profile["ram"]["stack"] or 0)}
    else:
        sizes = size.measure(compiled)
        figures |= {word: sizes[word]["total"] for word in ("flash", "ram")}
    host = _compiled(task, recipe, target=load_target("host"), kernels="auto", optimize="default", io_dtype="model",
                     ram=None, placement=None)
    cases = Cases(tuple(tuple(s[name] for name in task.graph.inputs) for s in task.judge.samples), None)
    figures |= task.judge.figures([outputs[0] for outputs in run_cases(host, cases)[0]])
    return Trial(assignment, figures, recipe)


def _search(task: Task, assignment: Assignment, samples: Sequence[Sample]) -> Search:
    floats = task.keep_float | float_nodes(task.units, assignment)
    return Search(task.graph, samples, floats, schemes=scheme_of_nodes(task.units, assignment))


def _compiled(task: Task, recipe: Recipe, **changes: Any) -> Compiled:
    request = replace(task.request, quantize=QuantizeRequest(recipe=recipe), **changes)
    return compile_imported(task.imported, request, lambda text: None)


def _thinned(samples: Sequence[Sample]) -> Sequence[Sample]:
    """At most GUESSED, at even distances."""
    return samples[:: -(-len(samples) // GUESSED)]
