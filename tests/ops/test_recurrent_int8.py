# SPDX-License-Identifier: Apache-2.0
"""int8 LSTM, GRU and RNN: C equal to the NumPy evaluation on every kind of core, both near onnxruntime's float."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from checkout import ROOT
from support import Const, Model, Q, compile_proto, execute, with_numpy, with_onnxruntime
from tinyc.quantize.recurrent import SIGMOID, TANH

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def case(
    m: Model, name: str, op: str, *, steps: int = 5, batch: int = 1, inputs: int = 6, hidden: int = 7,
    direction: str = "forward", lengths: Any = None, states: bool = False, result: int = 0, bias: bool = True,
    wide: float = 0.5, scale: float = 1 / 128, zero: int = 0, x_zero: int = 3, **attributes: Any,
) -> None:
    """A recurrent layer between QuantizeLinear and DequantizeLinear."""
    d, first = 2 if direction == "bidirectional" else 1, attributes.get("layout", 0)

    def real(*shape: int) -> Const:
        return Const(m.rng.uniform(-wide, wide, shape).astype(np.float32))

    state = (batch, d, hidden) if first else (d, batch, hidden)
    x = (batch, steps, inputs) if first else (steps, batch, inputs)
    operands = [Q(x, 0.02, x_zero), real(d, GATES[op] * hidden, inputs), real(d, GATES[op] * hidden, hidden),
                real(d, 2 * GATES[op] * hidden) if bias else None,
                None if lengths is None else np.array(lengths, np.int32), real(*state) if states else None]
    if op == "LSTM" and states:
        operands.append(real(*state))
    names = [m._operand(name, k, o) for k, o in enumerate(operands)]
    while not names[-1]:
        names.pop()
    results = ["", ""]
    results[result] = f"{name}_float"
    m.node(op, names, results[:result + 1], hidden_size=hidden, direction=direction, **attributes)
    m.outputs.append(m.quantized(f"{name}_float", f"{name}_y", scale, zero))


def kinds(m: Model) -> None:
    for op in GATES:
        for direction in ("forward", "reverse", "bidirectional"):
            case(m, f"{op}_{direction}", op, direction=direction, states=True)
            case(m, f"{op}_{direction}_last", op, direction=direction, result=1, zero=-7, scale=0.011)
        case(m, f"{op}_batch", op, batch=3, direction="bidirectional")
        case(m, f"{op}_batch_states", op, batch=2, states=True, lengths=[2, 5])
        case(m, f"{op}_lengths", op, batch=3, lengths=[3, 0, 5], hidden=4, zero=5)
        case(m, f"{op}_wide", op, inputs=33, hidden=18, wide=2.0, x_zero=-128)
        case(m, f"{op}_one", op, inputs=1, hidden=1, bias=False)
        case(m, f"{op}_long", op, steps=40, inputs=4, hidden=8, wide=1.5)
    for direction in ("forward", "bidirectional"):
        case(m, f"behind_{direction}", "GRU", linear_before_reset=1, direction=direction, states=True)
    case(m, "behind_wide", "GRU", linear_before_reset=1, inputs=17, hidden=12, wide=2.0)
    case(m, "behind_plain", "GRU", linear_before_reset=1, bias=False, hidden=5)


@pytest.mark.parametrize("target", ("host", "cortex-m0", "cortex-m4", "cortex-m55"))
def test_exact(target: str) -> None:
    m = Model("recurrent_int8", 14)
    kinds(m)
    compiled = compile_proto(m.proto(), target, plan_effort=0.05)
    assert all(n.integer for n in compiled.graph.nodes())
    got, want = execute(compiled, m.inputs), with_numpy(compiled, m.inputs)
    assert [o for o in want if not np.array_equal(got[o], want[o])] == []


def test_layout_1_is_layout_0_with_axes_swapped() -> None:
    m = Model("layout", 14)
    for op in GATES:
        case(m, op, op, batch=3, direction="bidirectional", layout=1, states=True, lengths=[2, 5, 4])
    compiled = compile_proto(m.proto())
    assert all(n.integer for n in compiled.graph.nodes())
    got, want = execute(compiled, m.inputs), with_numpy(compiled, m.inputs)
    assert all(np.array_equal(got[o], want[o]) for o in want)


def test_near_onnxruntime() -> None:
    """Weights and states of 8 bits cost about a step of the result; wide weights more."""
    m = Model("recurrent_near", 14)
    kinds(m)
    proto = m.proto()
    want, got = with_onnxruntime(proto, m.inputs), with_numpy(compile_proto(proto, plan_effort=0.05), m.inputs)
    for name, value in want.items():
        steps = np.abs(got[name].astype(int) - value.astype(int))
        assert steps.mean() <= (3.0 if "wide" in name or "long" in name else 1.0), (name, steps.mean())


@pytest.mark.parametrize(("attributes", "results"), (
    ({"clip": 1.0}, 1), ({"input_forget": 1}, 1), ({"activations": ["HardSigmoid", "Tanh", "Tanh"]}, 1), ({}, 2)))
def test_what_has_no_integer_form_stays_float(attributes: dict[str, Any], results: int) -> None:
    m = Model("float", 14)
    case(m, "x", "LSTM", **attributes)
    if results == 2:
        m.nodes[-2].output.extend(["", "c"])
        m.outputs.append("c")
    nodes = compile_proto(m.proto()).graph.nodes()
    assert [n.integer for n in nodes if n.op == "LSTM"] == [False]


@pytest.mark.parametrize(("name", "table"), (("sigmoid", SIGMOID), ("tanh", TANH)))
def test_tables_of_the_runtime(name: str, table: np.ndarray) -> None:
    text = (ROOT / f"runtime_c/src/recurrent/gate_{name}_s16.c").read_text()
    assert [int(n) for n in re.findall(r"-?\d+", text.split("= {")[1])] == table.tolist()
