# SPDX-License-Identifier: Apache-2.0
"""Import of ONNX's Attention and of onnxruntime's MultiHeadAttention and Attention."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinyc.ir.types import DType
from tinyc.ops.attention import RAW, AttentionAttrs, split_heads
from tinyc.ops.cast import CastAttrs
from tinyc.ops.concat import ConcatAttrs
from tinyc.ops.elementwise import BinaryAttrs
from tinyc.ops.matmul import MatMulAttrs
from tinyc.ops.registry import Importing, imports
from tinyc.ops.select import SliceAttrs
from tinyc.ops.transpose import TransposeAttrs
from tinyc.ops.view import ReshapeAttrs


def _window(node: Importing, name: str) -> int:
    size = int(node.attributes.get(name, -1))
    if size < -1:
        raise node.fail(f"{name} {size} is neither -1 nor a size")
    return size


def _with_past(node: Importing, value: str, layout: str, heads: int, past: str) -> str:
    """[B, heads, rows, size] of `past` and then of the value."""
    shape = node.type_of(value).shape
    if layout == "BSC":
        batch, _, rows, size = split_heads(shape, layout, heads)
        value = node.emit("Reshape", ReshapeAttrs((batch, rows, heads, size)), [value])[0]
        value = node.emit("Transpose", TransposeAttrs((0, 2, 1, 3)), [value])[0]
    return node.emit("Concat", ConcatAttrs(2), [past, value])[0] if past else value


def _wants(node: Importing, index: int) -> bool:
    return index < len(node.outputs) and node.outputs[index] != ""


@imports("Attention")
def _attention(node: Importing) -> Sequence[str]:
    attributes, q = node.attributes, node.type(0)
    layout = "BSC" if q.rank == 3 else "BHSD"
    heads, kv_heads = (int(attributes.get(f"{k}_num_heads", node.type(i).shape[1] if layout == "BHSD" else 0))
                       for i, k in enumerate(("q", "kv")))
    if q.rank not in (3, 4) or heads < 1 or kv_heads < 1 or heads % kv_heads:
        raise node.fail(f"{heads} heads of queries and {kv_heads} of keys for operands of rank {q.rank}")
    if node.has(4) != node.has(5) or node.has(4) and node.has(6):
        raise node.fail("past_key and past_value come together, and without nonpad_kv_seqlen")
    size = split_heads(q.shape, layout, heads)[3]
    scale = float(attributes.get("scale") or 0.0) or 1.0 / math.sqrt(size)
    right = _window(node, "right_window_size")
    values, layouts, present = [node.input(0)], [layout], []
    for k in (1, 2):
        value, own = node.input(k), layout
        if node.has(3 + k) or _wants(node, k):
            value, own = _with_past(node, value, layout, kv_heads, node.input(3 + k)), "BHSD"
            present.append(value)
        else:
            present.append("")
        values.append(value)
        layouts.append(own)
    mask = node.input(3)
    if mask and node.type(3).dtype not in (DType.BOOL, q.dtype):
        mask = node.emit("Cast", CastAttrs(q.dtype), [mask])[0]
    attrs = AttentionAttrs(
        heads, kv_heads, scale, (layouts[0], layouts[1], layouts[2], layout),
        ("Y", "QK") if _wants(node, 3) else ("Y",), int(attributes.get("qk_matmul_output_mode", RAW)),
        float(attributes.get("softcap", 0.0)), node.type(4).shape[2] if node.has(4) else 0,
        _window(node, "left_window_size"), 0 if attributes.get("is_causal", 0) else right,
        int(attributes.get("softmax_precision", 0)) in (1, 11),
    )
    if not 0 <= attrs.kind <= 3:
        raise node.fail(f"qk_matmul_output_mode {attrs.kind} is unknown")
    results = node.emit("Attention", attrs, [*values, mask, node.input(6)], len(attrs.results))
    return [results[0], *present, *results[1:]]


@imports("MultiHeadAttention", domain="com.microsoft")
def _multi_head_attention(node: Importing) -> Sequence[str]:
    """Q, K and V [B, S, C], K and V also [B, heads, S, size]; bias, masks of keys and of scores, and a past."""
    heads = int(node.attributes["num_heads"])
    if node.type(0).rank != 3 or not node.has(1) or not node.has(2) or node.attributes.get("mask_filter_value", None):
        raise node.fail("packed operands are not supported", "export with separate query, key and value")
    if len(node.inputs) > 8 and any(node.inputs[8:]):
        raise node.fail("buffers shared between past and present are not supported")
    values = [node.input(k) for k in range(3)]
    if node.has(3):
        start = 0
        for k in range(3):
            width = node.type_of(values[k]).shape[-1]
            if node.type_of(values[k]).rank != 3 or node.type(3).rank != 1:
                raise node.fail("a bias beside keys that are split into heads")
            part = node.emit("Slice", SliceAttrs((start,), (1,), (width,)), [node.input(3)])
            values[k] = node.emit("Add", BinaryAttrs(), [values[k], *part])[0]
            start += width
    batch, _, rows, size = split_heads(node.type(0).shape, "BSC", heads)
    layouts, present = ["BSC"], []
    for k in (1, 2):
        layout = "BSC" if node.type_of(values[k]).rank == 3 else "BHSD"
        if node.has(5 + k) or _wants(node, k):
            values[k], layout = _with_past(node, values[k], layout, heads, node.input(5 + k)), "BHSD"
            present.append(values[k])
        else:
            present.append("")
        layouts.append(layout)
    keys = split_heads(node.type_of(values[1]).shape, layouts[1], heads)[2]
    mask = _microsoft_mask(node, 4, 5, (batch, keys))
    past = node.type(6).shape[2] if node.has(6) else 0
    attrs = AttentionAttrs(
        heads, heads, float(node.attributes.get("scale") or 0.0) or 1.0 / math.sqrt(size),
        (layouts[0], layouts[1], layouts[2], "BSC"), past=keys - rows if past else 0,
        right=0 if node.attributes.get("unidirectional", 0) else -1,
    )
    return [*node.emit("Attention", attrs, [*values, mask, ""]), *present]


def _microsoft_mask(node: Importing, seen: int, added: int, shape: tuple[int, int]) -> str:
    """The mask of two operands: which keys [batch, keys] are seen, and what is added to the scores; "" for none."""
    mask = node.input(added)
    if not node.has(seen):
        return mask
    if mask or node.type(seen).shape != shape:
        raise node.fail(f"a key mask of shape {list(node.type(seen).shape)}", "export with attention_bias alone")
    zero = node.const(np.zeros((), node.type(seen).dtype.numpy))
    positive = node.emit("Greater", BinaryAttrs(), [node.input(seen), zero])
    return node.emit("Reshape", ReshapeAttrs((shape[0], 1, 1, shape[1])), positive)[0]


@imports("Attention", domain="com.microsoft")
def _packed_attention(node: Importing) -> Sequence[str]:
    """x [B, S, C] times weights [C, queries + keys + values], plus a bias, then attention; no past."""
    heads, x, w = int(node.attributes["num_heads"]), node.type(0), node.type(1)
    if node.has(4) or _wants(node, 1) or any(node.has(k) for k in (6, 7)):
        raise node.fail("a past is not supported", "export with MultiHeadAttention or ONNX's Attention")
    if node.attributes.get("do_rotary", 0) or x.rank != 3 or w.rank != 2:
        raise node.fail("rotary embedding inside, or operands of other ranks, are not supported")
    widths = [int(v) for v in node.attributes.get("qkv_hidden_sizes") or [w.shape[1] // 3] * 3]
    if len(widths) != 3 or sum(widths) != w.shape[1] or min(widths) < 1 or widths[0] != widths[1]:
        raise node.fail(f"weights of {w.shape[1]} columns for queries, keys and values {widths}")
    packed = node.emit("MatMul", MatMulAttrs(), [node.input(0), node.input(1)])[0]
    if node.has(2):
        packed = node.emit("Add", BinaryAttrs(), [packed, node.input(2)])[0]
    starts = (0, widths[0], 2 * widths[0])
    values = [node.emit("Slice", SliceAttrs((0, 0, start), (1, 1, 1), (*x.shape[:2], width)), [packed])[0]
              for start, width in zip(starts, widths, strict=True)]
    size = split_heads((*x.shape[:2], widths[0]), "BSC", heads)[3]
    attrs = AttentionAttrs(
        heads, heads, float(node.attributes.get("scale") or 0.0) or 1.0 / math.sqrt(size), ("BSC", "BSC", "BSC", "BSC"),
        right=0 if node.attributes.get("unidirectional", 0) else -1,
    )
    mask = _microsoft_mask(node, 3, 5, (x.shape[0], x.shape[1]))
    return node.emit("Attention", attrs, [*values, mask, ""])
