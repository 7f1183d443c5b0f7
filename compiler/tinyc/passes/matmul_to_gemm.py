# SPDX-License-Identifier: Apache-2.0
"""MatMul with a constant matrix on the right becomes Gemm, whose weights are [N, K]."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Editor, Graph
from tinyc.ops.gemm import GemmAttrs
from tinyc.passes.constants import is_constant, rearrange


def matmul_to_gemm(graph: Graph[Any]) -> Graph[Any]:
    editor = Editor(graph)
    for node in graph.nodes():
        if node.op != "MatMul" or node.integer:
            continue
        a, b = node.inputs
        if graph.type(b).rank != 2 or not is_constant(graph, b) or is_constant(graph, a):
            continue
        if not graph.type(a).dtype.is_float:
            continue
        weights = rearrange(editor, b, lambda x: np.ascontiguousarray(x.T), lambda axis: 1 - axis)
        editor.replace(
            node, replace(node, op="Gemm", attrs=GemmAttrs(node.attrs.clamp), inputs=(a, weights, ""))
        )
    return editor.done()
