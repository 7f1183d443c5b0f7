# SPDX-License-Identifier: Apache-2.0
"""Which operators compute in floating point, and why they have no integer form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinyc.ir.graph import Graph, Node
from tinyc.ops.registry import operator


@dataclass(frozen=True)
class FloatOperator:
    """A float operator that remains: its node's name, its operator, and why it is not integer."""

    node: str
    op: str
    reason: str


def integer_report(graph: Graph[Any]) -> list[FloatOperator]:
    """Every operator that computes on floats, in order of execution, after the pipeline has run.

    QuantizeLinear, DequantizeLinear and operators that only move elements are none of them, except
    those that might have run on integers and do not.
    """
    found = []
    for node in graph.nodes():
        if node.integer or node.op in ("QuantizeLinear", "DequantizeLinear") or _moves(node):
            continue
        types = [t for t in (*graph.input_types(node), *graph.output_types(node)) if t is not None]
        if any(t.dtype.is_float for t in types):
            found.append(FloatOperator(node.name, node.op, node.obstacle or "it computes on floats"))
    return found


def _moves(node: Node) -> bool:
    return operator(node.op).is_view or node.op in ("Transpose", "Identity")
