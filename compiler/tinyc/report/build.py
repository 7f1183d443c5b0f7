# SPDX-License-Identifier: Apache-2.0
"""report.json: the facts of one compilation, for other tools. Its keys are a contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinyc.backend.emit import Emitted, Port
from tinyc.backend.program import Program
from tinyc.frontend import Imported
from tinyc.ir.graph import Graph
from tinyc.kernels.stack import stack_estimate
from tinyc.plan.arena import Arena

if TYPE_CHECKING:
    from tinyc.compiler import Request

SCHEMA = 1


def build_report(
    imported: Imported, graph: Graph[Any], program: Program, arena: Arena, emitted: Emitted, request: Request
) -> dict[str, Any]:
    parameters = sum(int(v.data.size) for v in imported.graph.values() if v.data is not None and v.data.size > 1)
    weights = sum(t.array.nbytes for t in program.tables.values() if t.role == "weights")
    files = sorted((*emitted.files, "report.json"))
    return {
        "schema": SCHEMA,
        "model": {"name": program.name, "sha256": imported.sha256, "macs": sum(s.macs for s in program.steps),
                  "parameters": parameters},
        "target": request.target.name,
        "options": {
            "optimize": request.optimize, "kernels": request.kernels, "io": request.io, "io_dtype": request.io_dtype,
            "dims": dict(sorted(request.dims.items())), "require_integer": request.require_integer,
            "plan_effort": request.plan_effort, "ram": request.ram,
            "quantize": "none" if request.quantize is None else request.quantize.scheme or "int8",
            "stateful": [f"{source}={result}" for source, result in request.stateful],
        },
        "notes": list(imported.notes),
        "entry": f"{program.name}_run",
        "header": f"{program.name}.h",
        "inputs": [_port(p) for p in emitted.inputs],
        "outputs": [_port(p) for p in emitted.outputs],
        "arena": {"bytes": arena.bytes, "align": arena.align, "io": request.io, "live_set_bound": arena.bound,
                  "proven_optimal": arena.proven_optimal, **_fast(arena, request)},
        "row_by_row": [
            {"first": r.first, "last": r.last, "ticks": r.ticks, "moved_bytes": r.moved_bytes, "repeated_macs": 0}
            for r in program.rows
        ],
        "stack_estimate": stack_estimate(program),
        "state_bytes": sum(part.bytes for part in emitted.state),
        "weights_bytes": weights,
        "layers": [
            {"index": s.index, "name": s.name, "op": s.op, "kernel": s.kernel, "macs": s.macs,
             "filter_bytes": s.filter_bytes, "weights_bytes": s.weights_bytes, "scratch_bytes": s.scratch_bytes,
             "inputs": list(s.inputs), "outputs": list(s.outputs)}
            for s in program.steps
        ],
        "buffers": [
            {"name": b.name, "offset": b.offset, "bytes": b.bytes, "first": b.first, "last": b.last}
            for b in arena.buffers
        ],
        "sources": list(emitted.sources),
        "include_dirs": list(emitted.include_dirs),
        "cflags": [*request.target.cflags, *request.target.optimize_flags(request.optimize)],
        "files": files,
        **_exploration(request),
    }


def _exploration(request: Request) -> dict[str, Any]:
    """What --quantize auto tried."""
    explored = request.quantize.explored if request.quantize is not None else None
    return {} if explored is None else {"exploration": explored}


def _fast(arena: Arena, request: Request) -> dict[str, Any]:
    """The arena in the faster memory, where there are two; its buffers are in it, not in `buffers`."""
    if arena.fast is None or request.placement is None or request.placement.fast is None:
        return {}
    return {"fast": {"memory": request.placement.fast.name, "bytes": arena.fast.bytes, "buffers": [
        {"name": b.name, "offset": b.offset, "bytes": b.bytes, "first": b.first, "last": b.last}
        for b in arena.fast.buffers]}}


def _port(port: Port) -> dict[str, Any]:
    quant = port.quant if port.quant is not None and port.quant.per_tensor else None
    labels = {} if port.labels is None else {"labels": list(port.labels)}
    return {
        "name": port.name, "c_name": port.c_name, "dtype": port.dtype.label, "shape": list(port.shape),
        "scale": quant.scale[0] if quant else None, "zero_point": quant.zero_point[0] if quant else None, **labels,
    }
