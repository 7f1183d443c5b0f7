# SPDX-License-Identifier: Apache-2.0
"""A float graph, with or without QuantizeLinear and DequantizeLinear, as an ONNX model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from tinyc.errors import TinycError
from tinyc.export.forms import BEFORE, Form, NoForm, Operand, forms_of
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array, DType, TensorType

OPSET, IR_VERSION = 21, 10  # the first with 4-bit integers and QuantizeLinear to 16 bits


class _Model:
    """ONNX nodes and constants under construction; names of the IR are kept, others are made of them."""

    def __init__(self, graph: Graph[Any]) -> None:
        self.graph = graph
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self.taken = {v.name for v in graph.values()} | {n.name for n in graph.nodes()}

    def fresh(self, stem: str) -> str:
        name, k = stem, 0
        while name in self.taken:
            k += 1
            name = f"{stem}~{k}"
        self.taken.add(name)
        return name

    def constant(self, array: Array, stem: str) -> str:
        name = self.fresh(stem)
        self.constants[name] = _tensor(array, name)
        return name

    def add(self, node: Node) -> None:
        """Raises NoForm."""
        if node.op in ("QuantizeLinear", "DequantizeLinear"):
            self._quantizer(node)
            return
        forms, before = forms_of(self.graph, node), ""
        for k, form in enumerate(forms):
            last = k == len(forms) - 1
            outputs = [self.fresh(f"{node.outputs[0]}.{form.op}")]
            if last:
                outputs = ["" if r is None else node.outputs[r] for r in form.results]
            self._write(form, self.fresh(form.name) if form.name else node.name, before, outputs)
            before = outputs[0]

    def _write(self, form: Form, name: str, before: str, outputs: list[str]) -> None:
        inputs = [self._operand(i, name, before) for i in form.inputs]
        attributes = {k: _attribute(v) for k, v in form.attributes.items()}
        while inputs and not inputs[-1]:
            inputs.pop()
        self.nodes.append(helper.make_node(form.op, inputs, outputs, name=name, **attributes))

    def _operand(self, operand: Operand, name: str, before: str) -> str:
        if isinstance(operand, str):
            return before if operand == BEFORE else operand
        return self.constant(operand, f"{name}.constant")

    def _quantizer(self, node: Node) -> None:
        quant, dtype = node.attrs.quant, node.attrs.dtype
        shape = () if quant.per_tensor and quant.axis is None else (-1,)
        scale = self.constant(np.array(quant.scale, np.float32).reshape(shape), f"{node.name}.scale")
        zero = self.constant(np.array(quant.zero_point, dtype.numpy).reshape(shape), f"{node.name}.zero_point")
        axis = {} if quant.axis is None else {"axis": quant.axis}
        self.nodes.append(helper.make_node(node.op, [node.inputs[0], scale, zero], list(node.outputs), name=node.name,
                                           **axis))


def _tensor(array: Array, name: str) -> onnx.TensorProto:
    return numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)  # the former lacks rank 0


def _attribute(value: Any) -> Any:
    if isinstance(value, DType):
        return _code(value)
    return list(value) if isinstance(value, tuple) else value


def _code(dtype: DType) -> int:
    return int(helper.np_dtype_to_tensor_dtype(dtype.numpy))


def _info(name: str, type_: TensorType) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, _code(type_.dtype), list(type_.shape))


def _done(model: _Model, name: str, inputs: Iterable[str], outputs: Iterable[str]) -> onnx.ModelProto:
    ports = [[_info(v, model.graph.type(v)) for v in values] for values in (inputs, outputs)]
    graph = helper.make_graph(model.nodes, name, *ports, list(model.constants.values()))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION,
                             producer_name="tinyc")


def to_model(graph: Graph[Any], outputs: Iterable[str] | None = None) -> onnx.ModelProto:
    """The graph as a model; `outputs`: other values than the graph's own. Raises TinycError for a node without form."""
    model = _Model(graph)
    for value in graph.values():
        if value.data is not None and graph.consumers(value.name):
            model.constants[value.name] = _tensor(value.data, value.name)
    for node in graph.nodes():
        try:
            model.add(node)
        except NoForm as error:
            raise TinycError(f"{error} cannot be written as ONNX", node=f"{node.name!r}, {node.op}",
                             hint="the C is not affected: leave --emit-onnx out") from None
    return _done(model, graph.name or "tinyc", graph.inputs, graph.outputs if outputs is None else outputs)


def to_node_model(graph: Graph[Any], node: Node) -> onnx.ModelProto:
    """A model of one node, whose operands, constants too, are its inputs.

    Raises NoForm, also where the form has a constant in it that was made of an operand.
    """
    model = _Model(graph)
    model.add(node)
    operands = [i for i in dict.fromkeys(node.inputs) if i]
    if not {i for n in model.nodes for i in n.input}.issuperset(operands):
        raise NoForm(f"{node.op} on any constants")
    return _done(model, "node", operands, [o for o in node.outputs if o])
