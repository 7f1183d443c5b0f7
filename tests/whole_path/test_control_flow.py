# SPDX-License-Identifier: Apache-2.0
"""If, Loop, Scan and functions: on the host with sanitizers and on an emulated core, against onnxruntime."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from support import compile_proto, execute, with_numpy, with_onnxruntime
from tinyc.errors import TinycError

FLOAT, INT, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
RNG = np.random.default_rng(5)


def info(name, dtype=FLOAT, shape=None):
    return helper.make_tensor_value_info(name, dtype, shape)


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs, outputs, name=f"{op}_{outputs[0]}", **attributes)


def graph(nodes, inputs, outputs, constants=()):
    return helper.make_graph(
        nodes, "sub", inputs, outputs, [numpy_helper.from_array(np.asarray(a), n) for n, a in constants]
    )


def model(nodes, inputs, outputs, constants=(), opset=17, functions=(), domains=()):
    opsets = [helper.make_opsetid("", opset), *[helper.make_opsetid(d, 1) for d in domains]]
    proto = helper.make_model(
        graph(nodes, inputs, outputs, constants), opset_imports=opsets, ir_version=8, functions=list(functions)
    )
    proto.graph.name = "control"
    onnx.checker.check_model(proto)
    return proto


def agree(proto, cases, target="host"):
    """Every case: C, NumPy and onnxruntime give the same."""
    compiled = compile_proto(proto, target)
    for inputs in cases:
        want = with_onnxruntime(proto, inputs)
        for got in (execute(compiled, inputs), with_numpy(compiled, inputs)):
            for name, value in want.items():
                np.testing.assert_allclose(got[name], value, 1e-5, 1e-6, err_msg=name)
    return compiled


def branches():
    """then: exp of the input's rows summed; else: twice the input plus a constant of the branch, itself an If."""
    inner = [graph([node("Neg", ["d"], ["n"])], [], [info("n")]), graph([node("Abs", ["d"], ["m"])], [], [info("m")])]
    then = graph([node("Exp", ["x"], ["e"]), node("MatMul", ["e", "w"], ["t"])], [], [info("t")])
    other = graph(
        [
            node("Add", ["x", "x"], ["s"]),
            node("Mul", ["s", "c"], ["d"]),
            node("If", ["q"], ["i"], then_branch=inner[0], else_branch=inner[1]),
            node("MatMul", ["i", "w"], ["o"]),
        ],
        [],
        [info("o")],
        [("c", np.float32(0.5))],
    )
    return {"then_branch": then, "else_branch": other}


X = RNG.standard_normal((4, 3)).astype(np.float32)
W = RNG.standard_normal((3, 2)).astype(np.float32)


@pytest.mark.parametrize("target", ["host", "cortex-m4"])
def test_if_runs_the_branch_that_is_chosen(target):
    proto = model(
        [node("If", ["p"], ["b"], **branches()), node("Relu", ["b"], ["y"])],
        [info("x", FLOAT, (4, 3)), info("p", BOOL, ()), info("q", BOOL, (1,))],
        [info("y", FLOAT, (4, 2))],
        [("w", W)],
    )
    cases = [{"x": X, "p": np.array(p), "q": np.array([q])} for p in (True, False) for q in (True, False)]
    compiled = agree(proto, cases, target)
    text = compiled.emitted.files["control.c"]
    exp = next(line for line in text.splitlines() if "expf(" in line)
    assert exp.startswith(" " * 12), "the branch is not inside an if"


def test_if_with_a_constant_condition_is_its_branch():
    proto = model(
        [node("If", ["p"], ["y"], **branches())],
        [info("x", FLOAT, (4, 3)), info("q", BOOL, (1,))],
        [info("y", FLOAT, (4, 2))],
        [("w", W), ("p", np.array(True))],
    )
    compiled = agree(proto, [{"x": X, "q": np.array([True])}])
    assert {n.op for n in compiled.graph.nodes()} <= {"Exp", "Gemm", "MatMul", "Fused", "Elementwise"}


def test_branches_of_different_shapes_are_refused():
    then = graph([node("Neg", ["x"], ["t"])], [], [info("t")])
    other = graph([node("Transpose", ["x"], ["o"])], [], [info("o")])
    proto = model(
        [node("If", ["p"], ["y"], then_branch=then, else_branch=other)],
        [info("x", FLOAT, (4, 3)), info("p", BOOL, ())],
        [info("y", FLOAT, ("a", "b"))],
    )
    with pytest.raises(TinycError, match="If"):
        compile_proto(proto)


def loop_body(stop=None):
    """State s -> tanh(s w2 + row of x); collects s. `stop`: goes on while the first element is below it."""
    nodes = [
        node("Gather", ["x", "i"], ["row"]),
        node("MatMul", ["s", "w2"], ["p"]),
        node("Add", ["p", "row"], ["u"]),
        node("Tanh", ["u"], ["n"]),
    ]
    constants = []
    if stop is None:
        nodes.append(node("Identity", ["c"], ["go"]))
    else:
        nodes += [node("ReduceMax", ["n"], ["top"], keepdims=0), node("Less", ["top", "stop"], ["go"])]
        constants.append(("stop", np.float32(stop)))
    outputs = [info("go", BOOL, ()), info("n", FLOAT, (3,))]
    if stop is None:
        nodes.append(node("Mul", ["n", "n"], ["sq"]))
        outputs.append(info("sq", FLOAT, (3,)))
    return graph(nodes, [info("i", INT, ()), info("c", BOOL, ()), info("s", FLOAT, (3,))], outputs, constants)


W2 = RNG.standard_normal((3, 3)).astype(np.float32)


@pytest.mark.parametrize("target", ["host", "cortex-m4"])
def test_loop_of_constant_length(target):
    proto = model(
        [node("Loop", ["count", "", "s0"], ["last", "all"], body=loop_body())],
        [info("x", FLOAT, (4, 3)), info("s0", FLOAT, (3,))],
        [info("last", FLOAT, (3,)), info("all", FLOAT, (4, 3))],
        [("count", np.int64(4)), ("w2", W2)],
    )
    compiled = agree(proto, [{"x": X, "s0": X[1]}, {"x": -X, "s0": X[2]}], target)
    assert "while (t_trip < 4" in compiled.emitted.files["control.c"]


def test_loop_that_stops_early():
    proto = model(
        [node("Loop", ["count", "begin", "s0"], ["y"], body=loop_body(0.4))],
        [info("x", FLOAT, (4, 3)), info("s0", FLOAT, (3,)), info("begin", BOOL, ())],
        [info("y", FLOAT, (3,))],
        [("count", np.int64(4)), ("w2", W2)],
    )
    cases = [
        {"x": x, "s0": s, "begin": np.array(p)} for x in (X, -X, X * 0.1) for s in (X[0], X[3]) for p in (True, False)
    ]
    agree(proto, cases)


def test_loop_whose_length_is_an_input():
    body = graph(
        [node("Add", ["s", "s"], ["n"]), node("Identity", ["c"], ["go"])],
        [info("i", INT, ()), info("c", BOOL, ()), info("s", FLOAT, (3,))],
        [info("go", BOOL, ()), info("n", FLOAT, (3,))],
    )
    proto = model(
        [node("Loop", ["m", "", "s0"], ["y"], body=body)],
        [info("s0", FLOAT, (3,)), info("m", INT, ())],
        [info("y", FLOAT, (3,))],
    )
    agree(proto, [{"s0": X[0], "m": np.array(m)} for m in (0, 1, 5, -3)])


def test_loop_whose_values_grow_is_unrolled():
    body = graph(
        [node("Concat", ["s", "s"], ["n"], axis=0), node("Identity", ["c"], ["go"])],
        [info("i", INT, ()), info("c", BOOL, ()), info("s", FLOAT, None)],
        [info("go", BOOL, ()), info("n", FLOAT, None)],
    )
    proto = model(
        [node("Loop", ["count", "", "s0"], ["y"], body=body)],
        [info("s0", FLOAT, (3,))],
        [info("y", FLOAT, (24,))],
        [("count", np.int64(3))],
    )
    agree(proto, [{"s0": X[0]}])
    del proto.graph.initializer[:]
    proto.graph.initializer.append(numpy_helper.from_array(np.array(1 << 40), "count"))
    with pytest.raises(TinycError, match="Loop"):
        compile_proto(proto)


def test_loops_within_loops():
    inner = graph(
        [node("Add", ["t", "r"], ["t1"]), node("Identity", ["c2"], ["go2"])],
        [info("j", INT, ()), info("c2", BOOL, ()), info("t", FLOAT, (3,))],
        [info("go2", BOOL, ()), info("t1", FLOAT, (3,))],
    )
    outer = graph(
        [
            node("Gather", ["x", "i"], ["r"]),
            node("Loop", ["two", "", "s"], ["n"], body=inner),
            node("Identity", ["c"], ["go"]),
        ],
        [info("i", INT, ()), info("c", BOOL, ()), info("s", FLOAT, (3,))],
        [info("go", BOOL, ()), info("n", FLOAT, (3,))],
    )
    proto = model(
        [node("Loop", ["count", "", "s0"], ["y"], body=outer)],
        [info("x", FLOAT, (4, 3)), info("s0", FLOAT, (3,))],
        [info("y", FLOAT, (3,))],
        [("count", np.int64(4)), ("two", np.int64(2))],
    )
    agree(proto, [{"x": X, "s0": X[0]}])


@pytest.mark.parametrize("directions", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_scan(directions):
    body = graph(
        [node("MatMul", ["s", "w2"], ["p"]), node("Add", ["p", "a"], ["n"]), node("Mul", ["n", "b"], ["o"])],
        [info("s", FLOAT, (3,)), info("a", FLOAT, (3,)), info("b", FLOAT, (3,))],
        [info("n", FLOAT, (3,)), info("o", FLOAT, (3,))],
    )
    proto = model(
        [
            node(
                "Scan",
                ["s0", "x", "z"],
                ["last", "y"],
                body=body,
                num_scan_inputs=2,
                scan_input_axes=[0, 1],
                scan_output_axes=[1],
                scan_input_directions=[directions[0], 0],
                scan_output_directions=[directions[1]],
            )
        ],
        [info("s0", FLOAT, (3,)), info("x", FLOAT, (4, 3)), info("z", FLOAT, (3, 4))],
        [info("last", FLOAT, (3,)), info("y", FLOAT, (3, 4))],
        [("w2", W2 * np.float32(0.3))],
    )
    agree(proto, [{"s0": X[0], "x": X, "z": X.T.copy()}])


def function(name, nodes, inputs, outputs, attributes=()):
    return helper.make_function(
        "own",
        name,
        inputs,
        outputs,
        nodes,
        [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)],
        list(attributes),
    )


def test_functions_of_the_model():
    scaled = node("LeakyRelu", ["a"], ["r"])
    reference = onnx.AttributeProto()
    reference.name, reference.ref_attr_name, reference.type = "alpha", "slope", onnx.AttributeProto.FLOAT
    scaled.attribute.append(reference)
    inner = function("Bent", [scaled], ["a"], ["r"], ["slope"])
    call = helper.make_node("Bent", ["h"], ["k"], domain="own", slope=0.25)
    outer = function(
        "Layer", [node("MatMul", ["a", "b"], ["h"]), call, node("Add", ["k", "k"], ["r"])], ["a", "b"], ["r"]
    )
    proto = model(
        [
            helper.make_node("Layer", ["x", "w2"], ["m"], domain="own"),
            helper.make_node("Layer", ["m", "w2"], ["y"], domain="own"),
        ],
        [info("x", FLOAT, (4, 3))],
        [info("y", FLOAT, (4, 3))],
        [("w2", W2)],
        functions=[inner, outer],
        domains=["own"],
    )
    agree(proto, [{"x": X}])


def test_functions_that_call_themselves_or_explode_are_refused():
    around = function("Around", [helper.make_node("Around", ["a"], ["r"], domain="own")], ["a"], ["r"])
    many = [
        function(
            f"F{k}",
            [
                helper.make_node(f"F{k + 1}", ["a"], ["b"], domain="own"),
                helper.make_node(f"F{k + 1}", ["b"], ["r"], domain="own"),
            ],
            ["a"],
            ["r"],
        )
        for k in range(22)
    ]
    many.append(function("F22", [node("Neg", ["a"], ["r"])], ["a"], ["r"]))
    for functions, first in (([around], "Around"), (many, "F0")):
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
        main = graph(
            [helper.make_node(first, ["x"], ["y"], domain="own")],
            [info("x", FLOAT, (4, 3))],
            [info("y", FLOAT, (4, 3))],
        )
        with pytest.raises(TinycError, match="nodes|nested"):
            compile_proto(helper.make_model(main, opset_imports=opsets, ir_version=8, functions=functions))


def test_a_loop_in_a_branch_and_a_branch_in_a_loop():
    """Signs alternate by the trip's number, in a loop that only one branch runs."""
    signs = {
        "then_branch": graph([node("Neg", ["s"], ["minus"])], [], [info("minus")]),
        "else_branch": graph([node("Add", ["s", "row"], ["plus"])], [], [info("plus")]),
    }
    body = graph(
        [
            node("Gather", ["x", "i"], ["row"]),
            node("Mod", ["i", "two"], ["odd"]),
            node("Cast", ["odd"], ["is_odd"], to=BOOL),
            node("If", ["is_odd"], ["next"], **signs),
            node("Identity", ["c"], ["go"]),
        ],
        [info("i", INT, ()), info("c", BOOL, ()), info("s", FLOAT, (3,))],
        [info("go", BOOL, ()), info("next", FLOAT, (3,))],
    )
    then = graph([node("Loop", ["count", "", "s0"], ["t"], body=body)], [], [info("t")])
    other = graph([node("Sqrt", ["s0"], ["o"])], [], [info("o")])
    proto = model(
        [node("If", ["begin"], ["y"], then_branch=then, else_branch=other)],
        [info("x", FLOAT, (4, 3)), info("s0", FLOAT, (3,)), info("begin", BOOL, ())],
        [info("y", FLOAT, (3,))],
        [("count", np.int64(4)), ("two", np.int64(2))],
    )
    compiled = agree(proto, [{"x": X, "s0": np.abs(X[0]), "begin": np.array(b)} for b in (True, False)])
    assert [n.op for n in compiled.graph.nodes()].count("Loop") == 1
