# SPDX-License-Identifier: Apache-2.0
"""LSTM, GRU and RNN: what they share. Their steps are in tinyc.ops.recurrent_cells.

Operands in the IR: 0 X, 1 W [D, gates * H, I], 2 R [D, gates * H, H], 3 bias [D, B], 4 sequence_lens int32 [batch],
5 initial_h, 6 initial_c, 7 peepholes [D, 3 * H]; D directions, H hidden units, I inputs. The bias is the sum of ONNX's
two; only a GRU with linear_before_reset keeps the two of its last gate apart. Half precision is computed in float32.

The integer form takes int8 X and gives int8 Y or Y_h, with constant weights, bias and first states; weights are
quantized (again) as tinyc.quantize.recurrent says, which is its specification. It has ONNX's default activations,
neither clip, peepholes nor input_forget, and one result: where Y_c is read, or two results are, the layer stays float.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import Arrays, Operator, ShapeError, Types, array, int8_obstacle, need, scale_zero
from tinyc.quantize.recurrent import Rows, Scales, State, first_states, quantized_rows

Function = Callable[[Array], Array]


@dataclass(frozen=True)
class Activation:
    """An activation of ONNX's, by name, with its parameters."""

    kind: str
    alpha: float = 0.0
    beta: float = 0.0


# Functions of (x, alpha, beta), in the order of the runtime's enumeration, with the parameters' defaults.
ACTIVATIONS: dict[str, tuple[Callable[[Array, float, float], Array], float, float]] = {
    "Relu": (lambda x, a, b: np.maximum(x, 0.0), 0.0, 0.0),
    "Tanh": (lambda x, a, b: np.asarray(np.tanh(x)), 0.0, 0.0),
    "Sigmoid": (lambda x, a, b: np.asarray(1.0 / (1.0 + np.exp(-x))), 0.0, 0.0),
    "Affine": (lambda x, a, b: a * x + b, 1.0, 0.0),
    "LeakyRelu": (lambda x, a, b: np.where(x < 0, a * x, x), 0.01, 0.0),
    "ThresholdedRelu": (lambda x, a, b: np.where(x > a, x, 0.0), 1.0, 0.0),
    "ScaledTanh": (lambda x, a, b: np.asarray(a * np.tanh(b * x)), 1.0, 1.0),
    "HardSigmoid": (lambda x, a, b: np.asarray(np.clip(a * x + b, 0.0, 1.0)), 0.2, 0.5),
    "Elu": (lambda x, a, b: np.where(x < 0, a * np.expm1(x), x), 1.0, 0.0),
    "Softsign": (lambda x, a, b: x / (1.0 + np.abs(x)), 0.0, 0.0),
    "Softplus": (lambda x, a, b: np.asarray(np.logaddexp(0.0, x)), 0.0, 0.0),
}


@dataclass(frozen=True)
class RecurrentAttrs:
    """`activations`: those of the first direction, then of the second. `variant`: input_forget or linear_before_reset.

    `results`: which of Y, Y_h and Y_c the node has. `batch_first`: ONNX's layout 1. `clip` bounds what enters the
    gates' activations; as in onnxruntime, not the cell state that enters an LSTM's third.
    """

    hidden: int
    direction: str
    activations: tuple[Activation, ...]
    results: tuple[str, ...]
    clip: float | None = None
    batch_first: bool = False
    variant: bool = False

    @property
    def directions(self) -> int:
        return 2 if self.direction == "bidirectional" else 1

    def reverse(self, direction: int) -> bool:
        """Whether this direction runs from the sequence's end."""
        return self.direction == "reverse" or direction == 1

    def of_direction(self, direction: int) -> tuple[Activation, ...]:
        """Activations f, g, h of a direction, as many as the operator has."""
        count = len(self.activations) // self.directions
        return self.activations[direction * count : (direction + 1) * count]


@dataclass(frozen=True)
class Weights:
    """One direction's parameters in float64 and its activations, ready to be called."""

    w: Array
    r: Array
    bias: Array
    peepholes: Array
    functions: tuple[Function, ...]
    variant: bool


class Recurrent(Operator):
    """Behaviour shared by the three."""

    gates = 1
    usual: ClassVar[tuple[str, ...]] = ("Tanh",)
    plain_operands = frozenset({4})
    real_operands = frozenset({1, 2, 3, 5, 6, 7})

    def step(self, p: Weights, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """(hidden, cell) state behind one step of one sequence."""
        raise NotImplementedError(self.name)

    def biases(self, a: RecurrentAttrs) -> int:
        """Elements of a direction's bias."""
        return self.gates * a.hidden

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: RecurrentAttrs = node.attrs
        x, w, r = (need(t, "operand") for t in types[:3])
        own = DType.FLOAT32 if node.integer else x.dtype
        if x.rank != 3 or w.rank != 3 or not own.is_float:
            raise ShapeError(f"an input {x} with weights {w}")
        d, rows = a.directions, self.gates * a.hidden
        steps, batch = (x.shape[1], x.shape[0]) if a.batch_first else (x.shape[0], x.shape[1])
        state = (batch, d, a.hidden) if a.batch_first else (d, batch, a.hidden)
        wanted = [(d, rows, x.shape[2]), (d, rows, a.hidden), (d, self.biases(a)), (batch,), state, state,
                  (d, 3 * a.hidden)]
        for type_, shape in zip(types[1:], wanted, strict=False):
            if type_ is not None and type_.shape != shape:
                raise ShapeError(f"an operand of shape {type_.shape} where {shape} is wanted")
        for k, type_ in enumerate(types[1:], 1):
            if type_ is not None and type_.dtype is not (DType.INT32 if k == 4 else own):
                raise ShapeError(f"an operand {type_} beside an input {x}")
        whole = (batch, steps, d, a.hidden) if a.batch_first else (steps, d, batch, a.hidden)
        return [TensorType(x.dtype, whole if result == "Y" else state) for result in a.results]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: RecurrentAttrs = node.attrs
        given: list[Array | None] = [*inputs, *[None] * (8 - len(inputs))]
        x = array(given[0]).astype(np.float64)
        x = x.swapaxes(0, 1) if a.batch_first else x
        steps, batch, _ = x.shape
        states = [np.zeros((a.directions, batch, a.hidden)) for _ in "hc"]
        lengths = np.full(batch, steps) if given[4] is None else np.clip(given[4], 0, steps)
        y = np.zeros((steps, a.directions, batch, a.hidden))
        for d in range(a.directions):
            p = self._weights(a, given, d)
            for b in range(batch):
                h, c = (np.zeros(a.hidden) if s is None or lengths[b] == 0
                        else (s[b, d] if a.batch_first else s[d, b]).astype(np.float64) for s in given[5:7])
                order = range(int(lengths[b]))
                for t in reversed(order) if a.reverse(d) else order:
                    h, c = self.step(p, x[t, b], h, c)
                    y[t, d, b] = h
                states[0][d, b], states[1][d, b] = h, c
        results: dict[str, Array] = {"Y": y.transpose(2, 0, 1, 3) if a.batch_first else y}
        for name, state in zip(("Y_h", "Y_c"), states, strict=True):
            results[name] = state.swapaxes(0, 1) if a.batch_first else state
        return [results[r].astype(t.dtype.numpy) for r, t in zip(a.results, outputs, strict=True)]

    def _weights(self, a: RecurrentAttrs, given: Sequence[Array | None], d: int) -> Weights:
        def part(k: int, size: int) -> Array:
            value = given[k]
            return np.zeros(size) if value is None else value[d].astype(np.float64)

        def bounded(k: int, activation: Activation) -> Function:
            function = ACTIVATIONS[activation.kind][0]
            limit = np.inf if a.clip is None or k == 2 else a.clip

            def call(x: Array) -> Array:
                with np.errstate(over="ignore"):
                    return function(np.clip(x, -limit, limit), activation.alpha, activation.beta)

            return call

        return Weights(part(1, 0), part(2, 0), part(3, self.biases(a)), part(7, 3 * a.hidden),
                       tuple(bounded(k, f) for k, f in enumerate(a.of_direction(d))), a.variant)

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        a: RecurrentAttrs = node.attrs
        if tuple(f.kind for f in a.activations) != self.usual * a.directions or a.clip is not None:
            return "its activations are not the default ones"
        if len(types) > 7 and types[7] is not None or a.variant and self.name == "LSTM":
            return "it has peepholes or coupled gates"
        if len(a.results) != 1 or a.results[0] == "Y_c":
            return "its cell state, or more than one result, is read"
        scale = scale_zero(output)[0] if output.quant is not None and output.quant.per_tensor else 1.0
        if not 2.0**-12 <= scale <= 1.0:
            return f"the result's scale {scale:.3g} is not from 2^-12 to 1"
        return int8_obstacle(types[:1], output)

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        a: RecurrentAttrs = node.attrs
        given: list[Array | None] = [*inputs, *[None] * (8 - len(inputs))]
        x = array(given[0])
        x = x.swapaxes(0, 1) if a.batch_first else x
        steps, batch, _ = x.shape
        scales = Scales(*scale_zero(types[0]), *scale_zero(outputs[0]))
        lengths = np.full(batch, steps) if given[4] is None else np.clip(given[4], 0, steps)
        y = np.full((steps, a.directions, batch, a.hidden), scales.y_zero)
        last = np.full((a.directions, batch, a.hidden), scales.y_zero)
        for d in range(a.directions):
            rows = self.integer_rows(a, given, d, scales)
            for b in range(batch):
                state = State(rows, scales, *self.first_states(a, given, d, b, scales))
                order = range(int(lengths[b]))
                for t in reversed(order) if a.reverse(d) else order:
                    self.integer_step(a, state, x[t, b])
                    y[t, d, b] = last[d, b] = state.h
        if a.results == ("Y",):
            return [(y.transpose(2, 0, 1, 3) if a.batch_first else y).astype(np.int8)]
        return [(last.swapaxes(0, 1) if a.batch_first else last).astype(np.int8)]

    def integer_step(self, a: RecurrentAttrs, state: State, x: Array) -> None:
        """One step of one sequence on integers."""
        raise NotImplementedError(self.name)

    def integer_rows(self, a: RecurrentAttrs, given: Sequence[Array | None], d: int, scales: Scales) -> Rows:
        """A direction's weights and bias as integers."""
        bias = given[3] if len(given) > 3 else None
        apart = self.biases(a) > self.gates * a.hidden
        return quantized_rows(array(given[1])[d], array(given[2])[d], None if bias is None else bias[d], scales,
                              self.gates, apart)

    def first_states(
        self, a: RecurrentAttrs, given: Sequence[Array | None], d: int, b: int, scales: Scales
    ) -> tuple[Array, Array]:
        """(int8 h, wide state) of a direction and a sequence before its first step."""
        h, c = (None if v is None else v[b, d] if a.batch_first else v[d, b]
                for v in [*given, *[None] * 8][5:7])
        return first_states(h, c, a.hidden, scales, self.name == "LSTM")

    def macs(self, node: Node, types: Types, outputs: Sequence[TensorType]) -> int:
        x = need(types[0], "X")
        products = need(types[1], "W").elements + need(types[2], "R").elements
        return x.shape[0] * x.shape[1] * products
