# SPDX-License-Identifier: Apache-2.0
"""Lowers the nodes of a graph, a function body or a subgraph: each by its importer, or by its definition."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import onnx

from tinyc.errors import TinycError
from tinyc.frontend import functions, schema, subgraphs
from tinyc.frontend.assume import assumed
from tinyc.frontend.context import Context, Lowering, attribute_value, constant
from tinyc.frontend.shapes import declared_shape
from tinyc.ir.graph import Value
from tinyc.ir.types import DType, TensorType
from tinyc.ops.registry import IMPORTERS, Importer, ShapeError

DOMAINS = {"ai.onnx": ""}
MAX_DEPTH = 24  # of functions and subgraphs within each other


@dataclass
class Scope:
    """Names of one graph. `outer`: the scope around a subgraph, whose values it may read.

    `declared` has the static shapes that the model states for values of this scope.
    """

    lowering: Lowering
    opsets: Mapping[str, int]
    names: dict[str, str] = field(default_factory=dict)  # ONNX value -> IR value
    outer: Scope | None = None
    prefix: str = ""
    depth: int = 0
    declared: dict[str, tuple[int, ...]] = field(default_factory=dict)
    nodes: Sequence[onnx.NodeProto] = ()
    captured: dict[str, str] | None = None  # of a graph of its own: values around it -> its inputs

    def find(self, name: str) -> str | None:
        """The IR value with this name here or in a scope around."""
        if name in self.names:
            return self.names[name]
        value = self.outer.find(name) if self.outer else None
        return value if not value or self.captured is None else self._capture(value)

    def _capture(self, value: str) -> str:
        """A value around a graph of its own: a copy of a constant, or one more input."""
        assert self.outer is not None and self.captured is not None
        known = self.outer.lowering.editor.view().value(value)
        if known.data is not None:
            return self.lowering.editor.const(value, known.data, known.type)
        if value not in self.captured:
            self.captured[value] = self.add_input(value, known.type)
        return self.captured[value]

    def add_input(self, stem: str, type_: TensorType) -> str:
        """One more input of the scope's graph."""
        editor = self.lowering.editor
        name = editor.set_value(Value(editor.fresh(stem), type_))
        editor.inputs += (name,)
        return name

    def inner(self, name: str, where: str, opsets: Mapping[str, int] | None = None, captures: bool = False) -> Scope:
        """A scope for a function's body, or with `captures` for a subgraph. Raises TinycError."""
        if self.depth == MAX_DEPTH:
            raise TinycError(f"functions or subgraphs nested deeper than {MAX_DEPTH}", node=where,
                             hint="this is no microcontroller model")
        return Scope(self.lowering, opsets or self.opsets, {}, self if captures else None, f"{self.prefix}{name}/",
                     self.depth + 1)

    def lower(self, nodes: Sequence[onnx.NodeProto]) -> None:
        """Lowers nodes in their order."""
        self.nodes = nodes
        later = {o for node in nodes for o in node.output}
        for node in nodes:
            self.lowering.count()
            lower_node(self, node, later)


def lower_node(scope: Scope, node: onnx.NodeProto, later: set[str]) -> None:
    """Lowers one node; `later`: the values that nodes of the scope compute. Raises TinycError."""
    lowering = scope.lowering
    domain = DOMAINS.get(node.domain, node.domain)
    name = scope.prefix + (node.name or next((o for o in node.output if o), f"node {lowering.position}"))
    where = f"{name!r}, {node.op_type}"
    inputs = _operands(scope, node, where, later)
    opset = scope.opsets.get(domain, 1)
    body = lowering.functions.get((domain, node.op_type))
    control = subgraphs.CONTROL.get(node.op_type) if domain == "" and body is None else None
    importer = IMPORTERS.get((domain, node.op_type)) if body is None else None
    view = lowering.editor.view()
    types = [view.type(i) if i else None for i in inputs]
    if body is None:
        dtypes = [None if t is None else t.dtype if t.labels is None else DType.STRING for t in types]
        fault = schema.fault(node, domain, opset, dtypes)
        if fault:
            raise TinycError(fault, node=where, hint="check the model with onnx.checker")
    if (domain, node.op_type) == ("", "Constant"):
        scope.names[node.output[0]] = constant(lowering, node, scope.prefix + node.output[0], where)
        return
    if importer is None and body is None and control is None:
        body = schema.function_body(node, domain, opset, types)
        if body is None:
            raise TinycError(f"operator {qualified(domain, node.op_type)} is not supported", node=where,
                             hint=_nearby(domain, node.op_type))
    context = Context(lowering, node, node.op_type, domain, opset, name, inputs, tuple(node.output),
                      _attributes(node, where), lambda output: declared_shape(scope, output))

    def results_for(operands: tuple[str, ...]) -> Sequence[str]:
        if control is not None:
            return _imported(context, lambda _: control(scope, context), where)
        if body is not None:
            return _imported(context, lambda _: functions.expand(scope, node, body, operands, name, where), where)
        assert importer is not None
        return _imported(replace(context, inputs=operands), importer, where)

    picked = assumed(scope, context, results_for) if domain == "" else None
    results: Sequence[str] = results_for(inputs) if picked is None else picked
    wanted = [o for o in node.output if o]
    if len(results) < len(wanted):
        raise context.fail(f"output {wanted[len(results)]!r} is not supported")
    for output, result in zip(node.output, results, strict=False):
        if output:
            scope.names[output] = result


def _attributes(node: onnx.NodeProto, where: str) -> dict[str, Any]:
    try:
        return {a.name: attribute_value(a, where) for a in node.attribute}
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise TinycError(f"malformed attributes ({error})", node=where,
                         hint="check the model with onnx.checker") from error


def _imported(context: Context, importer: Importer, where: str) -> Sequence[str]:
    """What the importer makes of the node. Raises TinycError."""
    try:
        return importer(context)
    except ShapeError as error:
        raise TinycError(str(error), node=where, hint="check the model with onnx.checker") from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, AssertionError) as error:
        raise TinycError(f"malformed attributes or operands ({error})", node=where,
                         hint="check the model with onnx.checker") from error


def _operands(scope: Scope, node: onnx.NodeProto, where: str, later: set[str]) -> tuple[str, ...]:
    """The IR values of the node's operands, "" for omitted ones. Raises TinycError."""
    found = []
    for i in node.input:
        value = scope.find(i) if i else ""
        if value is None:
            what = "used before it is computed" if i in later else "computed by no node"
            raise TinycError(f"operand {i!r} is {what}", node=where,
                             hint="the nodes are not in topological order, form a cycle, or are incomplete")
        found.append(value)
    for o in node.output:
        if o and (o in scope.names or list(node.output).count(o) > 1):
            raise TinycError(f"value {o!r} is defined twice", node=where, hint="export the model again")
    return tuple(found)


def qualified(domain: str, op_type: str) -> str:
    return f"{domain}.{op_type}" if domain else op_type


def _nearby(domain: str, op_type: str) -> str:
    names = sorted({qualified(d, o) for d, o in IMPORTERS})
    close = difflib.get_close_matches(qualified(domain, op_type), names, 4, 0.5)
    return (f"supported nearby: {', '.join(close)}; " if close else "") + "tinyc ops lists what is supported"
