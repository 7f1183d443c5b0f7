# SPDX-License-Identifier: Apache-2.0
"""Which operators of a model have no importer, without stopping at the first."""

from __future__ import annotations

import onnx

import tinyc.ops  # noqa: F401  (registers the operators)
from tinyc.ops.registry import IMPORTERS


def unsupported_operators(model: onnx.ModelProto) -> list[dict[str, str]]:
    """{node, reason} for each node whose operator tinyc does not know."""
    found = []
    for node in model.graph.node:
        domain = "" if node.domain == "ai.onnx" else node.domain
        if (domain, node.op_type) not in IMPORTERS and (domain, node.op_type) != ("", "Constant"):
            name = f"{domain}.{node.op_type}" if domain else node.op_type
            found.append(
                {"node": f"{node.name!r}, {node.op_type}", "reason": f"operator {name} is not supported"}
            )
    return found
