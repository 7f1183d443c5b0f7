# SPDX-License-Identifier: Apache-2.0
"""How far results move when intermediate results are rounded another way.

Two correct implementations differ by rounding, and a graph can amplify that without bound: a difference of nearly
equal numbers, a floor, a comparison. So where C and the expected outputs disagree, the graph is evaluated again,
several times, with noise of some rounding errors on the operands and results of every operator that rounds, and with a
step of noise on every result that is quantized (or may be, since tinyc also quantizes results that a quantized graph
leaves float). What moves with the noise says nothing about the compiler.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from fuzz_growing import Case
from fuzz_reference import Dropped, reads, run_node, versions_of
from fuzz_values import RECURRENT

RUNS = 12
RELATIVE = {"float32": 2.0**-21, "float64": 2.0**-50, "float16": 2.0**-10}
# In integers results have this scale, or the operand's, before they are brought to that which the model wants.
OWN_SCALE = {"Softmax": 1 / 256, "LogSoftmax": 16 / 256}  # that of TFLite's integer forms
KEEP_SCALE = ("AveragePool", "GlobalAveragePool", "Resize", "Upsample")


class Noisy:
    """Evaluates the part of a case that the given outputs depend on, with noise."""

    def __init__(self, case: Case, outputs: set[str], seed: int) -> None:
        self.case, self.rng, self.amplitude = case, np.random.default_rng(seed), 1 + seed % 2
        self.constants = {t.name for t in case.model.graph.initializer}
        self.values = {n: case.known[n] for n in (*self.constants, *case.inputs)}
        self.scales: dict[str, float] = {}
        wanted, self.nodes = set(outputs), list[onnx.NodeProto]()
        for node in reversed(case.model.graph.node):
            if wanted & set(node.output):
                self.nodes.insert(0, node)
                wanted |= set(reads(node))

    def run(self) -> dict[str, np.ndarray]:
        """All values. Raises Dropped where noise leads out of an operator's domain."""
        versions = versions_of(self.case.model)
        for node in self.nodes:
            outputs = [o for o in node.output if o]
            if node.op_type == "Constant":
                self.constants.add(outputs[0])
                self.values[outputs[0]] = self.case.known[outputs[0]]
                continue
            noisy = outputs[0] in self.case.inexact
            conversion = node.op_type in ("QuantizeLinear", "DequantizeLinear")
            operands = {n: self.values[n] for n in reads(node)}
            if noisy and not conversion:
                # Short constants may be scales or limits that decide on a shape.
                operands = {n: a if n in self.constants and a.ndim < 2 else self._rounded(a)
                            for n, a in operands.items()}
            if self.case.quantized and node.op_type in RECURRENT:  # their state is quantized in each step
                first = operands[node.input[0]]
                operands[node.input[0]] = np.asarray(first + 2 / 128 * self._signs(first), first.dtype)
            results = run_node(node, operands, self.constants, versions, outputs[0] in self.case.preferred)
            if node.op_type == "Equal":
                results = [results[0] ^ self._undecided(node)]
            if node.op_type == "DequantizeLinear":
                self.scales[outputs[0]] = float(np.max(operands[node.input[1]]))
            for name, array in zip(outputs, results, strict=True):
                if array.shape != self.case.known[name].shape:
                    raise Dropped("noise changes a shape")
                if outputs[0] in self.case.stepped and array.dtype.kind in "iu":
                    array = self._stepped(array)
                elif noisy and self.case.quantized and array.dtype == np.float32 and not conversion:
                    array = self._moved(array, node)
                elif noisy:
                    array = self._rounded(array, float(np.abs(array[np.isfinite(array)]).max(initial=0)) / 4
                                          if array.dtype.kind == "f" else 0.0)
                self.values[name] = array
        return self.values

    def _undecided(self, node: onnx.NodeProto) -> np.ndarray:
        """Where operands are equal but for rounding: noise keeps those apart that another rounding makes equal."""
        a, b = (self.case.known[name] for name in node.input)
        scale = RELATIVE.get(a.dtype.name)
        if scale is None or not self.case.inexact & {*node.input}:
            return np.zeros(np.broadcast_shapes(a.shape, b.shape), bool)
        with np.errstate(all="ignore"):
            x, y = a.astype(np.float64), b.astype(np.float64)
            return np.asarray((x != y) & (np.abs(x - y) <= scale * np.maximum(np.abs(x), np.abs(y))))

    def _rounded(self, array: np.ndarray, least: float = 0.0) -> np.ndarray:
        """`least`: of the magnitudes that make the noise, since operators may cancel inside."""
        scale = RELATIVE.get(array.dtype.name)
        if scale is None:
            return array
        with np.errstate(all="ignore"):
            moved = array + scale * np.maximum(np.abs(array.astype(np.float64)), least) * self._signs(array)
        return np.asarray(moved, array.dtype)

    def _signs(self, array: np.ndarray) -> np.ndarray:
        """Noise of full strength, up or down; the strength alternates from run to run."""
        return np.asarray(self.rng.choice([-1, 1], array.shape) * self.amplitude)

    def _stepped(self, array: np.ndarray) -> np.ndarray:
        limits = np.iinfo(array.dtype)
        moved = array.astype(np.int64) + self._signs(array)
        return np.asarray(np.clip(moved, limits.min, limits.max), array.dtype)

    def _moved(self, array: np.ndarray, node: onnx.NodeProto) -> np.ndarray:
        finite = array[np.isfinite(array)]
        step = (max(float(finite.max(initial=0)), 0.0) - min(float(finite.min(initial=0)), 0.0)) / 255
        if node.op_type in KEEP_SCALE:
            step = max(step, 0.5 * self.scales.get(node.input[0], 0.0))
        step = max(step, OWN_SCALE.get(node.op_type, 0.0))
        return np.asarray(array + step * self._signs(array), np.float32)


def _runs(case: Case, outputs: set[str]) -> Iterator[dict[str, np.ndarray]]:
    for seed in range(RUNS):
        try:
            yield Noisy(case, outputs, seed).run()
        except Dropped:
            continue


def sensitivity(case: Case, outputs: set[str]) -> dict[str, np.ndarray]:
    """How far each element of these outputs moved at most, in float64; zeros where noise has no effect."""
    moved = {n: np.zeros(case.expected[n].shape) for n in outputs}
    for values in _runs(case, outputs):
        for name in outputs:
            with np.errstate(all="ignore"):
                got, want = values[name].astype(np.float64), case.expected[name].astype(np.float64)
                away = np.where((got == want) | (np.isnan(got) & np.isnan(want)), 0.0, np.abs(got - want))
            moved[name] = np.maximum(moved[name], np.where(np.isnan(away), np.inf, away))
    return moved
