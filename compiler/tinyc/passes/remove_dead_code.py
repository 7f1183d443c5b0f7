# SPDX-License-Identifier: Apache-2.0
"""Removes operators and values that no output depends on. Graph inputs stay: they are the interface."""

from __future__ import annotations

from typing import Any

import networkx as nx

from tinyc.ir.graph import Editor, Graph


def remove_dead_code(graph: Graph[Any]) -> Graph[Any]:
    live: set[tuple[str, str]] = {("value", name) for name in (*graph.inputs, *graph.outputs)}
    for name in graph.outputs:
        live |= nx.ancestors(graph.nx, ("value", name))
    for kind, name in list(live):
        if kind == "op":  # an operator keeps all its outputs, read or not
            live |= {("value", o) for o in graph.node(name).outputs if o}
    dead = [vertex for vertex in graph.nx if vertex not in live]
    if not dead:
        return graph
    editor = Editor(graph)
    editor.discard(dead)
    return editor.done()
