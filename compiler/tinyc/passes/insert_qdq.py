# SPDX-License-Identifier: Apache-2.0
"""A float graph and a recipe become a graph in QDQ form, from which the other passes make integers.

Each value of the recipe is followed by QuantizeLinear and DequantizeLinear; weights become integers behind a
DequantizeLinear; biases are replaced.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np

from tinyc.errors import TinycError
from tinyc.ir.graph import Editor, Graph, Node, Value
from tinyc.ir.types import DType, Quant, TensorType
from tinyc.ops.quantize_linear import QuantAttrs
from tinyc.passes.qdq_to_integer import KEPT_FLOAT
from tinyc.quantize.recipe import Layer, Recipe


def insert_qdq(graph: Graph[Any], recipe: Recipe, keep_float: Collection[str] = ()) -> Graph[Any]:
    """Raises TinycError where the recipe names what the graph does not have."""
    editor = Editor(graph)
    for name in keep_float:
        node = editor.view().node(name)
        editor.replace(node, replace(node, obstacle=KEPT_FLOAT))
    for name, layer in recipe.layers.items():
        _weights(editor, name, layer)
    for name, quant in recipe.activations.items():
        if not editor.view().has_value(name):
            raise TinycError(f"the ranges name a value {name!r} that the model does not have",
                             hint="calibrate the model again")
        _activation(editor, name, quant)
    return editor.done()


def _weights(editor: Editor, name: str, layer: Layer) -> None:
    try:
        node = editor.view().node(name)
        stored = editor.view().type(node.inputs[1])
    except (KeyError, IndexError):
        raise TinycError(f"the ranges name a layer {name!r} that the model does not have",
                         hint="calibrate the model again") from None
    if stored.shape != layer.weights.shape:
        raise TinycError("the ranges have weights of another shape", node=f"{name!r}, {node.op}",
                         hint="calibrate the model again")
    weights = editor.const(f"{node.inputs[1]}.int8", layer.weights, TensorType(DType.INT8, stored.shape))
    quant = Quant(layer.scales, (0,) * len(layer.scales), 0)
    real = editor.temp(f"{node.inputs[1]}.real", TensorType(DType.FLOAT32, stored.shape))
    editor.add(Node(editor.fresh(f"{name}.weights"), "DequantizeLinear", QuantAttrs(quant, DType.INT8), (weights,),
                    (real,), False, node.position))
    bias = node.inputs[2] if len(node.inputs) > 2 else ""
    if layer.bias is not None:
        array = layer.bias.astype(np.float32)
        bias = editor.const(f"{name}.bias", array, TensorType(DType.FLOAT32, array.shape))
    editor.replace(node, node.with_inputs((node.inputs[0], real, bias)))


def _activation(editor: Editor, name: str, quant: Quant) -> None:
    view = editor.view()
    type_ = view.type(name)
    producer = view.producer(name)
    position = producer.position if producer is not None else 0
    source, result = name, editor.fresh(f"{name}.dequantized")
    if name in view.outputs and name not in view.inputs:
        source, result = editor.fresh(f"{name}.real"), name  # the graph's output keeps its name
        editor.rename_values({name: source})
    editor.set_value(Value(result, replace(type_, quant=None)))
    if result == name:
        editor.outputs = tuple(name if o == source else o for o in editor.outputs)
    stored = editor.temp(f"{name}.quantized", TensorType(DType.INT8, type_.shape))
    for reader in view.consumers(source):
        editor.replace(reader, reader.with_inputs(result if i == source else i for i in reader.inputs))
    attrs = QuantAttrs(quant, DType.INT8)
    editor.add(Node(editor.fresh(f"{name}.quantize"), "QuantizeLinear", attrs, (source,), (stored,), False, position))
    editor.add(Node(editor.fresh(f"{name}.dequantize"), "DequantizeLinear", attrs, (stored,), (result,), False,
                    position))
