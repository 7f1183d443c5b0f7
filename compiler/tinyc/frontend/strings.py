# SPDX-License-Identifier: Apache-2.0
"""Strings at run time: integers whose type says which strings they stand for (TensorType.labels)."""

from __future__ import annotations

import numpy as np
import onnx

from tinyc.errors import TinycError
from tinyc.ir.graph import Editor
from tinyc.ir.types import DType, TensorType
from tinyc.ops.registry import Operator, ShapeError

# Attributes by which encoders name the strings that they know.
_VOCABULARIES = ("keys_strings", "cats_strings", "classes_strings", "keys_tensor")


def input_type(info: onnx.ValueInfoProto, type_: TensorType, graph: onnx.GraphProto) -> TensorType:
    """The type of a graph input: strings become places among the strings that the encoders behind it know."""
    if type_.dtype is not DType.STRING:
        return type_
    reached, labels = {info.name}, dict[str, None]()
    for node in graph.node:
        if not reached.isdisjoint(node.input):
            own = [a for a in node.attribute if a.name in _VOCABULARIES]
            texts = [t for a in own for t in (*a.strings, *(a.t.string_data if a.name == "keys_tensor" else ()))]
            labels.update(dict.fromkeys(t.decode() for t in texts))
            if not texts:
                reached.update(node.output)
    if not labels:
        raise TinycError("strings that no encoder of the model reads", node=f"graph input {info.name!r}",
                         hint="encode them as numbers before the model")
    return TensorType(DType.INT32, type_.shape, None, tuple(labels))


def labelled_operands(editor: Editor, kind: Operator, inputs: tuple[str, ...]) -> tuple[str, ...]:
    """A node's operands, with a constant of strings replaced by a labelled one.

    Raises ShapeError where the operator does more with the strings than move them. Where all operands are
    constants nothing changes: such a node is folded.
    """
    view = editor.view()
    if all(view.value(i).is_const for i in inputs if i):
        return inputs
    strings = [i for i in inputs if i and (view.type(i).dtype is DType.STRING or view.type(i).labels is not None)]
    if not strings:
        return inputs
    if strings != [inputs[0]] or not (kind.selects or kind.is_view or kind.name == "Identity"):
        raise ShapeError("computing with strings is not supported")
    if view.type(inputs[0]).labels is not None:
        return inputs
    texts = [str(s) for s in view.data(inputs[0]).reshape(-1)]
    labels = list(dict.fromkeys(texts))
    places = np.array([labels.index(s) for s in texts], np.int32).reshape(view.type(inputs[0]).shape)
    type_ = TensorType(DType.INT32, places.shape, None, tuple(labels))
    return (editor.const(f"{inputs[0]}.labels", places, type_), *inputs[1:])
