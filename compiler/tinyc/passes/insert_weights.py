# SPDX-License-Identifier: Apache-2.0
"""Float weights of Conv and Gemm become int8 behind a DequantizeLinear, each by itself: no samples are needed.

Weights are symmetric, with a scale for each output channel. All else stays float.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from tinyc.ir.graph import Editor, Graph, Node
from tinyc.ir.types import DType, Quant, TensorType
from tinyc.ops.quantize_linear import QuantAttrs
from tinyc.ops.registry import operator
from tinyc.passes.stored_weights import takes_stored
from tinyc.quantize.rounding import channel_scales, nearest


def insert_weights(graph: Graph[Any], keep_float: Collection[str] = ()) -> Graph[Any]:
    """`keep_float`: names of nodes that keep their weights."""
    editor = Editor(graph)
    for node in graph.nodes():
        if node.name not in keep_float and takes_stored(graph, node):
            _quantize(editor, node)
    return editor.done()


def _quantize(editor: Editor, node: Node) -> None:
    index = operator(node.op).stored_operand
    assert index is not None
    value = editor.view().value(node.inputs[index])
    if value.data is None or not value.data.size or not np.all(np.isfinite(value.data)):
        return
    rows = value.data.reshape(value.type.shape[0], -1)
    scales = channel_scales(rows)
    steps = nearest(rows, scales).astype(np.int8).reshape(value.type.shape)
    stored = editor.const(f"{node.name}.weights", steps, TensorType(DType.INT8, value.type.shape))
    real = editor.temp(f"{node.name}.weights.real", TensorType(DType.FLOAT32, value.type.shape))
    quant = Quant(tuple(float(s) for s in scales), (0,) * len(scales), 0)
    editor.add(Node(editor.fresh(f"{node.name}.weights.dequantize"), "DequantizeLinear", QuantAttrs(quant, DType.INT8),
                    (stored,), (real,), False, node.position))
    editor.replace(node, node.with_inputs(real if k == index else name for k, name in enumerate(node.inputs)))
