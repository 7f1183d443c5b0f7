# SPDX-License-Identifier: Apache-2.0
"""What gets a scheme of its own: a layer with weights and what follows it up to the next one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tinyc.ir.graph import Graph
from tinyc.quantize.schemes import INT4W, INT8, INT16X8, SCHEMES, Scheme
from tinyc.quantize.simulate import WEIGHTED, quantizable

FLOAT = "float"
BASE = INT8.name


@dataclass(frozen=True)
class Unit:
    """Nodes that share a scheme, named after the first. schemes: those that it may have, BASE first."""

    name: str
    nodes: tuple[str, ...]
    schemes: tuple[str, ...]


Assignment = tuple[str, ...]
"""The name of a scheme, or FLOAT, for each unit."""


def units_of(graph: Graph[Any], keep_float: frozenset[str] = frozenset()) -> list[Unit]:
    """In the order of execution; together the nodes with an int8 form but those kept float.

    A node without weights belongs to the unit of its first operand, so that types change in front of layers only.
    """
    owner: dict[str, str] = {}  # of each value
    members: dict[str, list[str]] = {}
    for node in graph.nodes():
        before = next((owner[i] for i in node.inputs if i in owner), None)
        if node.name not in keep_float and quantizable(graph, node):
            if node.op in WEIGHTED or before is None:
                before = node.name
            members.setdefault(before, []).append(node.name)
        if before is not None:
            owner.update((o, before) for o in node.outputs if o)
    return [Unit(name, tuple(nodes), _schemes(graph, name)) for name, nodes in members.items()]


def _schemes(graph: Graph[Any], name: str) -> tuple[str, ...]:
    node = graph.node(name)
    own = [INT8]
    if node.op in WEIGHTED and quantizable(graph, node, INT4W):
        own.append(INT4W)
    if quantizable(graph, node, INT16X8):
        own.append(INT16X8)
    return (*(s.name for s in own), FLOAT)


def scheme_of_nodes(units: Sequence[Unit], assignment: Assignment) -> dict[str, Scheme]:
    """For all nodes of units that are not float. Weights of 4 bits are a matter of the unit's first node."""
    found: dict[str, Scheme] = {}
    for unit, name in zip(units, assignment, strict=True):
        if name != FLOAT:
            rest = INT8 if name == INT4W.name else SCHEMES[name]
            found |= dict.fromkeys(unit.nodes, rest) | {unit.name: SCHEMES[name]}
    return found


def float_nodes(units: Sequence[Unit], assignment: Assignment) -> frozenset[str]:
    return frozenset(n for unit, name in zip(units, assignment, strict=True) if name == FLOAT for n in unit.nodes)


def uniform(units: Iterable[Unit], scheme: str, but: Mapping[str, Any] | None = None) -> Assignment:
    """One scheme where units may have it and are not in `but`, else BASE."""
    return tuple(scheme if scheme in u.schemes and u.name not in (but or {}) else BASE for u in units)


def described(assignment: Assignment) -> str:
    """How many units have which scheme, as "2 int8, 1 int4w"; a single one by its name."""
    counts = Counter(assignment)
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{counts[s]} {s}" for s in (*SCHEMES, FLOAT) if s in counts)
