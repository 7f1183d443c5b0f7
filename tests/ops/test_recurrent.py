# SPDX-License-Identifier: Apache-2.0
"""LSTM, GRU and RNN of every kind: float32 against onnxruntime, the rest against the NumPy evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support import Const, Model, compile_proto, differences, execute, graph_of, with_numpy, with_onnxruntime

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
OUTPUTS = {"LSTM": 3, "GRU": 2, "RNN": 2}
ACTIVATIONS = ["Relu", "Tanh", "Sigmoid", "Affine", "LeakyRelu", "ThresholdedRelu", "ScaledTanh", "HardSigmoid",
               "Elu", "Softsign", "Softplus"]
PARAMETERS = {"Affine": (0.7, 0.1), "LeakyRelu": (0.2, None), "ThresholdedRelu": (0.3, None),
              "ScaledTanh": (1.2, 0.8), "HardSigmoid": (0.25, 0.4), "Elu": (0.9, None)}


def case(
    m: Model, name: str, op: str, *, steps: int = 4, batch: int = 1, inputs: int = 3, hidden: int = 5,
    direction: str = "forward", bias: bool = True, lengths: Any = None, states: bool = False, peepholes: bool = False,
    constant: bool = True, dtype: type = np.float32, **attributes: Any,
) -> None:
    """A recurrent layer with random parameters."""
    d, first = 2 if direction == "bidirectional" else 1, attributes.get("layout", 0)

    def real(*shape: int) -> np.ndarray:
        return m.rng.uniform(-0.8, 0.8, shape).astype(dtype)

    def parameter(*shape: int) -> Any:
        return Const(real(*shape)) if constant else real(*shape)

    state = (batch, d, hidden) if first else (d, batch, hidden)
    rows = GATES[op] * hidden
    operands = [real(*((batch, steps, inputs) if first else (steps, batch, inputs))), parameter(d, rows, inputs),
                parameter(d, rows, hidden), parameter(d, 2 * rows) if bias else None,
                None if lengths is None else np.array(lengths, np.int32), real(*state) if states else None]
    if op == "LSTM":
        operands += [real(*state) if states else None, parameter(d, 3 * hidden) if peepholes else None]
    while operands[-1] is None:
        operands.pop()
    m.plain(name, op, *operands, count=OUTPUTS[op], hidden_size=hidden, direction=direction, **attributes)


def against_onnxruntime(m: Model) -> None:
    for op in GATES:
        for direction in ("forward", "reverse", "bidirectional"):
            case(m, f"{op}_{direction}", op, direction=direction)
            case(m, f"{op}_{direction}_batch", op, direction=direction, batch=3, states=True, hidden=4)
            case(m, f"{op}_{direction}_lengths", op, direction=direction, batch=3, lengths=[2, 4, 0], states=True)
        case(m, f"{op}_no_bias", op, bias=False, inputs=1, hidden=1)
        case(m, f"{op}_computed", op, constant=False, hidden=6)
        case(m, f"{op}_one_step", op, steps=1, states=True)
        case(m, f"{op}_large", op, steps=7, inputs=9, hidden=16)
        case(m, f"{op}_clip", op, clip=0.3, states=True)
    case(m, "lstm_peepholes", "LSTM", peepholes=True, batch=2, states=True)
    case(m, "lstm_peepholes_both", "LSTM", peepholes=True, direction="bidirectional")
    case(m, "lstm_coupled", "LSTM", input_forget=1)
    for direction in ("forward", "bidirectional"):
        case(m, f"gru_behind_{direction}", "GRU", linear_before_reset=1, direction=direction, states=True)
        case(m, f"gru_behind_no_bias_{direction}", "GRU", linear_before_reset=1, direction=direction, bias=False)
    for name in ACTIVATIONS:
        alpha, beta = PARAMETERS.get(name, (None, None))
        given = {k: [v] for k, v in (("activation_alpha", alpha), ("activation_beta", beta)) if v is not None}
        case(m, f"rnn_{name}", "RNN", activations=[name], **given)
    case(m, "lstm_others", "LSTM", activations=["HardSigmoid", "Softsign", "LeakyRelu"], activation_alpha=[0.3, 0.1],
         activation_beta=[0.45])
    case(m, "gru_others", "GRU", activations=["HardSigmoid", "Relu", "Sigmoid", "Affine"], direction="bidirectional",
         activation_alpha=[0.3, 0.5], activation_beta=[0.45, 0.2])


def against_numpy(m: Model) -> None:
    for op in GATES:
        for k, direction in enumerate(("forward", "reverse", "bidirectional")):
            case(m, f"{op}_first_{k}", op, direction=direction, batch=2, layout=1, states=True, lengths=[3, 1])
            case(m, f"{op}_double_{k}", op, direction=direction, dtype=np.float64, states=True)
        case(m, f"{op}_half", op, dtype=np.float16, states=True, lengths=[3])
        case(m, f"{op}_empty", op, batch=2, lengths=[0, 9], states=True)
    case(m, "lstm_double_any", "LSTM", dtype=np.float64, clip=0.4, peepholes=True,
         activations=["HardSigmoid", "Softsign", "Elu"])
    case(m, "gru_double_any", "GRU", dtype=np.float64, linear_before_reset=1, activations=["Softplus", "ScaledTanh"])
    case(m, "gru_half_behind", "GRU", dtype=np.float16, linear_before_reset=1)


@pytest.mark.parametrize("opset", (7, 14, 22))
def test_against_onnxruntime(opset: int) -> None:
    m = Model("recurrent", opset)
    if opset == 14:
        against_onnxruntime(m)
    else:
        for op in GATES:
            case(m, op, op, direction="bidirectional", batch=2, states=True)
    proto = m.proto()
    got = execute(compile_proto(proto, plan_effort=0.05), m.inputs)
    assert not differences(got, with_onnxruntime(proto, m.inputs), 1e-4)


def test_against_numpy() -> None:
    m = Model("recurrent_other", 14)
    against_numpy(m)
    compiled = compile_proto(m.proto(), plan_effort=0.05)
    want = with_numpy(compiled, m.inputs)
    got = execute(compiled, m.inputs)
    for half in (False, True):
        some = {name: value for name, value in want.items() if (value.dtype == np.float16) == half}
        assert some and not differences(got, some, 1e-3 if half else 1e-6)


@pytest.mark.parametrize(("steps", "batch"), ((0, 2), (3, 0)))
def test_nothing_to_do(steps: int, batch: int) -> None:
    """No steps leave zeros, no batch leaves nothing."""
    m = Model("empty", 14)
    for op in GATES:
        case(m, op, op, steps=steps, batch=batch)
    m.outputs = [f"{op}_y1" for op in GATES]
    compiled = compile_proto(m.proto())
    assert all(np.array_equal(value, np.zeros((1, batch, 5))) for value in execute(compiled, m.inputs).values())


def test_double_constants_keep_their_digits() -> None:
    m = Model("double", 14)
    case(m, "x", "LSTM", dtype=np.float64, states=True)
    m.plain("wide", "Mul", np.array([3.0]), Const(np.array([1e300 / 3])))
    compiled = compile_proto(m.proto())
    assert not differences(execute(compiled, m.inputs), with_numpy(compiled, m.inputs), 1e-14)


def test_unread_results_take_no_memory() -> None:
    """The usual export names all results; those that nobody reads are not computed."""
    m = Model("unread", 14)
    case(m, "x", "LSTM", steps=50, inputs=2, hidden=8)
    m.outputs = ["x_y1"]
    compiled = compile_proto(m.proto())
    assert [n.attrs.results for n in graph_of(m.proto()).nodes() if n.op == "LSTM"] == [("Y_h",)]
    assert compiled.arena.bytes < 50 * 2 * 4 + 5 * 8 * 4 + 64
