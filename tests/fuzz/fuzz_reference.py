# SPDX-License-Identifier: Apache-2.0
"""What a single ONNX node computes, by onnxruntime, else by ONNX's own reference implementation."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from exact_products import unsigned

# Domains and their versions; that of ONNX itself is the graph's.
DOMAINS = {"": 0, "ai.onnx.ml": 3, "com.microsoft": 1}


class Dropped(Exception):
    """The drawn node is of no use here; says why."""


def options() -> onnxruntime.SessionOptions:
    result = onnxruntime.SessionOptions()
    result.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    result.intra_op_num_threads = 1
    result.log_severity_level = 4
    onnxruntime.set_default_logger_severity(4)
    return result


_OPTIONS = options()


def tensor_info(name: str, array: np.ndarray) -> onnx.ValueInfoProto:
    if array.dtype.kind in "OUS":
        return helper.make_tensor_value_info(name, TensorProto.STRING, array.shape)
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)


def make_model(graph: onnx.GraphProto, versions: Mapping[str, int]) -> onnx.ModelProto:
    """A model of these versions of the domains that it uses."""
    used = sorted({"", *(node.domain for node in graph.node)})
    return helper.make_model(graph, opset_imports=[helper.make_opsetid(d, versions[d]) for d in used],
                             ir_version=8 if versions[""] < 21 else 10)


def versions_of(model: onnx.ModelProto) -> dict[str, int]:
    return {**DOMAINS, **{o.domain: o.version for o in model.opset_import}}


def reads(node: onnx.NodeProto) -> list[str]:
    """Names of the values that a node reads, those that its subgraphs take from outside included."""
    found = [name for name in node.input if name]
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            graph = attribute.g
            own = {v.name for v in (*graph.input, *graph.initializer)} | {o for n in graph.node for o in n.output}
            found += [name for inner in graph.node for name in reads(inner) if name not in own]
    return list(dict.fromkeys(found))


def run_onnxruntime(model: onnx.ModelProto, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), _OPTIONS, ["CPUExecutionProvider"])
    return [np.asarray(v) for v in session.run(None, dict(feeds))]


def run_node(node: onnx.NodeProto, operands: Mapping[str, np.ndarray], constants: set[str],
             versions: Mapping[str, int], prefer_onnx: bool = False, allow_onnx: bool = True) -> list[np.ndarray]:
    """The node's outputs. `operands` are what it reads, by name. Raises Dropped where neither computes it."""
    node, operands, constants = unsigned(node, operands, constants)
    feeds = {name: array for name, array in operands.items() if name not in constants}
    held = [numpy_helper.from_array(a, n) for n, a in operands.items() if n in constants]
    infos = [tensor_info(name, array) for name, array in feeds.items()]
    outputs = [helper.make_empty_tensor_value_info(o) for o in node.output if o]
    model = make_model(helper.make_graph([node], "node", infos, outputs, held), versions)
    reason = "the ONNX reference is preferred"
    if not prefer_onnx:
        try:
            return _of_inferred_shape(model, run_onnxruntime(model, feeds))
        except Exception as error:
            reason = str(error).strip().splitlines()[-1]
    if not allow_onnx:
        raise Dropped(f"onnxruntime: {reason[:160]}")
    return _by_onnx(model, feeds, reason)


def _of_inferred_shape(model: onnx.ModelProto, found: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The results, if their shapes are what the standard's shape inference says. Raises Dropped."""
    inferred = onnx.shape_inference.infer_shapes(model)
    for info, array in zip(inferred.graph.output, found, strict=True):
        if info.type.tensor_type.HasField("shape"):
            dims = info.type.tensor_type.shape.dim
            if len(dims) != array.ndim or any(
                    d.HasField("dim_value") and d.dim_value != e for d, e in zip(dims, array.shape, strict=True)):
                raise Dropped(f"a shape {array.shape} that ONNX's shape inference contradicts")
    return list(found)


def _by_onnx(model: onnx.ModelProto, feeds: Mapping[str, np.ndarray], reason: str) -> list[np.ndarray]:
    from onnx.reference import ReferenceEvaluator

    try:
        model = onnx.shape_inference.infer_shapes(model, strict_mode=True)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = ReferenceEvaluator(model).run(None, dict(feeds))
    except Exception as error:
        message = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise Dropped(f"onnxruntime: {reason[:160]}; ONNX: {message[:120]}") from None
    if any(not isinstance(v, np.ndarray | np.generic) for v in found):
        raise Dropped("a result that is no tensor")
    return _of_inferred_shape(model, [np.asarray(v) for v in found])
