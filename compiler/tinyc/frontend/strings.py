# SPDX-License-Identifier: Apache-2.0
"""Strings at run time: integers whose type says which strings they stand for (TensorType.labels)."""

from __future__ import annotations

import numpy as np

from tinyc.ir.graph import Editor
from tinyc.ir.types import DType, TensorType
from tinyc.ops.registry import Operator, ShapeError


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
