# SPDX-License-Identifier: Apache-2.0
"""What the layout passes share: permutations, and new Transposes and Reshapes."""

from __future__ import annotations

from typing import Any

from tinyc.ir.graph import Editor, Node
from tinyc.ops.transpose import TransposeAttrs
from tinyc.ops.view import ReshapeAttrs


def inverse(perm: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(perm.index(i) for i in range(len(perm)))


def moves_only_ones(perm: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether the axes of extent above 1 keep their order."""
    kept = [p for p in perm if shape[p] != 1]
    return kept == sorted(kept)


def insert_transpose(
    editor: Editor, near: Node, value: str, perm: tuple[int, ...], result: str | None = None
) -> str:
    """A new Transpose of `value` beside the node `near`; the name of its result (a new value if None)."""
    shape = editor.view().type(value).shape
    return _insert(
        editor, near, "Transpose", TransposeAttrs(perm), value, tuple(shape[p] for p in perm), result
    )


def insert_reshape(
    editor: Editor, near: Node, value: str, shape: tuple[int, ...], result: str | None = None
) -> str:
    """A new Reshape of `value` beside the node `near`; the name of its result (a new value if None)."""
    return _insert(editor, near, "Reshape", ReshapeAttrs(shape), value, shape, result)


def _insert(
    editor: Editor, near: Node, op: str, attrs: Any, value: str, shape: tuple[int, ...], result: str | None
) -> str:
    type_ = editor.view().type(value).with_shape(shape)
    output = result if result is not None else editor.temp(f"{value}.{op.lower()}", type_)
    editor.add(
        Node(
            editor.fresh(f"{near.name}.{op.lower()}"),
            op,
            attrs,
            (value,),
            (output,),
            type_.quant is not None,
            near.position,
        )
    )
    return output
