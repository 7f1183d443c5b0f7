# SPDX-License-Identifier: Apache-2.0
"""The graph's invariants, checked after every pass."""

from __future__ import annotations

from typing import Any

import networkx as nx

from tinyc.ir.graph import Graph
from tinyc.ir.types import DType
from tinyc.ops.registry import operator


class BrokenGraph(Exception):
    """An invariant does not hold. Always an error in tinyc, never in the user's model."""


def verify(graph: Graph[Any]) -> None:
    """Raises BrokenGraph unless edges, payloads and inferred types agree."""
    if not nx.is_directed_acyclic_graph(graph.nx):
        raise BrokenGraph("the graph has a cycle")
    for name in (*graph.inputs, *graph.outputs):
        if not graph.has_value(name):
            raise BrokenGraph(f"input or output {name} is no value of the graph")
    if len(set(graph.outputs)) != len(graph.outputs) or set(graph.outputs) & set(graph.inputs):
        raise BrokenGraph("an output is listed twice or is an input")
    for value in graph.values():
        producers = list(graph.nx.predecessors(("value", value.name)))
        if len(producers) > 1:
            raise BrokenGraph(f"value {value.name} has {len(producers)} producers")
        if not producers and value.data is None and value.name not in graph.inputs:
            raise BrokenGraph(f"value {value.name} has no producer")
        if producers and (value.is_const or value.name in graph.inputs):
            raise BrokenGraph(f"constant or input {value.name} has a producer")
        if value.data is not None and tuple(value.data.shape) != value.type.shape:
            raise BrokenGraph(f"constant {value.name}: {value.data.shape} is not {value.type}")
        if value.data is not None and value.type.dtype is not DType.of(value.data):
            raise BrokenGraph(f"constant {value.name}: {value.data.dtype} is not {value.type}")
        quant = value.type.quant
        if quant is not None and len(quant.scale) != len(quant.zero_point):
            raise BrokenGraph(f"value {value.name}: scales and zero points differ in number")
    for node in graph.nodes():
        reads = {name for _, name in graph.nx.predecessors(("op", node.name))}
        writes = {name for _, name in graph.nx.successors(("op", node.name))}
        if reads != {i for i in node.inputs if i} or writes != {o for o in node.outputs if o}:
            raise BrokenGraph(f"operator {node.name}: edges do not follow its operands")
        constants = [graph.value(i).data if i else None for i in node.inputs]
        inferred = operator(node.op).infer(node, graph.input_types(node), constants)
        for output, want in zip(node.outputs, inferred, strict=False):
            if output and (graph.type(output).shape, graph.type(output).dtype) != (want.shape, want.dtype):
                raise BrokenGraph(
                    f"operator {node.name} ({node.op}): {output} is "
                    f"{graph.type(output)}, inference says {want}"
                )
