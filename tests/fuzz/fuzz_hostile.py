# SPDX-License-Identifier: Apache-2.0
"""Damaged and hostile model files: each is compiled, or refused with a TinycError, soon and in little memory."""

from __future__ import annotations

import resource
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from fuzz_judge import EFFORT, place
from fuzz_lane import Result
from fuzz_reference import Dropped
from fuzz_source import Source
from fuzz_table import ROWS, random_case
from onnx import TensorProto, numpy_helper

from shared_library import Fault, isolated
from tinyc.compiler import Request, compile_model
from tinyc.errors import TinycError
from tinyc.targets import load_target

SECONDS = 40
BYTES = 6 << 30  # of address space; NumPy and the solver reserve much and touch little
INTEGERS = (-1, 0, 1, 7, -(1 << 31), (1 << 31) - 1, 1 << 31, 1 << 40, (1 << 63) - 1, -(1 << 63), 1000003)
REALS = (float("nan"), float("inf"), -1.0, 0.0, 1e38, -1e38, 1e-45)
TYPES = tuple(TensorProto.DataType.values())

Mutation = Callable[[Source, onnx.ModelProto], None]


def _node(s: Source, model: onnx.ModelProto) -> onnx.NodeProto:
    return s.pick(list(model.graph.node))


def _attribute(s: Source, model: onnx.ModelProto) -> None:
    """Another value of an attribute, or of the right kind where there is none."""
    owners = [n for n in model.graph.node if n.attribute]
    if not owners:
        _operator(s, model)
        return
    attribute = s.pick(list(s.pick(owners).attribute))
    kind = s.integer(0, 9)
    if kind == 0:
        attribute.type = s.pick(list(onnx.AttributeProto.AttributeType.values()))
    elif attribute.ints and kind < 8:
        attribute.ints[s.integer(0, len(attribute.ints) - 1)] = s.pick(INTEGERS)
    elif attribute.ints:
        del attribute.ints[s.integer(0, len(attribute.ints) - 1):]
    elif attribute.floats:
        attribute.floats[s.integer(0, len(attribute.floats) - 1)] = s.pick(REALS)
    elif attribute.type == onnx.AttributeProto.FLOAT:
        attribute.f = s.pick(REALS)
    elif attribute.type == onnx.AttributeProto.STRING:
        attribute.s = s.pick([b"", b"\xff\xfe", b"SAME", b"x" * 5000, attribute.s + b"y"])
    else:
        attribute.i = s.pick(INTEGERS)


def _more_attributes(s: Source, model: onnx.ModelProto) -> None:
    name = s.pick(["axis", "axes", "to", "kernel_shape", "strides", "pads", "group", "perm", "dilations", "keepdims",
                   "blocksize", "mode", "alpha", "value", "k", "split", "hidden_size", "sizes"])
    value: Any = s.pick([s.pick(INTEGERS), [s.pick(INTEGERS)] * s.integer(1, 4), s.pick(REALS), "text"])
    _node(s, model).attribute.append(onnx.helper.make_attribute(name, value))


def _operands(s: Source, model: onnx.ModelProto) -> None:
    node = _node(s, model)
    names = [i.name for i in model.graph.input] + [t.name for t in model.graph.initializer]
    names += [o for n in model.graph.node for o in n.output]
    kind = s.integer(0, 3)
    if kind == 0 and node.input:
        del node.input[s.integer(0, len(node.input) - 1)]
    elif kind == 1:
        node.input.append(s.pick([*names, ""]))
    elif node.input:
        node.input[s.integer(0, len(node.input) - 1)] = s.pick([*names, "", "nowhere"])


def _results(s: Source, model: onnx.ModelProto) -> None:
    node = _node(s, model)
    if s.chance(1, 2):
        node.output.append(f"more{s.integer(0, 3)}")
    elif node.output:
        node.output[0] = s.pick(["", "other", *(i.name for i in model.graph.input)])


def _operator(s: Source, model: onnx.ModelProto) -> None:
    """Another operator on the same operands."""
    row = s.pick(ROWS)
    node = _node(s, model)
    node.op_type, node.domain = row.op, row.domain
    if row.domain and row.domain not in {o.domain for o in model.opset_import}:
        model.opset_import.append(onnx.helper.make_opsetid(row.domain, s.integer(1, 5)))


def _order(s: Source, model: onnx.ModelProto) -> None:
    nodes = s.shuffled(list(model.graph.node))
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _input_type(s: Source, model: onnx.ModelProto) -> None:
    if not model.graph.input:
        return
    tensor = s.pick(list(model.graph.input)).type.tensor_type
    kind = s.integer(0, 4)
    if kind == 0:
        tensor.elem_type = s.pick([*TYPES, 99])
    elif kind == 1:
        tensor.ClearField("shape")
    elif kind == 2:
        tensor.shape.dim.add().dim_value = s.pick(INTEGERS)
    elif tensor.shape.dim:
        dim = s.pick(list(tensor.shape.dim))
        if kind == 3:
            dim.dim_value = s.pick([*INTEGERS, 1 << 14])
        else:
            dim.dim_param = s.pick(["N", "", "length"])


def _constant(s: Source, model: onnx.ModelProto) -> None:
    """Another value, type or shape of an initializer: axes, shapes, indices, scales, weights."""
    if not model.graph.initializer:
        return
    small = [t for t in model.graph.initializer if np.prod(t.dims, dtype=float) < 20]
    tensor = s.pick(small or list(model.graph.initializer))
    kind = s.integer(0, 5)
    if kind == 0:
        tensor.data_type = s.pick([*TYPES, 77])
    elif kind == 1:
        tensor.dims.append(s.pick(INTEGERS))
    elif kind == 2 and tensor.dims:
        tensor.dims[0] = s.pick(INTEGERS)
    elif kind == 3:
        tensor.raw_data = tensor.raw_data[:-1]
    else:
        try:
            array = numpy_helper.to_array(tensor).copy()
        except Exception:  # damaged before
            return
        choices: Any = INTEGERS if array.dtype.kind in "iu" else REALS
        if array.size and array.dtype.kind in "iuf":
            with np.errstate(all="ignore"):
                value = np.array(s.pick(choices)).astype(array.dtype)
            array.reshape(-1)[s.integer(0, array.size - 1)] = value
        if kind == 5:
            array = np.concatenate([array.reshape(-1)] * 2) if s.chance(1, 2) else array.reshape(-1)[:0]
        tensor.CopyFrom(numpy_helper.from_array(np.asarray(array), tensor.name))


def _opset(s: Source, model: onnx.ModelProto) -> None:
    model.opset_import[0].version = s.pick([0, 1, 6, 7, 10, 13, 26, 99, -1, 1 << 40])


def _outputs(s: Source, model: onnx.ModelProto) -> None:
    kind = s.integer(0, 2)
    if kind == 0:
        model.graph.output.add().name = s.pick(["nowhere", "", *(i.name for i in model.graph.input)])
    elif kind == 1 and model.graph.output:
        model.graph.output.append(model.graph.output[0])
    else:
        del model.graph.output[:]


MUTATIONS: tuple[Mutation, ...] = (_attribute, _attribute, _attribute, _constant, _constant, _constant, _operator,
                                   _operator, _operands, _operands, _results, _order, _input_type, _input_type, _opset,
                                   _outputs, _more_attributes)


def damaged(s: Source) -> bytes:
    """A model file: a random graph changed in one to three ways, or its bytes changed. Raises Dropped."""
    model = random_case(s).model
    if s.chance(4, 5):
        for _ in range(s.pick([1, 1, 1, 2, 3])):
            if model.graph.node:
                s.pick(MUTATIONS)(s, model)
        return bytes(model.SerializeToString())
    raw = bytearray(model.SerializeToString())
    kind = s.integer(0, 3)
    if kind == 0:
        return bytes(raw[:s.integer(0, len(raw))])
    where = s.integer(0, len(raw) - 1)
    if kind == 1:
        raw[where:where] = raw[s.integer(0, where):where]
    elif kind == 2:
        del raw[where:where + s.integer(1, 40)]
    else:
        for _ in range(s.integer(1, 4)):
            raw[s.integer(0, len(raw) - 1)] ^= 1 << s.integer(0, 7)
    return bytes(raw)


def attempt(content: bytes) -> tuple[str, str]:
    """("passed", "") or ("refused", the error), or ("failed", why)."""
    with tempfile.TemporaryDirectory(prefix="tinyc-hostile-") as name:
        path = Path(name) / "m.onnx"
        path.write_bytes(content)
        try:
            answer: tuple[str, str] = isolated(lambda: _compile(path), SECONDS)
            return answer
        except Fault as fault:
            return "failed", str(fault)


def _compile(path: Path) -> tuple[str, str]:
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile_model(Request(path, load_target("host"), name="m", plan_effort=EFFORT))
    except TinycError as error:
        return ("refused", str(error)) if error.hint else ("failed", f"no hint: {error}")
    except Exception as error:
        return "failed", f"{type(error).__name__}: {str(error)[:300]} ({place(error)})"
    return "passed", ""


def run_seed(seed: int, folder: Path | None = None) -> Result:
    """Damages and compiles a graph; what fails is saved."""
    try:
        content = damaged(Source(seed))
    except Dropped as reason:
        return Result(seed, "dropped", str(reason))
    status, reason = attempt(content)
    saved = ""
    if status == "failed" and folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        saved = str(folder / f"hostile{seed}.onnx")
        Path(saved).write_bytes(content)
    return Result(seed, status, str(reason), (), saved)


def run_seeds(seeds: Sequence[int], folder: Path, objects: Path) -> list[Result]:
    """As fuzz_lane.run_seeds; nothing is built."""
    return [run_seed(seed, folder) for seed in seeds]
