# SPDX-License-Identifier: Apache-2.0
"""Operators whose attributes list their results drop those that nobody reads (an LSTM's sequence, a mean)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyc.ir.graph import Editor, Graph


def trim_results(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for node in graph.nodes():
        results: tuple[str, ...] | None = getattr(node.attrs, "results", None)
        if results is None:
            continue
        read = [k for k, o in enumerate(node.outputs) if o in graph.outputs or graph.consumers(o)]
        keep = read or [0]
        if len(keep) == len(results):
            continue
        attrs = replace(node.attrs, results=tuple(results[k] for k in keep))
        editor.replace(node, replace(node, attrs=attrs, outputs=tuple(node.outputs[k] for k in keep)))
        for k, output in enumerate(node.outputs):
            if k not in keep:
                editor.remove_value(output)
    return editor.done()
