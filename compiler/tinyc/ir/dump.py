# SPDX-License-Identifier: Apache-2.0
"""The graph as text: one line for each input, operator and output, in order of execution."""

from __future__ import annotations

import dataclasses
from typing import Any

from tinyc.ir.graph import Graph, Node


def _attrs(attrs: Any) -> str:
    fields = [(f.name, getattr(attrs, f.name), f.default) for f in dataclasses.fields(attrs)]
    return ", ".join(f"{name}={value}" for name, value, default in fields if value != default)


def _operand(graph: Graph[Any], name: str) -> str:
    if not name:
        return "-"
    return f"const {name}: {graph.type(name)}" if graph.value(name).is_const else f"%{name}"


def dump_node(graph: Graph[Any], node: Node) -> str:
    results = ", ".join(f"%{o}: {graph.type(o)}" for o in node.outputs if o)
    operands = ", ".join(_operand(graph, i) for i in node.inputs)
    form = "int." if node.integer else ""
    attrs = _attrs(node.attrs)
    return f"{results} = {form}{node.op}({operands})" + (f" {{{attrs}}}" if attrs else "")


def dump(graph: Graph[Any]) -> str:
    """The whole graph; equal graphs give equal text."""
    lines = [f"graph {graph.name}"]
    lines += [f"  input %{name}: {graph.type(name)}" for name in graph.inputs]
    lines += [f"  {dump_node(graph, node)}" for node in graph.nodes()]
    lines += [f"  output %{name}: {graph.type(name)}" for name in graph.outputs]
    return "\n".join(lines) + "\n"
