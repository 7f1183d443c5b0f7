# SPDX-License-Identifier: Apache-2.0
"""Chains of element-wise operators as one loop: the same numbers, less memory, and nothing taken that others read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support import Const, Model, compile_proto, differences, execute, graph_of, with_numpy, with_onnxruntime

UNARY = ("Abs", "Neg", "Tanh", "Sigmoid", "Relu", "HardSwish", "Floor", "Exp")
BINARY = ("Add", "Sub", "Mul", "Max", "Min")


def random_graph(m: Model, case: str, dtype: type, nodes: int) -> None:
    """Element-wise operators on earlier values, some broadcast, some read twice, some of them outputs."""
    shape = tuple(int(n) for n in m.rng.integers(1, 4, 3))
    values = [m._operand(case, k, m.rng.standard_normal(s).astype(dtype))
              for k, s in enumerate((shape, shape[1:], (shape[0], 1, shape[2]), ()))]
    values.append(m.const(f"{case}_const", m.rng.standard_normal(shape[2]).astype(dtype)))
    for k in range(nodes):
        name = f"{case}_n{k}"
        kind = m.rng.random()
        some = [str(v) for v in m.rng.choice(values[-6:], 3)]
        if kind < 0.4:
            m.node(str(m.rng.choice(UNARY)), some[:1], [name])
        elif kind < 0.85:
            m.node(str(m.rng.choice(BINARY)), some[:2], [name])
        else:
            m.node("Less", some[:2], [f"{name}_less"])
            m.node("Where", [f"{name}_less", *some[1:]], [name])
        values.append(name)
        if m.rng.random() < 0.15:
            m.outputs.append(name)
    m.node("Sum", [name, values[0]], [f"{case}_last"])
    m.outputs.append(f"{case}_last")


@pytest.mark.parametrize(("dtype", "tolerance"), ((np.float32, 1e-5), (np.float16, 2e-3), (np.float64, 1e-6)))
def test_random_graphs(dtype: type, tolerance: float) -> None:
    m = Model("random", 21, seed=int(np.dtype(dtype).itemsize))
    for k in range(12):
        random_graph(m, f"c{k}", dtype, int(m.rng.integers(3, 14)))
    proto = m.proto()
    compiled = compile_proto(proto, plan_effort=0.05)
    assert sum(n.op == "Fused" for n in compiled.graph.nodes()) >= 12
    got = execute(compiled, m.inputs)
    assert not differences(got, with_numpy(compiled, m.inputs), tolerance)
    if dtype is np.float32:
        assert not differences(got, with_onnxruntime(proto, m.inputs), tolerance)


def operators(m: Model) -> list[str]:
    return [n.op for n in graph_of(m.proto()).nodes()]


def chain(m: Model, x: Any, *ops: str) -> str:
    value = m._operand("x", 0, x)
    for k, op in enumerate(ops):
        m.node(op, [value], [f"v{k}"])
        value = f"v{k}"
    m.outputs.append(value)
    return value


def test_a_chain_is_one_loop_in_place() -> None:
    m = Model("chain")
    chain(m, (4, 100), "Sigmoid", "Neg", "Exp", "Abs")
    compiled = compile_proto(m.proto())
    assert [n.op for n in compiled.graph.nodes()] == ["Fused"] and compiled.arena.bytes == 1600
    assert "Fused (Sigmoid Neg Exp Abs)" in compiled.emitted.files["chain.c"]


def test_half_rounds_after_each_operator() -> None:
    m = Model("half")
    x = np.array([2048, 0.1, 60000], np.float16)
    m.node("Add", [m._operand("x", 0, x), m.const("one", np.array(1, np.float16))], ["a"])
    m.node("Sub", ["a", "x_0"], ["y"])
    m.outputs.append("y")
    assert operators(m) == ["Fused"]
    got = execute(compile_proto(m.proto()), m.inputs)["y"]
    assert got.tobytes() == ((x + np.float16(1)) - x).tobytes()


def test_what_others_read_stays() -> None:
    m = Model("read")
    chain(m, (2, 8), "Sigmoid", "Neg", "Exp")
    m.outputs.append("v0")
    assert operators(m) == ["Sigmoid", "Fused"]
    m = Model("two")
    chain(m, (2, 8), "Sigmoid", "Neg")
    m.node("Softmax", ["v0"], ["soft"])
    m.outputs.append("soft")
    assert sorted(operators(m)) == ["Neg", "Sigmoid", "Softmax"]


def test_smaller_values_are_computed_once() -> None:
    m = Model("small")
    m.plain("a", "Sigmoid", (8,))
    m.outputs.clear()
    m.plain("b", "Mul", "a_y", (100, 8))
    assert operators(m) == ["Sigmoid", "Mul"]


def test_integers_and_booleans() -> None:
    m = Model("whole")
    x = m._operand("x", 0, np.arange(-6, 6, dtype=np.int32))
    m.node("Mul", [x, m.const("c", np.array(3, np.int32))], ["a"])
    m.node("Greater", ["a", m.const("d", np.array(4, np.int32))], ["b"])
    m.node("Not", ["b"], ["c1"])
    m.node("Cast", ["c1"], ["y"], to=1)
    m.outputs.append("y")
    assert operators(m) == ["Fused"]
    compiled = compile_proto(m.proto())
    assert not differences(execute(compiled, m.inputs), with_onnxruntime(m.proto(), m.inputs), 0)


def test_constants_of_one_element_are_written_out() -> None:
    m = Model("literal")
    m.node("Mul", [m._operand("x", 0, (3, 4)), m.const("half", np.array([[0.5]], np.float32))], ["a"])
    m.node("Add", ["a", m._operand("k", 0, Const(np.ones(4, np.float32)))], ["y"])
    m.outputs.append("y")
    source = compile_proto(m.proto()).emitted.files["literal.c"]
    assert "t_o1 = 0.5f" in source
