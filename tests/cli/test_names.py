# SPDX-License-Identifier: Apache-2.0
"""Names that a model's author chose do no harm to the C: keywords, comment ends, template syntax, collisions."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from c_projects import WARNINGS, command
from command_line import invoke, refuse, succeed

EVIL = [
    "int", "for", "main", "NULL", "class", "operator", "asm", "restrict", "_Bool", "INT", "Int", "iNt",
    "arena", "arena_memory", "state", "input", "output", "memcpy", "expf", "exp", "sin", "index", "y0", "i0", "i1", "x",
    "uint8_t", "size_t", "int32_t", "float", "net", "net_run", "net_s0", "NET_OK", "net_h", "tinyc1_run",
    "tinyc_softmax",
    "a/b", "a:b", "a b", "a_b", "A_B", "a__b", "/", "_", "__", "1", "1x", "-1", ".", "%", "%s%n", "%%", "{{ 7 * 7 }}",
    "{% raw %}", "{#", "#}", '"', "'", "\\", "\\\n", "*/", "/*", "*/ #error oops", "//", "??/", "??>", "a\nb",
    "#define x 1",
    "\r\n#error oops", "\t", "\0", "\x7f", "ünïcödé", "日本語", "\U0001f600", "\u202e", "\u2028", "$HOME", "`id`",
    "${x}",
    "../../x", "x" * 500, "é", "É",
]


def many_ports(path: Path, names: Sequence[str], graph_name: str = "graph") -> Path:
    """A model with an input, a node, an inner value and an output for each name: outputs are exp(relu(x)) + k."""
    nodes, inputs, outputs, initializers = [], [], [], []
    for k, name in enumerate(names):
        one = helper.make_tensor(f"{name} constant", TensorProto.FLOAT, [1], [float(k)])
        initializers.append(one)
        nodes += [helper.make_node("Relu", [name], [f"{name} inner"], name=name),
                  helper.make_node("Exp", [f"{name} inner"], [f"{name} more"], name=name),
                  helper.make_node("Add", [f"{name} more", one.name], [f"out {name}"], name=f"{name}\n{name}")]
        inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [3]))
        outputs.append(helper.make_tensor_value_info(f"out {name}", TensorProto.FLOAT, [3]))
    graph = helper.make_graph(nodes, graph_name, inputs, outputs, initializers)
    graph.doc_string = "*/ {{ x }}"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def save_cases(path: Path, names: Sequence[str]) -> Path:
    rng = np.random.default_rng(0)
    arrays = {}
    for k, name in enumerate(names):
        x = rng.normal(size=(2, 3)).astype(np.float32)
        arrays[f"in:{name}"] = x
        arrays[f"out:out {name}"] = np.exp(np.maximum(x, 0)) + np.float32(k)
    # numpy.savez would take the names for file names of the archive: slashes and such are fine, NUL is not.
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("io", ["arena", "caller"])
def test_evil_names(io: str, tmp_path: Path) -> None:
    names = [n for n in EVIL if "\0" not in n]
    model = many_ports(tmp_path / "net.onnx", names, graph_name="*/ #error graph\n{{ graph }}")
    cases = save_cases(tmp_path / "cases.npz", names)
    outcome = succeed("verify", model, "--target", "host", "--inputs", cases, "--io", io, "--json")
    assert outcome.json["passed"] and [o["name"] for o in outcome.json["outputs"]] == [f"out {n}" for n in names]
    succeed("compile", model, "--target", "host", "--io", io, "-o", tmp_path / "out")
    includes = [f"-I{tmp_path / 'out' / d}" for d in ("", "tinyc/include", "tinyc/src/common")]
    for compiler in ("gcc", "clang"):
        command([compiler, *WARNINGS, "-fsyntax-only", *includes, tmp_path / "out" / "net.c"])
    (tmp_path / "use.cpp").write_text('#include "net.h"\n')
    command(["g++", "-std=c++11", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", *includes,
             tmp_path / "use.cpp"])
    text = (tmp_path / "out" / "net.c").read_text(encoding="utf-8")
    assert text.isascii() and text.isprintable() is False and not re.search(r"[^\n\x20-\x7e]", text)


@pytest.mark.parametrize("seed", range(4))
def test_random_names(seed: int, tmp_path: Path) -> None:
    """Names drawn from the characters and words that mean something to C, Jinja2, CMake or a shell."""
    rng = random.Random(seed)
    pieces = ["*/", "/*", "//", "??/", "\\", "\n", '"', "'", "{{", "}}", "{%", "%}", "{#", "%", "#", "$", "`", ";",
              "int", "_", " ", "a", "A", "0", "é", "\t", "net", "arena", "/", "."]
    names = list(dict.fromkeys("".join(rng.choices(pieces, k=rng.randint(1, 5))) for _ in range(30)))
    model = many_ports(tmp_path / "net.onnx", names, graph_name="".join(rng.choices(pieces, k=9)))
    cases = save_cases(tmp_path / "cases.npz", names)
    outcome = succeed("verify", model, "--target", "host", "--inputs", cases, "--json")
    assert outcome.json["passed"]


def test_an_input_named_output(tmp_path: Path) -> None:
    nodes = [helper.make_node("Sub", ["output", "input"], ["sum"], name="sub")]
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [2]) for n in ("output", "input", "sum")]
    graph = helper.make_graph(nodes, "graph", ports[:2], ports[2:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "my_input.onnx").write_bytes(model.SerializeToString())
    assert succeed("verify", tmp_path / "my_input.onnx", "--target", "host", "--json").json["passed"]


def test_macros_of_ports_differ(tmp_path: Path) -> None:
    """Port "a" has a macro ..._A_SCALE, and so would a port "a_scale"."""
    names = ["a", "a_scale", "b_elements", "b", "c_zero_point", "c"]
    succeed("compile", many_ports(tmp_path / "net.onnx", names), "--target", "host", "-o", tmp_path / "out")
    macros = re.findall(r"#define (\w+)", (tmp_path / "out" / "net.h").read_text())
    assert len(macros) == len(set(macros)) > 12


FILE_NAMES = ["int.onnx", "a b.onnx", "1.onnx", "ünï.onnx", "日本.onnx", "{{ x }}.onnx", "%s.onnx", "a\nb.onnx",
              '".onnx',
              "tinyc.onnx", "tinyc1_x.onnx", "-.onnx", "x.y.z.onnx", "memcpy.onnx", "uint8_t.onnx", "model",
              "NULL.onnx",
              "arena.onnx", "main.onnx", "expf.onnx", "i0.onnx", "math.onnx", "string.onnx", "stdint.onnx", "EOF.onnx",
              "Makefile.onnx", "x" * 120 + ".onnx", "CMakeLists.onnx", "report.onnx"]


@pytest.mark.parametrize("name", FILE_NAMES, ids=range(len(FILE_NAMES)))
def test_file_names(name: str, tmp_path: Path) -> None:
    model = many_ports(tmp_path / name, ["left", "right"])
    outcome = succeed("compile", model, "--target", "host", "-o", tmp_path / "out", "--json")
    entry = outcome.json["entry"]
    assert re.fullmatch(r"[a-z_][a-z0-9_]*_run", entry)
    sources = [tmp_path / "out" / s for s in outcome.json["sources"]]
    includes = [f"-I{tmp_path / 'out' / d}" for d in outcome.json["include_dirs"]]
    for source in sources:
        command(["gcc", *WARNINGS, "-fsyntax-only", *includes, source])


@pytest.mark.parametrize(
    "name", ["int", "", "a b", "a/b", "../x", "1a", "é", "tinyc", "tinyc1_x", "a\nb", "NULL", "math", "x" * 500]
)
def test_refused_names_of_models(name: str, tmp_path: Path) -> None:
    model = many_ports(tmp_path / "net.onnx", ["left", "right"])
    message = refuse("compile", model, "--target", "host", "--name", name, "-o", tmp_path / "out")
    assert "--name" in message
    assert not (tmp_path / "out").exists()


def test_empty_names(tmp_path: Path) -> None:
    """A graph and nodes without names are common; an input without a name is none."""
    model = many_ports(tmp_path / "net.onnx", ["x", "y"])
    proto = onnx.load(model)
    proto.graph.name = ""
    for node in proto.graph.node:
        node.name = ""
    model.write_bytes(proto.SerializeToString())
    succeed("compile", model, "--target", "host", "-o", tmp_path / "out")
    proto.graph.input[0].name = ""
    proto.graph.node[0].input[0] = ""
    model.write_bytes(proto.SerializeToString())
    assert invoke("compile", model, "--target", "host", "-o", tmp_path / "none").code == 2
    assert not (tmp_path / "none").exists()


def test_nul_in_names(tmp_path: Path) -> None:
    model = many_ports(tmp_path / "net.onnx", ["a\0b", "c"])
    outcome = invoke("compile", model, "--target", "host", "-o", tmp_path / "out")
    assert outcome.code in (0, 2)
    if outcome.code == 0:
        assert "\0" not in (tmp_path / "out" / "net.c").read_text()
