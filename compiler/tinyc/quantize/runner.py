# SPDX-License-Identifier: Apache-2.0
"""Float operators on samples: by onnxruntime where it is faster, else by NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinyc.export.forms import NoForm
from tinyc.export.model import to_node_model
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array
from tinyc.ops.registry import operator

# Where NumPy is slow; of the others most are done before a session is called.
HEAVY = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul", "LSTM", "GRU", "RNN", "AveragePool", "MaxPool"})


class Runner:
    """Evaluates nodes one at a time, with any values for their operands, constants included."""

    def __init__(self) -> None:
        self._sessions: dict[tuple[Any, ...], Any] = {}

    def node(self, graph: Graph[Any], node: Node, operands: Sequence[Array | None]) -> list[Array]:
        """The node's results, in the graph's types and shapes."""
        outputs = graph.output_types(node)
        session = self._session(graph, node) if node.op in HEAVY else None
        if session is None:
            results = operator(node.op).evaluate(node, operands, outputs)
        else:
            given = {n: a for n, a in zip(node.inputs, operands, strict=True) if a is not None}
            feed = (np.ascontiguousarray(a) for a in given.values())
            results = session.run(None, dict(zip((i.name for i in session.get_inputs()), feed, strict=True)))
        return [np.asarray(r, t.dtype.numpy).reshape(t.shape) for r, t in zip(results, outputs, strict=False)]

    def graph(self, graph: Graph[Any], sample: Mapping[str, Array]) -> dict[str, Array]:
        """Every value of a float graph for one sample."""
        known: dict[str, Array] = {v.name: v.data for v in graph.values() if v.data is not None}
        known |= {name: np.asarray(sample[name]).reshape(graph.type(name).shape) for name in graph.inputs}
        for node in graph.nodes():
            results = self.node(graph, node, [known[i] if i else None for i in node.inputs])
            known |= zip([o for o in node.outputs if o], results, strict=True)
        return known

    def _session(self, graph: Graph[Any], node: Node) -> Any:
        """One for all nodes that differ in their operands' values only; None where the operator has no ONNX form."""
        types = tuple(None if t is None else (t.dtype, t.shape) for t in graph.input_types(node))
        same = tuple(node.inputs.index(i) for i in node.inputs)
        results = tuple(bool(o) for o in node.outputs)
        key = (node.op, node.attrs, types, same, results)
        if key not in self._sessions:
            self._sessions[key] = _session(graph, node)
        return self._sessions[key]


def _session(graph: Graph[Any], node: Node) -> Any:
    import onnxruntime

    try:
        model = to_node_model(graph, node).SerializeToString()
    except NoForm:
        return None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
