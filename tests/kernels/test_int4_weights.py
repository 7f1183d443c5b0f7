# SPDX-License-Identifier: Apache-2.0
"""ONNX models with weights of int4 behind DequantizeLinear: packed where an s4 function applies, exact always."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from command_line import refuse_compile
from tinyc.cases import random_cases
from tinyc.compiler import Compiled, Request, compile_model
from tinyc.ir.evaluate import evaluate
from tinyc.ir.types import DType
from tinyc.targets import load_target
from tinyc.verification import run_cases

INT8, INT4 = np.int8, ml_dtypes.int4


def save(path: Path, weights: type) -> Path:
    """Conv 3x3, Conv 1x1, depthwise Conv, grouped Conv and Gemm with the same weights, stored in either type."""
    rng = np.random.default_rng(5)
    nodes: list[onnx.NodeProto] = []
    initializers: list[onnx.TensorProto] = []

    def constant(name: str, array: np.ndarray) -> str:
        initializers.append(numpy_helper.from_array(array, name))
        return name

    def quantized(value: str, scale: float, zero: int) -> str:
        own = [constant(f"{value}.scale", np.array(scale, np.float32)), constant(f"{value}.zero", np.array(zero, INT8))]
        nodes.append(helper.make_node("QuantizeLinear", [value, *own], [f"{value}.q"]))
        nodes.append(helper.make_node("DequantizeLinear", [f"{value}.q", *own], [f"{value}.dq"]))
        return f"{value}.dq"

    def filters(name: str, shape: tuple[int, ...], per_channel: bool = True) -> str:
        count = shape[0] if per_channel else 1
        scale = rng.uniform(0.02, 0.05, count).astype(np.float32)
        names = [constant(name, rng.integers(-8, 8, shape).astype(weights)),
                 constant(f"{name}.scale", scale if per_channel else scale.reshape(())),
                 constant(f"{name}.zero", np.zeros(count if per_channel else (), weights))]
        axis = {"axis": 0} if per_channel else {}
        nodes.append(helper.make_node("DequantizeLinear", names, [f"{name}.dq"], **axis))
        return f"{name}.dq"

    def layer(op: str, x: str, name: str, shape: tuple[int, ...], per_channel: bool = True, **attributes) -> str:
        bias = constant(f"{name}.bias", rng.normal(size=shape[0]).astype(np.float32))
        operands = [x, filters(name, shape, per_channel), bias]
        nodes.append(helper.make_node(op, operands, [f"{name}.y"], name, **attributes))
        return quantized(f"{name}.y", 0.04, -3)

    x = quantized("image", 0.03, 5)
    x = layer("Conv", x, "first", (6, 3, 3, 3), pads=[1, 1, 1, 1])
    x = layer("Conv", x, "point", (8, 6, 1, 1))
    x = layer("Conv", x, "depth", (8, 1, 3, 3), group=8, pads=[1, 1, 1, 1], strides=[2, 2])
    x = layer("Conv", x, "groups", (4, 4, 2, 2), group=2)
    nodes.append(helper.make_node("Flatten", [x], ["flat"]))
    x = layer("Gemm", "flat", "dense", (5, 4 * 3 * 3), transB=1)
    x = layer("Gemm", x, "last", (7, 5), per_channel=False, transB=1)
    nodes.append(helper.make_node("Identity", [x], ["y"]))
    graph = helper.make_graph(
        nodes, "net", [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 7, 7])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 7])], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def compiled(model: Path, target: str, **options: str) -> Compiled:
    return compile_model(Request(model, load_target(target), require_integer=False, **options), lambda text: None)


@pytest.mark.parametrize("target", ["host", "cortex-m0plus", "cortex-m4", "cortex-m55"])
def test_exact_and_as_with_int8(tmp_path: Path, target: str) -> None:
    narrow = compiled(save(tmp_path / "int4.onnx", INT4), target)
    wide = compiled(save(tmp_path / "int8.onnx", INT8), target)
    cases = random_cases(narrow.emitted.inputs, 3)
    outputs, unaligned = run_cases(narrow, cases)
    assert unaligned is None
    for case, got in zip(cases.inputs, outputs, strict=True):
        values = [evaluate(r.graph, dict(zip(r.graph.inputs, case, strict=True))) for r in (narrow, wide)]
        assert np.array_equal(values[0][narrow.graph.outputs[0]], got[0])
        assert np.array_equal(values[1][wide.graph.outputs[0]], got[0])


def test_two_weights_a_byte(tmp_path: Path) -> None:
    """All but the grouped convolution, for which there is no such function; small layers alone may be loops."""
    result = compiled(save(tmp_path / "int4.onnx", INT4), "cortex-m4", optimize="speed")
    sizes = {step.name: step.filter_bytes for step in result.program.steps}
    weights = {n.name: result.graph.type(n.inputs[1]) for n in result.graph.nodes() if n.op in ("Conv", "Gemm")}
    assert all(t.dtype is DType.INT4 for t in weights.values())
    for name, type_ in weights.items():
        if getattr(result.graph.node(name).attrs, "group", 1) != 2:
            assert sizes[name] == type_.bytes == (type_.elements + 1) // 2


def test_int4_elsewhere_is_refused(tmp_path: Path) -> None:
    scale, zero = np.array(0.1, np.float32), np.zeros((), INT4)
    for name, graph in {
        "input": helper.make_graph(
            [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT)], "g",
            [helper.make_tensor_value_info("x", TensorProto.INT4, [4])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])]),
        "result": helper.make_graph(
            [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
             helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"])], "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])],
            [numpy_helper.from_array(scale, "s"), numpy_helper.from_array(zero, "z")]),
    }.items():
        path = tmp_path / f"{name}.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), path)
        assert "int4" in refuse_compile(path)
