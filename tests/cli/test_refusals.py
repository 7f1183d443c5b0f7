# SPDX-License-Identifier: Apache-2.0
"""Unusable input: one error, a hint, exit code 2, no traceback, nothing left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from checkout import DIGITS, files_below
from command_line import invoke, refuse, refuse_compile, succeed
from small_models import residual_net

INT8 = DIGITS / "digits_int8.onnx"


def save(path: Path, nodes: list[onnx.NodeProto], *, shape: tuple[int | str, ...] = (1, 4),
         dtype: int = TensorProto.FLOAT, initializers: list[onnx.TensorProto] | None = None,
         domains: tuple[str, ...] = (), outputs: tuple[str, ...] = ("y",)) -> Path:
    """A model with one input `x` (unchecked: it may be nonsense)."""
    graph = helper.make_graph(nodes, "graph", [helper.make_tensor_value_info("x", dtype, shape)],
                              [helper.make_empty_tensor_value_info(o) for o in outputs], initializers or [])
    opsets = [helper.make_opsetid("", 17), *(helper.make_opsetid(d, 1) for d in domains)]
    path.write_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())
    return path


# -- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"not a model", b"{}", b"\x08\x08", bytes(range(256)) * 40, b"<?xml version='1.0'?>",
     b"PK\x03\x04" + b"\0" * 60, b"\x89HDF\r\n\x1a\n" + b"\0" * 90],
    ids=range(9),
)
def test_not_onnx(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    assert "model.onnx" in refuse_compile(tmp_path / "model.onnx")


@pytest.mark.parametrize("part", [0.02, 0.3, 0.7, 0.999])
def test_truncated(part: float, tmp_path: Path) -> None:
    raw = INT8.read_bytes()
    (tmp_path / "model.onnx").write_bytes(raw[: int(part * len(raw))])
    refuse_compile(tmp_path / "model.onnx")


def test_folder_and_missing(tmp_path: Path) -> None:
    assert "folder" in refuse_compile(tmp_path)
    assert "missing.onnx" in refuse_compile(tmp_path / "missing.onnx")
    assert "missing.onnx" in refuse_compile(tmp_path / "no" / "missing.onnx")


@pytest.mark.parametrize("command", ["compile", "verify", "profile", "size", "inspect"])
def test_every_command_refuses(command: str, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"garbage")
    refuse(command, tmp_path / "model.onnx", *([] if command == "inspect" else ["--target", "host"]))
    assert list(files_below(tmp_path)) == ["model.onnx"]


# -- operators and shapes ------------------------------------------------------------------------


def test_unknown_operators_name_the_node(tmp_path: Path) -> None:
    model = save(tmp_path / "m.onnx", [helper.make_node("Convv", ["x"], ["y"], name="first/conv")])
    message = refuse_compile(model)
    assert "first/conv" in message and "Convv" in message and "Conv" in message.split("hint:")[1]


def test_unknown_domain(tmp_path: Path) -> None:
    node = helper.make_node("Conv", ["x"], ["y"], name="n1", domain="com.example")
    message = refuse_compile(save(tmp_path / "m.onnx", [node], domains=("com.example",)))
    assert "com.example" in message and "n1" in message


def test_dynamic_shapes(tmp_path: Path) -> None:
    node = helper.make_node("Relu", ["x"], ["y"], name="r")
    model = save(tmp_path / "m.onnx", [node], shape=("batch", 3, "time"))
    message = refuse_compile(model)
    assert "time" in message and "--dim" in message
    outcome = succeed("compile", model, "--target", "host", "--dim", "time=7", "-o", tmp_path / "out", "--json")
    assert outcome.json["inputs"][0]["shape"] == [1, 3, 7]
    assert "note:" in outcome.stderr and "batch" in outcome.stderr
    for wrong in ("time", "time=", "time=0", "time=-1", "time=x", "=3", "time=1.5"):
        assert "--dim" in refuse("compile", model, "--target", "host", "--dim", wrong, "-o", tmp_path / "none")
    assert "none" not in {p.name for p in tmp_path.iterdir()}


def test_shape_that_data_decides(tmp_path: Path) -> None:
    model = save(tmp_path / "m.onnx", [helper.make_node("NonZero", ["x"], ["y"], name="nz")])
    assert "nz" in refuse_compile(model)


@pytest.mark.parametrize("shape", [(1 << 62,), (1 << 31, 1 << 31, 4), (2, -1), (1 << 40,)])
def test_sizes_that_overflow(shape: tuple[int, ...], tmp_path: Path) -> None:
    refuse_compile(save(tmp_path / "m.onnx", [helper.make_node("Relu", ["x"], ["y"])], shape=shape))


def huge(name: str, **fields: object) -> onnx.TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, raw_data=b"\0" * 16)
    tensor.dims.extend(fields.get("dims", [4]))  # type: ignore[arg-type]
    return tensor


@pytest.mark.parametrize("dims", [[1 << 62], [5], [3], [-4], [1 << 33, 1 << 33], [2, 1 << 63 >> 1]])
def test_constants_that_lie_about_their_size(dims: list[int], tmp_path: Path) -> None:
    nodes = [helper.make_node("Add", ["x", "w"], ["y"], name="add")]
    assert "'w'" in refuse_compile(save(tmp_path / "m.onnx", nodes, initializers=[huge("w", dims=dims)]))


def test_results_that_overflow(tmp_path: Path) -> None:
    """Expand asks for more than memory can hold."""
    target = numpy_helper.from_array(np.array([1 << 31, 1 << 31, 4], np.int64), "shape")
    nodes = [helper.make_node("Expand", ["x", "shape"], ["y"], name="expand")]
    assert "expand" in refuse_compile(save(tmp_path / "m.onnx", nodes, initializers=[target]))


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/hostname", "link.bin", "folder/secret.bin", "missing.bin"])
def test_external_data_outside_the_folder(location: str, tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(b"\0" * 16)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    (folder / "folder").symlink_to(tmp_path)
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    nodes = [helper.make_node("Add", ["x", "w"], ["y"], name="add")]
    message = refuse_compile(save(folder / "m.onnx", nodes, initializers=[tensor]))
    assert location in message and "'w'" in message


# -- outputs that nothing computes ---------------------------------------------------------------


@pytest.mark.parametrize("io", ["arena", "caller"])
def test_outputs_that_are_inputs_or_constants(io: str, tmp_path: Path) -> None:
    constant = numpy_helper.from_array(np.arange(6, dtype=np.float32).reshape(2, 3), "k")
    nodes = [helper.make_node("Relu", ["x"], ["y"], name="r"), helper.make_node("Identity", ["y"], ["z"], name="i")]
    model = save(tmp_path / "m.onnx", nodes, initializers=[constant], outputs=("x", "k", "y", "z"))
    outcome = succeed("verify", model, "--target", "host", "--io", io, "--json").json
    assert outcome["passed"] and [o["name"] for o in outcome["outputs"]] == ["x", "k", "y", "z"]
    assert [o["elements"] for o in outcome["outputs"]] == [16, 24, 16, 16]


def test_output_that_nothing_computes(tmp_path: Path) -> None:
    nodes = [helper.make_node("Relu", ["x"], ["y"], name="r")]
    assert "nowhere" in refuse_compile(save(tmp_path / "m.onnx", nodes, outputs=("y", "nowhere")))


def test_no_operators_at_all(tmp_path: Path) -> None:
    model = save(tmp_path / "m.onnx", [], outputs=("x",))
    assert succeed("verify", model, "--target", "host", "--json").json["passed"]


# -- memory --------------------------------------------------------------------------------------


def test_more_memory_than_the_target_has(tmp_path: Path) -> None:
    big = numpy_helper.from_array(np.ones((100_000,), np.float32), "w")
    nodes = [helper.make_node("Add", ["x", "w"], ["y"], name="add"), helper.make_node("Exp", ["y"], ["z"])]
    model = save(tmp_path / "m.onnx", nodes, shape=(100_000,), initializers=[big], outputs=("z",))
    outcome = succeed("compile", model, "--target", "microbit", "-o", tmp_path / "out")
    warnings = [line for line in outcome.stderr.splitlines() if line.startswith("warning:")]
    assert len(warnings) == 2
    assert "400,000" in warnings[0] and "262,144" in warnings[0] and "flash" in warnings[0]
    assert "16,384" in warnings[1] and "ram" in warnings[1]
    message = refuse("compile", model, "--target", "microbit", "--strict-memory", "-o", tmp_path / "strict")
    assert "400,000" in message and "16,384" in message
    assert not (tmp_path / "strict").exists()


# -- options -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["compile"],
        ["compile", INT8],
        ["compile", INT8, "--target", "cortex-m99"],
        ["compile", INT8, "--target", ""],
        ["compile", INT8, "--target", "nowhere.toml"],
        ["compile", INT8, "--target", INT8],
        ["compile", INT8, "--target", "host", "--kernels", "fast"],
        ["compile", INT8, "--target", "host", "--no-such-option"],
        ["compile", INT8, "--target", "host", "--plan-effort", "-1"],
        ["compile", INT8, "--target", "host", "--dump-after", "no_such_pass"],
        ["compile", INT8, INT8, "--target", "host"],
        ["verify", INT8, "--target", "cortex-m4", "--kernels", "cmsis-nn"],
        ["verify", INT8, "--target", "cortex-m4", "--kernels", "cmsis-nn", "--cmsis-nn-include", "."],
        ["size", INT8, "--target", "cortex-m4", "--kernels", "cmsis-nn"],
        ["size", INT8, "--target", "host", "--budget", "flash=1X"],
        ["size", INT8, "--target", "host", "--budget", "rom=1K"],
        ["size", INT8, "--target", "host", "--budget", "flash=1K,flash=2K"],
        ["size", INT8, "--target", "host", "--budget", ""],
        ["size", INT8, "--target", "host", "--update"],
        ["size", INT8, "--target", "host", "--baseline", "no/such/file.json"],
        ["profile", INT8, "--target", "cortex-m85"],
        ["verify", INT8, "--target", "cortex-m85"],
        ["frobnicate"],
    ],
    ids=range(23),
)
def test_arguments(words: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refuse(*words)
    assert list(tmp_path.iterdir()) == []


def test_require_integer(tmp_path: Path) -> None:
    model = residual_net(tmp_path / "net.onnx", int8=True)
    message = refuse_compile(model, "--require-integer")
    assert "QuantizeLinear" in message and "--io-dtype int8" in message
    message = refuse_compile(residual_net(tmp_path / "float.onnx", int8=False), "--require-integer")
    assert "Conv" in message
    succeed("compile", model, "--target", "host", "--require-integer", "--io-dtype", "int8", "-o", tmp_path / "out")


# -- test data -----------------------------------------------------------------------------------

IMAGE = np.zeros((3, 1, 8, 8), np.float32)


@pytest.mark.parametrize(
    "save_to",
    [
        lambda p: p.write_bytes(b""),
        lambda p: p.write_bytes(b"PK\x03\x04 no archive"),
        lambda p: np.savez(p, other=IMAGE),
        lambda p: np.savez(p, input=IMAGE[:, :, :7]),
        lambda p: np.savez(p, input=IMAGE[0, 0]),
        lambda p: np.savez(p, input=np.float32(1)),
        lambda p: np.savez(p, input=IMAGE[:0]),
        lambda p: np.savez(p, input=np.array(["a", "b"])),
        lambda p: np.savez(p, input=IMAGE.astype(complex)),
        lambda p: np.savez(p, input=np.array([{"a": 1}], dtype=object)),
        lambda p: np.savez(p, input=IMAGE, output=np.zeros((2, 10), np.float32)),
        lambda p: np.savez(p, input=IMAGE, output=np.zeros((3, 11), np.float32)),
        lambda p: np.save(p.open("wb"), IMAGE),
        lambda p: p.mkdir(),
        lambda p: None,
    ],
    ids=["empty", "no zip", "other name", "shape", "rank", "scalar", "no case", "text", "complex", "object",
         "cases differ", "output shape", "npy", "folder", "missing"],
)
def test_unusable_npz(save_to: Callable[[Path], object], tmp_path: Path) -> None:
    save_to(tmp_path / "cases.npz")
    assert "cases.npz" in refuse("verify", INT8, "--target", "host", "--inputs", tmp_path / "cases.npz")


def test_truncated_npz(tmp_path: Path) -> None:
    np.savez(tmp_path / "cases.npz", input=IMAGE)
    raw = (tmp_path / "cases.npz").read_bytes()
    for part in (0.1, 0.5, 0.9):
        (tmp_path / "cases.npz").write_bytes(raw[: int(part * len(raw))])
        refuse("verify", INT8, "--target", "host", "--inputs", tmp_path / "cases.npz")


def test_npz_values_that_do_not_fit(tmp_path: Path) -> None:
    model = save(tmp_path / "m.onnx", [helper.make_node("Identity", ["x"], ["y"])], shape=(4,), dtype=TensorProto.INT8)
    np.savez(tmp_path / "cases.npz", input=np.full((1, 4), 200))
    assert "-128 to 127" in refuse("verify", model, "--target", "host", "--inputs", tmp_path / "cases.npz")
    np.savez(tmp_path / "cases.npz", input=np.full((1, 4), 0.5))
    refuse("verify", model, "--target", "host", "--inputs", tmp_path / "cases.npz")


# -- tools ---------------------------------------------------------------------------------------


def test_a_missing_tool_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    message = refuse("size", INT8, "--target", "cortex-m4")
    assert "arm-none-eabi-gcc" in message and "apt-get install gcc-arm-none-eabi" in message


def test_a_bug_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    import tinyc.compiler

    monkeypatch.delenv("TINYC_TRACEBACK", raising=False)
    monkeypatch.setattr(tinyc.compiler, "lower", lambda *_: 1 // 0)
    outcome = invoke("compile", INT8, "--target", "host")
    assert outcome.code == 3 and outcome.stdout == ""
    assert outcome.stderr.startswith("error: ZeroDivisionError") and "\nhint: this is a bug" in outcome.stderr
