# SPDX-License-Identifier: Apache-2.0
"""Evaluates a graph in NumPy: the oracle that the generated C has to equal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array, Quant
from tinyc.ops.registry import operator


def stored_quant(graph: Graph[Any], node: Node) -> Quant | None:
    """What the integers stand for that a float node reads as its weights; None where they are real numbers."""
    index = operator(node.op).stored_operand
    return None if node.integer or index is None else graph.type(node.inputs[index]).quant


def evaluate(graph: Graph[Any], inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Every value of the graph, by name, for one set of inputs with the graph's shapes and types."""
    known: dict[str, Array] = {v.name: v.data for v in graph.values() if v.data is not None}
    for name in graph.inputs:
        type_ = graph.type(name)
        known[name] = np.asarray(inputs[name], type_.dtype.numpy).reshape(type_.shape)
    for node in graph.nodes():
        known |= evaluate_node(graph, node, known)
    return known


def evaluate_node(graph: Graph[Any], node: Node, known: Mapping[str, Array]) -> dict[str, Array]:
    """A node's results by name, from the values of its operands."""
    kind = operator(node.op)
    arrays = [known[i] if i else None for i in node.inputs]
    outputs = graph.output_types(node)
    if node.integer:
        results = kind.evaluate_integer(node, arrays, graph.input_types(node), outputs)
    else:
        quant = stored_quant(graph, node)
        if quant is not None and kind.stored_operand is not None:
            arrays[kind.stored_operand] = quant.real(known[node.inputs[kind.stored_operand]])
        results = kind.evaluate(node, arrays, outputs)
    return {name: np.asarray(result).astype(type_.dtype.numpy, copy=False).reshape(type_.shape)
            for name, type_, result in zip([o for o in node.outputs if o], outputs, results, strict=False)}
