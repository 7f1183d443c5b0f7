# SPDX-License-Identifier: Apache-2.0
"""Element-wise functions of one quantized value: what passes know about chains of float operators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import operator
from tinyc.ops.unary import STEP_BITS
from tinyc.passes.constants import float_data, is_constant

MAX_NODES = 64


@dataclass(frozen=True)
class Function:
    """A real value as a function of each element of a value that DequantizeLinear makes.

    `nodes` compute it, in order of execution; `source` is the DequantizeLinear node.
    """

    source: Node
    nodes: tuple[Node, ...]


def function_of(graph: Graph[Any], value: str) -> Function | None:
    """How `value` follows, element by element, from one dequantized value and constants of one element."""
    nodes: dict[str, Node] = {}
    sources: dict[tuple[str, Any], Node] = {}
    waiting = [value]
    elements = graph.type(value).elements
    while waiting:
        name = waiting.pop()
        if is_constant(graph, name):
            if graph.type(name).elements != 1:
                return None
            continue
        node = graph.producer(name)
        type_ = graph.type(name)
        if node is None or type_.elements != elements or not (type_.dtype.is_float or type_.dtype is DType.BOOL):
            return None
        if node.op == "DequantizeLinear":
            if graph.type(node.inputs[0]).dtype not in (DType.INT8, DType.INT16) or not node.attrs.quant.per_tensor:
                return None
            sources[node.inputs[0], node.attrs] = node
        elif node.name not in nodes:
            if not operator(node.op).elementwise or node.integer or len(nodes) == MAX_NODES:
                return None
            nodes[node.name] = node
            waiting += node.inputs
    if len(sources) != 1:
        return None
    order = sorted(nodes.values(), key=lambda n: (n.position, n.name))
    done: list[Node] = []
    known = {s.outputs[0] for s in sources.values()}
    while len(done) < len(order):  # positions alone need not be an order of execution
        ready = [n for n in order if n not in done
                 and all(i in known or is_constant(graph, i) or _dequantized(graph, i) for i in n.inputs)]
        if not ready:
            return None
        done += ready
        known |= {n.outputs[0] for n in ready}
    return Function(next(iter(sources.values())), tuple(done))


def _dequantized(graph: Graph[Any], value: str) -> bool:
    node = graph.producer(value)
    return node is not None and node.op == "DequantizeLinear"


def results(graph: Graph[Any], function: Function, value: str) -> Array:
    """The function's value, float32, each operator computed as the graph does.

    For -128 ... 127, or, where the operand is int16, for every 128th value from -32768 to 32768.
    """
    wide = graph.type(function.source.inputs[0]).dtype is DType.INT16
    every = np.arange(-(1 << 15), (1 << 15) + 1, 1 << STEP_BITS) if wide else np.arange(-128, 128)
    flat = TensorType(DType.FLOAT32, every.shape)
    start = operator("DequantizeLinear").evaluate(function.source, [every], [flat])[0]
    known: dict[str, Array] = {}

    def operand(name: str) -> Array:
        if name in known:
            return known[name]
        return float_data(graph, name).reshape(1) if is_constant(graph, name) else start

    with np.errstate(all="ignore"):
        for node in function.nodes:
            arrays = [operand(i) for i in node.inputs]
            type_ = TensorType(graph.type(node.outputs[0]).dtype, every.shape)
            known[node.outputs[0]] = operator(node.op).evaluate(node, arrays, [type_])[0]
    return operand(value)
