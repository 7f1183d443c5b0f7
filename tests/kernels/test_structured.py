# SPDX-License-Identifier: Apache-2.0
"""Networks with pruned and with clustered weights: the same results in less flash, and when that is chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_shadow import of_graph, watch

from integer_networks import Network
from tinyc.cases import random_cases
from tinyc.compiler import Compiled
from tinyc.ir import DType, Quant, TensorType
from tinyc.ir.evaluate import evaluate
from tinyc.kernels.structured_layers import StructuredKernel
from tinyc.kernels.structured_weights import pack_clustered, pack_sparse
from tinyc.ops.gemm import GemmAttrs
from tinyc.ops.view import ReshapeAttrs
from tinyc.profiling import linked_size, profile_compiled
from tinyc.verification import run_cases

TARGETS = ("host", "cortex-m0plus", "cortex-m4", "cortex-m55", "riscv32imac")
KIND = {"pruned": "sparse", "clustered": "clustered"}


class Structured(Network):
    """Weights of which a share is zero, or of 16 values."""

    def __init__(self, kind: str, zeros: float) -> None:
        super().__init__(21)
        self.kind, self.zeros = kind, zeros

    def weights(self, shape: tuple[int, ...], zero: float) -> tuple[str, str]:
        w = self.rng.integers(-127, 128, shape)
        w = np.where(self.rng.random(shape) < self.zeros, 0, w) if self.kind == "pruned" else w // 17 * 17
        per_channel = len(shape) > 2 or self.rng.random() < 0.5
        scale = tuple(float(s) for s in self.rng.uniform(0.001, 0.004, shape[0] if per_channel else 1))
        quant = Quant(scale, (0,) * len(scale), 0 if per_channel else None)
        bias = self.rng.integers(-3000, 3000, shape[0]).astype(np.int32)
        return (self.editor.const("w", w.astype(np.int8), TensorType(DType.INT8, shape, quant)),
                self.editor.const("b", bias, TensorType(DType.INT32, bias.shape)))

    def gemm(self, x: str, outputs: int) -> str:
        count, depth = self.editor.view().type(x).shape
        return self.add("Gemm", GemmAttrs(), [x, *self.weights((outputs, depth), 0.0)], (count, outputs))


def network(kind: str, zeros: float = 0.92) -> Any:
    """Conv 3x3 and 1x1, Gemm of 320 inputs and of several rows."""
    net = Structured(kind, zeros)
    first = net.value((1, 9, 7, 32))
    x = net.conv(net.conv(first, 48, kernel=3, pad=1, stride=2), 64)
    quant = net.editor.view().type(x).quant
    x = net.gemm(net.add("Reshape", ReshapeAttrs((4, 320)), [x], (4, 320), quant), 40)
    quant = net.editor.view().type(x).quant
    return net.done([first], net.gemm(net.add("Reshape", ReshapeAttrs((1, 160)), [x], (1, 160), quant), 60))


def compare(compiled: Compiled, graph: Any) -> None:
    cases = random_cases(compiled.emitted.inputs, 2)
    outputs, unaligned = run_cases(compiled, cases)
    assert unaligned is None
    for case, got in zip(cases.inputs, outputs, strict=True):
        want = evaluate(graph, {graph.inputs[0]: case[0]})[graph.outputs[0]]
        np.testing.assert_array_equal(got[0], want)


def kinds(compiled: Compiled) -> list[str]:
    """Of the layers: sparse, clustered or dense."""
    names = [layer["kernel"] for layer in compiled.report["layers"] if layer["op"] in ("Conv", "Gemm")]
    return [next((kind for kind in KIND.values() if kind in name), "dense") for name in names]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kind", KIND)
def test_exact(kind: str, target: str) -> None:
    """Whole images and row by row; each step reads and writes what it says."""
    graph = network(kind)
    for optimize in ("size", "ram") if target in ("host", "cortex-m4") else ("size",):
        compiled = of_graph(graph, target, optimize=optimize)
        if optimize == "size":
            assert kinds(compiled) == [KIND[kind]] * 4
        compare(compiled, graph)
        watch(compiled)


def dense(monkeypatch: pytest.MonkeyPatch, graph: Any, target: str, **options: Any) -> Compiled:
    with monkeypatch.context() as patch:
        for kernel in StructuredKernel.__subclasses__():
            patch.setattr(kernel, "obstacle", lambda *_: "not now", raising=True)
        return of_graph(graph, target, **options)


@pytest.mark.parametrize("target", ("cortex-m0plus", "cortex-m4", "cortex-m55", "riscv32imac"))
def test_sparse_is_smaller_and_not_slower(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = network("pruned", 0.98 if target == "cortex-m55" else 0.92)
    chosen, before = of_graph(graph, target), dense(monkeypatch, graph, target)
    assert "sparse" in kinds(chosen) and kinds(before) == ["dense"] * 4
    flash = [linked_size(c).flash for c in (chosen, before)]
    case = random_cases(chosen.emitted.inputs, 1).inputs[0]
    work = [profile_compiled(c, case)["instructions"] for c in (chosen, before)]
    assert flash[0] < 0.8 * flash[1] and work[0] <= work[1], (target, flash, work)


@pytest.mark.parametrize("target", ("cortex-m0plus", "cortex-m4", "cortex-m55", "riscv32imac"))
def test_clusters_halve_the_filters_of_size_builds(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = network("clustered")
    chosen = of_graph(graph, target, optimize="size")
    before = dense(monkeypatch, graph, target, optimize="size")
    filters = [sum(layer["filter_bytes"] for layer in c.report["layers"]) for c in (chosen, before)]
    assert filters[0] < 0.52 * filters[1]
    assert linked_size(chosen).flash < 0.75 * linked_size(before).flash


@pytest.mark.parametrize("target", TARGETS)
def test_weights_without_structure_stay_dense(target: str) -> None:
    for optimize in ("default", "size"):
        assert kinds(of_graph(network("pruned", 0.3), target, optimize=optimize)) == ["dense"] * 4


@pytest.mark.parametrize("kernels", ("cmsis-nn", "reference"))
def test_other_kernels_are_as_before(kernels: str) -> None:
    assert kinds(of_graph(network("pruned"), "cortex-m4", optimize="size", kernels=kernels)) == ["dense"] * 4


def test_what_cannot_be_packed() -> None:
    full = np.ones((2, 300), np.int8)
    assert pack_sparse(full) is None
    full[:, 7] = 0
    packed = pack_sparse(full)
    assert packed is not None and packed.bytes == 4 + 2 * (full.size - 2) and packed.stored == full.size - 2
    assert pack_clustered(np.arange(34, dtype=np.int8).reshape(2, 17)) is None
    own, shared = (pack_clustered(np.arange(n, dtype=np.int8).reshape(2, -1)) for n in (32, 16))
    assert own is not None and own.values is not None and own.values.shape == (2, 16)
    assert shared is not None and shared.values is not None and shared.values.shape == (1, 16)
