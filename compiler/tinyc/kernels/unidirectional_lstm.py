# SPDX-License-Identifier: Apache-2.0
"""int8 LSTM with weights as the model has them, by CMSIS-NN's arm_lstm_unidirectional_s8."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyc.backend.program import Call, Field, Null, Pointer, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.ops.unidirectional_lstm import scales_of
from tinyc.quantize.unidirectional import CELL_BITS, CELL_CLIP, FORGET_TO_CELL, INPUT_TO_CELL, Scales, biases

GATES = {"forget": 2, "input": 0, "cell": 3, "output": 1}  # places among ONNX's i, o, f, c
SIGMOID, TANH = 0, 1  # arm_nn_activation_type


@KERNELS.add
class UnidirectionalLstmS8(Kernel):
    name = "arm_lstm_unidirectional_s8"
    ops = ("UnidirectionalLSTM",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None if node.integer else "not integer"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        x, weights = graph.type(node.inputs[0]).shape, [graph.type(i).elements for i in node.inputs[1:3]]
        return Cost(3.0 * x[0] * x[1] * sum(weights), sum(weights))

    def lower(self, build: Builder) -> Lowered:
        a = build.node.attrs.lstm
        steps, batch = build.type(0).shape[:2][:: -1 if a.batch_first else 1]
        scales = scales_of([build.type(k) for k in range(3)], build.output_type())
        cell = 2 * batch * a.hidden
        external = build.options.kernels == "cmsis-nn"  # the bundled function needs no room for gates
        spare: list[Field] = [Pointer(build.scratch, k * cell) if external else Null() for k in (1, 2)]
        buffers = Struct("cmsis_nn_lstm_context", (
            ("temp1", spare[0]), ("temp2", spare[1]), ("cell_state", Pointer(build.scratch))))
        parameters = Struct("cmsis_nn_lstm_params", (
            ("time_major", int(not a.batch_first)), ("batch_size", batch), ("time_steps", steps),
            ("input_size", build.type(0).shape[2]), ("hidden_size", a.hidden), ("input_offset", -scales.x_zero),
            *zip(("forget_to_cell_multiplier", "forget_to_cell_shift"), FORGET_TO_CELL, strict=True),
            *zip(("input_to_cell_multiplier", "input_to_cell_shift"), INPUT_TO_CELL, strict=True),
            ("cell_clip", CELL_CLIP), ("cell_scale_power", -CELL_BITS),
            *zip(("output_multiplier", "output_shift"), scales.output, strict=True),
            ("output_offset", scales.y_zero),
            *((f"{gate}_gate", _gate(build, scales, gate)) for gate in GATES),
        ))
        call = Call(self.name, (build.input(0), build.output(), parameters, buffers), True)
        return Lowered((call,), cell * (3 if external else 1))


def _gate(build: Builder, scales: Scales, gate: str) -> Struct:
    w, r = build.data(1)[0], build.data(2)[0]
    first, second = biases(w, r, build.data(3)[0] if build.has(3) else None, scales)
    rows = slice(GATES[gate] * r.shape[1], (GATES[gate] + 1) * r.shape[1])

    def table(role: str, array: Any) -> Pointer:
        return build.table(f"{gate}_{role}", np.ascontiguousarray(array[rows]))

    return Struct("cmsis_nn_lstm_gate", (
        *zip(("input_multiplier", "input_shift"), scales.input, strict=True),
        ("input_weights", table("w.filter", w)), ("input_effective_bias", table("bias", first)),
        *zip(("hidden_multiplier", "hidden_shift"), scales.hidden, strict=True),
        ("hidden_weights", table("r.filter", r)), ("hidden_effective_bias", table("recurrent_bias", second)),
        ("bias", Null()), ("activation_type", TANH if gate == "cell" else SIGMOID),
    ))
