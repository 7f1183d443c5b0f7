# SPDX-License-Identifier: Apache-2.0
"""Cast from integers, TreeEnsemble -> TreeEnsemble on the integers: its thresholds become integers, exactly."""

from __future__ import annotations

from typing import Any

from tinyc.ir.graph import Editor, Graph
from tinyc.ir.types import DType

_WIDE = (DType.UINT32, DType.UINT64)


def trees_on_integers(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for node in graph.nodes():
        cast = graph.producer(node.inputs[0]) if node.op == "TreeEnsemble" else None
        if cast is None or cast.op != "Cast" or cast.attrs.dtype is not node.attrs.compare:
            continue
        source = graph.type(cast.inputs[0]).dtype
        if (source.is_integer and source not in _WIDE) or source is DType.BOOL:
            editor.replace(node, node.with_inputs(cast.inputs))
    return editor.done()
