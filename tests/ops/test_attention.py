# SPDX-License-Identifier: Apache-2.0
"""Attention, normalization and rotary embedding: against ONNX's reference or onnxruntime, other types against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from support import Const, Model, compile_proto, differences, execute, with_numpy, with_onnxruntime


def typed(m: Model, dtype: type = np.float32) -> onnx.ModelProto:
    """The model; outputs whose type ONNX cannot infer are of this one."""
    unknown = {o for n in m.nodes if n.domain or n.op_type in UNKNOWN for o in n.output}
    m.types = {o: onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)) for o in m.outputs if o in unknown}
    return m.proto()


UNKNOWN = ("Attention", "GroupNormalization", "SimplifiedLayerNormalization")


def check(
    m: Model, want: dict[str, np.ndarray] | None = None, tolerance: float = 1e-5, dtype: type = np.float32
) -> None:
    proto = typed(m, dtype)
    compiled = compile_proto(proto, plan_effort=0.05)
    got = execute(compiled, m.inputs)
    assert not differences(got, with_numpy(compiled, m.inputs) if want is None else want, tolerance)


def by_reference(m: Model) -> dict[str, np.ndarray]:
    model = typed(m)
    return dict(zip(m.outputs, ReferenceEvaluator(model).run(m.outputs, m.inputs), strict=True))


def attention(m: Model, name: str, dtype: type = np.float32, **a: Any) -> None:
    """A random case: sizes, layout, masks, past, windows, softcap and scores as an output."""
    rng = m.rng
    batch, kv_heads, rows, keys, size, value_size = (int(rng.integers(1, n)) for n in (3, 4, 5, 8, 9, 9))
    heads = kv_heads * int(rng.integers(1, 4))
    past = int(rng.integers(1, 5)) if rng.random() < 0.4 else 0
    flat, total = rng.random() < 0.5, keys + past

    def real(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(dtype)

    def operand(count: int, length: int, width: int) -> np.ndarray:
        return real(batch, length, count * width) if flat else real(batch, count, length, width)

    operands: list[Any] = [operand(heads, rows, size), operand(kv_heads, keys, size),
                           operand(kv_heads, keys, value_size)]
    shape = [batch, heads, rows, total]
    shape = [n if rng.random() < 0.7 else 1 for n in shape[:3]] + [total]
    shape = shape[int(rng.integers(0, 3)):]
    kind = int(rng.integers(0, 3))
    mask = None if kind == 0 else rng.random(shape) < 0.7 if kind == 1 else real(*shape)
    operands += [mask, *([real(batch, kv_heads, past, size), real(batch, kv_heads, past, value_size)] if past else [])]
    lengths = not past and rng.random() < 0.4
    if lengths:
        operands += [None, None, rng.integers(1, keys + 1, batch)]
    attributes = {"is_causal": int(rng.random() < 0.4), "softcap": 1.5 if rng.random() < 0.3 else 0.0,
                  "left_window_size": int(rng.integers(-1, 4)), "right_window_size": int(rng.integers(-1, 4))}
    if flat:
        attributes |= {"q_num_heads": heads, "kv_num_heads": kv_heads}
    if rng.random() < 0.3:
        attributes["scale"] = 0.3
    scores = rng.random() < 0.5
    if scores:
        # ONNX's reference gives mode 0 behind the softcap, its text and function before.
        attributes["qk_matmul_output_mode"] = int(rng.integers(1 if attributes["softcap"] else 0, 4))
    while operands[-1] is None:
        operands.pop()
    names = [m._operand(name, k, o) for k, o in enumerate(operands)]
    # The reference takes a nameless result for a nameless operand of the next node: all have names.
    results = [f"{name}_{r}" for r in ("ykvs" if scores else "ykv")]
    m.node("Attention", names, results, **attributes, **a)
    m.outputs += [r for r in results if past or r[-1] not in "kv"]


def test_attention_against_the_reference() -> None:
    m = Model("attention", 25, seed=3)
    for k in range(40):
        attention(m, f"a{k}")
    check(m, by_reference(m))


def test_attention_of_other_types() -> None:
    m = Model("attention_double", 25, seed=4)
    for k in range(6):
        attention(m, f"d{k}", np.float64)
    check(m, tolerance=1e-6, dtype=np.float64)
    m = Model("attention_half", 25, seed=5)
    for k in range(6):
        attention(m, f"h{k}", np.float16)
    check(m, tolerance=4e-3, dtype=np.float16)


def test_multi_head_attention() -> None:
    m = Model("mha", 17)
    ms: dict[str, Any] = {"domain": "com.microsoft", "num_heads": 2}
    q, k, v = ((2, n, 8) for n in (3, 5, 5))
    m.plain("plain", "MultiHeadAttention", q, k, v, **ms)
    m.plain("biased", "MultiHeadAttention", q, k, v, Const(m.rng.standard_normal(24).astype(np.float32)), **ms)
    keys = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32)
    m.plain("masked", "MultiHeadAttention", q, k, v, None, keys, **ms)
    m.plain("added", "MultiHeadAttention", q, k, v, None, None, (2, 2, 3, 5), **ms)
    m.plain("causal", "MultiHeadAttention", q, q, q, unidirectional=1, scale=0.4, **ms)
    check(m, with_onnxruntime(typed(m), m.inputs))


def test_packed_attention() -> None:
    m = Model("packed", 17)
    ms: dict[str, Any] = {"domain": "com.microsoft", "num_heads": 2}

    def real(*shape: int) -> Const:
        return Const(m.rng.standard_normal(shape).astype(np.float32))

    m.plain("plain", "Attention", (2, 3, 8), real(8, 24), real(24), **ms)
    m.plain("causal", "Attention", (2, 3, 8), real(8, 24), real(24), unidirectional=1, **ms)
    m.plain("masked", "Attention", (2, 3, 8), real(8, 24), real(24), np.array([[1, 1, 0], [1, 1, 1]], np.int32), **ms)
    m.plain("added", "Attention", (2, 3, 8), real(8, 24), real(24), None, None, (2, 2, 3, 3), scale=0.3, **ms)
    m.plain("sizes", "Attention", (2, 3, 8), real(8, 20), real(20), qkv_hidden_sizes=[8, 8, 4], **ms)
    check(m, with_onnxruntime(typed(m), m.inputs))


def test_attention_alone_needs_one_row_of_scores() -> None:
    """No keys repeated for the heads that share them, no matrix of scores; the result lies on the queries."""
    m = Model("row", 23)
    m.plain("x", "Attention", (1, 16, 8 * 4), (1, 16, 2 * 4), (1, 16, 2 * 4), q_num_heads=8, kv_num_heads=2)
    compiled = compile_proto(m.proto())
    assert compiled.arena.bytes <= 4 * (16 * 32 + 2 * 16 * 8 + 16) + 16


def normalizations(m: Model, dtype: type = np.float32) -> None:
    def real(*shape: int) -> np.ndarray:
        return (m.rng.standard_normal(shape) * 2 + 0.5).astype(dtype)

    for k, (shape, axis) in enumerate((((2, 3, 8), -1), ((4, 6), 0), ((2, 3, 4, 5), 2), ((1, 7), 1))):
        row = shape[axis:]
        m.plain(f"layer{k}", "LayerNormalization", real(*shape), Const(real(*row)), Const(real(*row)), axis=axis)
        m.plain(f"computed{k}", "LayerNormalization", real(*shape), real(*row), axis=axis, epsilon=0.1)


def test_layer_norm_against_onnxruntime() -> None:
    m = Model("layer_norm", 17)
    normalizations(m)
    m.plain("statistics", "LayerNormalization", (2, 3, 8), (8,), (8,), count=3)
    m.plain("broadcast", "LayerNormalization", (2, 3, 8), (8,), (1,))
    ms = {"domain": "com.microsoft"}
    m.plain("skip", "SkipLayerNormalization", (2, 3, 8), (2, 3, 8), (8,), (8,), (8,), **ms)
    m.plain("simple", "SimplifiedLayerNormalization", (2, 3, 8), (8,), axis=-1, epsilon=1e-3)
    m.plain("fast", "FastGelu", (2, 8), (8,), **ms)
    m.plain("bias", "BiasGelu", (2, 8), (8,), **ms)
    m.plain("gelu", "Gelu", (2, 8), **ms)
    m.plain("quick", "QuickGelu", (2, 8), **ms)
    check(m, with_onnxruntime(typed(m), m.inputs))


def test_norms_of_other_types() -> None:
    for dtype, tolerance in ((np.float64, 1e-6), (np.float16, 1e-3)):
        m = Model("norms", 23)
        normalizations(m, dtype)
        for k, axis in enumerate((-1, 1)):
            m.plain(f"rms{k}", "RMSNormalization", m.rng.standard_normal((2, 3, 4)).astype(dtype),
                    m.rng.standard_normal((2, 3, 4)[axis:]).astype(dtype), axis=axis)
        m.plain("group", "GroupNormalization", m.rng.standard_normal((2, 6, 5)).astype(dtype), np.ones(6, dtype),
                np.ones(6, dtype), num_groups=3)
        check(m, tolerance=tolerance, dtype=dtype)


def test_group_norm_before_opset_21() -> None:
    m = Model("group", 18)
    m.plain("group", "GroupNormalization", (2, 6, 5), (3,), (3,), num_groups=3)
    x, scale, shift = m.inputs.values()
    rows = x.reshape(2, 3, 10)
    rows = (rows - rows.mean(-1, keepdims=True)) / np.sqrt(rows.var(-1, keepdims=True) + 1e-5)
    check(m, {"group_y": (rows * scale[:, None] + shift[:, None]).reshape(2, 6, 5)})


def test_rotary_against_the_reference() -> None:
    m = Model("rotary", 23)
    for k in range(12):
        batch, heads, rows, half = (int(m.rng.integers(1, n)) for n in (3, 4, 5, 5))
        flat, some, given = k % 2, k % 3 == 0 and half > 1, k % 4 < 2
        size = 2 * half
        dim = 2 if some else size
        x = (batch, rows, heads * size) if flat else (batch, heads, rows, size)
        angles = (7, dim // 2) if given else (batch, rows, dim // 2)
        ids = [m.rng.integers(0, 7, (batch, rows))] if given else []
        extra = {"num_heads": heads} if flat else {}
        m.plain(f"r{k}", "RotaryEmbedding", x, angles, angles, *ids, interleaved=int(k % 5 < 2),
                rotary_embedding_dim=dim if some else 0, **extra)
    check(m, by_reference(m))


def test_rotary_position_outside_reads_nothing_outside() -> None:
    m = Model("outside", 23)
    m.plain("r", "RotaryEmbedding", (1, 1, 2, 4), (3, 2), (3, 2), np.array([[99, -99]], np.int64))
    check(m)


assert onnx.defs.onnx_opset_version() >= 25
