# SPDX-License-Identifier: Apache-2.0
"""Compiles small ONNX models, builds and runs them, and compares with onnxruntime or the NumPy evaluation.

Many cases share one model, each with inputs and outputs of its own, so that one build serves all.
"""

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
from tinyc.compiler import Compiled, Request, compile_model
from tinyc.execute import build_model, written
from tinyc.frontend import import_model
from tinyc.ir.evaluate import evaluate
from tinyc.ir.graph import Graph
from tinyc.ops.registry import OPERATORS
from tinyc.passes.pipeline import run_passes
from tinyc.targets import load_target
from tinyc.toolchain import run

OPSET = 21


@dataclass(frozen=True)
class Const:
    """An operand that is an initializer."""

    array: np.ndarray


@dataclass(frozen=True)
class Q:
    """An operand of an integer case: int8 with this scale and zero point; a graph input unless `const`.

    scale: one number, or one for each slice along `axis`. dtype: of the stored integers.
    """

    shape: tuple[int, ...]
    scale: float | Sequence[float] = 0.05
    zero: int = 3
    const: bool = False
    axis: int = 0
    dtype: type = np.int8
    low: int = -128
    high: int = 127


@dataclass
class Model:
    """An ONNX model that grows case by case."""

    name: str = "cases"
    opset: int = OPSET
    seed: int = 7
    nodes: list[Any] = field(default_factory=list)
    initializers: list[Any] = field(default_factory=list)
    inputs: dict[str, np.ndarray] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)
    domains: set[str] = field(default_factory=set)
    types: dict[str, int] = field(default_factory=dict)  # of outputs whose type ONNX cannot infer

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def const(self, name: str, array: np.ndarray) -> str:
        self.initializers.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, op: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> None:
        domain = attributes.pop("domain", "")
        self.domains.add(domain)
        self.nodes.append(helper.make_node(op, list(inputs), list(outputs), domain=domain, **attributes))

    def _operand(self, case: str, k: int, operand: Any) -> str:
        name = f"{case}_{k}"
        if operand is None:
            return ""
        if isinstance(operand, str):
            return operand
        if isinstance(operand, Const):
            return self.const(name, operand.array)
        if isinstance(operand, Q):
            return self._quantized(name, operand)
        if isinstance(operand, tuple):
            operand = self.rng.standard_normal(operand).astype(np.float32)
        self.inputs[name] = np.asarray(operand)
        return name

    def _quantized(self, name: str, q: Q) -> str:
        data = self.rng.integers(q.low, q.high, q.shape, endpoint=True).astype(q.dtype)
        if q.const:
            self.const(name, data)
        else:
            self.inputs[name] = data
        return self.dequantized(name, q.scale, q.zero, q.dtype, q.axis)

    def dequantized(
        self, value: str, scale: Any, zero: Any, dtype: type = np.int8, axis: int = 0, result: str = ""
    ) -> str:
        """The value behind a DequantizeLinear."""
        parameters = self._parameters(f"{value}_dq", scale, zero, dtype)
        self.node("DequantizeLinear", [value, *parameters], [result or f"{value}_real"], axis=axis)
        return result or f"{value}_real"

    def quantized(self, value: str, result: str, scale: Any, zero: Any, dtype: type = np.int8, axis: int = 0) -> str:
        """The value behind a QuantizeLinear."""
        self.node("QuantizeLinear", [value, *self._parameters(f"{result}_q", scale, zero, dtype)], [result], axis=axis)
        return result

    def _parameters(self, stem: str, scale: Any, zero: Any, dtype: type) -> list[str]:
        scales = np.asarray(scale, np.float32)
        zeros = np.broadcast_to(np.asarray(zero, dtype), scales.shape).copy()
        return [self.const(f"{stem}_scale", scales), self.const(f"{stem}_zero", zeros)]

    def plain(self, case: str, op: str, *operands: Any, count: int = 1, **attributes: Any) -> list[str]:
        """A case without quantization: a shape stands for random float32, an array for an input with that value."""
        names = [self._operand(case, k, o) for k, o in enumerate(operands)]
        results = [f"{case}_y" if count == 1 else f"{case}_y{i}" for i in range(count)]
        self.node(op, names, results, **attributes)
        self.outputs += results
        return results

    def int8(
        self, case: str, op: str, *operands: Any, scale: float = 0.05, zero: int = -5, **attributes: Any
    ) -> str:
        """A case in QDQ form whose result is int8."""
        names = [self._operand(case, k, o) for k, o in enumerate(operands)]
        self.node(op, names, [f"{case}_float"], **attributes)
        self.outputs.append(self.quantized(f"{case}_float", f"{case}_y", scale, zero))
        return self.outputs[-1]

    def proto(self) -> onnx.ModelProto:
        def info(name: str, array: np.ndarray) -> Any:
            return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)

        outputs = [helper.make_tensor_value_info(o, self.types.get(o, TensorProto.UNDEFINED), None)
                   for o in self.outputs]
        graph = helper.make_graph(self.nodes, self.name, [info(n, a) for n, a in self.inputs.items()], outputs,
                                  self.initializers)
        opsets = [helper.make_opsetid("", self.opset)]
        opsets += [helper.make_opsetid(d, 1) for d in sorted(self.domains - {""})]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
        model = onnx.shape_inference.infer_shapes(model)
        known = {o.name: o for o in model.graph.output}
        for output in self.outputs:
            assert known[output].type.tensor_type.elem_type, f"no type for {output}"
        return model


def compile_proto(model: onnx.ModelProto, target: str = "host", **options: Any) -> Compiled:
    """Compiles a model that is in memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{model.graph.name or 'model'}.onnx"
        onnx.save(model, path)
        return compile_model(Request(path, load_target(target), **options))


def graph_of(model: onnx.ModelProto) -> Graph[Any]:
    """The graph behind all passes, for the host."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        onnx.save(model, path)
        return run_passes(import_model(path, {}).graph, load_target("host"))


def execute(
    compiled: Compiled, inputs: Mapping[str, np.ndarray], sanitize: bool | None = None,
    extra_cflags: Sequence[str] = (),
) -> dict[str, np.ndarray]:
    """The outputs, by name, of the built program. On the host with sanitizers unless told otherwise."""
    host = compiled.request.target.family == "host"
    ports = compiled.emitted
    with written(compiled) as folder:
        elf = build_model(compiled, folder, sanitize=host if sanitize is None else sanitize, extra_cflags=extra_cflags)
        data = [np.ascontiguousarray(inputs[p.name], p.dtype.numpy).tobytes() for p in ports.inputs]
        result = run(elf, [data])
    assert result.status == 0
    return {p.name: np.frombuffer(raw, p.dtype.numpy).reshape(p.shape)
            for p, raw in zip(ports.outputs, result.outputs[0], strict=True)}


def with_onnxruntime(model: onnx.ModelProto, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """onnxruntime's outputs, by name, without its graph optimizations."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(unsigned_weights(model).SerializeToString(), options,
                                           ["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(inputs)), strict=True))


def with_numpy(compiled: Compiled, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The NumPy evaluation's outputs, by name: for integer operators the specification itself."""
    known = evaluate(compiled.graph, inputs)
    return {o: known[o] for o in compiled.graph.outputs}


def differences(
    got: Mapping[str, np.ndarray], want: Mapping[str, np.ndarray], tolerance: float
) -> list[str]:
    """What differs: reals by more than `tolerance` of the range of what is wanted, integers at all."""
    wrong = []
    for name, expected in want.items():
        result = got[name]
        if result.shape != expected.shape:
            wrong.append(f"{name}: shape {result.shape}, not {expected.shape}")
            continue
        if not expected.size:
            continue
        if expected.dtype.kind != "f":
            count = int((result != expected).sum())
            if count:
                wrong.append(f"{name}: {count} of {expected.size} differ, {result.reshape(-1)[:8]} "
                             f"not {expected.reshape(-1)[:8]}")
            continue
        finite = np.isfinite(expected)
        values = expected[finite].astype(np.float64)
        span = max(float(np.ptp(values)) if values.size else 0.0, float(np.abs(values).max(initial=0)))
        with np.errstate(invalid="ignore"):
            close = np.abs(result.astype(np.float64) - expected) <= tolerance * (span or 1.0)
        same = close | (result == expected) | (np.isnan(result) & np.isnan(expected))
        if not same.all():
            k = int(np.argmin(same.reshape(-1)))
            wrong.append(f"{name}: element {k} is {result.reshape(-1)[k]}, not {expected.reshape(-1)[k]} "
                         f"(range {span:.4g})")
    return wrong


__all__ = ["OPERATORS", "Const", "Model", "Q", "compile_proto", "differences", "execute", "graph_of", "with_numpy",
           "with_onnxruntime"]
