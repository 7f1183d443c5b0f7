# SPDX-License-Identifier: Apache-2.0
"""A float graph and a recipe become a graph in QDQ form, from which the other passes make integers.

Each value of the recipe is followed by QuantizeLinear and DequantizeLinear; weights become integers behind a
DequantizeLinear; biases are replaced. Nodes whose scheme wants a value in another type than it is computed in read it
behind a second such pair.
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
from tinyc.quantize.schemes import INT8, SCHEMES


def insert_qdq(graph: Graph[Any], recipe: Recipe, keep_float: Collection[str] = ()) -> Graph[Any]:
    """Raises TinycError where the recipe names what the graph does not have."""
    editor = Editor(graph)
    for name in dict.fromkeys((*keep_float, *recipe.floats)):
        if ("op", name) not in editor.nx:
            raise TinycError(f"the ranges name a node {name!r} that the model does not have",
                             hint="calibrate the model again")
        node = editor.view().node(name)
        editor.replace(node, replace(node, obstacle=KEPT_FLOAT))
    for name, layer in recipe.layers.items():
        _weights(editor, name, layer, SCHEMES[recipe.nodes.get(name, INT8.name)].weights)
    for name, quants in recipe.activations.items():
        if not editor.view().has_value(name):
            raise TinycError(f"the ranges name a value {name!r} that the model does not have",
                             hint="calibrate the model again")
        (dtype, quant), *others = quants.items()
        computed = _activation(editor, name, dtype, quant)
        for other, quant in others:
            _conversion(editor, computed, recipe, other, quant)
    return editor.done()


def _weights(editor: Editor, name: str, layer: Layer, dtype: DType) -> None:
    try:
        node = editor.view().node(name)
        stored = editor.view().type(node.inputs[1])
    except (KeyError, IndexError):
        raise TinycError(f"the ranges name a layer {name!r} that the model does not have",
                         hint="calibrate the model again") from None
    if stored.shape != layer.weights.shape:
        raise TinycError("the ranges have weights of another shape", node=f"{name!r}, {node.op}",
                         hint="calibrate the model again")
    if np.abs(layer.weights).max(initial=0) > dtype.limits[1]:
        raise TinycError(f"the ranges have weights that do not fit {dtype.label}", node=f"{name!r}, {node.op}",
                         hint="calibrate the model again")
    weights = editor.const(f"{node.inputs[1]}.{dtype.label}", layer.weights.astype(dtype.numpy),
                           TensorType(dtype, stored.shape))
    quant = Quant(layer.scales, (0,) * len(layer.scales), 0)
    real = editor.temp(f"{node.inputs[1]}.real", TensorType(DType.FLOAT32, stored.shape))
    editor.add(Node(editor.fresh(f"{name}.weights"), "DequantizeLinear", QuantAttrs(quant, dtype), (weights,),
                    (real,), False, node.position))
    bias = node.inputs[2] if len(node.inputs) > 2 else ""
    if layer.bias is not None:
        array = layer.bias.astype(np.float32)
        bias = editor.const(f"{name}.bias", array, TensorType(DType.FLOAT32, array.shape))
    editor.replace(node, node.with_inputs((node.inputs[0], real, bias)))


def _activation(editor: Editor, name: str, dtype: DType, quant: Quant) -> str:
    """Quantizes a value for all that reads it. Returns the name under which it is read."""
    view = editor.view()
    type_ = view.type(name)
    source, result = name, editor.fresh(f"{name}.dequantized")
    if name in view.outputs and name not in view.inputs:
        source, result = editor.fresh(f"{name}.real"), name  # the graph's output keeps its name
        editor.rename_values({name: source})
    editor.set_value(Value(result, replace(type_, quant=None)))
    if result == name:
        editor.outputs = tuple(name if o == source else o for o in editor.outputs)
    for reader in view.consumers(source):
        editor.replace(reader, reader.with_inputs(result if i == source else i for i in reader.inputs))
    _pair(editor, name, source, result, QuantAttrs(quant, dtype))
    return result


def _conversion(editor: Editor, name: str, recipe: Recipe, dtype: DType, quant: Quant) -> None:
    """A quantized value in another type, for the nodes whose scheme has it."""
    view = editor.view()
    readers = [n for n in view.consumers(name)
               if n.name in recipe.nodes and SCHEMES[recipe.nodes[n.name]].activations is dtype]
    if not readers:
        return
    result = editor.temp(f"{name}.{dtype.label}", replace(view.type(name), quant=None))
    for reader in readers:
        editor.replace(reader, reader.with_inputs(result if i == name else i for i in reader.inputs))
    _pair(editor, f"{name}.{dtype.label}", name, result, QuantAttrs(quant, dtype))


def _pair(editor: Editor, name: str, source: str, result: str, attrs: QuantAttrs) -> None:
    view = editor.view()
    producer = view.producer(source)
    position = producer.position if producer is not None else 0
    stored = editor.temp(f"{name}.quantized", TensorType(attrs.dtype, view.type(source).shape))
    editor.add(Node(editor.fresh(f"{name}.quantize"), "QuantizeLinear", attrs, (source,), (stored,), False, position))
    editor.add(Node(editor.fresh(f"{name}.dequantize"), "DequantizeLinear", attrs, (stored,), (result,), False,
                    position))
