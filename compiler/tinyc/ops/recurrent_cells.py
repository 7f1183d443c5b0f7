# SPDX-License-Identifier: Apache-2.0
"""LSTM, GRU and RNN: one step of each, and their import."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyc.ir.types import Array, DType
from tinyc.ops.cast import CastAttrs
from tinyc.ops.concat import ConcatAttrs
from tinyc.ops.recurrent import ACTIVATIONS, Activation, Recurrent, RecurrentAttrs, Weights
from tinyc.ops.reduce import ReduceAttrs
from tinyc.ops.registry import OPERATORS, Importing, imports, register
from tinyc.ops.select import SliceAttrs
from tinyc.ops.view import ReshapeAttrs
from tinyc.quantize.recurrent import State


@register
class Lstm(Recurrent):
    """Gates in the order i, o, f, c. `variant`: the forget gate is 1 - the input gate."""

    name = "LSTM"
    gates = 4
    usual = ("Sigmoid", "Tanh", "Tanh")

    def integer_step(self, a: RecurrentAttrs, state: State, x: Array) -> None:
        state.lstm(x)

    def step(self, p: Weights, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        f, g, last = p.functions
        i, o, forget, cell = np.split(p.w @ x + p.r @ h + p.bias, 4)
        p_i, p_o, p_f = np.split(p.peepholes, 3)
        i = f(i + p_i * c)
        forget = 1.0 - i if p.variant else f(forget + p_f * c)
        c = forget * c + i * g(cell)
        return f(o + p_o * c) * last(c), c


@register
class Gru(Recurrent):
    """Gates in the order z, r, h. `variant` (linear_before_reset): the reset gate acts on the state's product."""

    name = "GRU"
    gates = 3
    usual = ("Sigmoid", "Tanh")

    def integer_step(self, a: RecurrentAttrs, state: State, x: Array) -> None:
        state.gru(x, a.variant)

    def biases(self, a: RecurrentAttrs) -> int:
        return (4 if a.variant else 3) * a.hidden

    def step(self, p: Weights, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        f, g = p.functions
        n = h.size
        z, r = np.split(f(p.w[: 2 * n] @ x + p.r[: 2 * n] @ h + p.bias[: 2 * n]), 2)
        new = p.w[2 * n :] @ x + p.bias[2 * n : 3 * n]
        if p.variant:
            new = new + r * (p.r[2 * n :] @ h + p.bias[3 * n :])
        else:
            new = new + p.r[2 * n :] @ (r * h)
        return (1.0 - z) * g(new) + z * h, c


@register
class Rnn(Recurrent):
    name = "RNN"

    def integer_step(self, a: RecurrentAttrs, state: State, x: Array) -> None:
        state.rnn(x)

    def step(self, p: Weights, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        return p.functions[0](p.w @ x + p.r @ h + p.bias), c


_DEFAULTS = {kind.name: kind.usual for kind in (Lstm, Gru, Rnn)}
_VARIANT = {"LSTM": "input_forget", "GRU": "linear_before_reset", "RNN": ""}


def _activations(node: Importing, directions: int) -> tuple[Activation, ...]:
    """The activations with their parameters; ONNX lists parameters only of those that have some."""
    names = node.attributes.get("activations") or _DEFAULTS[node.op_type] * directions
    names = [n.decode() if isinstance(n, bytes) else str(n) for n in names]
    if len(names) != directions * len(_DEFAULTS[node.op_type]):
        raise node.fail(f"{len(names)} activations for {directions} directions")
    known = {name.lower(): name for name in ACTIVATIONS}
    values = {key: list(node.attributes.get(f"activation_{key}") or ()) for key in ("alpha", "beta")}
    result = []
    for name in names:
        kind = known.get(name.lower())
        if kind is None:
            raise node.fail(f"activation {name!r} is not supported", f"one of {', '.join(ACTIVATIONS)}")
        alpha, beta = ACTIVATIONS[kind][1:]
        if kind in _WITH_ALPHA and values["alpha"]:
            alpha = float(values["alpha"].pop(0))
        if kind in _WITH_BETA and values["beta"]:
            beta = float(values["beta"].pop(0))
        result.append(Activation(kind, alpha, beta))
    return tuple(result)


_WITH_ALPHA = ("Affine", "LeakyRelu", "ThresholdedRelu", "ScaledTanh", "HardSigmoid", "Elu")
_WITH_BETA = ("Affine", "ScaledTanh", "HardSigmoid")


def _bias(node: Importing, attrs: RecurrentAttrs, name: str, gates: int) -> str:
    """ONNX's [D, 2 * gates * H] as the IR's bias."""
    if not name:
        return ""
    d, h = attrs.directions, attrs.hidden
    if node.type(3).shape != (d, 2 * gates * h):
        raise node.fail(f"B has shape {list(node.type(3).shape)}, not {[d, 2 * gates * h]}")
    both = node.emit("Reshape", ReshapeAttrs((d, 2, gates * h)), [name])[0]
    apart = attrs.variant and node.op_type == "GRU"
    joined = 2 * h if apart else gates * h
    head = node.emit("Slice", SliceAttrs((0, 0, 0), (1, 1, 1), (d, 2, joined)), [both])[0] if apart else both
    result = node.emit("ReduceSum", ReduceAttrs((1,), False), [head])[0]
    if not apart:
        return result
    parts = [result]
    for k in (0, 1):
        piece = node.emit("Slice", SliceAttrs((0, k, joined), (1, 1, 1), (d, 1, h)), [both])
        parts += node.emit("Reshape", ReshapeAttrs((d, h)), piece)
    return node.emit("Concat", ConcatAttrs(1), parts)[0]


@imports("LSTM", "GRU", "RNN")
def _recurrent(node: Importing) -> Sequence[str]:
    direction = str(node.attributes.get("direction", "forward"))
    if direction not in ("forward", "reverse", "bidirectional"):
        raise node.fail(f"direction {direction!r} is unknown")
    w, r = node.type(1), node.type(2)
    if r.rank != 3:
        raise node.fail(f"R has shape {list(r.shape)}")
    kind = OPERATORS[node.op_type]
    assert isinstance(kind, Recurrent)
    hidden = r.shape[2]
    if int(node.attributes.get("hidden_size", hidden)) != hidden or w.rank != 3 or w.shape[1] != kind.gates * hidden:
        raise node.fail(f"weights {list(w.shape)} and {list(r.shape)} do not fit the hidden size")
    directions = 2 if direction == "bidirectional" else 1
    names = ("Y", "Y_h", "Y_c")[: 3 if node.op_type == "LSTM" else 2]
    wanted = [bool(k < len(node.outputs) and node.outputs[k]) for k in range(len(names))]
    results = tuple(name for name, there in zip(names, wanted, strict=True) if there)
    clip = node.attributes.get("clip")
    attrs = RecurrentAttrs(
        hidden, direction, _activations(node, directions), results or ("Y_h",), float(clip) if clip else None,
        bool(node.attributes.get("layout", 0)), bool(node.attributes.get(_VARIANT[node.op_type], 0)),
    )
    half = node.type(0).dtype is DType.FLOAT16
    operands = [node.input(k) for k in range(8 if node.op_type == "LSTM" else 6)]
    operands[3] = _bias(node, attrs, operands[3], kind.gates)
    if half:
        operands = [node.emit("Cast", CastAttrs(DType.FLOAT32), [o])[0] if o and k != 4 else o
                    for k, o in enumerate(operands)]
    while not operands[-1]:
        operands.pop()
    made = iter(node.emit(node.op_type, attrs, operands, len(attrs.results)))
    outputs = [next(made) if there else "" for there in wanted]
    return [node.emit("Cast", CastAttrs(DType.FLOAT16), [o])[0] if half and o else o for o in outputs]
