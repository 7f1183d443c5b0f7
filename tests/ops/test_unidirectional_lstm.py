# SPDX-License-Identifier: Apache-2.0
"""LSTMs whose weights the model has in int8, one scale each: CMSIS-NN's call, equal to the NumPy evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support import Const, Model, Q, compile_proto, execute, with_numpy, with_onnxruntime
from tinyc.quantize.unidirectional import SIGMOID, Scales, activation

CALL = "arm_lstm_unidirectional_s8("


def case(m: Model, name: str, *, steps: int = 5, batch: int = 1, inputs: int = 6, hidden: int = 7, bias: bool = True,
         w: float = 0.006, r: float = 0.005, scale: float = 1 / 128, zero: int = 0, x_zero: int = 3,
         w_zero: int = 0, states: bool = False, **attributes: Any) -> None:
    first = attributes.get("layout", 0)
    x = (batch, steps, inputs) if first else (steps, batch, inputs)
    state = (batch, 1, hidden) if first else (1, batch, hidden)
    biases = Const(m.rng.uniform(-0.5, 0.5, (1, 8 * hidden)).astype(np.float32)) if bias else None
    operands = [Q(x, 0.02, x_zero), Q((1, 4 * hidden, inputs), w, w_zero, const=True),
                Q((1, 4 * hidden, hidden), r, 0, const=True), biases]
    if states:
        operands += [None, Const(np.zeros(state, np.float32)), Const(np.zeros(state, np.float32))]
    names = [m._operand(name, k, o) for k, o in enumerate(operands)]
    while not names[-1]:
        names.pop()
    m.node("LSTM", names, [f"{name}_float"], hidden_size=hidden, **attributes)
    m.outputs.append(m.quantized(f"{name}_float", f"{name}_y", scale, zero))


def kinds(m: Model) -> None:
    case(m, "plain")
    case(m, "batch", batch=3, zero=-7, scale=0.006)
    case(m, "zeros", states=True, bias=False)
    case(m, "one", steps=1, inputs=1, hidden=1)
    case(m, "wide", inputs=37, hidden=18, w=0.003, r=0.003, x_zero=-128)
    case(m, "long", steps=40, inputs=4, hidden=8)


@pytest.mark.parametrize("target", ("host", "cortex-m0", "cortex-m4", "cortex-m55"))
def test_exact(target: str) -> None:
    m = Model("unidirectional", 14)
    kinds(m)
    case(m, "batch_first", batch=2, layout=1, hidden=4)  # onnxruntime has only the other layout
    case(m, "saturated", inputs=37, hidden=18, w=0.1, r=0.1, x_zero=-128)
    compiled = compile_proto(m.proto(), target, plan_effort=0.05)
    assert all(n.integer and n.op == "UnidirectionalLSTM" for n in compiled.graph.nodes())
    got, want = execute(compiled, m.inputs), with_numpy(compiled, m.inputs)
    assert [o for o in want if not np.array_equal(got[o], want[o])] == []


def test_near_onnxruntime() -> None:
    m = Model("unidirectional", 14)
    kinds(m)
    proto = m.proto()
    want, got = with_onnxruntime(proto, m.inputs), with_numpy(compile_proto(proto, plan_effort=0.05), m.inputs)
    for name, value in want.items():
        steps = np.abs(got[name].astype(int) - value.astype(int))
        assert steps.mean() <= 1.0, (name, steps.mean())


def test_a_library_outside_gets_room_for_its_gates() -> None:
    m = Model("unidirectional", 14)
    case(m, "x", batch=2, hidden=9)
    sizes = {}
    for kernels in ("auto", "cmsis-nn"):
        compiled = compile_proto(m.proto(), "cortex-m4", kernels=kernels)
        text = next(t for f, t in compiled.emitted.files.items() if f == f"{compiled.name}.c")
        assert CALL in text
        sizes[kernels] = compiled.report["layers"][0]["scratch_bytes"]
    assert sizes == {"auto": 2 * 2 * 9, "cmsis-nn": 3 * 2 * 2 * 9}


@pytest.mark.parametrize("attributes", ({"direction": "reverse"}, {"w_zero": 5}, {"w": 400.0}))
def test_other_layers_have_their_weights_quantized_anew(attributes: dict[str, Any]) -> None:
    m = Model("other", 14)
    case(m, "x", **attributes)
    assert [n.op for n in compile_proto(m.proto()).graph.nodes() if n.integer] == ["LSTM"]


def test_activations_are_sigmoid_and_tanh() -> None:
    x = np.arange(-32768, 32768)
    for shift in (0, 1):
        real = x * 2.0 ** (shift - 12)
        assert np.abs(activation(x, shift, False) / 32768 - 1 / (1 + np.exp(-real))).max() < 3e-4
        assert np.abs(activation(x, shift, True) / 32768 - np.tanh(real)).max() < 6e-4
    assert np.abs(SIGMOID - 65536 / (1 + np.exp(-np.arange(256) / 24))).max() < 1.2


def test_scales_that_leave_32_bits_do_not_fit() -> None:
    assert Scales(0.02, 0, 1 / 128, 0, 0.01, 0.01).fit(100, 100)
    assert not Scales(0.02, 0, 1 / 128, 0, 40.0, 0.01).fit(100, 100)
