# SPDX-License-Identifier: Apache-2.0
"""The graph: a bipartite networkx DiGraph whose nodes each carry one frozen, typed payload.

Operator vertices are keyed ("op", name) and hold a `Node`; value vertices ("value", name) hold a
`Value`. The order of operands is in the Node; edges follow from it and are never edited by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import networkx as nx

from tinyc.ir.types import Array, TensorType

AttrsT = TypeVar("AttrsT")


@dataclass(frozen=True)
class NoAttrs:
    """Attributes of an operator that has none."""


@dataclass(frozen=True)
class Value:
    """A tensor: a graph input, a constant (`data` is not None) or the result of an operator."""

    name: str
    type: TensorType
    data: Array | None = None

    @property
    def is_const(self) -> bool:
        return self.data is not None


@dataclass(frozen=True)
class Node:
    """One application of an operator.

    `inputs` keeps ONNX's operand order; an omitted optional operand is "". `integer` says that the
    node computes on quantized integers by the int8 specification (its operands carry a Quant).
    `position` is the node's place in the model; it breaks ties in the order of execution.
    `obstacle` says why a float node has no integer form, where one was looked for.
    """

    name: str
    op: str
    attrs: Any
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    integer: bool = False
    position: int = 0
    obstacle: str = ""

    def with_inputs(self, inputs: Iterable[str]) -> Node:
        return replace(self, inputs=tuple(inputs))


class Graph(Generic[AttrsT]):
    """A model being compiled. Treat it as immutable: change a copy through an `Editor`."""

    def __init__(
        self, name: str, inputs: tuple[str, ...], outputs: tuple[str, ...], digraph: nx.DiGraph
    ) -> None:
        self.name = name
        self.inputs = inputs
        self.outputs = outputs
        self.nx = digraph
        self.order: list[Node] | None = None  # of execution, once it is asked for

    def node(self, name: str) -> Node:
        node: Node = self.nx.nodes[("op", name)]["payload"]
        return node

    def value(self, name: str) -> Value:
        value: Value = self.nx.nodes[("value", name)]["payload"]
        return value

    def has_value(self, name: str) -> bool:
        return ("value", name) in self.nx

    def type(self, name: str) -> TensorType:
        return self.value(name).type

    def data(self, name: str) -> Array:
        """The array of a constant. Raises KeyError where the value is none."""
        data = self.value(name).data
        if data is None:
            raise KeyError(f"{name} is not a constant")
        return data

    def values(self) -> list[Value]:
        return [data["payload"] for key, data in self.nx.nodes(data=True) if key[0] == "value"]

    def nodes(self) -> list[Node]:
        """Operators in order of execution: topological, ties broken by place in the model."""
        if self.order is None:

            def key(vertex: tuple[str, str]) -> tuple[int, str]:
                payload = self.nx.nodes[vertex]["payload"]
                return (payload.position, payload.name) if vertex[0] == "op" else (-1, payload.name)

            order = nx.lexicographical_topological_sort(self.nx, key=key)
            self.order = [self.node(v[1]) for v in order if v[0] == "op"]
        return list(self.order)

    def producer(self, value: str) -> Node | None:
        for kind, name in self.nx.predecessors(("value", value)):
            assert kind == "op"
            return self.node(name)
        return None

    def consumers(self, value: str) -> list[Node]:
        """Operators that read the value, in the model's order."""
        nodes = [self.node(name) for _, name in self.nx.successors(("value", value))]
        return sorted(nodes, key=lambda n: (n.position, n.name))

    def sole_consumer(self, value: str) -> Node | None:
        """The only reader of a value that is not a graph output, if there is just one."""
        if value in self.outputs:
            return None
        nodes = self.consumers(value)
        return nodes[0] if len(nodes) == 1 and nodes[0].inputs.count(value) == 1 else None

    def input_types(self, node: Node) -> list[TensorType | None]:
        return [self.type(name) if name else None for name in node.inputs]

    def output_types(self, node: Node) -> list[TensorType]:
        return [self.type(name) for name in node.outputs if name]


class Editor:
    """Changes to a graph. `done()` gives the new graph and ends the editor; the original is left alone."""

    def __init__(self, graph: Graph[Any] | str) -> None:
        self._original = None if isinstance(graph, str) else graph
        self.name: str = graph if isinstance(graph, str) else graph.name
        self.nx: nx.DiGraph = nx.DiGraph() if isinstance(graph, str) else graph.nx  # copied by the first change
        self.inputs: tuple[str, ...] = () if isinstance(graph, str) else graph.inputs
        self.outputs: tuple[str, ...] = () if isinstance(graph, str) else graph.outputs
        self.changes = 0
        self._view: Graph[Any] = Graph(self.name, self.inputs, self.outputs, self.nx)

    def view(self) -> Graph[Any]:
        """The graph as it now stands (shares storage with the editor; do not keep it)."""
        view = self._view
        view.inputs, view.outputs, view.order = self.inputs, self.outputs, None
        return view

    def done(self) -> Graph[Any]:
        """The graph as edited: the original itself where nothing was."""
        original, digraph = self._original, self.nx
        del self.nx
        if original is not None and not self.changes and (self.name, self.inputs, self.outputs) == (
                original.name, original.inputs, original.outputs):
            return original
        return Graph(self.name, self.inputs, self.outputs, digraph)

    def _changed(self) -> nx.DiGraph:
        """The digraph, to be changed."""
        if not self.changes and self._original is not None:
            self.nx = self._view.nx = self.nx.copy()
        self.changes += 1
        return self.nx

    def fresh(self, stem: str) -> str:
        """A name derived from `stem` that neither a value nor an operator has."""
        name, k = stem, 0
        while ("value", name) in self.nx or ("op", name) in self.nx:
            k += 1
            name = f"{stem}~{k}"
        return name

    def set_value(self, value: Value) -> str:
        """Adds a value, or replaces the payload of the one with its name."""
        self._changed().add_node(("value", value.name), payload=value)
        return value.name

    def const(self, stem: str, array: Array, type_: TensorType) -> str:
        return self.set_value(Value(self.fresh(stem), type_, array))

    def temp(self, stem: str, type_: TensorType) -> str:
        return self.set_value(Value(self.fresh(stem), type_))

    def add(self, node: Node) -> Node:
        """Adds an operator; its values must exist and its outputs have no other producer."""
        key = ("op", node.name)
        if key in self.nx:
            raise ValueError(f"two operators named {node.name}")
        self._changed().add_node(key, payload=node)
        for name in node.inputs:
            if name:
                self._need(name)
                self.nx.add_edge(("value", name), key)
        for name in node.outputs:
            if name:
                self._need(name)
                if any(True for _ in self.nx.predecessors(("value", name))):
                    raise ValueError(f"value {name} has two producers")
                self.nx.add_edge(key, ("value", name))
        return node

    def _need(self, value: str) -> None:
        if ("value", value) not in self.nx:
            raise ValueError(f"no value named {value}")

    def remove(self, node: Node) -> None:
        self._changed().remove_node(("op", node.name))

    def discard(self, vertices: Iterable[tuple[str, str]]) -> None:
        """Takes out operators ("op", name) and values ("value", name)."""
        self._changed().remove_nodes_from(list(vertices))

    def replace(self, old: Node, new: Node) -> Node:
        self.remove(old)
        return self.add(new)

    def redirect(self, old: str, new: str) -> None:
        """Makes every reader of value `old`, and the graph's outputs, use `new` instead."""
        for _, name in list(self.nx.successors(("value", old))):
            node: Node = self.nx.nodes[("op", name)]["payload"]
            self.replace(node, node.with_inputs(new if i == old else i for i in node.inputs))
        self.outputs = tuple(new if o == old else o for o in self.outputs)

    def copy_to(self, source: str, output: str) -> Node:
        """Makes a value without producer a copy (Identity) of another."""
        producer = self.view().producer(source)
        position = producer.position if producer else 0
        return self.add(
            Node(
                self.fresh(f"{output}.copy"),
                "Identity",
                NoAttrs(),
                (source,),
                (output,),
                self.view().type(source).quant is not None,
                position,
            )
        )

    def remove_value(self, name: str) -> None:
        self._changed().remove_node(("value", name))

    def rename_values(self, names: Mapping[str, str]) -> None:
        """Renames values that exist to names that do not."""
        for old, new in names.items():
            value: Value = self.nx.nodes[("value", old)]["payload"]
            self.set_value(replace(value, name=new))
            producer = [n for _, n in self.nx.predecessors(("value", old))]
            for name in producer:
                node: Node = self.nx.nodes[("op", name)]["payload"]
                self.remove(node)
                self.add(replace(node, outputs=tuple(new if o == old else o for o in node.outputs)))
            self.redirect(old, new)
            self.inputs = tuple(new if i == old else i for i in self.inputs)
            self.remove_value(old)

