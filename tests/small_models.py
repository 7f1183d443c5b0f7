# SPDX-License-Identifier: Apache-2.0
"""Small ONNX models for tests of builds: the operators of real networks on few elements."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tinyc.frontend import import_model
from tinyc.ir.graph import Graph
from tinyc.passes.fold_constants import fold_constants
from tinyc.passes.pipeline import PIPELINE, QUANTIZE
from tinyc.passes.remove_dead_code import remove_dead_code
from tinyc.targets import load_target

OPSET = 17


class Net:
    """Builds a graph node by node; with `int8`, every result is quantized and dequantized (QDQ).

    Values are named t0, t1, ...; a method returns the name of its result.
    """

    def __init__(self, int8: bool, seed: int = 0) -> None:
        self.int8 = int8
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.rng = np.random.default_rng(seed)
        self._count = 0

    def fresh(self) -> str:
        self._count += 1
        return f"t{self._count}"

    def const(self, array: np.ndarray) -> str:
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def op(self, kind: str, inputs: Sequence[str], **attributes: object) -> str:
        result = self.fresh()
        self.nodes.append(helper.make_node(kind, list(inputs), [result], name=f"{kind}_{result}", **attributes))
        return result

    def quantized(self, value: str, scale: float, zero_point: int) -> str:
        """The value through QuantizeLinear and DequantizeLinear; itself in a float model."""
        if not self.int8:
            return value
        parameters = [self.const(np.float32(scale)), self.const(np.int8(zero_point))]
        return self.op("DequantizeLinear", [self.op("QuantizeLinear", [value, *parameters]), *parameters])

    def weights(self, *shape: int) -> str:
        """Random filters of about unit gain; int8 with a scale per output channel in an int8 model."""
        real = self.rng.normal(size=shape).astype(np.float32) / np.sqrt(np.prod(shape[1:]))
        if not self.int8:
            return self.const(real.astype(np.float32))
        scale = np.maximum(np.abs(real).reshape(shape[0], -1).max(axis=1) / 127, 1e-6).astype(np.float32)
        q = np.rint(real / scale.reshape(-1, *[1] * (len(shape) - 1))).clip(-127, 127).astype(np.int8)
        zero = np.zeros(shape[0], np.int8)
        return self.op("DequantizeLinear", [self.const(q), self.const(scale), self.const(zero)], axis=0)

    def bias(self, count: int) -> str:
        return self.const(self.rng.normal(size=count).astype(np.float32) * np.float32(0.1))

    def conv(self, x: str, channels_in: int, channels: int, kernel: int, group: int = 1, relu: bool = True) -> str:
        w = self.weights(channels, channels_in // group, kernel, kernel)
        y = self.op("Conv", [x, w, self.bias(channels)], kernel_shape=[kernel, kernel],
                    pads=[kernel // 2] * 4, group=group)
        if relu:
            y = self.op("Relu", [y])
        return self.quantized(y, 0.02, -128 if relu else 3)

    def save(self, path: Path, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[onnx.ValueInfoProto],
             graph_name: str = "small") -> Path:
        graph = helper.make_graph(self.nodes, graph_name, list(inputs), list(outputs), self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        onnx.checker.check_model(model)
        path.write_bytes(model.SerializeToString())
        return path


def residual_net(path: Path, int8: bool, seed: int = 0) -> Path:
    """8x8x4 -> 5 classes: convolutions (3x3, depthwise, 1x1), a residual Add, poolings, Gemm, Softmax.

    Input and output are float32; in an int8 model all between is integer.
    """
    net = Net(int8, seed)
    x = net.quantized("image", 0.03, -2)
    a = net.conv(x, 4, 8, 3)
    b = net.conv(a, 8, 8, 3, group=8)
    c = net.conv(b, 8, 8, 1, relu=False)
    d = net.quantized(net.op("Add", [a, c]), 0.03, -10)
    e = net.op("MaxPool", [d], kernel_shape=[2, 2], strides=[2, 2])
    e = net.quantized(e, 0.03, -10)
    f = net.quantized(net.op("GlobalAveragePool", [e]), 0.02, -20)
    g = net.op("Flatten", [f])
    h = net.op("Gemm", [g, net.weights(5, 8), net.bias(5)], transB=1)
    h = net.quantized(h, 0.03, 1)
    y = net.quantized(net.op("Softmax", [h], axis=-1), 1 / 256, -128)
    net.nodes.append(helper.make_node("Identity", [y], ["classes"], name="last"))
    return net.save(path, [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 4, 8, 8])],
                    [helper.make_tensor_value_info("classes", TensorProto.FLOAT, [1, 5])])


def two_ports_net(path: Path) -> Path:
    """Two float inputs, two float outputs: a sum and a product of four elements."""
    net = Net(int8=False)
    net.nodes += [helper.make_node("Add", ["left", "right"], ["sum"], name="add"),
                  helper.make_node("Mul", ["left", "sum"], ["product"], name="mul")]
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [4]) for n in ("left", "right", "sum", "product")]
    return net.save(path, ports[:2], ports[2:])


def float_graph(path: Path) -> Graph[Any]:
    """A model's graph as calibration sees it."""
    graph = import_model(path).graph
    for step in PIPELINE:
        if step.name == QUANTIZE:
            break
        graph = step.run(graph, load_target("host"))
    return remove_dead_code(fold_constants(graph, keep_dequantize=False))
