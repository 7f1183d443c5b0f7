# SPDX-License-Identifier: Apache-2.0
"""How operators of opsets before 7 align their operands: by the attributes `broadcast` and `axis`."""

from __future__ import annotations

from tinyc.ops.registry import Importing, ShapeError
from tinyc.ops.view import ReshapeAttrs

BROADCASTING_OPSET = 7  # from here on, NumPy's rules hold and the attributes are gone


def second_operand(node: Importing) -> str:
    """Operand 1 of an element-wise operator, shaped so that NumPy's broadcasting means the same.

    Before opset 7 the shapes must be equal, or with `broadcast` 1 the second is a contiguous part of the
    first's, beginning at `axis` (its end by default). Raises ShapeError.
    """
    if node.opset >= BROADCASTING_OPSET:
        return node.input(1)
    a, b = node.type(0).shape, node.type(1).shape
    if not node.attributes.get("broadcast", 0):
        if a != b:
            raise ShapeError(f"operands of shapes {a} and {b} without `broadcast`")
        return node.input(1)
    axis = int(node.attributes.get("axis", len(a) - len(b)))
    axis += len(a) if axis < 0 else 0
    behind = len(a) - axis - len(b)
    if axis < 0 or behind < 0 or any(d not in (1, s) for d, s in zip(b, a[axis:], strict=False)):
        raise ShapeError(f"an operand of shape {b} at axis {axis} of {a}")
    return node.input(1) if not behind else _with_shape(node, (*b, *[1] * behind))


def slope(node: Importing) -> str:
    """Operand 1 of PRelu: before opset 7 one value for all, or one for each channel (axis 1)."""
    x, s = node.type(0), node.type(1)
    if node.opset >= BROADCASTING_OPSET:
        return node.input(1)
    if s.elements == 1:
        return _with_shape(node, ())
    if x.rank < 2 or s.shape != (x.shape[1],):
        raise ShapeError(f"a slope of shape {s.shape} for an input of shape {x.shape}")
    return _with_shape(node, (x.shape[1], *[1] * (x.rank - 2)))


def _with_shape(node: Importing, shape: tuple[int, ...]) -> str:
    if node.type(1).shape == shape:
        return node.input(1)
    return node.emit("Reshape", ReshapeAttrs(shape), [node.input(1)])[0]
