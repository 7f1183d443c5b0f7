# SPDX-License-Identifier: Apache-2.0
"""An LSTM with int8 weights in the model, one scale each, becomes UnidirectionalLSTM where its integer form applies.

All other LSTMs between quantized values have their weights quantized anew, row by row (tinyc.quantize.recurrent).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ops.unidirectional_lstm import UnidirectionalAttrs
from tinyc.passes.constants import float_data, is_constant
from tinyc.passes.qdq_to_integer import KEPT_FLOAT, integer_form, stored


def lstm_as_written(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for node in graph.nodes():
        if node.op == "LSTM" and not node.integer and node.obstacle != KEPT_FLOAT and _fits(graph, node):
            new = replace(node, op="UnidirectionalLSTM", attrs=UnidirectionalAttrs(node.attrs), inputs=node.inputs[:4])
            if not isinstance(integer_form(graph, new), str):
                editor.replace(node, new)
    return editor.done()


def _fits(graph: Graph[Any], node: Node) -> bool:
    a, given = node.attrs, [*node.inputs, *[""] * 8]
    if a.direction != "forward" or a.results != ("Y",) or given[4] or given[7]:
        return False
    if not all(_stored_constant(graph, name) for name in given[1:3]):
        return False
    states = [name for name in given[5:7] if name]
    return all(is_constant(graph, s) and not np.any(float_data(graph, s)) for s in states)


def _stored_constant(graph: Graph[Any], name: str) -> bool:
    pair = stored(graph, name)
    return pair is not None and graph.value(pair[0]).is_const
