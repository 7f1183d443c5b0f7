# SPDX-License-Identifier: Apache-2.0
"""What a model consists of and what of it cannot be compiled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinyc.errors import TinycError
from tinyc.frontend.load import read_model
from tinyc.frontend.lower import import_model
from tinyc.frontend.survey import unsupported_operators
from tinyc.ir.graph import Graph
from tinyc.kernels.base import Options
from tinyc.kernels.choose import select
from tinyc.ops.registry import operator
from tinyc.passes.pipeline import run_passes
from tinyc.targets import load_target


def inspect_model(path: Path, dims: Mapping[str, int]) -> dict[str, Any]:
    """Facts about a model; raises TinycError only where the file itself cannot be read."""
    proto, _ = read_model(path)
    facts: dict[str, Any] = {
        "model": path.name, "opsets": {o.domain or "ai.onnx": o.version for o in proto.opset_import},
        "operators": dict(sorted(Counter(n.op_type for n in proto.graph.node).items())),
        "inputs": [], "outputs": [], "layers": [], "macs": None, "parameters": None,
        "unsupported": unsupported_operators(proto),
    }
    if facts["unsupported"]:
        return facts
    try:
        imported = import_model(path, dims)
        target = load_target("host")
        graph = run_passes(imported.graph, target)
    except TinycError as error:
        facts["unsupported"].append({"node": error.node or path.name, "reason": error.what})
        return facts
    facts["inputs"] = [_port(graph, n) for n in graph.inputs]
    facts["outputs"] = [_port(graph, n) for n in graph.outputs]
    facts["parameters"] = sum(int(v.data.size) for v in imported.graph.values()
                              if v.data is not None and v.data.size > 1)
    options = Options(target)
    for node in graph.nodes():
        kind = operator(node.op)
        if kind.is_view:
            continue
        macs = kind.macs(node, graph.input_types(node), graph.output_types(node))
        facts["layers"].append({"name": node.name, "op": node.op, "integer": node.integer, "macs": macs,
                                "shape": list(graph.type(node.outputs[0]).shape)})
        try:
            select(graph, node, options)
        except TinycError as error:
            facts["unsupported"].append({"node": error.node or node.name, "reason": f"{error.what}; {error.hint}"})
    facts["macs"] = sum(layer["macs"] for layer in facts["layers"])
    return facts


def _port(graph: Graph[Any], name: str) -> dict[str, Any]:
    type_ = graph.type(name)
    return {"name": name, "dtype": type_.dtype.label, "shape": list(type_.shape)}
