# SPDX-License-Identifier: Apache-2.0
"""Functions inlined: the model's own, and the definitions that the standard gives of its operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import onnx

from tinyc.errors import TinycError

if TYPE_CHECKING:
    from tinyc.frontend.scope import Scope


def expand(
    scope: Scope, node: onnx.NodeProto, body: onnx.FunctionProto, inputs: Sequence[str], name: str, where: str
) -> list[str]:
    """Lowers the body of a function in place of a node that calls it: the values of its outputs. Raises TinycError."""
    if len(inputs) > len(body.input) or len(node.output) > len(body.output):
        raise TinycError(f"{len(inputs)} operands and {len(node.output)} outputs of a function that has "
                         f"{len(body.input)} and {len(body.output)}", node=where, hint="export the model again")
    opsets = {("" if o.domain == "ai.onnx" else o.domain): o.version for o in body.opset_import}
    inner = scope.inner(name.removeprefix(scope.prefix), where, {**scope.opsets, **opsets})
    for formal, value in zip(body.input, [*inputs, *[""] * (len(body.input) - len(inputs))], strict=True):
        inner.names[formal] = value
    for formal, actual in zip(body.output, node.output, strict=False):
        if actual in scope.declared:
            inner.declared[formal] = scope.declared[actual]
    given = attributes(node, body)
    inner.lower([_bound(n, given) for n in body.node])
    results = []
    for formal, actual in zip(body.output, node.output, strict=False):
        value = inner.find(formal) or ""
        if actual and not value:
            raise TinycError(f"the function does not compute its output {formal!r}", node=where,
                             hint="export the model again")
        results.append(value)
    return results


def attributes(node: onnx.NodeProto, body: onnx.FunctionProto) -> dict[str, onnx.AttributeProto]:
    """The attributes that the body may refer to: the call's, else the function's defaults."""
    return {a.name: a for a in body.attribute_proto} | {a.name: a for a in node.attribute}


def _bound(node: onnx.NodeProto, given: Mapping[str, onnx.AttributeProto]) -> onnx.NodeProto:
    """The node with references to the function's attributes replaced by their values, or dropped."""
    if not any(_refers(a) for a in node.attribute):
        return node
    result = onnx.NodeProto()
    result.CopyFrom(node)
    del result.attribute[:]
    for attribute in node.attribute:
        value = given.get(attribute.ref_attr_name) if attribute.ref_attr_name else attribute
        if value is None:
            continue
        own = result.attribute.add()
        own.CopyFrom(value)
        own.name = attribute.name
        for graph in ([own.g] if own.HasField("g") else list(own.graphs)):
            _bind_graph(graph, given)
    return result


def _bind_graph(graph: onnx.GraphProto, given: Mapping[str, onnx.AttributeProto]) -> None:
    nodes = [_bound(n, given) for n in graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _refers(attribute: onnx.AttributeProto) -> bool:
    return bool(attribute.ref_attr_name) or attribute.HasField("g") or bool(attribute.graphs)
