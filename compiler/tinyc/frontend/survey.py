# SPDX-License-Identifier: Apache-2.0
"""Which operators of a model have no importer, without stopping at the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import onnx

import tinyc.ops  # noqa: F401  (registers the operators)
from tinyc.frontend import schema
from tinyc.frontend.subgraphs import CONTROL
from tinyc.ops.registry import IMPORTERS


def unsupported_operators(model: onnx.ModelProto) -> list[dict[str, str]]:
    """{node, reason} for each node whose operator tinyc does not know, those of functions and subgraphs included."""
    own = {(_domain(f.domain), f.name) for f in model.functions}
    opsets = {_domain(o.domain): o.version for o in model.opset_import}
    found = _unsupported(model.graph.node, own, opsets)
    for function in model.functions:
        inner = {**opsets, **{_domain(o.domain): o.version for o in function.opset_import}}
        found += _unsupported(function.node, own, inner)
    return found


def _unsupported(
    nodes: Sequence[onnx.NodeProto], own: set[tuple[str, str]], opsets: Mapping[str, int]
) -> list[dict[str, str]]:
    found = []
    for node in nodes:
        domain = _domain(node.domain)
        key = (domain, node.op_type)
        known = key in IMPORTERS or key in own or (domain == "" and node.op_type in {"Constant", *CONTROL})
        if not known and not schema.is_defined(node.op_type, domain, opsets.get(domain, 1)):
            name = f"{domain}.{node.op_type}" if domain else node.op_type
            found.append(
                {"node": f"{node.name!r}, {node.op_type}", "reason": f"operator {name} is not supported"}
            )
        for attribute in node.attribute:
            if attribute.HasField("g"):
                found += _unsupported(attribute.g.node, own, opsets)
    return found


def _domain(name: str) -> str:
    return "" if name == "ai.onnx" else name
