# SPDX-License-Identifier: Apache-2.0
"""Takes a Pad with zeros (in integers: with the zero point) into the pads of the Conv that reads it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ops.spatial import spatial


def fuse_pad(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for original in graph.nodes():
        if original.op != "Conv":
            continue
        view = editor.view()
        node = view.node(original.name)
        pad = view.producer(node.inputs[0])
        if pad is None or pad.op != "Pad" or view.sole_consumer(node.inputs[0]) is None:
            continue
        pads = _spatial_pads(view, pad, node)
        if pads is None or pad.integer != node.integer:
            continue
        total = tuple(a + b for a, b in zip(pads, node.attrs.pads, strict=True))
        editor.remove(pad)
        editor.replace(
            node,
            replace(node, attrs=replace(node.attrs, pads=total), inputs=(pad.inputs[0], *node.inputs[1:])),
        )
        editor.remove_value(pad.outputs[0])
    return editor.done()


def _spatial_pads(graph: Graph[Any], pad: Node, conv: Node) -> tuple[int, ...] | None:
    """The Pad's spatial pads, begins then ends; None unless it adds zeros to spatial axes only."""
    a, last = pad.attrs, conv.attrs.channels_last
    rank = graph.type(pad.inputs[0]).rank
    begins, ends = a.pads[:rank], a.pads[rank:]
    others = (0, rank - 1) if last else (0, 1)
    if a.mode != "constant" or a.value != 0.0 or min(a.pads) < 0:
        return None
    if any(begins[i] or ends[i] for i in others):
        return None
    return (*spatial(begins, last), *spatial(ends, last))
