# SPDX-License-Identifier: Apache-2.0
"""Padding where arm_convolve_wrapper_s8 would choose a function that ignores it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from integer_networks import Network
from tinyc.cases import Cases
from tinyc.compiler import Request, compile_imported
from tinyc.frontend import Imported
from tinyc.ir.evaluate import evaluate
from tinyc.ops.conv import ConvAttrs
from tinyc.targets import load_target
from tinyc.verification import run_cases


@pytest.mark.parametrize("target", ["host", "cortex-m4"])
@pytest.mark.parametrize(
    ("image", "kernel", "pads", "stride"),
    [
        ((1, 8), (1, 1), (1, 0, 1, 0), 1),
        ((4, 4), (1, 1), (0, 0, 1, 1), 1),
        ((4, 4), (1, 1), (0, 0, 1, 2), 2),
        ((1, 8), (1, 3), (1, 1, 1, 1), 1),
        ((1, 8), (1, 3), (0, 1, 0, 1), 1),
        ((1, 8), (1, 3), (0, 0, 1, 0), 1),
    ],
)
def test_padding_counts(
    target: str, image: tuple[int, int], kernel: tuple[int, int], pads: tuple[int, ...], stride: int
) -> None:
    net = Network(3)
    x = net.value((1, *image, 4))
    weights, bias = net.weights((6, *kernel, 4), 0)
    out = [(image[i] + pads[i] + pads[i + 2] - kernel[i]) // stride + 1 for i in (0, 1)]
    y = net.add("Conv", ConvAttrs((stride,) * 2, (1, 1), pads, 1, None, True), [x, weights, bias], (1, *out, 6))
    graph = net.done([x], y)
    given = np.random.default_rng(0).integers(-128, 128, (1, *image, 4)).astype(np.int8)
    request = Request(Path("m.onnx"), load_target(target))
    compiled = compile_imported(Imported(graph, "m", "", {}, (), graph.inputs, graph.outputs), request)
    outputs, _ = run_cases(compiled, Cases(((given,),), None), sanitize=target == "host")
    assert np.array_equal(outputs[0][0], evaluate(graph, {graph.inputs[0]: given})[graph.outputs[0]])
