# SPDX-License-Identifier: Apache-2.0
"""Shapes and axes that arrive at run time: right values compute, any other value is N_E_SHAPE and harms nothing."""

import itertools
from contextlib import contextmanager

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from command_line import invoke
from support import compile_proto
from tinyc.errors import TinycError
from tinyc.execute import build_model, written
from tinyc.toolchain import run

E_SHAPE = -4
RNG = np.random.default_rng(11)
BIG = [0, 1, -1, 2, -2, 3, -3, 5, 7, 100, -100, 2**31 - 1, -2**31, 2**31, 2**40, -2**40, 2**63 - 1, -2**63]


def proto(nodes, inputs, outputs, initializers=(), opset=21):
    """A model; inputs by name as arrays, outputs by name as (element type, shape)."""
    def info(name, array):
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)

    graph = helper.make_graph(nodes, "run_time", [info(n, a) for n, a in inputs.items()],
                              [helper.make_tensor_value_info(n, t, s) for n, (t, s) in outputs.items()],
                              [numpy_helper.from_array(a, n) for n, a in dict(initializers).items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


@contextmanager
def built(model, target="host"):
    """A function from inputs by name to (status, outputs by name)."""
    compiled = compile_proto(model, target)
    ports = compiled.emitted
    with written(compiled) as folder:
        elf = build_model(compiled, folder, sanitize=target == "host")

        def call(**inputs):
            data = [np.ascontiguousarray(inputs[p.name], p.dtype.numpy).tobytes() for p in ports.inputs]
            result = run(elf, [data])
            return result.status, {p.name: np.frombuffer(raw, p.dtype.numpy).reshape(p.shape)
                                   for p, raw in zip(ports.outputs, result.outputs[0], strict=True)}

        yield call


X = RNG.standard_normal((2, 3, 2)).astype(np.float32)
INT, FLOAT = TensorProto.INT64, TensorProto.FLOAT


def i64(*values):
    return np.array(values, np.int64)


def test_axes_that_the_shape_leaves_open():
    """[2, 3, 2] without one of the twos: two sums are compiled, one runs."""
    model = proto([helper.make_node("ReduceSum", ["x", "axes"], ["y"], keepdims=0)], {"x": X, "axes": i64(0)},
                  {"y": (FLOAT, (3, 2))})
    with built(model) as call:
        for axis in (0, -3):
            status, got = call(x=X, axes=i64(axis))
            assert status == 0
            np.testing.assert_allclose(got["y"], X.sum(0), 1e-6)
        for axis in BIG:
            assert axis in (0, -3) or call(x=X, axes=i64(axis))[0] == E_SHAPE
    model = proto([helper.make_node("ReduceMax", ["x", "axes"], ["y"], keepdims=0)], {"x": X[:, :2], "axes": i64(0)},
                  {"y": (FLOAT, (2, 2))})
    with built(model) as call:
        for axis in (0, 1, 2, -1, -2, -3):
            status, got = call(x=X[:, :2], axes=i64(axis))
            assert status == 0
            np.testing.assert_array_equal(got["y"], X[:, :2].max(axis))
        for axis in BIG:
            assert -3 <= axis < 3 or call(x=X[:, :2], axes=i64(axis))[0] == E_SHAPE


def test_slices():
    model = proto([helper.make_node("Slice", ["x", "starts", "ends", "axes", "steps"], ["y"])],
                  {"x": X, "starts": i64(0, 0), "ends": i64(0, 0), "axes": i64(0, 0), "steps": i64(0, 0)},
                  {"y": (FLOAT, (2, 2, 1))})
    with built(model) as call:
        for starts, ends, axes, steps in [
            ((0, 1), (2, 2), (1, 2), (1, 1)), ((2, 0), (-9, 1), (1, -1), (-2, 7)),
            ((-2, -1), (99, 99), (1, 2), (1, 2**62)), ((2**62, 2**62), (-(2**62), 0), (1, 2), (-1 - 1, -1)),
        ]:
            status, got = call(x=X, starts=i64(*starts), ends=i64(*ends), axes=i64(*axes), steps=i64(*steps))
            places = {a % 3: slice(s, e, d) for s, e, a, d in zip(starts, ends, axes, steps, strict=True)}
            want = X[tuple(places.get(k, slice(None)) for k in range(3))]
            assert status == (0 if want.shape == (2, 2, 1) else E_SHAPE)
            if status == 0:
                np.testing.assert_array_equal(got["y"], want)
        for values in [RNG.choice(BIG, (4, 2)) for _ in range(60)]:
            starts, ends, axes, steps = (v.astype(np.int64) for v in values)
            status, got = call(x=X, starts=starts, ends=ends, axes=axes, steps=steps)
            fits = all(-3 <= a < 3 for a in axes) and axes[0] % 3 != axes[1] % 3 and all(steps)
            want = X
            if fits:
                places = {int(a) % 3: slice(int(s), int(e), int(d)) for s, e, a, d in zip(*values, strict=True)}
                want = X[tuple(places.get(k, slice(None)) for k in range(3))]
            assert status == (0 if fits and want.shape == (2, 2, 1) else E_SHAPE)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "wrap"])
def test_pads(mode):
    x = X[:, :, 0]
    model = proto([helper.make_node("Pad", ["x", "pads", "value"], ["y"], mode=mode)],
                  {"x": x, "pads": i64(0, 0, 0, 0), "value": np.float32(0)}, {"y": (FLOAT, (3, 5))}, opset=18)
    with built(model) as call:
        for left, right, top, bottom in itertools.product((0, 1, 2, -1, 4, -3), (0, 1, 2, 3), (0, 1, -1), (0, 1, 2)):
            if (left, right, top, bottom)[1:3] == (3, -1):
                continue
            pads = i64(top, left, bottom, right)
            status, got = call(x=x, pads=pads, value=np.float32(2.5))
            wanted = (2 + top + bottom, 3 + left + right) == (3, 5)
            if status == 0:
                assert wanted
                kept = x[max(0, -top):2 - max(0, -bottom), max(0, -left):3 - max(0, -right)]
                widths = [(max(0, top), max(0, bottom)), (max(0, left), max(0, right))]
                more = {"constant_values": 2.5} if mode == "constant" else {"mode": mode}
                np.testing.assert_array_equal(got["y"], np.pad(kept, widths, **more))
            else:
                assert status == E_SHAPE and (not wanted or mode != "constant")
        for values in [RNG.choice(BIG, 4) for _ in range(40)]:
            status = call(x=x, pads=values.astype(np.int64), value=np.float32(0))[0]
            assert status in (0, E_SHAPE)


def test_shapes_and_counts():
    """Many operators in one program, each with an operand of its own; one wrong operand stops it."""
    good = {
        "reshape": i64(3, -1), "squeeze": i64(-2), "expand": i64(4, 1), "tile": i64(1, 2, 1), "k": i64(2),
        "start": np.float32(1), "limit": np.float32(2.4), "delta": np.float32(0.5), "split": i64(1, 2),
        "axis": np.int64(-1),
    }
    ones = X[:, :1]
    nodes = [
        helper.make_node("Reshape", ["x", "reshape"], ["y0"]), helper.make_node("Squeeze", ["ones", "squeeze"], ["y1"]),
        helper.make_node("Expand", ["row", "expand"], ["y2"]), helper.make_node("Tile", ["x", "tile"], ["y3"]),
        helper.make_node("TopK", ["x", "k"], ["y4", "y5"]),
        helper.make_node("Range", ["start", "limit", "delta"], ["y6"]),
        helper.make_node("Split", ["x", "split"], ["y7", "y8"], axis=1),
        helper.make_node("CumSum", ["x", "axis"], ["y9"]),
    ]
    inputs = {"x": X, "ones": ones, "row": X[0, :1]} | good
    outputs = {"y0": (FLOAT, (3, 4)), "y1": (FLOAT, (2, 2)), "y2": (FLOAT, (4, 2)), "y3": (FLOAT, (2, 6, 2)),
               "y4": (FLOAT, (2, 3, 2)), "y5": (INT, (2, 3, 2)), "y6": (FLOAT, (3,)), "y7": (FLOAT, (2, 1, 2)),
               "y8": (FLOAT, (2, 2, 2)), "y9": (FLOAT, (2, 3, 2))}
    with built(proto(nodes, inputs, outputs)) as call:
        status, got = call(**inputs)
        assert status == 0
        np.testing.assert_array_equal(got["y0"], X.reshape(3, 4))
        np.testing.assert_array_equal(got["y1"], ones[:, 0])
        np.testing.assert_array_equal(got["y2"], np.repeat(X[0, :1], 4, 0))
        np.testing.assert_array_equal(got["y3"], np.tile(X, (1, 2, 1)))
        np.testing.assert_array_equal(got["y4"], -np.sort(-X, -1))
        np.testing.assert_allclose(got["y6"], [1, 1.5, 2])
        np.testing.assert_array_equal(got["y8"], X[:, 1:])
        np.testing.assert_allclose(got["y9"], np.cumsum(X, 2), 1e-6)
        status, got = call(**inputs | {"axis": np.int64(0)})
        np.testing.assert_allclose(got["y9"], np.cumsum(X, 0), 1e-6)
        for name, wrong in {
            "reshape": [i64(-1, -1), i64(4, 3), i64(3, 2**62)], "squeeze": [i64(0), i64(2**40), i64(-4)],
            "expand": [i64(3, 1), i64(4, 3)], "tile": [i64(1, 2, 2), i64(-1, -2, 1)], "k": [i64(1), i64(2**33 + 2)],
            "delta": [np.float32(v) for v in (0, -1, 0.1, np.nan, np.inf, -np.inf)],
            "limit": [np.float32(v) for v in (np.nan, np.inf, 1, 2.6)], "split": [i64(2, 1), i64(-1, 4)],
            "axis": [np.int64(3), np.int64(-4), np.int64(2**32)],
        }.items():
            for value in wrong:
                assert call(**inputs | {name: value})[0] == E_SHAPE, (name, value)


def test_on_an_emulated_core():
    model = proto([helper.make_node("Slice", ["x", "starts", "ends"], ["s"]),
                   helper.make_node("ReduceSum", ["s", "axes"], ["y"], keepdims=0)],
                  {"x": X, "starts": i64(0, 0), "ends": i64(0, 0), "axes": i64(0)}, {"y": (FLOAT, (2, 2))})
    graph = model.graph
    graph.value_info.append(helper.make_tensor_value_info("s", FLOAT, (2, 2, 2)))
    with built(model, "cortex-m4") as call:
        status, got = call(x=X, starts=i64(0, 1), ends=i64(2, 3), axes=i64(1))
        assert status == 0
        np.testing.assert_allclose(got["y"], X[:, 1:].sum(1), 1e-6)
        assert call(x=X, starts=i64(0, 0), ends=i64(2, 3), axes=i64(1))[0] == E_SHAPE


def test_an_input_that_the_declared_output_determines():
    """Nothing states the shape behind Expand; of the output's extents only (5, 2, 3) leads to it."""
    weights = RNG.standard_normal((3, 3)).astype(np.float32)
    x = X[0, :1, :1]
    nodes = [helper.make_node("Expand", ["x", "shape"], ["wide"]), helper.make_node("MatMul", ["wide", "w"], ["y"])]
    model = proto(nodes,
                  {"x": x, "shape": i64(1, 1, 1)}, {"y": (FLOAT, (5, 2, 3))}, {"w": weights})
    with built(model) as call:
        status, got = call(x=x, shape=i64(5, 2, 3))
        assert status == 0
        np.testing.assert_allclose(got["y"], np.broadcast_to(x, (5, 2, 3)) @ weights, 1e-5)
        for wrong in (i64(2, 5, 3), i64(5, 2, 2**32 + 3), i64(-1, 2, 3)):
            assert call(x=x, shape=wrong)[0] == E_SHAPE


def test_without_a_static_shape_it_is_refused():
    model = proto([helper.make_node("Reshape", ["x", "shape"], ["r"]), helper.make_node("Reshape", ["r", "c"], ["y"])],
                  {"x": X, "shape": i64(0, 0)}, {"y": (FLOAT, (12,))}, {"c": i64(12)})
    with pytest.raises(TinycError, match="Reshape"):
        compile_proto(model)
    model = proto([helper.make_node("Reshape", ["x", "shape"], ["y"])], {"x": X, "shape": i64(0, 0)},
                  {"y": (FLOAT, (5, 5))})
    with pytest.raises(TinycError, match="Reshape"):
        compile_proto(model)


def test_commands_say_which_inputs_do_not_fit(tmp_path):
    model = proto([helper.make_node("Reshape", ["x", "shape"], ["y"])], {"x": X, "shape": i64(0, 0)},
                  {"y": (FLOAT, (6, 2))})
    onnx.save(model, tmp_path / "m.onnx")
    for command in ("verify", "profile"):
        outcome = invoke(command, tmp_path / "m.onnx", "--target", "host", "--name", "m")
        assert outcome.code == 2 and "M_E_SHAPE" in outcome.stderr and "--inputs" in outcome.stderr
    np.savez(tmp_path / "x.npz", **{"in:x": X[None], "in:shape": i64(6, -1)[None]})
    assert invoke("verify", tmp_path / "m.onnx", "--target", "host", "--inputs", tmp_path / "x.npz").code == 0
