# SPDX-License-Identifier: Apache-2.0
"""An integer AveragePool that counts its padding becomes a Pad with zeros and an AveragePool without pads.

Not with ceil_mode: what lies beyond the padding must not count.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ops.pad import PadAttrs


def pad_average(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for node in graph.nodes():
        a = node.attrs
        if node.op == "AveragePool" and node.integer and a.count_include_pad and not (a.ceil_mode and any(a.pads)):
            _separate(editor, node)
    return editor.done()


def _separate(editor: Editor, node: Node) -> None:
    a, source = node.attrs, node.inputs[0]
    if any(a.pads):
        type_, rank = editor.view().type(source), len(a.kernel)
        around = ((0,), (0,)) if a.channels_last else ((0, 0), ())
        begins, ends = (around[0] + side + around[1] for side in (a.pads[:rank], a.pads[rank:]))
        shape = tuple(d + b + e for d, b, e in zip(type_.shape, begins, ends, strict=True))
        padded = editor.temp(f"{source}.padded", type_.with_shape(shape))
        pad = Node(editor.fresh(f"{node.name}.pad"), "Pad", PadAttrs(begins + ends), (source,), (padded,), True)
        editor.add(replace(pad, position=node.position))
        source = padded
    attrs = replace(a, pads=(0,) * len(a.pads), count_include_pad=False)
    editor.replace(node, replace(node, attrs=attrs, inputs=(source,)))
