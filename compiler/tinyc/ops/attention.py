# SPDX-License-Identifier: Apache-2.0
"""Attention: softmax(Q K' * scale + mask) V for heads that may share keys, with ONNX's masks, windows and lengths.

Operands in the IR: 0 Q, 1 K, 2 V, 3 mask or "" (bool: which keys are seen; else added to the scores), 4 lengths or ""
(int64 [batch], how many keys are filled). Half precision rounds every step, as ONNX's definition by other operators.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import Arrays, Operator, ShapeError, Types, array, need, register

# What of the scores is a result; numbers as ONNX's qk_matmul_output_mode.
RAW, CAPPED, MASKED, SOFTMAX = range(4)


@dataclass(frozen=True)
class AttentionAttrs:
    """A query at row r stands at position r + `past`, or r + length - rows; it sees keys from position - `left` to
    position + `right`, where these are not negative (causal: `right` is 0).

    `layouts` of Q, K, V and Y: "BHSD" (4 axes), "BSHD" (4 axes), "BHDS" (4 axes) or "BSC" (3 axes, heads inside the
    last one). `results`: Y, and "QK" for scores [B, heads, rows, keys] of `kind`.
    """

    heads: int
    kv_heads: int
    scale: float
    layouts: tuple[str, str, str, str]
    results: tuple[str, ...] = ("Y",)
    kind: int = RAW
    softcap: float = 0.0
    past: int = 0
    left: int = -1
    right: int = -1
    exact_softmax: bool = False


def split_heads(shape: Sequence[int], layout: str, heads: int) -> tuple[int, int, int, int]:
    """(batch, heads, rows, size) of an operand. Raises ShapeError where the layout does not fit."""
    if len(shape) != (3 if layout == "BSC" else 4):
        raise ShapeError(f"an operand of shape {tuple(shape)}")
    if layout == "BSC":
        if heads < 1 or shape[2] % heads:
            raise ShapeError(f"{shape[2]} elements for {heads} heads")
        return shape[0], heads, shape[1], shape[2] // heads
    place = [layout.index(c) for c in "BHSD"]
    batch, found, rows, size = (shape[p] for p in place)
    if found != heads:
        raise ShapeError(f"{found} heads, not {heads}")
    return batch, found, rows, size


def canonical(x: Array, layout: str, heads: int) -> Array:
    """An operand as [batch, heads, rows, size]."""
    if layout == "BSC":
        return x.reshape(*x.shape[:2], heads, x.shape[2] // heads).transpose(0, 2, 1, 3)
    return x.transpose([layout.index(c) for c in "BHSD"])


def masked_to(mask_shape: tuple[int, ...], scores: tuple[int, ...]) -> tuple[int, ...]:
    """The mask's shape with leading ones. Its last axis may be shorter than the keys: those beyond are not seen."""
    if len(mask_shape) < 1 or len(mask_shape) > 4 or mask_shape[-1] > scores[-1]:
        raise ShapeError(f"a mask {mask_shape} for scores {scores}")
    padded = (1,) * (4 - len(mask_shape)) + mask_shape
    if any(m not in (1, s) for m, s in zip(padded[:3], scores, strict=False)):
        raise ShapeError(f"a mask {mask_shape} for scores {scores}")
    return padded


@register
class Attention(Operator):
    name = "Attention"
    plain_operands = frozenset({3, 4})

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: AttentionAttrs = node.attrs
        q, k, v = (need(t, "operand") for t in types[:3])
        batch, heads, rows, size = split_heads(q.shape, a.layouts[0], a.heads)
        _, kv_heads, keys, k_size = split_heads(k.shape, a.layouts[1], a.kv_heads)
        _, _, v_keys, v_size = split_heads(v.shape, a.layouts[2], a.kv_heads)
        if not q.dtype.is_float or k.dtype is not q.dtype or v.dtype is not q.dtype:
            raise ShapeError(f"operands {q}, {k} and {v}")
        if k.shape[0] != batch or v.shape[0] != batch or size != k_size or keys != v_keys or heads % kv_heads:
            raise ShapeError(f"operands {q.shape}, {k.shape} and {v.shape}")
        scores = (batch, heads, rows, keys)
        if len(types) > 3 and types[3] is not None:
            masked_to(types[3].shape, scores)
            if types[3].dtype not in (DType.BOOL, q.dtype):
                raise ShapeError(f"a mask of {types[3].dtype.label}")
        if len(types) > 4 and types[4] is not None and types[4] != TensorType(DType.INT64, (batch,)):
            raise ShapeError(f"lengths {types[4]} for a batch of {batch}")
        sizes = {"B": batch, "H": heads, "S": rows, "D": v_size}
        y = (batch, rows, heads * v_size) if a.layouts[3] == "BSC" else tuple(sizes[c] for c in a.layouts[3])
        return [TensorType(q.dtype, y if r == "Y" else scores) for r in a.results]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: AttentionAttrs = node.attrs
        given = [*inputs, *[None] * (5 - len(inputs))]
        half = array(given[0]).dtype == np.float16

        def rounded(x: Array) -> Array:
            return x.astype(np.float16).astype(np.float64) if half else x

        q, k, v = (canonical(array(x).astype(np.float64), layout, heads) for x, layout, heads in
                   zip(given, a.layouts, (a.heads, a.kv_heads, a.kv_heads), strict=False))
        k, v = (np.repeat(x, a.heads // a.kv_heads, axis=1) for x in (k, v))
        if half:
            root = rounded(np.asarray(math.sqrt(a.scale)))
            scores = rounded(rounded(q * root) @ rounded(k * root).swapaxes(2, 3))
        else:
            scores = q @ k.swapaxes(2, 3) * a.scale
        kinds = [scores]
        if a.softcap > 0:
            scores = rounded(rounded(np.tanh(rounded(scores / a.softcap))) * a.softcap)
        kinds.append(scores)
        seen = self._seen(a, scores.shape, given[3], given[4])
        if given[3] is not None and given[3].dtype != np.bool_:
            mask = given[3].astype(np.float64)
            scores = scores.copy()
            scores[..., : mask.shape[-1]] = rounded(scores[..., : mask.shape[-1]] + mask)
            unseen = np.broadcast_to(np.isneginf(mask), (*scores.shape[:3], mask.shape[-1]))
            seen[..., : mask.shape[-1]] &= ~unseen
        scores = np.where(seen, scores, -np.inf)
        kinds.append(scores)
        fine = (lambda x: x) if a.exact_softmax else rounded
        with np.errstate(invalid="ignore"):
            top = scores.max(-1, keepdims=True)
            e = fine(np.where(seen, np.exp(fine(scores - np.where(np.isneginf(top), 0, top))), 0.0))
            total = fine(e.sum(-1, keepdims=True))
        p = rounded(e / np.where(total == 0, 1, total))
        kinds.append(p)
        y = (p @ np.where(np.isfinite(v), v, 0)) if not np.isfinite(v).all() else p @ v
        if a.layouts[3] == "BSC":
            y = y.transpose(0, 2, 1, 3).reshape(y.shape[0], y.shape[2], -1)
        else:
            y = y.transpose(["BHSD".index(c) for c in a.layouts[3]])
        results = {"Y": y, "QK": kinds[a.kind]}
        return [results[r].astype(t.dtype.numpy) for r, t in zip(a.results, outputs, strict=True)]

    def _seen(
        self, a: AttentionAttrs, shape: tuple[int, ...], mask: Array | None, lengths: Array | None
    ) -> Array:
        """Which keys each query sees, but for what a mask of reals says."""
        batch, _, rows, keys = shape
        row, key = np.arange(rows)[:, None], np.arange(keys)[None, :]
        seen = np.ones(shape, bool)
        for b in range(batch):
            filled = keys if lengths is None else int(np.clip(lengths[b], 0, keys))
            position = row + (a.past if lengths is None else filled - rows)
            seen[b] &= key < filled
            if a.right >= 0:
                seen[b] &= key <= position + a.right
            if a.left >= 0:
                seen[b] &= key >= position - a.left
        if mask is not None:
            columns = mask.shape[-1]
            seen[..., columns:] = False
            if mask.dtype == np.bool_:
                seen[..., :columns] &= mask
        return seen

    def macs(self, node: Node, types: Types, outputs: Sequence[TensorType]) -> int:
        a: AttentionAttrs = node.attrs
        batch, heads, rows, size = split_heads(need(types[0], "Q").shape, a.layouts[0], a.heads)
        _, _, keys, v_size = split_heads(need(types[2], "V").shape, a.layouts[2], a.kv_heads)
        return batch * heads * rows * keys * (size + v_size)
