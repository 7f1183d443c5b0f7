# SPDX-License-Identifier: Apache-2.0
"""Random networks row by row: exact, sound in the shadow run, and never in a larger arena than as whole images."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from integer_networks import Network
from support import Model, compile_proto, differences, execute, with_onnxruntime
from tinyc.cases import Cases, random_cases
from tinyc.compiler import Compiled, Request, compile_imported
from tinyc.errors import TinycError
from tinyc.execute import written
from tinyc.frontend import Imported
from tinyc.ir import Graph, Quant
from tinyc.ir.evaluate import evaluate
from tinyc.kernels.stack import stack_estimate
from tinyc.ops.concat import ConcatAttrs
from tinyc.ops.conv import ConvAttrs
from tinyc.ops.elementwise import BinaryAttrs
from tinyc.ops.pool import PoolAttrs
from tinyc.shadow import shadow_run
from tinyc.targets import load_target
from tinyc.verification import run_cases


def uneven_conv(net: Network, rng: np.random.Generator, x: str, channels: int) -> str:
    """A convolution whose window, strides, dilations and paddings differ by axis and side."""
    n, h, w, c = net.editor.view().type(x).shape
    kernel = tuple(int(v) for v in rng.integers(1, 5, 2))
    dilations = tuple(int(rng.integers(1, 3)) if k > 1 else 1 for k in kernel)
    spans = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True))
    if spans[0] > h or spans[1] > w:
        return net.conv(x, channels)
    strides = tuple(int(v) for v in rng.integers(1, 4, 2))
    pads = tuple(int(rng.integers(0, k)) for k in (*kernel, *kernel))
    out = tuple((e + pads[i] + pads[i + 2] - spans[i]) // strides[i] + 1 for i, e in enumerate((h, w)))
    weights, bias = net.weights((channels, *kernel, c), 0.1)
    return net.add("Conv", ConvAttrs(strides, dilations, pads, 1, None, True), [x, weights, bias], (n, *out, channels))


def residual(net: Network, rng: np.random.Generator, x: str, stride: int) -> str:
    """Two convolutions beside the identity or a strided 1x1 convolution, and an Add."""
    c = net.editor.view().type(x).shape[3]
    skip = net.conv(x, c, 1, 0, 0.0, stride) if stride > 1 or rng.random() < 0.3 else x
    main = net.conv(net.conv(x, c, 3, 1, 0.0, stride), c, 3, 1, 0.0)
    types = [net.editor.view().type(v) for v in (main, skip)]
    return net.add("Add", BinaryAttrs((0.0, 6.0) if rng.random() < 0.5 else None), [main, skip], types[0].shape)


def network(seed: int) -> Graph[Any]:
    """Convolutions, depthwise convolutions, poolings and residual blocks on images that are higher than wide."""
    net, rng = Network(seed), np.random.default_rng(3000 + seed)
    first = x = net.value((1, int(rng.integers(14, 40)), int(rng.integers(3, 9)), int(rng.integers(1, 5))))
    values = [x]
    for _ in range(int(rng.integers(3, 8))):
        h, w = net.editor.view().type(x).shape[1:3]
        stride = int(rng.integers(1, 3)) if min(h, w) > 5 else 1
        channels = int(rng.integers(1, 12))
        kind = rng.integers(0, 7)
        if kind == 0:
            x = uneven_conv(net, rng, x, channels)
        elif kind == 1:
            x = residual(net, rng, x, stride)
        elif kind == 2 and min(h, w) > 3:
            x = net.pool(x, "MaxPool" if rng.random() < 0.5 else "AveragePool", int(rng.integers(2, 4)), stride)
        elif kind == 6:
            a, b = net.depthwise(x, 0.0, 3, stride), net.depthwise(x, 0.0, 5, stride)
            type_ = net.editor.view().type(a)
            n, h, w, c = type_.shape
            x = net.add("Concat", ConcatAttrs(3), [a, b, a], (n, h, w, 3 * c), type_.quant)
        elif kind == 3:
            x = net.depthwise(x, 0.0, 5 if rng.random() < 0.3 else 3, stride)
        else:
            x = net.conv(net.depthwise(x, 0.0, 3, stride), channels, 1, 0, 0.0)
        values.append(x)
    n, h, w, c = net.editor.view().type(x).shape
    if rng.random() < 0.5 and h > 1:
        attrs = PoolAttrs((h, w), (1, 1), (1, 1), (0,) * 4, channels_last=True)
        quant = Quant((0.017,), (-90,)) if seed % 2 else net.editor.view().type(x).quant
        x = net.add("AveragePool", attrs, [x], (n, 1, 1, c), quant)
    if rng.random() < 0.2:  # something in the middle is an output, too, and stays whole
        net.editor.inputs, net.editor.outputs = (first,), tuple(dict.fromkeys((values[len(values) // 2], x)))
        if len(net.editor.outputs) == 2 and first not in net.editor.outputs:
            return net.editor.done()
    return net.done([first], x)


def compiled(graph: Graph[Any], target: str = "host", **options: Any) -> Compiled:
    request = Request(Path("net.onnx"), load_target(target), plan_effort=0.3, **options)
    names = tuple(f"o{k}" for k in range(len(graph.outputs)))
    return compile_imported(Imported(graph, "net", "", {}, (), graph.inputs, names), request)


def exact(result: Compiled, seed: int, cases: int = 2) -> None:
    graph, rng = result.graph, np.random.default_rng(seed)
    shape = graph.type(graph.inputs[0]).shape
    inputs = [rng.integers(-128, 128, shape).astype(np.int8) for _ in range(cases)]
    sanitize = result.request.target.family == "host"
    outputs, unaligned = run_cases(result, Cases(tuple((i,) for i in inputs), None), sanitize=sanitize)
    assert unaligned is None
    for given, got in zip(inputs, outputs, strict=True):
        known = evaluate(graph, {graph.inputs[0]: given})
        for name, found in zip(graph.outputs, got, strict=True):
            assert np.array_equal(found, known[name]), seed


@pytest.mark.parametrize(
    ("target", "seeds"),
    [("host", range(0, 4)), ("cortex-m4", range(12, 15)), ("cortex-m55", range(15, 18)),
     ("cortex-m0plus", range(18, 20)), pytest.param("host", range(20, 36), marks=pytest.mark.slow)],
)
def test_networks_by_rows(target: str, seeds: Sequence[int]) -> None:
    loops = smaller = 0
    for seed in seeds:
        graph = network(seed)
        whole = compiled(graph, target)
        io = "caller" if seed % 3 == 0 else "arena"
        result = compiled(graph, target, optimize="ram", io=io)
        if io == "arena":
            assert result.arena.bytes <= whole.arena.bytes, seed
            smaller += result.arena.bytes < whole.arena.bytes
        loops += bool(result.program.rows)
        exact(result, seed)
        if target == "host":
            report = shadow_run(result, random_cases(result.emitted.inputs, 1))
            assert report.passed, (seed, report.first)
    assert loops >= len(seeds) // 2 and smaller >= len(seeds) // 3


@pytest.mark.parametrize("kernels", ["reference"])
@pytest.mark.parametrize("seed", range(3))
def test_portable_kernels(kernels: str, seed: int) -> None:
    exact(compiled(network(seed), "cortex-m4", optimize="ram", kernels=kernels), seed, 1)


def test_one_layer_may_gather_while_another_keeps_rows() -> None:
    """An image that an average reads by rows and that the next layers need as well."""
    net = Network(5)
    x = net.value((1, 20, 4, 3), Quant((0.05,), (3,)))
    a = net.conv(x, 8, 3, 1, 0.0)
    type_ = net.editor.view().type(a)
    mean = net.add("AveragePool", PoolAttrs((20, 4), (1, 1), (1, 1), (0,) * 4, channels_last=True), [a], (1, 1, 1, 8),
                   type_.quant)
    b = net.conv(a, 8, 3, 1, 0.0, 2)
    net.editor.inputs, net.editor.outputs = (x,), (mean, b)
    result = compiled(net.editor.done(), optimize="ram")
    assert len(result.program.rows) == 1 and result.program.rows[0].last == 2
    exact(result, 5)


def test_bound() -> None:
    """--ram: as it is where that fits, by rows as far as it has to be, an error that names the least found."""
    graph = network(7)
    whole, least = compiled(graph), compiled(graph, optimize="ram")
    stack = stack_estimate(whole.program)
    assert least.arena.bytes < whole.arena.bytes
    assert compiled(graph, ram=whole.arena.bytes + stack).program.rows == ()
    below = compiled(graph, ram=whole.arena.bytes + stack - 1)
    assert below.program.rows and below.arena.bytes < whole.arena.bytes
    exact(below, 7)
    tight = compiled(graph, ram=least.arena.bytes + stack)
    assert tight.arena.bytes <= least.arena.bytes
    with pytest.raises(TinycError, match=f"needs {least.arena.bytes + stack:,}"):
        compiled(graph, ram=least.arena.bytes + stack - 1)


def test_the_same_bytes_again() -> None:
    graph = network(3)
    first, second = compiled(graph, optimize="ram"), compiled(graph, optimize="ram")
    assert first.emitted.files == second.emitted.files


def test_report() -> None:
    result = compiled(network(7), optimize="ram")
    (rows, *_) = result.report["row_by_row"]
    assert rows["first"] < rows["last"] and rows["repeated_macs"] == 0 and rows["ticks"] > 10
    assert result.report["model"]["macs"] == replace(result).report["model"]["macs"]
    whole = compiled(network(7))
    assert result.report["model"]["macs"] == whole.report["model"]["macs"] and whole.report["row_by_row"] == []


WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror", "-fsyntax-only")


def test_no_warning() -> None:
    for seed in range(8):
        result = compiled(network(seed), optimize="ram", io="caller" if seed % 2 else "arena")
        with written(result) as folder:
            includes = [f"-I{folder / d}" for d in result.emitted.include_dirs]
            for compiler in ("gcc", "clang"):
                command = [compiler, *WARNINGS, *includes, folder / "net.c"]
                done = subprocess.run(command, capture_output=True, text=True)
                assert done.returncode == 0, done.stderr[:4000]


def float_network() -> onnx.ModelProto:
    """Channels-first as exporters write it: convolutions, a depthwise one, a residual Add, poolings, an average."""
    m = Model("floats")
    rng = np.random.default_rng(4)

    def conv(x: str, y: str, shape: tuple[int, ...], **attributes: Any) -> None:
        weights = m.const(f"{y}_w", (rng.standard_normal(shape) / 4).astype(np.float32))
        bias = m.const(f"{y}_b", rng.standard_normal(shape[0]).astype(np.float32))
        m.node("Conv", [x, weights, bias], [y], **attributes)

    m.inputs["x"] = rng.standard_normal((1, 3, 120, 9)).astype(np.float32)
    conv("x", "a", (8, 3, 3, 3), pads=[1, 1, 1, 1])
    m.node("Relu", ["a"], ["ar"])
    conv("ar", "b", (8, 1, 3, 3), pads=[1, 1, 1, 1], group=8)
    conv("b", "c", (8, 8, 1, 1))
    m.node("Add", ["c", "ar"], ["d"])
    m.node("Sigmoid", ["d"], ["e"])
    m.node("MaxPool", ["e"], ["f"], kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 0])
    conv("f", "g", (12, 8, 5, 3), strides=[2, 2], pads=[2, 1, 2, 1])
    m.node("AveragePool", ["g"], ["h"], kernel_shape=[2, 2], pads=[1, 0, 0, 1])
    m.node("GlobalAveragePool", ["h"], ["y"])
    m.outputs.append("y")
    return m.proto()


@pytest.mark.parametrize("target", ["host", "cortex-m4"])
def test_float_network(target: str) -> None:
    model = float_network()
    whole = compile_proto(model, target)
    result = compile_proto(model, target, optimize="ram")
    assert result.arena.bytes < whole.arena.bytes // 5
    (rows,) = result.program.rows
    assert (result.program.steps[0].op, rows.first) == ("Transpose", 0)  # planes become lines within the loop
    rng = np.random.default_rng(6)
    inputs = {"x": rng.standard_normal((1, 3, 120, 9)).astype(np.float32)}
    assert differences(execute(result, inputs), with_onnxruntime(model, inputs), 1e-4) == []
