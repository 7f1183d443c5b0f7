# SPDX-License-Identifier: Apache-2.0
"""Transformer blocks as exporters decompose them become Attention, LayerNormalization and Gelu."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support import Const, Model, compile_proto, differences, execute, graph_of, with_onnxruntime


def compiled_and_checked(m: Model, tolerance: float = 1e-5) -> Any:
    """The compiled model, whose results are onnxruntime's."""
    proto = m.proto()
    compiled = compile_proto(proto, plan_effort=0.05)
    assert not differences(execute(compiled, m.inputs), with_onnxruntime(proto, m.inputs), tolerance)
    return compiled


def number(m: Model, value: float) -> str:
    return m.const(f"n{len(m.initializers)}", np.array(value, np.float32))


def layer_norm(m: Model, x: str, name: str, square: str = "Pow", divide: str = "Div", rms: bool = False) -> str:
    width = 8
    centred = x
    if not rms:
        m.node("ReduceMean", [x], [f"{name}_m"], axes=[-1])
        m.node("Sub", [x, f"{name}_m"], [f"{name}_c"])
        centred = f"{name}_c"
    m.node(square, [centred, number(m, 2.0) if square == "Pow" else centred], [f"{name}_q"])
    m.node("ReduceMean", [f"{name}_q"], [f"{name}_v"], axes=[-1])
    m.node("Add", [f"{name}_v", number(m, 1e-5)], [f"{name}_e"])
    m.node("Sqrt", [f"{name}_e"], [f"{name}_s"])
    if divide == "Div":
        m.node("Div", [centred, f"{name}_s"], [f"{name}_d"])
    else:
        m.node("Reciprocal", [f"{name}_s"], [f"{name}_r"])
        m.node("Mul", [f"{name}_r", centred], [f"{name}_d"])
    m.node("Mul", [f"{name}_d", m.const(f"{name}_w", m.rng.standard_normal(width).astype(np.float32))], [f"{name}_g"])
    if rms:
        return f"{name}_g"
    m.node("Add", [m.const(f"{name}_b", m.rng.standard_normal(width).astype(np.float32)), f"{name}_g"], [f"{name}_y"])
    return f"{name}_y"


@pytest.mark.parametrize("square", ("Pow", "Mul"))
@pytest.mark.parametrize("divide", ("Div", "Reciprocal"))
def test_layer_norm(square: str, divide: str) -> None:
    m = Model("norm", 13)
    x = m._operand("x", 0, (1, 5, 8))
    m.outputs += [layer_norm(m, x, "a", square, divide), layer_norm(m, x, "b", square, divide, rms=True)]
    ops = sorted(n.op for n in compiled_and_checked(m).graph.nodes())
    assert ops == ["LayerNormalization", "RMSNormalization"]


def test_layer_norm_whose_parts_are_read_stays() -> None:
    m = Model("norm", 13)
    layer_norm(m, m._operand("x", 0, (1, 5, 8)), "a")
    m.outputs += ["a_y", "a_v"]
    assert "LayerNormalization" not in {n.op for n in compiled_and_checked(m).graph.nodes()}


GELUS = {
    "erf": ["Div x 1.4142135", "Erf .", "Add . 1", "Mul x .", "Mul . 0.5"],
    "erf_first_half": ["Mul x 0.70710678", "Erf .", "Add . 1", "Mul . 0.5", "Mul . x"],
    "tanh": ["Pow x 3", "Mul . 0.044715", "Add x .", "Mul . 0.7978845608", "Tanh .", "Add . 1", "Mul . x", "Mul 0.5 ."],
    "swish": ["Sigmoid x", "Mul x ."],
    "hard_swish": ["Add x 3", "Clip . 0 6", "Mul . x", "Div . 6"],
}
FOUND = {"erf": "Gelu", "erf_first_half": "Gelu", "tanh": "GeluTanh", "swish": "Swish", "hard_swish": "HardSwish"}


def elementwise(m: Model, x: str, steps: list[str], name: str) -> str:
    last = x
    for k, step in enumerate(steps):
        op, *operands = step.split()
        names = {"x": x, ".": last}
        m.node(op, [names[o] if o in names else number(m, float(o)) for o in operands], [f"{name}_{k}"])
        last = f"{name}_{k}"
    return last


@pytest.mark.parametrize("kind", GELUS)
def test_functions(kind: str) -> None:
    """Found between an Add before and an Add behind, which stay."""
    m = Model("function", 18)
    m.node("Add", [m._operand("x", 0, (1, 5, 8)), m._operand("x", 1, (1, 5, 8))], ["before"])
    last = elementwise(m, "before", GELUS[kind], "f")
    m.node("Add", [last, "before"], ["y"])
    m.outputs.append("y")
    fused = compiled_and_checked(m).graph.nodes()
    assert [[s.op for s in n.attrs.steps] for n in fused] == [["Add", FOUND[kind], "Add"]]


def test_functions_that_only_look_alike_stay() -> None:
    m = Model("alike", 18)
    x = m._operand("x", 0, (4, 8))
    m.outputs.append(elementwise(m, x, ["Div x 1.5", "Erf .", "Add . 1", "Mul x .", "Mul . 0.5"], "f"))
    assert [s.op for n in compiled_and_checked(m).graph.nodes() for s in n.attrs.steps] == ["Div", "Erf", "Add", "Mul",
                                                                                         "Mul"]


def heads(m: Model, x: str, name: str, perm: list[int], scale: float | None = None) -> str:
    m.node("Reshape", [x, m.const(f"{name}_shape", np.array([1, 6, 2, 4]))], [f"{name}_split"])
    m.node("Transpose", [f"{name}_split"], [f"{name}_turned"], perm=perm)
    if scale is None:
        return f"{name}_turned"
    m.node("Mul", [f"{name}_turned", number(m, scale)], [f"{name}_scaled"])
    return f"{name}_scaled"


@pytest.mark.parametrize("packed", (False, True))
@pytest.mark.parametrize("mask", (None, (6, 6), (1, 2, 6, 6)))
@pytest.mark.parametrize("where", ("both", "scores", "queries"))
def test_attention(packed: bool, mask: tuple[int, ...] | None, where: str) -> None:
    m = Model("block", 17)
    x = m._operand("x", 0, (1, 6, 8))
    if packed:
        m.node("MatMul", [x, m._operand("w", 0, Const(m.rng.standard_normal((8, 24)).astype(np.float32)))], ["qkv"])
        m.node("Split", ["qkv"], ["q", "k", "v"], axis=-1)
    else:
        for c in "qkv":
            weights = Const(m.rng.standard_normal((8, 8)).astype(np.float32))
            m.node("MatMul", [x, m._operand(c, 1, weights)], [c])
    q = heads(m, "q", "hq", [0, 2, 1, 3], {"both": 0.7, "queries": 0.5}.get(where))
    k = heads(m, "k", "hk", [0, 2, 3, 1], 0.7 if where == "both" else None)
    v = heads(m, "v", "hv", [0, 2, 1, 3])
    m.node("MatMul", [q, k], ["scores"])
    last = "scores"
    if where == "scores":
        m.node("Div", [last, number(m, 2.0)], ["divided"])
        last = "divided"
    if mask is not None:
        m.node("Add", [last, m._operand("mask", 0, mask)], ["masked"])
        last = "masked"
    m.node("Softmax", [last], ["p"], axis=-1)
    m.node("MatMul", ["p", v], ["mixed"])
    m.node("Transpose", ["mixed"], ["back"], perm=[0, 2, 1, 3])
    m.node("Reshape", ["back", m.const("shape", np.array([1, 6, 8]))], ["y"])
    m.outputs.append("y")
    found = [n.op for n in compiled_and_checked(m).graph.nodes() if n.op != "Reshape"]
    assert found == ["Gemm", "Gemm", "Gemm", "Attention"]


@pytest.mark.parametrize("shape", ((6, 4), (3, 6, 4)))
def test_attention_of_fewer_axes(shape: tuple[int, ...]) -> None:
    m = Model("few", 17)
    q, k, v = (m._operand("x", i, shape) for i in range(3))
    m.node("Transpose", [k], ["kt"], perm=[1, 0] if len(shape) == 2 else [0, 2, 1])
    m.node("MatMul", [q, "kt"], ["s"])
    m.node("Softmax", ["s"], ["p"], axis=-1)
    m.node("MatMul", ["p", v], ["y"])
    m.outputs.append("y")
    assert "Attention" in [n.op for n in compiled_and_checked(m).graph.nodes()]


def test_scores_that_others_read_stay() -> None:
    m = Model("read", 17)
    q, k, v = (m._operand("x", i, (2, 6, 6)) for i in range(3))
    m.node("MatMul", [q, k], ["s"])
    m.node("Softmax", ["s"], ["p"], axis=-1)
    m.node("MatMul", ["p", v], ["y"])
    m.outputs += ["y", "p"]
    assert "Attention" not in [n.op for n in compiled_and_checked(m).graph.nodes()]


def test_parts_that_overlap_are_sliced() -> None:
    m = Model("overlap", 17)
    weights = Const(m.rng.standard_normal((8, 12)).astype(np.float32))
    m.node("MatMul", [m._operand("x", 0, (1, 6, 8)), m._operand("w", 0, weights)], ["z"])
    for k, (start, end) in enumerate(((0, 8), (4, 12))):
        bounds = [m.const(f"b{k}{i}", np.array([b])) for i, b in enumerate((start, end, 2))]
        m.node("Slice", ["z", *bounds], [f"y{k}"])
        m.outputs.append(f"y{k}")
    graph = graph_of(m.proto())
    assert sorted(n.op for n in graph.nodes()) == ["Gemm", "Slice", "Slice"]
    compiled_and_checked(m)
