# SPDX-License-Identifier: Apache-2.0
"""The search: which scheme for each unit is best on a budget.

Each unit's schemes are guessed at by themselves, beside a model in int8; that gives a ladder of assignments from the
most accurate to the cheapest. Some of its rungs are measured, then those around the place where the budget ends, then
changes of single units of the best. What is measured depends on measurements only, never on how many run at a time.

With a bound on accuracy, the best is the cheapest within all bounds: the smallest sum of what bounded costs are of
their limits; flash where none is. Without, it is the one with the least noise within the bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from tinyc.budget import ACCURACIES, COSTS, WORDS, Budget, excess
from tinyc.compiler import Request
from tinyc.errors import TinycError
from tinyc.evaluation import labels_in
from tinyc.explore.ladder import Point, ladder
from tinyc.explore.trial import Guess, Judge, Task, Trial, guess, measure
from tinyc.explore.units import BASE, FLOAT, Assignment, Unit, uniform, units_of
from tinyc.explore.workers import Workers
from tinyc.frontend import import_model
from tinyc.ir.graph import Graph
from tinyc.quantization import float_graph
from tinyc.quantize.narrow import small_layers
from tinyc.quantize.runner import Runner
from tinyc.quantize.samples import load_samples
from tinyc.quantize.schemes import INT4W, INT16X8
from tinyc.quantize.search import Step, calibrate
from tinyc.toolchain.build import require_runnable

HELD_OUT = 8  # samples from which on every second one judges; fewer calibrate and judge
RUNGS = 6  # of the ladder, measured at a time
MOVES = 6  # changes of single units, measured at a time
ROUNDS = 4

Show = Callable[[str], None]


@dataclass(frozen=True)
class Exploration:
    """All trials in the order in which they were made; the place of the best one that keeps the budget, if any does.

    closest: of the one that misses it least. judged: how many samples judged, held_out: whether they took no part in
    calibration. labels: whether classes are those of labels, not of the float model.
    """

    units: tuple[Unit, ...]
    budget: Budget
    trials: tuple[Trial, ...]
    best: int | None
    closest: int
    judged: int
    held_out: bool
    labels: bool


def explore(request: Request, budget: Budget, workers: Workers, counted: bool, show: Show) -> Exploration:
    """`request`: with samples in `quantize`. counted: measure cycles, even where they are not bounded.

    Raises TinycError.
    """
    counts = {"cycles", "instructions"} & {*budget}
    if counts or counted:
        _check_counts(request, counts)
    task = _task(request, budget, bool(counts) or counted, show)
    search = _Search(task, budget, workers, show)
    search.run()
    trials = tuple(search.trials.values())
    missed = [sum(excess(t.figures, budget).values()) for t in trials]
    kept = [k for k, miss in enumerate(missed) if not miss]
    best = min(kept, key=lambda k: search.rank(trials[k])) if budget and kept else None
    closest = min(range(len(trials)), key=lambda k: (missed[k], search.rank(trials[k])))
    return Exploration(tuple(task.units), budget, trials, best, closest, len(task.judge.samples),
                       task.training is not task.judge.samples, task.judge.labels is not None)


def front(trials: Sequence[Trial]) -> list[int]:
    """The places of those that no other trial beats: that is nowhere worse, and better in a cost or snr."""
    words = [w for w in (*COSTS, "snr") if all(w in t.figures for t in trials)]
    points = [tuple(t.figures[w] * (-1 if WORDS[w].least else 1) for w in words) for t in trials]
    return [k for k, p in enumerate(points)
            if not any(all(a <= b for a, b in zip(q, p, strict=True)) and q != p for q in points)]


def _check_counts(request: Request, words: Iterable[str]) -> None:
    """TinycError where the target does not tell what is bounded."""
    require_runnable(request.target)
    for word in sorted(words):
        if request.target.family == "host" or (word == "cycles" and request.target.timing is None):
            raise TinycError(f"--budget {word}=: {request.target.name} does not count {word}",
                             hint="choose a target that QEMU emulates" if word != "cycles" else
                             "instructions= is known for all cores that QEMU emulates; `tinyc targets` lists them")


def _task(request: Request, budget: Budget, counted: bool, show: Show) -> Task:
    """The model, its samples and the settings by which it is calibrated to int8."""
    quantize = request.quantize
    if quantize is None or quantize.samples is None:
        raise TinycError("choosing schemes needs samples", hint="--calibrate SAMPLES.npz with typical inputs")
    if request.stateful:
        raise TinycError("schemes cannot be chosen with --stateful: samples are judged one by one",
                         hint="choose them without it, write --save-ranges, and compile with --load-ranges")
    if request.ram is not None:
        raise TinycError("--ram and a choice of schemes exclude each other", hint="--budget ram=SIZE")
    imported = import_model(request.model, request.dims)
    keep_float = frozenset(quantize.keep_float)
    graph = float_graph(imported, request.target, quantize.keep_float)
    samples = load_samples(quantize.samples, graph, imported.input_names)
    labels = labels_in(quantize.samples, len(samples))
    held_out = len(samples) >= HELD_OUT
    training, judging = (samples[::2], samples[1::2]) if held_out else (samples, samples)
    own_labels = labels[1::2] if labels is not None and held_out else labels
    runner = Runner()
    wanted = [np.asarray(runner.graph(graph, s)[graph.outputs[0]], np.float64) for s in judging]
    judge = Judge(judging, wanted, own_labels, _has_classes(graph, own_labels is not None))
    if "drop" in budget and not judge.classes:
        raise TinycError("--budget drop=: the model's first output has no classes", hint="snr=30 bounds its noise, dB")
    units = units_of(graph, keep_float)
    if request.require_integer:
        units = [replace(u, schemes=tuple(s for s in u.schemes if s != FLOAT)) for u in units]
    if not units:
        raise TinycError("no node of the model can be quantized", hint="compile it without --quantize")
    show(f"auto: {len(training)} samples to calibrate, {len(judging)} {'others ' if held_out else ''}to judge, "
         f"layers: {len(units)}")

    def report(step: Step) -> None:
        show(f"calibration: {step.decibels:6.2f} dB {'+' if step.kept else ' '} {step.what}")

    settings = calibrate(graph, training, imported.sha256, keep_float, report).settings
    plain = replace(request, quantize=None, dump_after=None, require_integer=False, strict_memory=False)
    return Task(imported, plain, graph, units, keep_float, settings, training, judge,
                counted and request.target.family != "host")


def _has_classes(graph: Graph[Any], labels: bool) -> bool:
    """Whether the first output is a vector; a single number is a class where there are labels only."""
    type_ = graph.type(graph.outputs[0])
    return type_.elements == max(type_.shape, default=1) and (type_.elements > 1 or labels)


class _Search:
    """Trials made so far, in their order."""

    def __init__(self, task: Task, budget: Budget, workers: Workers, show: Show) -> None:
        self.task, self.budget, self.workers, self.show = task, budget, workers, show
        self.units = task.units
        self.trials: dict[Assignment, Trial] = {}
        self.bounded = [w for w in COSTS if w in budget] or ["flash"]
        self.by_accuracy = any(w in budget for w in ACCURACIES)

    def run(self) -> None:
        points = self.guesses()
        rungs = ladder(points)
        if not self.by_accuracy:
            rungs.reverse()  # what the budget bounds grows along them
        base = uniform(self.units, BASE)
        narrow = uniform(self.units, INT4W.name, small_layers(self.task.graph))
        whole = (FLOAT,) if all(FLOAT in u.schemes for u in self.units) else ()
        self.measure([base, narrow, uniform(self.units, INT16X8.name), *(uniform(self.units, s) for s in whole)])
        self.climb(rungs)
        if self.budget:
            self.improve(points)

    def guesses(self) -> dict[str, list[Point]]:
        """What each unit's schemes cost and lose beside BASE, alone."""
        base = uniform(self.units, BASE)
        alone = [(k, scheme) for k, unit in enumerate(self.units) for scheme in unit.schemes if scheme != BASE]
        asked = [base, *((*base[:k], scheme, *base[k + 1:]) for k, scheme in alone)]
        found: list[Guess] = []
        for result in self.workers.map(partial(guess, self.task), asked):
            found.append(result)
            if len(found) % 10 == 0 or len(found) == len(asked):
                self.show(f"auto: {len(found)} of {len(asked)} guesses at schemes of single layers")
        first, *others = found
        points = {unit.name: [Point(BASE, 0.0, 0.0)] for unit in self.units}
        for (k, scheme), other in zip(alone, others, strict=True):
            cost = sum((other.figures[w] - first.figures[w]) / max(first.figures[w], 1) for w in self.bounded)
            points[self.units[k].name].append(Point(scheme, cost, other.noise - first.noise))
        return points

    def measure(self, assignments: Iterable[Assignment]) -> None:
        new = [a for a in dict.fromkeys(assignments) if a not in self.trials]
        for trial in self.workers.map(partial(measure, self.task), new):
            self.trials[trial.assignment] = trial
            self.show(f"auto: trial {len(self.trials)}: " + ", ".join(
                f"{word} {value:,}" for word, value in trial.figures.items()))

    def climb(self, rungs: Sequence[Assignment]) -> None:
        """Measures rungs all along, then between the last good one and the next."""
        self.measure(rungs[k] for k in _spread(0, len(rungs) - 1))
        words = ACCURACIES if self.by_accuracy else COSTS
        bounds = {w: limit for w, limit in self.budget.items() if w in words}
        while bounds:
            tried = [k for k, rung in enumerate(rungs) if rung in self.trials]
            good = [k for k in tried if not excess(self.trials[rungs[k]].figures, bounds)]
            beyond = [k for k in tried if good and k > good[-1]]
            if not beyond or beyond[0] == good[-1] + 1:
                return
            self.measure(rungs[k] for k in _spread(good[-1] + 1, beyond[0] - 1))

    def improve(self, points: dict[str, list[Point]]) -> None:
        """Changes single units of the best trial, the most promising first, for as long as that makes a better one."""
        for _ in range(ROUNDS):
            best = self.best()
            self.measure(self.moves(best, points))
            if self.best() is best:
                return

    def moves(self, trial: Trial, points: dict[str, list[Point]]) -> list[Assignment]:
        """What guesses promise most comes first; where they promise little, others may show that they are wrong."""
        found = []
        for k, (unit, own) in enumerate(zip(self.units, trial.assignment, strict=True)):
            now = next(p for p in points[unit.name] if p.scheme == own)
            for other in points[unit.name]:
                saved, lost = now.cost - other.cost, other.noise - now.noise
                if not self.by_accuracy:
                    saved, lost = -lost, -saved
                changed = (*trial.assignment[:k], other.scheme, *trial.assignment[k + 1:])
                if changed not in self.trials:
                    found.append((saved <= 0, lost / saved if saved > 0 else -saved, changed))
        return [changed for *_, changed in sorted(found)[:MOVES]]

    def best(self) -> Trial:
        """Among those that keep the budget, else the one that misses it least."""
        return min(self.trials.values(), key=lambda t: (sum(excess(t.figures, self.budget).values()), self.rank(t)))

    def rank(self, trial: Trial) -> tuple[float, float]:
        """The smaller the better."""
        cost = sum(trial.figures[w] / max(self.budget.get(w, 1), 1) for w in self.bounded)
        return (cost, -trial.figures["snr"]) if self.by_accuracy else (-trial.figures["snr"], cost)


def _spread(first: int, last: int) -> list[int]:
    """At most RUNGS numbers from first to last, both among them, at even distances."""
    return sorted({int(k) for k in np.linspace(first, last, RUNGS).round()})
