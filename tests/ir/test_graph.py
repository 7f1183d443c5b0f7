# SPDX-License-Identifier: Apache-2.0
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

import tinyc.ops  # noqa: F401  (registers the operators)
from tinyc.ir.dump import dump
from tinyc.ir.evaluate import evaluate
from tinyc.ir.graph import Editor, Node, Value
from tinyc.ir.types import DType, Quant, TensorType
from tinyc.ir.verify import BrokenGraph, verify
from tinyc.ops.clip import ClipAttrs
from tinyc.ops.elementwise import BinaryAttrs

TYPE = TensorType(DType.FLOAT32, (2, 3))


def example():
    """y = clip(x + x), z = x + c; w is read by nobody."""
    editor = Editor("example")
    for name in ("x", "s", "y", "z"):
        editor.set_value(Value(name, TYPE))
    editor.set_value(Value("c", TYPE, np.ones((2, 3), np.float32)))
    editor.add(Node("double", "Add", BinaryAttrs(), ("x", "x"), ("s",), position=0))
    editor.add(Node("clip", "Clip", ClipAttrs(0.0, 1.0), ("s",), ("y",), position=1))
    editor.add(Node("plus", "Add", BinaryAttrs(), ("x", "c"), ("z",), position=2))
    editor.inputs, editor.outputs = ("x",), ("y", "z")
    return editor.done()


def test_edges_follow_operands():
    graph = example()
    verify(graph)
    assert [n.name for n in graph.nodes()] == ["double", "clip", "plus"]
    assert [n.name for n in graph.consumers("x")] == ["double", "plus"]
    assert graph.producer("y").name == "clip" and graph.producer("x") is None
    assert graph.sole_consumer("s").name == "clip"
    assert graph.sole_consumer("x") is None  # two readers
    assert graph.sole_consumer("y") is None  # a graph output


def test_payloads_are_frozen():
    graph = example()
    with pytest.raises(FrozenInstanceError):
        graph.node("clip").op = "Relu"
    with pytest.raises(FrozenInstanceError):
        graph.node("clip").attrs.low = 1.0


def test_an_editor_leaves_its_graph_alone():
    graph = example()
    before = dump(graph)
    editor = Editor(graph)
    editor.redirect("s", "x")
    editor.remove(editor.view().node("double"))
    editor.remove_value("s")
    editor.rename_values({"y": "result"})
    changed = editor.done()
    verify(changed)
    assert dump(graph) == before
    assert changed.outputs == ("result", "z")
    assert changed.node("clip").inputs == ("x",)


def test_renaming_an_input():
    editor = Editor(example())
    editor.rename_values({"x": "in"})
    graph = editor.done()
    verify(graph)
    assert graph.inputs == ("in",) and graph.node("double").inputs == ("in", "in")


def test_fresh_names_avoid_values_and_operators():
    editor = Editor(example())
    assert editor.fresh("new") == "new"
    assert editor.fresh("x") == "x~1" and editor.fresh("clip") == "clip~1"


def test_a_value_has_one_producer():
    editor = Editor(example())
    with pytest.raises(ValueError, match="two producers"):
        editor.add(Node("again", "Clip", ClipAttrs(), ("x",), ("y",)))
    with pytest.raises(ValueError, match="no value"):
        editor.add(Node("lost", "Clip", ClipAttrs(), ("nowhere",), ("q",)))
    with pytest.raises(ValueError, match="two operators"):
        editor.add(Node("clip", "Clip", ClipAttrs(), ("x",), ("q",)))


def broken(change):
    editor = Editor(example())
    change(editor)
    with pytest.raises(BrokenGraph):
        verify(editor.view())


def test_the_verifier_finds_what_is_broken():
    broken(lambda e: e.set_value(Value("y", TensorType(DType.FLOAT32, (3, 2)))))
    broken(lambda e: e.set_value(Value("y", TensorType(DType.INT8, (2, 3)))))
    broken(lambda e: e.set_value(Value("c", TYPE, np.ones((3, 2), np.float32))))
    broken(lambda e: e.set_value(Value("c", TYPE, np.ones((2, 3), np.float64))))
    broken(lambda e: e.remove(e.view().node("double")))
    broken(lambda e: setattr(e, "outputs", ("y", "y")))
    broken(lambda e: setattr(e, "outputs", ("x",)))
    broken(lambda e: setattr(e, "outputs", ("nothing",)))
    broken(lambda e: e.set_value(Value("x", replace(TYPE, quant=Quant((1.0,), (0, 0))))))
    broken(lambda e: e.nx.remove_edge(("value", "x"), ("op", "double")))
    broken(lambda e: e.nx.add_edge(("value", "y"), ("op", "double")))


def test_the_order_of_execution_is_the_models_where_that_is_topological():
    editor = Editor(example())
    node = editor.view().node("plus")
    editor.replace(node, replace(node, position=-1))
    assert [n.name for n in editor.done().nodes()] == ["plus", "double", "clip"]


def test_dump_is_readable_and_stable():
    text = dump(example())
    assert text == dump(example())
    assert "%y: float32[2,3] = Clip(%s) {low=0.0, high=1.0}" in text
    assert "%z: float32[2,3] = Add(%x, const c: float32[2,3])" in text


def test_evaluate():
    x = np.arange(6, dtype=np.float32).reshape(2, 3) / 4
    values = evaluate(example(), {"x": x})
    np.testing.assert_array_equal(values["y"], np.clip(2 * x, 0, 1))
    np.testing.assert_array_equal(values["z"], x + 1)


def test_types():
    type_ = TensorType(DType.INT8, (2, 3), Quant((0.5, 0.25, 1.0), (0, 0, 0), axis=1))
    assert (type_.elements, type_.bytes, type_.rank) == (6, 6, 2)
    assert str(type_) == "int8[2,3] q(axis 1)"
    scale, zero = type_.quant.broadcast(2, 3)
    assert scale.shape == zero.shape == (1, 3)
    assert DType.of(np.array(["a"])) is DType.STRING and DType.of(np.array(1.0)) is DType.FLOAT64
    with pytest.raises(ValueError):
        DType.of(np.array(1j))
