# SPDX-License-Identifier: Apache-2.0
"""From a loaded ONNX model to the IR: shapes made static, constants folded, operators imported."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from tinyc.errors import TinycError
from tinyc.frontend.context import Lowering
from tinyc.frontend.guess import guesses
from tinyc.frontend.inputs import Dimensions, declared_shapes, dtype_of
from tinyc.frontend.load import read_model, to_array
from tinyc.frontend.scope import DOMAINS, Scope
from tinyc.frontend.strings import input_type
from tinyc.ir.graph import Editor, Graph, Value
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.expect import ExpectAttrs, Values

log = logging.getLogger(__name__)

MIN_OPSET, MAX_OPSET = 1, onnx.defs.onnx_opset_version()


@dataclass(frozen=True)
class Imported:
    """A model in the IR, with what reports say about its file."""

    graph: Graph[Any]
    name: str
    sha256: str
    opsets: dict[str, int]
    notes: tuple[str, ...]
    input_names: tuple[str, ...]  # in the model; in the IR the same unless two values share one
    output_names: tuple[str, ...]
    maps: Mapping[str, tuple[int | str, ...]] = field(default_factory=dict)  # keys of outputs that were maps
    initial: Mapping[str, Array] = field(default_factory=dict)  # of inputs that are constants in the file


def import_model(
    path: Path, dims: Mapping[str, int] | None = None, stateful: Sequence[str] = ()
) -> Imported:
    """Loads and lowers a model. `dims` fixes symbolic dimensions by name. Raises TinycError.

    stateful: names of inputs that are kept from run to run; they may be constants in the file, which come first.
    """
    try:
        model, raw = read_model(path)
        return _lower_or_guess(model, path.stem, raw, dims or {}, stateful)
    except UnicodeDecodeError:
        raise TinycError(
            f"{path.name} has a name that is not UTF-8", hint="the file is damaged: export the model again"
        ) from None
    except (MemoryError, RecursionError):
        raise TinycError(
            f"{path.name} is too large or too deep", hint="this is no microcontroller model"
        ) from None


def _lower_or_guess(
    model: onnx.ModelProto, stem: str, raw: bytes, dims: Mapping[str, int], stateful: Sequence[str]
) -> Imported:
    """The model; where shapes depend on an input, with the one value of it that leads to the declared shapes."""
    try:
        return _lower(model, stem, raw, dims, stateful, {})
    except TinycError as refused:
        wanted = declared_shapes(model.graph.output, dims)
        found: list[Imported] = []
        for name, value in guesses(model.graph, dims):
            try:
                result = _lower(model, stem, raw, dims, stateful, {name: value})
            except TinycError:
                continue
            if all(result.graph.type(o).shape == wanted[n] for o, n in zip(result.graph.outputs, result.output_names,
                                                                           strict=True)):
                found.append(result)
        if len(found) != 1:
            raise refused from None
        return found[0]


def _lower(
    model: onnx.ModelProto, stem: str, raw: bytes, dims: Mapping[str, int], stateful: Sequence[str],
    assumed: Mapping[str, Array],
) -> Imported:
    """assumed: values of inputs that the generated code has to check."""
    proto = model.graph
    opsets = {DOMAINS.get(o.domain, o.domain): o.version for o in model.opset_import}
    _check_opset(proto, opsets)
    dimensions = Dimensions(dims)
    lowering = Lowering(Editor(proto.name or "model"))
    lowering.functions = {(DOMAINS.get(f.domain, f.domain), f.name): f for f in model.functions}
    scope = Scope(lowering, opsets)
    if proto.sparse_initializer:
        raise TinycError("sparse initializers are not supported", hint="export with dense weights")
    initial: dict[str, Array] = {}
    for tensor in proto.initializer:
        if tensor.name in scope.names:
            raise TinycError(f"two initializers named {tensor.name!r}", hint="export the model again")
        dtype_of(tensor.data_type, f"tensor {tensor.name!r}")
        array = to_array(tensor)
        type_ = TensorType(DType.of(array), tuple(array.shape))
        if tensor.name in stateful:
            initial[tensor.name] = array
            scope.names[tensor.name] = lowering.editor.set_value(Value(lowering.editor.fresh(tensor.name), type_))
            lowering.editor.inputs += (scope.names[tensor.name],)
            continue
        scope.names[tensor.name] = lowering.editor.const(tensor.name, array, type_)
    operands: dict[str, str] = {}  # IR values of the inputs whose value is assumed
    constants = set(scope.names)
    inputs = [info for info in proto.input if info.name not in constants]
    dimensions.scan(inputs)
    for info in inputs:
        if info.name in scope.names or not info.name:
            raise TinycError(
                f"a graph input named {info.name!r}, twice or empty", hint="export the model again"
            )
        type_ = input_type(info, dimensions.type_of(info), proto)
        name = lowering.editor.set_value(Value(lowering.editor.fresh(info.name), type_))
        scope.names[info.name] = name
        if info.name in assumed:
            scope.names[info.name] = lowering.editor.const(f"{info.name}.assumed", assumed[info.name], type_)
            operands[info.name] = name
        if not type_.elements:  # there is but one such value
            nothing = np.zeros(type_.shape, type_.dtype.numpy)
            scope.names[info.name] = lowering.editor.const(f"{info.name}.nothing", nothing, type_)
        lowering.editor.inputs += (name,)
    dimensions.check_all_used()
    sizes = {**dict.fromkeys(dimensions.batches, 1), **dims}
    scope.declared = declared_shapes((*proto.value_info, *proto.output), sizes)
    scope.lower(proto.node)
    names = tuple(info.name for info in proto.output)
    for source, operand in operands.items():
        _expect(scope, operand, assumed[source], names)
        lowering.notes.append(f"input {source!r} has to be {assumed[source].tolist()}: a run checks it")
    _set_outputs(lowering, scope, names)
    for note in (*dimensions.notes, *lowering.notes):
        log.info(note)
    return Imported(
        lowering.editor.done(),
        stem,
        hashlib.sha256(raw).hexdigest(),
        opsets,
        (*dimensions.notes, *lowering.notes),
        (*initial, *(info.name for info in inputs)),
        names,
        lowering.maps,
        initial,
    )


def _expect(scope: Scope, operand: str, value: Array, names: Sequence[str]) -> None:
    """Puts a check of an input's value behind every output."""
    check = ExpectAttrs(((Values(tuple((int(v),) for v in value.reshape(-1))),),))
    for name in names:
        if name in scope.names:
            result = scope.lowering.emit(f"{name}.check", "Expect", check, (scope.names[name], operand), 1)
            scope.names[name] = result[0]


def _check_opset(proto: onnx.GraphProto, opsets: Mapping[str, int]) -> None:
    hint = f"export with an opset from {MIN_OPSET} to {MAX_OPSET}"
    if "" not in opsets:
        if any(DOMAINS.get(node.domain, node.domain) == "" for node in proto.node):
            raise TinycError("the model does not say which opset of ONNX it uses", hint=hint)
    elif not MIN_OPSET <= opsets[""] <= MAX_OPSET:
        raise TinycError(f"opset {opsets['']} is not supported", hint=hint)


def _set_outputs(lowering: Lowering, scope: Scope, names: Sequence[str]) -> None:
    """Makes the graph's outputs: computed values named as in the model.

    An output that is an input, a constant or another output becomes a copy. Where its name is taken
    (an input is an output under its own name, one output is listed twice) it gets a fresh one.
    """
    editor = lowering.editor
    if not names:
        raise TinycError("the model has no output", hint="export the model again")
    for name in names:
        source = scope.names.get(name)
        if source is None:
            raise TinycError(f"graph output {name!r} is computed by no node", hint="export the model again")
        view = editor.view()
        copied = source in (*view.inputs, *editor.outputs) or view.value(source).is_const
        reserved = name in view.inputs or name in editor.outputs
        if view.has_value(name) and not reserved and (copied or source != name):
            _rename(scope, name, editor.fresh(f"{name}.value"))
            source, view = scope.names[name], editor.view()
        if copied:
            free = name if not view.has_value(name) else editor.fresh(name)
            result = editor.set_value(Value(free, replace(view.type(source), quant=None)))
            editor.copy_to(source, result)
        elif view.has_value(name):
            result = source
        else:
            _rename(scope, source, name)
            result = name
        editor.outputs += (result,)


def _rename(scope: Scope, old: str, new: str) -> None:
    """Gives an IR value another name, which none has yet."""
    scope.lowering.editor.rename_values({old: new})
    scope.names = {key: new if value == old else value for key, value in scope.names.items()}
