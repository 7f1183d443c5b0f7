# SPDX-License-Identifier: Apache-2.0
"""Float layers with weights of int8: models that come so, and `--quantize weights`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from command_line import invoke, refuse_compile, succeed
from small_models import residual_net
from tinyc.cases import random_cases
from tinyc.compiler import Compiled, Request, compile_model
from tinyc.ir.types import DType
from tinyc.quantization import QuantizeRequest
from tinyc.targets import load_target
from tinyc.verification import onnxruntime_outputs, run_cases, verify_compiled

TARGETS = ["host", "cortex-m0plus", "cortex-m4", "cortex-m55", "riscv32imac"]
WEIGHTS = QuantizeRequest(scheme="weights")


class Net:
    """A model whose weights are int8 or uint8 behind DequantizeLinear; everything else is float."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def constant(self, name: str, array: np.ndarray) -> str:
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def filters(self, name: str, shape: tuple[int, ...], axis: int | None, dtype: type, asymmetric: bool) -> str:
        """`axis`: of the scales, None for a single one."""
        count = () if axis is None else (shape[axis],)
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        middle = 128 if dtype is np.uint8 else 0
        zero = self.rng.integers(low, high + 1, count) if asymmetric else np.full(count, middle)
        names = [self.constant(name, self.rng.integers(low, high + 1, shape).astype(dtype)),
                 self.constant(f"{name}.scale", self.rng.uniform(0.001, 0.003, count).astype(np.float32)),
                 self.constant(f"{name}.zero", np.asarray(zero).astype(dtype))]
        attributes = {} if axis is None else {"axis": axis}
        self.nodes.append(helper.make_node("DequantizeLinear", names, [f"{name}.dq"], f"{name}.dq", **attributes))
        return f"{name}.dq"

    def layer(self, op: str, x: str, name: str, shape: tuple[int, ...], axis: int | None = 0, dtype: type = np.int8,
              asymmetric: bool = False, bias: int = 0, **attributes: object) -> str:
        operands = [x, self.filters(f"{name}.w", shape, axis, dtype, asymmetric)]
        if bias:
            operands.append(self.constant(f"{name}.bias", self.rng.normal(size=bias).astype(np.float32)))
        self.nodes.append(helper.make_node(op, operands, [f"{name}.y"], name, **attributes))
        return f"{name}.y"

    def op(self, op: str, x: str, name: str, *more: str) -> str:
        self.nodes.append(helper.make_node(op, [x, *more], [name], name))
        return name

    def save(self, path: Path, x: tuple[int, ...], y: str, shape: tuple[int, ...]) -> Path:
        graph = helper.make_graph(
            self.nodes, "net", [helper.make_tensor_value_info("x", TensorProto.FLOAT, x)],
            [helper.make_tensor_value_info(y, TensorProto.FLOAT, shape)], self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        onnx.save(model, path)
        return path


def image_net(path: Path) -> Path:
    """Every kind of layer that has kernels for stored weights, with each kind of scale and zero point."""
    net = Net(7)
    x = net.op("Relu", net.layer("Conv", "x", "first", (12, 3, 3, 3), bias=12, pads=[1, 1, 1, 1]), "relu")
    x = net.layer("Conv", x, "depth", (12, 1, 3, 3), group=12, bias=12, pads=[1, 1, 1, 1])
    x = net.layer("Conv", x, "twice", (24, 1, 3, 3), dtype=np.uint8, asymmetric=True, group=12, strides=[2, 2])
    x = net.layer("Conv", x, "groups", (10, 12, 2, 2), group=2, asymmetric=True, dilations=[1, 2])
    x = net.layer("Conv", x, "point", (7, 10, 1, 1), axis=None, dtype=np.uint8)
    x = net.op("Flatten", x, "flat")
    x = net.layer("Gemm", x, "dense", (42, 13), axis=1, bias=13)
    x = net.layer("Gemm", x, "turned", (11, 13), dtype=np.uint8, asymmetric=True, transB=1)
    x = net.layer("MatMul", x, "last", (11, 6), axis=1)
    return net.save(path, (1, 3, 9, 9), net.op("Sigmoid", x, "y"), (1, 6))


def sequence_net(path: Path) -> Path:
    """One-dimensional convolutions, and a fully connected layer for each of many rows."""
    net = Net(8)
    x = net.layer("Conv", "x", "first", (8, 5, 3), bias=8, pads=[1, 1])
    x = net.layer("Conv", x, "depth", (8, 1, 5), group=8)
    net.nodes.append(helper.make_node("Transpose", [x], ["rows"], "rows", perm=[0, 2, 1]))
    return net.save(path, (1, 5, 30), net.layer("MatMul", "rows", "dense", (8, 19), axis=1), (1, 26, 19))


MODELS = {"image": image_net, "sequence": sequence_net}


def compiled(model: Path, target: str = "host", optimize: str = "default",
             quantize: QuantizeRequest | None = None) -> Compiled:
    return compile_model(Request(model, load_target(target), optimize=optimize, quantize=quantize), lambda text: None)


def layers(result: Compiled) -> dict[str, tuple[int, int]]:
    """(bytes of filters in flash, number of weights) of the layers that have some."""
    sizes = {step.name: step.filter_bytes for step in result.program.steps}
    return {n.name: (sizes[n.name], result.graph.type(n.inputs[1]).elements) for n in result.graph.nodes()
            if n.op in ("Conv", "Gemm")}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", MODELS)
def test_as_onnxruntime(tmp_path: Path, name: str, target: str) -> None:
    """At every level of optimization, whichever kernels it takes."""
    model = MODELS[name](tmp_path / "net.onnx")
    for optimize in ("default", "speed", "size", "ram") if target in ("host", "cortex-m4") else ("size",):
        result = compiled(model, target, optimize)
        found = verify_compiled(result, random_cases(result.emitted.inputs, 2))
        assert found.passed and found.reference == "onnxruntime", (optimize, found)


def test_a_layer_of_constants_is_folded(tmp_path: Path) -> None:
    """That what it reads is constant shows only when the weights are operands already."""
    net = Net(9)
    table = net.op("Trilu", net.filters("table", (5, 4), None, np.int8, False), "triangle")
    y = net.op("Add", net.layer("Gemm", table, "dense", (6, 4), transB=1), "y", "x")
    result = compiled(net.save(tmp_path / "net.onnx", (5, 6), y, (5, 6)))
    assert not layers(result)
    assert verify_compiled(result, random_cases(result.emitted.inputs, 2)).passed


@pytest.mark.parametrize("name", MODELS)
def test_weights_stay_int8_where_that_is_smaller(tmp_path: Path, name: str) -> None:
    result = compiled(MODELS[name](tmp_path / "net.onnx"), "cortex-m4", "size")
    assert all(filters == count for filters, count in layers(result).values())


def test_speed_may_have_float_weights(tmp_path: Path) -> None:
    """A fully connected layer of one row converts each weight for a single product."""
    result = compiled(image_net(tmp_path / "net.onnx"), "cortex-m4", "speed")
    assert layers(result)["dense"][0] == 4 * layers(result)["dense"][1]


@pytest.mark.parametrize("target", TARGETS)
def test_quantize_weights(tmp_path: Path, target: str) -> None:
    model = residual_net(tmp_path / "net.onnx", int8=False)
    result = compiled(model, target, "speed", WEIGHTS)
    before = compiled(model, target, "speed")
    assert {name: count for name, (count, _) in layers(result).items()} == {
        name: count // 4 for name, (count, _) in layers(before).items()}
    assert not any(node.integer for node in result.graph.nodes())
    cases = random_cases(result.emitted.inputs, 3)
    found = verify_compiled(result, cases)
    assert found.passed and found.reference == "evaluation in NumPy"
    got, want = run_cases(result, cases)[0], onnxruntime_outputs(before, cases)
    for ours, theirs in zip(got, want, strict=True):
        assert np.abs(ours[0] - theirs[0]).max() < 0.02 * np.ptp(theirs[0])


@pytest.mark.parametrize("optimize", ["speed", "ram"])
def test_accesses_are_sound(tmp_path: Path, optimize: str) -> None:
    """With rows, too, which expand their filters into the same scratch."""
    for model, options in ((residual_net(tmp_path / "r.onnx", int8=False), ["--quantize", "weights"]),
                           (image_net(tmp_path / "i.onnx"), [])):
        succeed("verify", model, "--target", "cortex-m4", "--optimize", optimize, "--shadow", *options)
    result = compiled(tmp_path / "r.onnx", "host", "ram", WEIGHTS)
    assert result.program.rows


def test_kept_nodes_keep_float_weights(tmp_path: Path) -> None:
    model = residual_net(tmp_path / "net.onnx", int8=False)
    names = list(layers(compiled(model)))
    result = compiled(model, quantize=QuantizeRequest(scheme="weights", keep_float=(names[1],)))
    types = {n.name: result.graph.type(n.inputs[1]).dtype for n in result.graph.nodes() if n.op in ("Conv", "Gemm")}
    assert types == {name: DType.FLOAT32 if name == names[1] else DType.INT8 for name in names}
    assert "is no node of the model" in refuse_compile(model, "--quantize", "weights", "--keep-float", "nowhere")


def test_layers_without_such_kernels_stay_float(tmp_path: Path) -> None:
    """A convolution over three axes, whose weights may also come as int8; the user is told."""
    net = Net(9)
    x = net.layer("Conv", "x", "volume", (4, 2, 3, 3, 3), pads=[1] * 6)
    model = net.save(tmp_path / "net.onnx", (1, 2, 4, 4, 4), x, (1, 4, 4, 4, 4))
    result = compiled(model)
    assert verify_compiled(result, random_cases(result.emitted.inputs, 2)).passed
    assert layers(result)["volume"][0] == 4 * layers(result)["volume"][1]
    weights = net.constant("real", np.ones((4, 2, 3, 3, 3), np.float32))
    net.nodes = [helper.make_node("Conv", ["x", weights], ["y"], "volume", pads=[1] * 6)]
    net.save(tmp_path / "float.onnx", (1, 2, 4, 4, 4), "y", (1, 4, 4, 4, 4))
    options = ["--target", "host", "--quantize", "weights", "-o", tmp_path / "out"]
    told = succeed("compile", tmp_path / "float.onnx", *options)
    assert "weights: 0 of 0 layers as int8; float: 'volume', Conv" in told.stderr


def test_refusals(tmp_path: Path) -> None:
    model = residual_net(tmp_path / "net.onnx", int8=False)
    assert "--quantize weights needs none" in refuse_compile(model, "--quantize", "int8")
    for option in ("--calibrate", "--save-ranges", "--load-ranges"):
        text = refuse_compile(model, "--quantize", "weights", option, tmp_path / "file.npz")
        assert f"{option} with --quantize weights" in text
    outcome = invoke("compile", model, "--target", "host", "--quantize", "weights", "--require-integer")
    assert outcome.code == 2 and "a float operator remains" in outcome.stderr
    whole = residual_net(tmp_path / "int8.onnx", int8=True)
    assert "already quantized" in refuse_compile(whole, "--quantize", "weights")


def test_evaluate_and_export(tmp_path: Path) -> None:
    """The written model has weights behind DequantizeLinear, and becomes the same code without the option."""
    model = residual_net(tmp_path / "net.onnx", int8=False)
    first, second, written = tmp_path / "first", tmp_path / "second", tmp_path / "w.onnx"
    options = ["--target", "cortex-m4", "--optimize", "size", "--name", "net"]
    succeed("compile", model, *options, "--quantize", "weights", "--emit-onnx", written, "-o", first)
    succeed("compile", written, *options, "-o", second)
    onnx.checker.check_model(onnx.load(written), full_check=True)
    assert {n.op_type for n in onnx.load(written).graph.node} >= {"DequantizeLinear", "Conv"}
    assert (first / "net.c").read_bytes() == (second / "net.c").read_bytes()
    np.savez(tmp_path / "s.npz", input=np.random.default_rng(0).normal(size=(4, 1, 4, 8, 8)).astype(np.float32))
    options = ["--target", "cortex-m4", "--quantize", "weights"]
    outcome = invoke("evaluate", model, *options, "--inputs", tmp_path / "s.npz", "--sample", "1", "--json")
    assert outcome.code == 0, outcome.stderr
    on_host = outcome.json["results"][1]
    assert on_host["name"] == "host" and on_host["decibels"] > 30
    schemes = {layer["op"]: layer["scheme"] for layer in outcome.json["layers"]}
    assert schemes["Conv"] == "weights" and schemes["Add"] == "float"
