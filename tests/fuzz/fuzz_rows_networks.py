# SPDX-License-Identifier: Apache-2.0
"""Rows of recurrent layers, attention and signal processing."""

from __future__ import annotations

from typing import Any

import numpy as np
from fuzz_growing import Growing, Value
from fuzz_reference import Dropped
from fuzz_row import Row, drawn, flag, float_types, real

MICROSOFT = "com.microsoft"
_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
_ACTIVATIONS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}


def _recurrent(g: Growing) -> None:
    gates = _GATES[g.op]
    direction = g.pick(["forward", "reverse", "bidirectional"])
    count = 2 if direction == "bidirectional" else 1
    known = [v for v in g.values if v.dtype == "float32" and v.rank == 3 and v.finite]
    x = g.pick(known) if known and g.chance(1, 2) else g.fresh(
        g.content("float32", (g.integer(1, 4), g.integer(1, 2), g.integer(1, 4))), False)
    steps, batch, features = x.shape
    hidden = g.integer(1, 4)

    def weights(*shape: int) -> Value:
        return g.fresh((g.source.numpy().standard_normal(shape) * 0.5).astype(np.float32), True if g.chance(9, 10)
                       else None)

    operands: list[Value | None] = [x, weights(count, gates * hidden, features), weights(count, gates * hidden, hidden)]
    operands.append(weights(count, 2 * gates * hidden) if g.chance(1, 2) else None)
    lengths = g.source.numpy().integers(1, steps, batch, endpoint=True).astype(np.int32)
    operands.append(g.fresh(lengths) if g.chance(1, 5) else None)
    operands.append(weights(count, batch, hidden) if g.chance(1, 3) else None)
    if g.op == "LSTM":
        operands.append(weights(count, batch, hidden) if operands[5] is not None or g.chance(1, 4) else None)
        operands.append(weights(count, 3 * hidden) if g.chance(1, 4) else None)
    attributes: dict[str, Any] = {"hidden_size": hidden}
    if direction != "forward" or g.chance(1, 4):
        attributes["direction"] = direction
    if g.chance(1, 4):
        choices = ["Tanh", "Sigmoid", "Relu", "Softsign", "HardSigmoid"]
        attributes["activations"] = [g.pick(choices) for _ in _ACTIVATIONS[g.op] * count]
    if g.chance(1, 6):
        attributes["clip"] = 0.75
    if g.op == "GRU":
        attributes |= drawn(g, {"linear_before_reset": flag})
    outputs = 3 if g.op == "LSTM" else 2
    g.add(operands, count=outputs, skip=g.pick([(), (), (1,), (0,)]), **attributes)


def _heads(g: Growing, *shape: int) -> Value:
    return g.operand(["float32"], shape=shape)


def _attention(g: Growing) -> None:
    batch, heads, queries, keys, size = (g.integer(1, 2), g.integer(1, 2), g.integer(1, 4), g.integer(1, 4),
                                         g.pick([2, 4, 3]))
    groups = g.pick([1, 2])
    operands: list[Value | None] = [
        _heads(g, batch, heads * groups, queries, size), _heads(g, batch, heads, keys, size),
        _heads(g, batch, heads, keys, g.pick([size, 3]))]
    if g.chance(1, 3):
        operands.append(g.fresh(g.content(g.pick(["float32", "bool"]), g.pick([(queries, keys),
                                                                               (batch, 1, queries, keys)]))))
        mask = operands[3]
        if mask is not None and mask.dtype == "bool" and not mask.array.any(-1).all():
            raise Dropped("a row without any key")
    g.add(operands, **drawn(g, {"scale": real(0.25, 1), "softcap": real(0, 2)}),
          **({"is_causal": 1} if len(operands) == 3 and g.chance(1, 3) else {}))


def _multi_head(g: Growing) -> None:
    batch, heads, queries, keys, size = (g.integer(1, 2), g.integer(1, 2), g.integer(1, 4), g.integer(1, 4), 4)
    width = heads * size
    operands = [_heads(g, batch, queries, width), _heads(g, batch, keys, width), _heads(g, batch, keys, width)]
    g.add(operands, num_heads=heads, **drawn(g, {"scale": real(0.25, 1)}))


def _packed_attention(g: Growing) -> None:
    batch, heads, length, size = g.integer(1, 2), g.integer(1, 2), g.integer(1, 4), 4
    width = g.pick([4, 8, 3])
    weights = g.source.numpy().standard_normal((width, 3 * heads * size)) * 0.5
    bias = g.constant(g.content("float32", (3 * heads * size,)))
    g.add([_heads(g, batch, length, width), g.constant(weights.astype(np.float32)), bias], num_heads=heads,
          **({"unidirectional": 1} if g.chance(1, 3) else {}))


def _rotary(g: Growing) -> None:
    batch, heads, length, size = g.integer(1, 2), g.integer(1, 2), g.integer(1, 4), g.pick([4, 2, 6])
    angles = g.source.numpy().uniform(-3, 3, (length + 1, size // 2))
    places = g.source.numpy().integers(0, length + 1, (batch, length))
    g.add([_heads(g, batch, heads, length, size), g.constant(np.cos(angles).astype(np.float32)),
           g.constant(np.sin(angles).astype(np.float32)), g.fresh(places)], **drawn(g, {"interleaved": flag}))


def _skip_norm(g: Growing) -> None:
    width = g.pick([4, 3, 8])
    x = g.operand(["float32"], shape=(g.integer(1, 2), g.integer(1, 3), width))
    y = g.operand(["float32"], shape=x.shape)
    simple = g.op.startswith("SkipSimplified")
    gamma = g.constant(g.content("float32", (width,)))
    operands: list[Value | None] = [x, y, gamma]
    if not simple:
        operands.append(g.constant(g.content("float32", (width,))) if g.chance(1, 2) else None)
    if g.chance(1, 2):
        operands.append(g.constant(g.content("float32", (width,))))
    g.add(operands, epsilon=1e-2)


def _simplified_norm(g: Growing) -> None:
    x = g.operand(["float32"], 2, 3)
    g.add([x, g.constant(g.content("float32", x.shape[-1:]))], axis=-1, epsilon=1e-2)


def _gelu(g: Growing) -> None:
    x = g.operand(["float32"], 1)
    operands: list[Value | None] = [x]
    if g.op == "BiasGelu" or (g.op == "FastGelu" and g.chance(1, 2)):
        operands.append(g.constant(g.content("float32", x.shape[-1:])))
    g.add(operands, **(drawn(g, {"alpha": real(0.5, 2)}) if g.op == "QuickGelu" else {}))


def _window(g: Growing) -> None:
    """Of three points at least: a Blackman window of two is nothing but the rounding of 0."""
    size = np.array(g.integer(3, 12), g.pick(["int64", "int32"]))
    g.add([g.constant(size)], **drawn(g, {"periodic": flag}))


def _mel(g: Growing) -> None:
    integers = [np.array(g.integer(2, 6), np.int64), np.array(g.pick([16, 32, 20]), np.int64), np.array(8000, np.int64)]
    edges = [np.array(g.pick([0.0, 100.0]), np.float32), np.array(g.pick([4000.0, 3000.0]), np.float32)]
    g.add([g.constant(v) for v in (*integers, *edges)])


def _dft(g: Growing) -> None:
    """Real or complex (last axis 2), of any length."""
    inverse = g.integer(0, 1)
    last = 2 if inverse or g.chance(1, 3) else 1
    shape = (g.integer(1, 2), g.pick([4, 8, 5, 6, 7]), *g.pick([(), (3,)]), last)
    x = g.operand([t for t in float_types(g) if t != "float16"], shape=shape)
    axis = g.integer(1, len(shape) - 2)
    onesided = {"onesided": 1} if not inverse and last == 1 and g.chance(1, 2) else {}
    attributes: dict[str, Any] = {**({"inverse": 1} if inverse else {}), **onesided}
    length = g.constant(np.array(g.pick([shape[axis], 4, 8]), np.int64)) if g.chance(1, 3) else None
    if g.opset >= 20:
        g.add([x, length, g.constant(np.array(axis, np.int64))], **attributes)
    else:
        g.add([x, length], axis=axis, **attributes)


def _stft(g: Growing) -> None:
    frame, step = g.pick([4, 8, 6]), g.integer(2, 4)
    x = g.operand(["float32"], shape=(g.integer(1, 2), frame + step * g.integer(0, 3), 1))
    window = g.constant(g.content("float32", (frame,), 0, 1))
    g.add([x, g.constant(np.array(step, np.int64)), window, g.constant(np.array(frame, np.int64))],
          **drawn(g, {"onesided": flag}))


def _deform_conv(g: Growing) -> None:
    kernel = g.integer(1, 3)
    extent = g.integer(3, 5)
    out = extent - kernel + 1
    x = g.operand(["float32"], shape=(1, 2, extent, extent))
    w = g.constant(g.content("float32", (g.integer(1, 2), 2, kernel, kernel)))
    offset = g.fresh(g.content("float32", (1, 2 * kernel * kernel, out, out), -1, 1))
    g.add([x, w, offset], kernel_shape=[kernel, kernel], pads=[0, 0, 0, 0])


def _bit_cast(g: Growing) -> None:
    pairs = {"float32": 6, "int32": 1, "int8": 2, "uint8": 3, "int64": 11, "float64": 7}
    dtype = g.dtype(list(pairs))
    x = g.fresh(g.content(dtype, g.shape()))  # no computed numbers: their last bits may differ
    target = pairs[x.dtype]
    if target in (1, 11):
        raise Dropped("bits that may be no number")
    g.add([x], to=target)


def _tensor_scatter(g: Growing) -> None:
    batch, length, size = g.integer(1, 2), g.integer(3, 5), g.integer(1, 3)
    past, update = g.operand(["float32"], shape=(batch, 1, length, size)), g.operand(["float32"],
                                                                                     shape=(batch, 1, 2, size))
    where = g.source.numpy().integers(0, length - 1, batch)
    g.add([past, update, g.fresh(where)])


def _tf_idf(g: Growing) -> None:
    x = g.fresh(g.source.numpy().integers(0, 4, (g.integer(4, 8),)).astype(g.pick(["int64", "int32"])))
    g.add([x], mode=g.pick(["TF", "IDF", "TFIDF"]), min_gram_length=1, max_gram_length=2,
          max_skip_count=g.integer(0, 2), ngram_counts=[0, 2], ngram_indexes=[0, 1, 2, 3],
          pool_int64s=[1, 2, 1, 2, 3, 0], weights=[0.5, 1.0, 2.0, 1.5])


ROWS = (
    *(Row(op, _recurrent, weight=3) for op in _GATES),
    Row("Attention", _attention),
    Row("MultiHeadAttention", _multi_head, MICROSOFT),
    Row("Attention", _packed_attention, MICROSOFT),
    Row("RotaryEmbedding", _rotary),
    Row("SkipLayerNormalization", _skip_norm, MICROSOFT),
    Row("SkipSimplifiedLayerNormalization", _skip_norm, MICROSOFT),
    Row("SimplifiedLayerNormalization", _simplified_norm),
    *(Row(op, _gelu, MICROSOFT) for op in ("Gelu", "BiasGelu", "FastGelu", "QuickGelu")),
    *(Row(op, _window, weight=1) for op in ("HannWindow", "HammingWindow", "BlackmanWindow")),
    Row("MelWeightMatrix", _mel, weight=1),
    Row("DFT", _dft),
    Row("STFT", _stft),
    Row("DeformConv", _deform_conv),
    Row("BitCast", _bit_cast, exact=True),
    Row("TensorScatter", _tensor_scatter, exact=True),
    Row("TfIdfVectorizer", _tf_idf),
)
