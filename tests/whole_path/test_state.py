# SPDX-License-Identifier: Apache-2.0
"""Models that remember (--stateful): cases in sequence on the host with sanitizers and on an emulated core."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from command_line import invoke
from tinyc.cases import Cases, random_cases
from tinyc.compiler import Request, compile_model
from tinyc.errors import TinycError
from tinyc.targets import load_target
from tinyc.verification import first_difference, run_cases, verify_compiled

FLOAT = TensorProto.FLOAT
RNG = np.random.default_rng(2)


def info(name, shape):
    return helper.make_tensor_value_info(name, FLOAT, shape)


def save(path, nodes, inputs, outputs, constants):
    graph = helper.make_graph(nodes, "g", inputs, outputs,
                              [numpy_helper.from_array(np.asarray(a, np.float32), n) for n, a in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def streaming(folder, constant=None):
    """h' = tanh(x w + h r), a mean that runs along, and y = h' o. `constant`: h is that in the file, no input."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["a"]), helper.make_node("MatMul", ["h", "r"], ["b"]),
             helper.make_node("Add", ["a", "b"], ["c"]), helper.make_node("Tanh", ["c"], ["hn"]),
             helper.make_node("Add", ["total", "hn"], ["sum"]), helper.make_node("MatMul", ["hn", "o"], ["z"]),
             helper.make_node("Add", ["z", "sum"], ["y"])]
    rng = np.random.default_rng(9)
    constants = {"w": rng.standard_normal((3, 4)), "r": rng.standard_normal((4, 4)) * 0.5,
                 "o": rng.standard_normal((4, 4))}
    inputs = [info("x", (1, 3)), info("total", (1, 4))]
    if constant is None:
        inputs.append(info("h", (1, 4)))
    else:
        constants["h"] = constant
    return save(folder / "streaming.onnx", nodes, inputs, [info("y", (1, 4)), info("hn", (1, 4)), info("sum", (1, 4))],
                constants)


STATE = (("h", "hn"), ("total", "sum"))


def compiled(path, target="host", **options):
    return compile_model(Request(path, load_target(target), stateful=STATE, **options))


@pytest.mark.parametrize("io", ["arena", "caller"])
@pytest.mark.parametrize("target", ["host", "cortex-m4"])
def test_cases_run_in_sequence(tmp_path, target, io):
    model = compiled(streaming(tmp_path), target, io=io)
    assert [p.c_name for p in (*model.emitted.inputs, *model.emitted.outputs)] == ["input", "output"]
    assert "int streaming_run(void *arena_memory, streaming_state_t *state, const float *input, float *output);" in (
        model.emitted.files["streaming.h"])
    assert model.report["state_bytes"] == 32
    assert "memcpy(state" not in model.emitted.files["streaming.c"], "written where the state is"
    cases = random_cases(model.emitted.inputs, 6)
    assert verify_compiled(model, cases).passed
    outputs, _ = run_cases(model, cases, sanitize=target == "host")
    alone, _ = run_cases(model, Cases(cases.inputs[-1:], None))
    assert not np.allclose(outputs[-1][0], alone[0][0]), "nothing was remembered"


def test_every_layer_is_compared_in_sequence(tmp_path):
    path = streaming(tmp_path)
    exposed = compile_model(Request(path, load_target("host"), stateful=STATE), expose=True)
    assert first_difference(exposed, random_cases(exposed.emitted.inputs, 3)) is None


def test_the_first_state_is_the_constant_of_the_model(tmp_path):
    first = np.array([[0.5, -0.25, 1, 0]], np.float32)
    path = streaming(tmp_path, first)
    model = compiled(path)
    assert "streaming_first_h" in model.emitted.files["streaming.c"]
    cases = random_cases(model.emitted.inputs, 3)
    assert verify_compiled(model, cases).passed
    zero = compiled(streaming(tmp_path, np.zeros((1, 4), np.float32)))
    assert not np.allclose(run_cases(model, cases)[0][0][0], run_cases(zero, cases)[0][0][0])


def test_a_window_that_moves_along(tmp_path):
    """A causal convolution by samples: the window of the last ones is the state."""
    weights = RNG.standard_normal((2, 1, 5))
    nodes = [helper.make_node("Concat", ["past", "x"], ["window"], axis=2),
             helper.make_node("Conv", ["window", "w"], ["y"]),
             helper.make_node("Slice", ["window", "one", "end", "axis"], ["next"])]
    path = save(tmp_path / "fir.onnx", nodes, [info("past", (1, 1, 4)), info("x", (1, 1, 1))],
                [info("y", (1, 2, 1)), info("next", (1, 1, 4))], {"w": weights})
    model = onnx.load(path)
    for name, value in {"one": 1, "end": 9, "axis": 2}.items():
        model.graph.initializer.append(numpy_helper.from_array(np.array([value]), name))
    onnx.save(model, path)
    result = compile_model(Request(path, load_target("host"), stateful=(("past", "next"),)))
    samples = RNG.standard_normal(9).astype(np.float32)
    got, _ = run_cases(result, Cases(tuple((s.reshape(1, 1, 1),) for s in samples), None), sanitize=True)
    padded = np.concatenate([np.zeros(4, np.float32), samples])
    want = np.stack([weights[:, 0] @ padded[k:k + 5] for k in range(9)])
    np.testing.assert_allclose(np.stack([g[0].reshape(2) for g in got]), want, 1e-4, 1e-5)


@pytest.mark.parametrize("optimize", ["default", "ram"])
def test_an_lstm_one_step_at_a_time(tmp_path, optimize):
    """In steps of one it gives what the whole sequence gives at once."""
    rng = np.random.default_rng(4)
    constants = {"w": rng.standard_normal((1, 20, 3)) * 0.4, "r": rng.standard_normal((1, 20, 5)) * 0.4}

    def lstm(folder, steps):
        folder.mkdir()
        nodes = [helper.make_node("LSTM", ["x", "w", "r", "", "", "h0", "c0"], ["y", "hn", "cn"], hidden_size=5)]
        states = [info("h0", (1, 1, 5)), info("c0", (1, 1, 5))]
        outputs = [info("y", (steps, 1, 1, 5)), info("hn", (1, 1, 5)), info("cn", (1, 1, 5))]
        path = save(folder / "lstm.onnx", nodes, [info("x", (steps, 1, 3)), *states], outputs, constants)
        return compile_model(Request(path, load_target("host"), optimize=optimize,
                                     stateful=(("h0", "hn"), ("c0", "cn"))))

    x = rng.standard_normal((6, 1, 3)).astype(np.float32)
    whole, _ = run_cases(lstm(tmp_path / "whole", 6), Cases(((x,),), None))
    steps, _ = run_cases(lstm(tmp_path / "step", 1), Cases(tuple((x[k:k + 1],) for k in range(6)), None), sanitize=True)
    np.testing.assert_allclose(np.concatenate([s[0] for s in steps]), whole[0][0], 1e-5, 1e-6)


@pytest.mark.parametrize(("pairs", "words"), [
    ((("h", "nothing"),), "no output 'nothing'"), ((("nothing", "hn"),), "no input 'nothing'"),
    ((("x", "hn"),), "both need the same"), ((("h", "hn"), ("total", "hn")), "twice"),
    ((("h", "hn"), ("h", "sum")), "twice"),
])
def test_states_that_do_not_fit(tmp_path, pairs, words):
    with pytest.raises(TinycError) as error:
        compile_model(Request(streaming(tmp_path), load_target("host"), stateful=pairs))
    assert words in f"{error.value} {error.value.hint}"


def test_commands(tmp_path):
    path = streaming(tmp_path)
    options = ["--target", "cortex-m4", "--stateful", "h=hn", "--stateful", "total=sum"]
    assert invoke("verify", path, *options, "--json").json["passed"]
    assert invoke("size", path, *options, "--json").json["ram"]["state"] == 32
    assert invoke("profile", path, *options, "--json").json["ram"]["state"] == 32
    assert invoke("compile", path, "--target", "host", "--stateful", "h", "-o", tmp_path / "out").code == 2


def test_several_models_each_with_its_own_state(tmp_path):
    first = streaming(tmp_path)
    nodes = [helper.make_node("Add", ["a", "b"], ["s"]), helper.make_node("Neg", ["s"], ["y"])]
    other = save(tmp_path / "sums.onnx", nodes,
                 [info("a", (1, 4)), info("b", (1, 4))], [info("s", (1, 4)), info("y", (1, 4))], {})
    states = ["--stateful", "h=hn", "--stateful", "a=s", "--stateful", "total=sum"]
    assert invoke("compile", first, other, "--target", "host", *states, "-o", tmp_path / "out").code == 0
    text = (tmp_path / "out" / "sums.h").read_text()
    assert "sums_run(void *arena_memory, sums_state_t *state, const float *input, float *output)" in text
    assert invoke("compile", first, other, "--target", "host", "--stateful", "h=s", "-o", tmp_path / "no").code == 2
