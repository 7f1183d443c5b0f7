# SPDX-License-Identifier: Apache-2.0
"""arm_lstm_unidirectional_s8, arm_svdf_s8 and arm_svdf_state_s16_s8 against their specification in NumPy, and against
Arm's vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fixed_point import quantize_multiplier, requantize
from kernel_batch import Call, c_array, require_shared_cases, run_calls

from tinyc.quantize.unidirectional import SIGMOID

TARGETS = ["host", "cortex-m0plus", "cortex-m4", "cortex-m55"]
HEADERS = ["tinyc_cmsis_map.h"]
GATES = ("forget", "input", "cell", "output")


def activation(x: np.ndarray, left_shift: int, tanh: bool) -> np.ndarray:
    """Sigmoid or tanh of x * 2^(left_shift - 12), with 15 fractional bits."""
    right = max(-left_shift, 0)
    scaled = (x * (3 << max(left_shift, 0)) + ((1 << right) >> 1)) >> right
    fraction = 8 if tanh else 9
    magnitude = np.abs(scaled)
    place = np.minimum(magnitude >> fraction, 254)
    low, high = SIGMOID[place], SIGMOID[place + 1]
    value = (low << fraction) + (magnitude & ((1 << fraction) - 1)) * (high - low)
    value = np.where(magnitude >> fraction >= 255, 0xFFFF << 8 if tanh else 0x7FFF << 10, value)
    if tanh:
        return np.where(scaled >= 0, value - (1 << 23) + 128, (1 << 23) - value + 127) >> 8
    return np.where(scaled >= 0, value + 512, (1 << 25) - value + 511) >> 10


def saturated(x: np.ndarray) -> np.ndarray:
    return np.clip(x, -32768, 32767)


class Lstm:
    """Parameters under the names of Arm's vectors, weights and biases of each gate."""

    def __init__(self, c: dict[str, int], arrays: dict[str, np.ndarray], time_major: bool) -> None:
        self.c, self.time_major = c, time_major
        self.inputs, self.hidden = c["INPUT_SIZE"], c["HIDDEN_SIZE"]
        self.weights = {}
        for gate in GATES:
            w = arrays[f"{gate}_gate_input_weights"].reshape(self.hidden, self.inputs)
            r = arrays[f"{gate}_gate_hidden_weights"].reshape(self.hidden, self.hidden)
            first = arrays[f"{gate}_gate_bias"] + c["INPUT_ZERO_POINT"] * w.astype(np.int64).sum(1)
            self.weights[gate] = w, first, r, -c["OUTPUT_ZERO_POINT"] * r.astype(np.int64).sum(1)

    def expected(self, x: np.ndarray) -> np.ndarray:
        """x [time, batch, inputs]; [time, batch, hidden]."""
        c = self.c
        cell, h, rows = np.zeros((x.shape[1], self.hidden), np.int64), None, []
        for step in x.astype(np.int64):
            gates = {}
            for gate, (w, bias, r, recurrent_bias) in self.weights.items():
                name = gate.upper() + "_GATE"
                total = saturated(requantize(step @ w.T.astype(np.int64) + bias, c[f"{name}_INPUT_MULTIPLIER"],
                                             c[f"{name}_INPUT_SHIFT"]))
                if h is not None:
                    total = saturated(total + requantize(h @ r.T.astype(np.int64) + recurrent_bias,
                                                         c[f"{name}_HIDDEN_MULTIPLIER"], c[f"{name}_HIDDEN_SHIFT"]))
                gates[gate] = activation(total, 0, gate == "cell")
            kept = saturated(requantize(gates["forget"] * cell, c["FORGET_TO_CELL_MULTIPLIER"],
                                        c["FORGET_TO_CELL_SHIFT"]))
            added = requantize(gates["input"] * gates["cell"], c["INPUT_TO_CELL_MULTIPLIER"],
                               c["INPUT_TO_CELL_SHIFT"])
            cell = np.clip(kept + added, -c["CELL_CLIP"], c["CELL_CLIP"])
            inside = activation(cell, c["CELL_SCALE_POWER"] + 12, True)
            h = requantize(gates["output"] * inside, c["OUTPUT_MULTIPLIER"], c["OUTPUT_SHIFT"])
            h = np.clip(h + c["OUTPUT_ZERO_POINT"], -128, 127)
            rows.append(h)
        return np.stack(rows).astype(np.int8)

    def call(self, name: str, x: np.ndarray, expected: np.ndarray | None = None) -> Call:
        """x [time, batch, inputs]."""
        c = self.c
        steps, batch, _ = x.shape
        if expected is None:
            expected = self.expected(x)
            expected = expected if self.time_major else expected.swapaxes(0, 1)
        given = np.ascontiguousarray(x if self.time_major else x.swapaxes(0, 1))
        gates, buffers = "", [given, np.zeros(expected.shape, np.int8)]
        for gate, (w, first, r, second) in self.weights.items():
            upper = gate.upper() + "_GATE"
            k = len(buffers)
            buffers += [w, r]
            gates += (f"const cmsis_nn_lstm_gate {gate} = {{{{{c[f'{upper}_INPUT_MULTIPLIER']}, "
                      f"{c[f'{upper}_INPUT_SHIFT']}, {{{k}}}, {_escaped(first)}, "
                      f"{c[f'{upper}_HIDDEN_MULTIPLIER']}, {c[f'{upper}_HIDDEN_SHIFT']}, {{{k + 1}}}, "
                      f"{_escaped(second)}, 0, {'ARM_TANH' if gate == 'cell' else 'ARM_SIGMOID'}}}}};\n")
        numbers = [int(self.time_major), batch, steps, self.inputs, self.hidden, c["INPUT_ZERO_POINT"],
                   *(c[f"{n}_TO_CELL_{m}"] for n in ("FORGET", "INPUT") for m in ("MULTIPLIER", "SHIFT")),
                   c["CELL_CLIP"], c["CELL_SCALE_POWER"], c["OUTPUT_MULTIPLIER"], c["OUTPUT_SHIFT"],
                   c["OUTPUT_ZERO_POINT"]]
        code = (f"{gates}const cmsis_nn_lstm_params params = {{{{{', '.join(map(str, numbers))}, forget, input, cell, "
                f"output}}}};\nint16_t state[{batch * self.hidden}];\n"
                "cmsis_nn_lstm_context context = {{0, 0, state}};\n"
                "status = arm_lstm_unidirectional_s8({0}, {1}, &params, &context);")
        return Call(name, code, tuple(buffers), 1, expected)


def _escaped(values: np.ndarray) -> str:
    """A compound literal inside a format string."""
    return c_array("int32_t", values.tolist()).replace("{", "{{").replace("}", "}}")


def test_the_table_is_a_sigmoid() -> None:
    assert SIGMOID.shape == (256,)
    assert np.abs(SIGMOID - 65536 / (1 + np.exp(-np.arange(256) / 24))).max() < 1.2


def random_lstm(rng: np.random.Generator, k: int) -> Call:
    steps, batch, inputs, hidden = (int(v) for v in rng.integers(1, [6, 4, 40, 14]))
    arrays: dict[str, np.ndarray] = {}
    c = {"INPUT_SIZE": inputs, "HIDDEN_SIZE": hidden, "CELL_SCALE_POWER": int(rng.integers(-15, -8)),
         "INPUT_ZERO_POINT": int(rng.integers(-127, 129)), "OUTPUT_ZERO_POINT": int(rng.integers(-128, 128)),
         "CELL_CLIP": int(rng.choice([32767, 20000, 900]))}
    for gate in GATES:
        for kind, columns in (("input", inputs), ("hidden", hidden)):
            arrays[f"{gate}_gate_{kind}_weights"] = rng.integers(-127, 128, (hidden, columns)).astype(np.int8)
            name = f"{gate}_gate_{kind}".upper()
            c[f"{name}_MULTIPLIER"], c[f"{name}_SHIFT"] = quantize_multiplier(float(np.exp(rng.uniform(-4, 1))))
        arrays[f"{gate}_gate_bias"] = rng.integers(-30000, 30000, hidden)
    power = c["CELL_SCALE_POWER"]
    for name, factor in (("FORGET_TO_CELL", 2.0**-15), ("INPUT_TO_CELL", 2.0 ** (-30 - power)),
                         ("OUTPUT", 2.0**-30 / float(np.exp(rng.uniform(-7, -3))))):
        c[f"{name}_MULTIPLIER"], c[f"{name}_SHIFT"] = quantize_multiplier(factor)
    extreme = rng.random() < 0.3
    x = rng.choice([-128, 127], (steps, batch, inputs)) if extreme else rng.integers(-128, 128, (steps, batch, inputs))
    return Lstm(c, arrays, bool(k % 2)).call(f"random {k}", x.astype(np.int8))


@pytest.mark.parametrize("target", TARGETS)
def test_random_lstms(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    run_calls([random_lstm(rng, k) for k in range(24)], ["arm_lstm_unidirectional_s8"], HEADERS, target, tmp_path)


@pytest.mark.parametrize("target", TARGETS)
def test_the_lstm_vectors_of_arm(target: str, tmp_path: Path) -> None:
    calls = []
    for name, c, arrays in require_shared_cases("arm_lstm_unidirectional_s8"):
        # All biases are zeros; in two files those of a former generator have taken their names.
        arrays |= {f"{gate}_gate_bias": np.zeros(c["HIDDEN_SIZE"], np.int32) for gate in GATES}
        shape = c["BATCH_SIZE"], c["TIME_STEPS"], c["INPUT_SIZE"]
        for time_major in (False, True) if c["BATCH_SIZE"] == 1 or c["TIME_STEPS"] == 1 else (False,):
            x = arrays["input_tensor"].reshape(shape).swapaxes(0, 1)
            lstm = Lstm(c, arrays, time_major)
            calls.append(lstm.call(f"{name}, time major {time_major}", x, arrays["output"]))
            assert (lstm.expected(x).swapaxes(0, 1).reshape(-1) == arrays["output"]).all()
    assert len(calls) == 7
    run_calls(calls, ["arm_lstm_unidirectional_s8"], HEADERS, target, tmp_path)


def svdf_expected(c: dict[str, int], arrays: dict[str, np.ndarray]) -> np.ndarray:
    """The outputs of the last step of a sequence."""
    batch, rank, features = c["INPUT_BATCHES"], c["RANK"], c["FEATURE_BATCHES"]
    times, size = c["TIME_BATCHES"], c["INPUT_SIZE"]
    w = arrays["weights_feature"].reshape(features, size).astype(np.int64)
    state = arrays["state"].reshape(batch, features, times).astype(np.int64)
    result = np.zeros(0, np.int64)
    for x in arrays["input_sequence"].reshape(-1, batch, size).astype(np.int64):
        new = requantize((x - c["INPUT_OFFSET"]) @ w.T, c["MULTIPLIER_IN"], c["SHIFT_1"])
        new = np.clip(new, c["IN_ACTIVATION_MIN"], c["IN_ACTIVATION_MAX"])
        state = np.concatenate([state[:, :, 1:], new[:, :, None]], 2)
        sums = (state * arrays["weights_time"].reshape(features, times)).sum(2).reshape(batch, -1, rank).sum(2)
        result = requantize(sums + arrays["biases"], c["MULTIPLIER_OUT"], c["SHIFT_2"]) + c["OUTPUT_OFFSET"]
    return np.clip(result, c["OUT_ACTIVATION_MIN"], c["OUT_ACTIVATION_MAX"]).astype(np.int8)


def svdf_call(name: str, function: str, c: dict[str, int], arrays: dict[str, np.ndarray],
              expected: np.ndarray) -> Call:
    batch, size = c["INPUT_BATCHES"], c["INPUT_SIZE"]
    steps = arrays["input_sequence"].size // (batch * size)
    first = "&none, " if function == "arm_svdf_s8" else ""
    numbers = [c[n] for n in ("RANK", "INPUT_OFFSET", "OUTPUT_OFFSET", "IN_ACTIVATION_MIN", "IN_ACTIVATION_MAX",
                              "OUT_ACTIVATION_MIN", "OUT_ACTIVATION_MAX")]
    code = f"""
        const cmsis_nn_svdf_params params = {{{{{numbers[0]}, {numbers[1]}, {numbers[2]},
            {{{{{numbers[3]}, {numbers[4]}}}}}, {{{{{numbers[5]}, {numbers[6]}}}}}}}}};
        const cmsis_nn_per_tensor_quant_params in = {{{{{c["MULTIPLIER_IN"]}, {c["SHIFT_1"]}}}}};
        const cmsis_nn_per_tensor_quant_params out = {{{{{c["MULTIPLIER_OUT"]}, {c["SHIFT_2"]}}}}};
        const cmsis_nn_dims x = {{{{{batch}, {size}, 1, 1}}}}, w = {{{{{c["FEATURE_BATCHES"]}, 1, 1, 1}}}};
        const cmsis_nn_dims t = {{{{1, {c["TIME_BATCHES"]}, 1, 1}}}};
        int32_t scratch[1];
        const cmsis_nn_context none = {{{{0, 0}}}}, some = {{{{scratch, 4}}}};
        for (int step = 0; step < {steps}; step++) {{{{
            status |= {function}({first}&some, &some, &params, &in, &out, &x, {{0}} + step * {batch * size}, 0,
                {{1}}, &w, {{2}}, &t, {{3}}, 0, {{4}}, 0, {{5}});
        }}}}
        if ({function}({first}&none, &some, &params, &in, &out, &x, {{0}}, 0, {{1}}, &w, {{2}}, &t, {{3}}, 0, {{4}}, 0,
            {{5}}) != ARM_CMSIS_NN_ARG_ERROR) {{{{
            status = 99;
        }}}}
        (void)none;"""
    buffers = (*(arrays[n] for n in ("input_sequence", "state", "weights_feature", "weights_time", "biases")),
               np.zeros(expected.size, np.int8))
    return Call(name, code, buffers, 5, expected)


def random_svdf(rng: np.random.Generator, k: int, wide: bool) -> Call:
    batch, rank, units, times, size, steps = (int(v) for v in rng.integers(1, [4, 4, 8, 9, 30, 6]))
    state = np.int16 if wide else np.int8
    limits = np.iinfo(state)
    m_in, s_in = quantize_multiplier(float(np.exp(rng.uniform(-5, 0))) * (100 if wide else 1))
    m_out, s_out = quantize_multiplier(float(np.exp(rng.uniform(-9, -4))) / (100 if wide else 1))
    c = {"INPUT_BATCHES": batch, "RANK": rank, "FEATURE_BATCHES": rank * units, "TIME_BATCHES": times,
         "INPUT_SIZE": size, "INPUT_OFFSET": int(rng.integers(-128, 128)),
         "OUTPUT_OFFSET": int(rng.integers(-128, 128)),
         "MULTIPLIER_IN": m_in, "SHIFT_1": s_in, "MULTIPLIER_OUT": m_out, "SHIFT_2": s_out,
         "IN_ACTIVATION_MIN": int(limits.min), "IN_ACTIVATION_MAX": int(limits.max),
         "OUT_ACTIVATION_MIN": -128 if k % 2 else -7, "OUT_ACTIVATION_MAX": 127 if k % 2 else 99}
    arrays = {
        "input_sequence": rng.integers(-128, 128, steps * batch * size).astype(np.int8),
        "state": rng.integers(-99, 99, batch * rank * units * times).astype(state),
        "weights_feature": rng.integers(-128, 128, rank * units * size).astype(np.int8),
        "weights_time": rng.integers(-128, 128, rank * units * times).astype(state),
        "biases": rng.integers(-9000, 9000, units).astype(np.int32),
    }
    function = "arm_svdf_state_s16_s8" if wide else "arm_svdf_s8"
    return svdf_call(f"{function} {k}", function, c, arrays, svdf_expected(c, arrays).reshape(-1))


@pytest.mark.parametrize("target", TARGETS)
def test_random_svdfs(target: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(12)
    calls = [random_svdf(rng, k, wide) for k in range(12) for wide in (False, True)]
    run_calls(calls, ["arm_svdf_s8", "arm_svdf_state_s16_s8"], HEADERS, target, tmp_path)


@pytest.mark.parametrize("target", TARGETS)
def test_the_svdf_vectors_of_arm(target: str, tmp_path: Path) -> None:
    calls = []
    for function in ("arm_svdf_s8", "arm_svdf_state_s16_s8"):
        for name, c, arrays in require_shared_cases(function):
            calls.append(svdf_call(name, function, c, arrays, arrays["output_ref"]))
            assert (svdf_expected(c, arrays).reshape(-1) == arrays["output_ref"]).all()
    assert len(calls) == 6
    run_calls(calls, ["arm_svdf_s8", "arm_svdf_state_s16_s8"], HEADERS, target, tmp_path)
