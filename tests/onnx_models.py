# SPDX-License-Identifier: Apache-2.0
"""Small ONNX models for tests, and their results from onnxruntime and from tinyc's evaluation."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from exact_products import unsigned_weights
from tinyc.frontend import import_model
from tinyc.ir.evaluate import evaluate
from tinyc.ir.graph import Graph
from tinyc.passes.pipeline import run_passes

LATEST = 21
TARGET: Any = None  # no pass looks at the target


@dataclass
class Model:
    """A model under construction: nodes in order, constants and inputs by name."""

    opset: int = LATEST
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    inputs: dict[str, tuple[Any, tuple[int, ...]]] = field(default_factory=dict)
    count: int = 0

    def input(self, name: str, array: np.ndarray) -> str:
        self.inputs[name] = (array.dtype, array.shape)
        return name

    def const(self, array: Any, name: str = "") -> str:
        self.count += 1
        name = name or f"c{self.count}"
        self.constants[name] = np.asarray(array)
        return name

    def add(self, op: str, inputs: Sequence[str], outputs: int = 1, name: str = "", **attributes: Any) -> Any:
        self.count += 1
        names = [f"{op.lower()}{self.count}_{k}" for k in range(outputs)]
        domain = attributes.pop("domain", "")
        self.nodes.append(
            helper.make_node(
                op, list(inputs), names, name=name or f"{op}_{self.count}", domain=domain, **attributes
            )
        )
        return names[0] if outputs == 1 else names

    def quantize(self, x: str, scale: float, zero: int, dtype: Any = np.int8) -> str:
        """QuantizeLinear and DequantizeLinear behind `x`."""
        operands = [self.const(np.float32(scale)), self.const(np.array(zero, dtype))]
        return self.add("DequantizeLinear", [self.add("QuantizeLinear", [x, *operands]), *operands])

    def stored(self, array: np.ndarray, scale: Any, zero: Any = None, axis: int = 0) -> str:
        """DequantizeLinear of a constant, per tensor or along `axis`."""
        scale = np.asarray(scale, np.float32)
        zero = np.zeros(scale.shape, array.dtype) if zero is None else np.asarray(zero, array.dtype)
        operands = [self.const(array), self.const(scale), self.const(zero)]
        return self.add("DequantizeLinear", operands, **({"axis": axis} if scale.ndim else {}))

    def proto(self, outputs: Sequence[str]) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes,
            "test",
            [
                helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(np.dtype(d)), s)
                for n, (d, s) in self.inputs.items()
            ],
            [helper.make_empty_tensor_value_info(name) for name in outputs],
            [numpy_helper.from_array(array, name) for name, array in self.constants.items()],
        )
        opsets = [helper.make_opsetid("", self.opset)]
        if any(node.domain for node in self.nodes):
            opsets += [helper.make_opsetid(d, 1) for d in sorted({n.domain for n in self.nodes} - {""})]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8 if self.opset < 21 else 10)


def run_onnxruntime(model: onnx.ModelProto, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        unsigned_weights(model).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, dict(feeds))


def imported(model: onnx.ModelProto) -> Graph[Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(model.SerializeToString())
        return import_model(path).graph


def compiled(model: onnx.ModelProto) -> Graph[Any]:
    return run_passes(imported(model), TARGET)


def run(graph: Graph[Any], feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    values = evaluate(graph, feeds)
    return [values[name] for name in graph.outputs]


def check_against_onnxruntime(
    model: Model,
    outputs: Sequence[str],
    feeds: Mapping[str, np.ndarray],
    rtol: float = 1e-5,
    atol: float = 1e-5,
) -> Graph[Any]:
    """Import, and import with all passes, both give what onnxruntime gives. The compiled graph."""
    proto = model.proto(outputs)
    expected = run_onnxruntime(proto, feeds)
    graph = imported(proto)
    final = run_passes(graph, TARGET)
    for stage, got in (("imported", run(graph, feeds)), ("compiled", run(final, feeds))):
        for want, have in zip(expected, got, strict=True):
            assert have.shape == want.shape, stage
            assert have.dtype == want.dtype, stage
            np.testing.assert_allclose(have, want, rtol, atol, err_msg=stage)
    return final


def check_operator(
    op: str,
    operands: Sequence[np.ndarray | None],
    constant: Sequence[int] = (),
    opset: int = LATEST,
    outputs: int = 1,
    tolerance: float = 1e-5,
    **attributes: Any,
) -> Graph[Any]:
    """One operator against onnxruntime; operands listed in `constant` are initializers, None is omitted."""
    model, names, feeds = Model(opset), [], {}
    for index, array in enumerate(operands):
        if array is None:
            names.append("")
        elif index in constant:
            names.append(model.const(array))
        else:
            names.append(model.input(f"x{index}", array))
            feeds[f"x{index}"] = array
    results = model.add(op, names, outputs, **attributes)
    results = [results] if outputs == 1 else results
    return check_against_onnxruntime(model, results, feeds, tolerance, tolerance)


def random(shape: Sequence[int], seed: int = 0, low: float = -2.0, high: float = 2.0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, tuple(shape)).astype(np.float32)


__all__ = ["TensorProto"]
