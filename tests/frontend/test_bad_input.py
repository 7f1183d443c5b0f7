# SPDX-License-Identifier: Apache-2.0
"""Whatever is wrong with a model file, import gives one TinycError with a hint, or a graph."""

import os

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from onnx_models import Model, imported, random
from tinyc.errors import TinycError
from tinyc.frontend import import_model
from tinyc.ir.verify import verify


def small_network() -> onnx.ModelProto:
    model = Model(opset=13)
    x = model.input("x", random((1, 2, 6, 6)))
    y = model.add("Conv", [x, model.const(random((3, 2, 3, 3))), model.const(random((3,)))], pads=[1, 1, 1, 1])
    y = model.quantize(model.add("Relu", [y]), 0.02, -128)
    y = model.add("Reshape", [model.add("MaxPool", [y], kernel_shape=[2, 2]), model.const(np.array([1, -1]))])
    return model.proto([model.add("Softmax", [model.add("MatMul", [y, model.const(random((75, 4)))])])])


def refused(tmp_path, content, *words, **options):
    """Imports the file; the error, which has a hint and says `words`."""
    path = tmp_path / "model.onnx"
    path.write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
    with pytest.raises(TinycError) as caught:
        import_model(path, **options)
    error = caught.value
    assert error.exit_code == 2 and error.hint
    text = f"{error} / {error.hint}"
    for word in words:
        assert word in text, text
    return error


def single(op="Relu", inputs=("x",), shape=(1, 4), dtype=TensorProto.FLOAT, domain="", initializers=(), **attributes):
    node = helper.make_node(op, list(inputs), ["y"], name="layer", domain=domain, **attributes)
    x = helper.make_tensor_value_info("x", dtype, shape)
    graph = helper.make_graph([node], "g", [x], [helper.make_empty_tensor_value_info("y")], list(initializers))
    opsets = [helper.make_opsetid("", 13)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    return helper.make_model(graph, opset_imports=opsets)


def test_missing_file(tmp_path):
    with pytest.raises(TinycError, match="no file"):
        import_model(tmp_path / "none.onnx")
    with pytest.raises(TinycError):
        import_model(tmp_path / ("x" * 5000))
    with pytest.raises(TinycError):
        import_model(tmp_path / "a\0b")


def test_folder(tmp_path):
    with pytest.raises(TinycError, match="folder"):
        import_model(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"not a model\n" * 50, b"{}", b"\x00" * 64, b"TFL3" * 100, b"\x08\x07", os.urandom(500)]
)
def test_not_onnx(tmp_path, content):
    refused(tmp_path, content)


def test_textual_form(tmp_path):
    refused(tmp_path, str(small_network()).encode())


def test_unknown_operator_names_node_and_neighbours(tmp_path):
    refused(tmp_path, single("Sigmoidd"), "'layer', Sigmoidd", "Sigmoid", "tinyc ops")


def test_unknown_domain(tmp_path):
    refused(tmp_path, single("Relu", domain="my.ops"), "my.ops.Relu")


@pytest.mark.parametrize("opset", [0, -3, 99])
def test_opsets_out_of_range(tmp_path, opset):
    model = single()
    model.opset_import[0].version = opset
    refused(tmp_path, model, f"opset {opset}")


def test_no_opset(tmp_path):
    model = single()
    del model.opset_import[:]
    refused(tmp_path, model)
    model.opset_import.append(helper.make_opsetid("my.ops", 1))
    refused(tmp_path, model, "opset")


def test_dynamic_dimension(tmp_path):
    refused(tmp_path, single(shape=("N", "length")), "length", "--dim length=SIZE")
    refused(tmp_path, single(shape=(1, None)), "not static")
    refused(tmp_path, single(shape=None), "rank")


def test_dim_fixes_a_symbolic_dimension(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(single(shape=("N", "length")).SerializeToString())
    result = import_model(path, {"length": 7})
    assert result.graph.type("x").shape == (1, 7)
    assert len(result.notes) == 1 and "batch" in result.notes[0]
    assert import_model(path, {"length": 7, "N": 3}).graph.type("x").shape == (3, 7)
    for dims in ({"length": 7, "width": 2}, {"length": 0}, {"length": -1}, {"length": 1 << 40}):
        with pytest.raises(TinycError):
            import_model(path, dims)


def test_a_batch_without_name_is_fixed_too(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(single(shape=(None, 5)).SerializeToString())
    assert import_model(path).graph.type("x").shape == (1, 5)
    path.write_bytes(single(shape=(-1, 5)).SerializeToString())
    assert import_model(path).graph.type("x").shape == (1, 5)


@pytest.mark.parametrize("shape", [(1 << 40, 1 << 40), (1, 1 << 30), (1, 1 << 20, 1 << 20)])
def test_huge_inputs(tmp_path, shape):
    refused(tmp_path, single(shape=shape))


def test_results_too_large(tmp_path):
    pads = numpy_helper.from_array(np.array([0, 0, 1 << 40, 1 << 40]), "pads")
    refused(tmp_path, single("Pad", ("x", "pads"), initializers=[pads]), "too large")
    shape = numpy_helper.from_array(np.array([1 << 40, 1 << 40]), "shape")
    refused(tmp_path, single("Expand", ("x", "shape"), (1, 1), initializers=[shape]))
    refused(tmp_path, single("ConstantOfShape", ("shape",), initializers=[shape]))


def test_element_types(tmp_path):
    refused(tmp_path, single(dtype=TensorProto.COMPLEX64), "COMPLEX64", "float32")
    refused(tmp_path, single(dtype=TensorProto.UNDEFINED))
    refused(tmp_path, single("Relu", dtype=TensorProto.BOOL), "bool")
    refused(tmp_path, single("And", ("x", "x")), "float32")


def test_operands_of_different_types(tmp_path):
    other = numpy_helper.from_array(np.array([1], np.int32), "other")
    refused(tmp_path, single("Add", ("x", "other"), initializers=[other]), "int32", "float32")


def test_operand_counts(tmp_path):
    refused(tmp_path, single("Relu", ("x", "x")), "operands")
    refused(tmp_path, single("Add", ("x",)), "operands")
    refused(tmp_path, single("Add", ("x", "")), "missing")


def test_attributes(tmp_path):
    refused(tmp_path, single("LeakyRelu", alpha="steep"), "alpha")
    refused(tmp_path, single("Softmax", axis=1.5), "axis")
    refused(tmp_path, single("Softmax", axis=7), "axis 7")
    refused(tmp_path, single("Softmax", speed=1), "speed")
    refused(tmp_path, single("MaxPool", shape=(1, 1, 4)), "kernel_shape")
    refused(tmp_path, single("MaxPool", shape=(1, 1, 4), kernel_shape=[2, 2]))
    refused(tmp_path, single("MaxPool", shape=(1, 1, 4), kernel_shape=[9]), "does not fit")
    refused(tmp_path, single("MaxPool", shape=(1, 1, 4), kernel_shape=[2], strides=[0]))
    refused(tmp_path, single("MaxPool", shape=(1, 1, 4), kernel_shape=[2], pads=[-1, 0]))
    refused(tmp_path, single("Transpose", perm=[0, 0]), "permutation")
    refused(tmp_path, single("Concat", axis=5), "axis")
    refused(tmp_path, single("Cast", to=77), "77")


def test_shapes_that_do_not_fit(tmp_path):
    w = numpy_helper.from_array(random((3, 5, 3, 3)), "w")
    refused(tmp_path, single("Conv", ("x", "w"), (1, 2, 6, 6), initializers=[w]), "'layer', Conv", "channels")
    refused(tmp_path, single("MatMul", ("x", "w"), (1, 4), initializers=[w]))
    shape = numpy_helper.from_array(np.array([3, 3]), "shape")
    refused(tmp_path, single("Reshape", ("x", "shape"), initializers=[shape]), "[3, 3]")


def test_shape_computed_at_run_time(tmp_path):
    refused(tmp_path, single("Reshape", ("x", "x"), (2,), TensorProto.INT64), "not a constant")


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_scales_that_are_no_scales(tmp_path, scale):
    initializers = [numpy_helper.from_array(np.array(scale, np.float32), "s")]
    refused(tmp_path, single("QuantizeLinear", ("x", "s"), initializers=initializers), "scale")


def test_scales_that_do_not_fit_each_other(tmp_path):
    def quantized(op, domain, *scales):
        steps = np.zeros(2, np.uint8)
        tensors = [numpy_helper.from_array(np.asarray(a), n) for n, a in (("z", steps[0]), ("one", np.float32(1)))]
        tensors += [numpy_helper.from_array(np.full(n, 0.5, np.float32), f"s{n}") for n in set(scales)]
        tensors += [numpy_helper.from_array(np.zeros(n, np.uint8), f"z{n}") for n in set(scales)]
        pairs = [name for n in scales for name in (f"s{n}", f"z{n}")]
        operands = ["x", *pairs[:2], *(["w", *pairs[2:], "one", "z", "b"] if op == "QLinearConv" else ["one", "z"])]
        tensors.append(numpy_helper.from_array(np.ones((3, 2, 1), np.uint8), "w"))
        tensors.append(numpy_helper.from_array(np.ones(3, np.int32), "b"))
        return single(op, operands, (2, 2, 4), TensorProto.UINT8, domain, tensors)

    refused(tmp_path, quantized("QLinearLeakyRelu", "com.microsoft", 0), "layer", "without elements")
    refused(tmp_path, quantized("QLinearConv", "", 2, 3), "layer", "2 scales of the data")


def graph_of(nodes, outputs, inputs=("x",), initializers=()):
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, 4)) for name in inputs]
    results = [helper.make_empty_tensor_value_info(name) for name in outputs]
    graph = helper.make_graph(nodes, "g", infos, results, list(initializers))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])


def node(op, inputs, outputs, name=""):
    return helper.make_node(op, inputs, outputs, name=name)


def test_order_and_cycles(tmp_path):
    late = [node("Relu", ["a"], ["y"]), node("Abs", ["x"], ["a"])]
    refused(tmp_path, graph_of(late, ["y"]), "'a'", "before it is computed")
    cycle = [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"])]
    refused(tmp_path, graph_of(cycle, ["b"]), "cycle")
    refused(tmp_path, graph_of([node("Relu", ["nowhere"], ["y"])], ["y"]), "'nowhere'")


def test_names_given_twice(tmp_path):
    twice = [node("Relu", ["x"], ["y"]), node("Abs", ["x"], ["y"])]
    refused(tmp_path, graph_of(twice, ["y"]), "twice")
    refused(tmp_path, graph_of([node("Split", ["x"], ["y", "y"])], ["y"]), "twice")
    refused(tmp_path, graph_of([node("Relu", ["x"], ["y"])], ["y"], inputs=("x", "x")), "'x'")
    w = numpy_helper.from_array(random((1, 4)), "w")
    refused(tmp_path, graph_of([node("Add", ["x", "w"], ["y"])], ["y"], initializers=[w, w]), "'w'")


def test_nodes_of_one_name_are_fine():
    nodes = [node("Relu", ["x"], ["a"], "n"), node("Abs", ["a"], ["b"], "n"), node("Neg", ["b"], ["n"], "n")]
    verify(imported(graph_of(nodes, ["n"])))


def test_outputs_missing(tmp_path):
    refused(tmp_path, graph_of([node("Relu", ["x"], ["y"])], []), "no output")
    refused(tmp_path, graph_of([node("Relu", ["x"], ["y"])], ["z"]), "'z'")


def test_what_is_wrong_in_a_branch_is_named(tmp_path):
    branch = helper.make_graph([node("Relu", ["x"], ["b"])], "b", [], [helper.make_empty_tensor_value_info("b")])
    model = single("If", ("x",), (1,), TensorProto.BOOL, then_branch=branch, else_branch=branch)
    refused(tmp_path, model, "bool, which Relu does not take")


def test_sparse_initializers_are_refused(tmp_path):
    model = single()
    values = numpy_helper.from_array(np.array([1], np.float32), "s")
    indices = numpy_helper.from_array(np.array([0]), "i")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [4]))
    refused(tmp_path, model, "sparse")


def test_constants_that_lie_about_their_size(tmp_path):
    def with_tensor(change):
        tensor = numpy_helper.from_array(random((2, 2)), "w")
        change(tensor)
        return single("Add", ("x", "w"), initializers=[tensor])

    def dims(*values):
        return lambda t: (t.ClearField("dims"), t.dims.extend(values))

    refused(tmp_path, with_tensor(dims(1 << 31, 1 << 31)), "'w'")
    refused(tmp_path, with_tensor(dims(1 << 62, 4)), "'w'")
    refused(tmp_path, with_tensor(dims(3, 3)), "'w'")
    refused(tmp_path, with_tensor(dims(-1, 4)), "'w'")
    refused(tmp_path, with_tensor(lambda t: setattr(t, "data_type", 99)), "'w'")
    refused(tmp_path, with_tensor(lambda t: setattr(t, "data_type", TensorProto.DOUBLE)), "'w'")
    refused(tmp_path, with_tensor(lambda t: t.ClearField("raw_data")), "'w'")


def external(location, **entries):
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1, 4])
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=str(value))
    return single("Add", ("x", "w"), initializers=[tensor])


def test_external_data(tmp_path):
    folder = tmp_path / "model"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "w.bin").write_bytes(b"\0" * 8 + np.arange(4, dtype=np.float32).tobytes())
    path = folder / "model.onnx"
    path.write_bytes(external("deep/w.bin", offset=8, length=16).SerializeToString())
    graph = import_model(path).graph
    assert any(v.data is not None and v.data.tolist() == [[0, 1, 2, 3]] for v in graph.values())


@pytest.mark.parametrize(
    "location, entries",
    [
        ("../secret.bin", {}),
        ("a/../../secret.bin", {}),
        ("/etc/passwd", {}),
        ("link.bin", {}),
        ("linked/secret.bin", {}),
        ("missing.bin", {}),
        ("", {}),
        (".", {}),
        ("w.bin", {"offset": 8}),
        ("w.bin", {"offset": -4}),
        ("w.bin", {"length": 1 << 40}),
        ("w.bin", {"length": "many"}),
        ("w.bin", {"length": 8}),
        ("..\\secret.bin", {}),
    ],
)
def test_external_data_refused(tmp_path, location, entries):
    (tmp_path / "secret.bin").write_bytes(b"\0" * 16)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "w.bin").write_bytes(b"\0" * 16)
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    (folder / "linked").symlink_to(tmp_path)
    refused(folder, external(location, **entries), "'w'")


def test_local_functions_are_inlined():
    body = [helper.make_node("Relu", ["a"], ["t"]), helper.make_node("Neg", ["t"], ["b"])]
    function = helper.make_function("my.ops", "Twist", ["a"], ["b"], body, [helper.make_opsetid("", 13)])
    model = single("Twist", domain="my.ops")
    model.functions.append(function)
    assert [n.op for n in imported(model).nodes()] == ["Clip", "Neg"]


@pytest.mark.parametrize("seed", range(4))
def test_truncated_files(tmp_path, seed):
    """Any prefix of a model is refused, or is a model."""
    raw = small_network().SerializeToString()
    cuts = np.random.default_rng(seed).integers(0, len(raw), 60)
    attempt_all(tmp_path, (raw[:cut] for cut in cuts))


@pytest.mark.parametrize("seed", range(12))
def test_damaged_files(tmp_path, seed):
    """Any damaged bytes are refused, or leave a sound graph."""
    raw, rng = small_network().SerializeToString(), np.random.default_rng(seed)

    def damaged():
        for _ in range(60):
            content = bytearray(raw)
            for _ in range(rng.integers(1, 4)):
                content[rng.integers(0, len(content))] = rng.integers(0, 256)
            yield bytes(content)

    attempt_all(tmp_path, damaged())


def controlled() -> onnx.ModelProto:
    """An If with an If in a branch, a Loop that collects, a function of the model."""
    empty, info = helper.make_empty_tensor_value_info, helper.make_tensor_value_info
    inner = [helper.make_graph([node(op, ["h"], [op])], op, [], [empty(op)]) for op in ("Neg", "Abs")]
    then = helper.make_graph([helper.make_node("Half", ["x"], ["t"], domain="own")], "t", [], [empty("t")])
    other = helper.make_graph([node("Add", ["x", "x"], ["h"]), helper.make_node(
        "If", ["p"], ["o"], then_branch=inner[0], else_branch=inner[1])], "o", [], [empty("o")])
    body = helper.make_graph([node("Gather", ["b", "i"], ["row"]), node("Add", ["s", "row"], ["n"]),
                              node("Identity", ["c"], ["g"]), node("Exp", ["n"], ["e"])], "body",
                             [info("i", TensorProto.INT64, ()), info("c", TensorProto.BOOL, ()),
                              info("s", TensorProto.FLOAT, (4,))], [empty("g"), empty("n"), empty("e")])
    nodes = [helper.make_node("If", ["p"], ["b"], then_branch=then, else_branch=other),
             helper.make_node("Loop", ["count", "", "start"], ["last", "all"], body=body)]
    half = helper.make_function("own", "Half", ["a"], ["r"], [node("Mul", ["a", "a"], ["r"])],
                                [helper.make_opsetid("", 13)])
    constants = [numpy_helper.from_array(np.array(3), "count"), numpy_helper.from_array(random((4,)), "start")]
    graph = helper.make_graph(nodes, "g", [info("x", TensorProto.FLOAT, (3, 4)), info("p", TensorProto.BOOL, ())],
                              [empty("last"), empty("all")], constants)
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=opsets, functions=[half])


@pytest.mark.parametrize("seed", range(4))
def test_damaged_subgraphs_and_functions(tmp_path, seed):
    raw, rng = controlled().SerializeToString(), np.random.default_rng(seed)

    def damaged():
        yield raw
        for _ in range(80):
            content = bytearray(raw)
            for _ in range(rng.integers(1, 4)):
                at = rng.integers(0, len(content))
                new = rng.integers(0, 256, rng.integers(0, 3)).astype(np.uint8)
                content[at:at + rng.integers(0, 3)] = new.tobytes()
            yield bytes(content)

    path = tmp_path / "whole.onnx"
    path.write_bytes(raw)
    assert import_model(path).graph.outputs == ("last", "all")
    attempt_all(tmp_path, damaged())


def attempt_all(tmp_path, contents):
    path = tmp_path / "model.onnx"
    for content in contents:
        path.write_bytes(content)
        try:
            verify(import_model(path).graph)
        except TinycError as error:
            assert error.hint, error
