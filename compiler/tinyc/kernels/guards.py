# SPDX-License-Identifier: Apache-2.0
"""Which nodes need to run only where a condition holds: those that only one side of a Select asks for."""

from __future__ import annotations

from typing import Any

import networkx as nx

from tinyc.ir.graph import Graph, Node

Guard = frozenset[tuple[str, bool]]  # values of conditions, all of which must be so
ALWAYS: Guard = frozenset()


def guards_of(graph: Graph[Any]) -> tuple[dict[str, Guard], list[str]]:
    """(guard of each node that has one, names of all nodes in an order that computes conditions first)."""
    nodes = graph.nodes()
    order = [node.name for node in nodes]
    if all(node.op != "Select" for node in nodes):
        return {}, order
    guards = _demands(graph, nodes)
    while guards:
        waiting = nx.DiGraph(graph.nx)
        for name, guard in guards.items():
            waiting.add_edges_from((("value", condition), ("op", name)) for condition, _ in guard)
        if nx.is_directed_acyclic_graph(waiting):
            place = {name: k for k, name in enumerate(order)}
            sorted_ = nx.lexicographical_topological_sort(
                waiting, key=lambda v: (place[v[1]], v[1]) if v[0] == "op" else (-1, v[1]))
            return guards, [name for kind, name in sorted_ if kind == "op"]
        guards = {}  # conditions that wait for each other: everything runs
    return {}, order


def _demands(graph: Graph[Any], nodes: list[Node]) -> dict[str, Guard]:
    demand: dict[str, Guard] = {name: ALWAYS for name in graph.outputs}

    def ask(value: str, guard: Guard) -> None:
        demand[value] = demand[value] & guard if value in demand else guard

    guards: dict[str, Guard] = {}
    for node in reversed(nodes):
        wanted = [demand[o] for o in node.outputs if o in demand]
        guard = wanted[0].intersection(*wanted[1:]) if wanted else ALWAYS
        if guard:
            guards[node.name] = guard
        for k, value in enumerate(node.inputs):
            if value:
                branch = {(node.inputs[0], k == 1)} if node.op == "Select" and k else set()
                ask(value, guard | branch)
    return guards
