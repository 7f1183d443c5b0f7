# SPDX-License-Identifier: Apache-2.0
"""The compiler from end to end: model file -> graph -> passes -> program -> arena -> files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tinyc.backend.emit import Emitted, emit
from tinyc.backend.folder import REPORT, write_folder
from tinyc.backend.names import C_KEYWORDS, MAX_NAME, hides_something, identifier
from tinyc.backend.program import Program
from tinyc.errors import TinycError
from tinyc.frontend import Imported, import_model
from tinyc.ir.graph import Editor, Graph, Node
from tinyc.kernels.base import Options
from tinyc.kernels.lower import lower
from tinyc.kernels.streaming import fastest_within, smallest
from tinyc.memories import Placement
from tinyc.passes.io_dtype import convert_io
from tinyc.passes.pipeline import PIPELINE, run_passes
from tinyc.plan import DEFAULT_EFFORT
from tinyc.plan.arena import Arena, plan_arena
from tinyc.plan.memories import split
from tinyc.plan.order import execution_order
from tinyc.quantization import QuantizeRequest, quantizer
from tinyc.report.build import build_report
from tinyc.report.picture import arena_page, arena_svg
from tinyc.state import Remembered, remembered
from tinyc.targets import Target


@dataclass(frozen=True)
class CmsisNn:
    """The firmware's CMSIS-NN, for building with --kernels cmsis-nn: its folder Include and its archive."""

    include: Path
    library: Path


@dataclass(frozen=True)
class Request:
    """Everything that the user asks of one compilation."""

    model: Path
    target: Target
    name: str | None = None
    optimize: str = "default"
    kernels: str = "auto"
    io: str = "arena"
    io_dtype: str = "model"
    dims: Mapping[str, int] = field(default_factory=dict)
    require_integer: bool = False
    dump_after: str | None = None
    plan_effort: float = DEFAULT_EFFORT
    strict_memory: bool = False
    stateful: tuple[tuple[str, str], ...] = ()  # (input, output that it is in the next run)
    ram: int | None = None  # the fastest program within so many bytes
    placement: Placement | None = None
    quantize: QuantizeRequest | None = None  # a float model becomes an integer one, or its weights do
    cmsis_nn: CmsisNn | None = None  # does not change what is generated


@dataclass(frozen=True)
class Compiled:
    """A compiled model, not yet written."""

    request: Request
    imported: Imported
    graph: Graph[Any]
    program: Program
    arena: Arena
    emitted: Emitted
    report: dict[str, Any]
    warnings: tuple[str, ...]
    options: Options
    state: tuple[Remembered, ...] = ()
    real: Graph[Any] | None = None  # where tinyc quantized: the float graph, channels-first
    quantized: Graph[Any] | None = None  # the same in QDQ form

    @property
    def name(self) -> str:
        return self.program.name


def model_name(request: Request) -> str:
    """The prefix of all generated names. Raises TinycError for one that is no C identifier."""
    if request.name is None:
        name = identifier(request.model.stem)
        return f"model_{name}" if hides_something(name) else name
    if len(request.name) > MAX_NAME:
        raise TinycError("--name is too long", hint=f"at most {MAX_NAME} characters: all generated names begin with it")
    if identifier(request.name) != request.name.lower() or request.name in C_KEYWORDS or not request.name.isascii():
        raise TinycError(f"--name {request.name!r} is not usable as a C identifier",
                         hint="letters, digits and single underscores, not a C keyword")
    if hides_something(request.name.lower()):
        raise TinycError(f"--name {request.name!r} collides with a header of the C library or the runtime's prefix",
                         hint="choose another name")
    return request.name.lower()


def compile_model(request: Request, show: Callable[[str], None] = print, expose: bool = False) -> Compiled:
    """Compiles without writing anything. Raises TinycError for what the user has to mend.

    expose: every layer's result becomes an output, in the order of execution (for finding differences).
    """
    imported = import_model(request.model, request.dims, [name for name, _ in request.stateful])
    return compile_imported(imported, request, show, expose)


def compile_imported(
    imported: Imported, request: Request, show: Callable[[str], None] = print, expose: bool = False
) -> Compiled:
    """As compile_model, from a graph that is already in the IR."""
    name = model_name(request)
    passes = [step.name for step in PIPELINE]
    if request.dump_after is not None and request.dump_after not in passes:
        raise TinycError(f"--dump-after {request.dump_after!r} is no pass", hint=f"one of {', '.join(passes)}")
    quantize = None
    if request.quantize is not None:
        quantize = quantizer(request.quantize, imported.input_names, imported.sha256, show)
    between: list[Graph[Any]] = []
    if quantize is not None:
        make = quantize

        def quantize(graph: Graph[Any], target: Target) -> Graph[Any]:
            between.extend((graph, make(graph, target)))
            return between[1]

    graph = run_passes(imported.graph, request.target, request.dump_after, show, quantize)
    graph = convert_io(graph, request.io_dtype)
    if request.require_integer:
        _require_integer(graph)
    state = remembered(imported, graph, request.stateful, imported.output_names)
    if expose:
        ends = {part.output: graph.outputs[part.output] for part in state}
        editor = Editor(graph)
        editor.outputs = tuple(dict.fromkeys(o for node in graph.nodes() for o in node.outputs if o))
        graph = editor.done()
        state = tuple(replace(part, output=graph.outputs.index(ends[part.output])) for part in state)
    options = Options(request.target, request.kernels, request.optimize, request.io,
                      request.quantize is not None and request.quantize.weights_only,
                      tuple((part.input, part.output) for part in state), request.placement)
    program, arena = _planned(graph, options, name, request.plan_effort)
    if request.ram is not None and not expose:
        program, arena = fastest_within(graph, program, arena, options, request.plan_effort, request.ram)
    elif request.optimize == "ram" and not expose:
        program, arena = smallest(graph, program, arena, options, request.plan_effort)
    if request.placement is not None and request.placement.fast is not None:
        arena = split(program, options.io, request.placement.fast_bytes, request.plan_effort)
    names = (imported.input_names, graph.outputs if expose else imported.output_names)
    emitted = emit(graph, program, arena, options, request.target.name, names, state, expose)
    report = build_report(imported, graph, program, arena, emitted, request)
    return Compiled(request, imported, graph, program, arena, emitted, report, _memory_warnings(request, report),
                    options, state, *(between or (None, None)))


def _planned(graph: Graph[Any], options: Options, name: str, effort: float) -> tuple[Program, Arena]:
    """The program in the order that needs the smaller arena: the model's own, or the one with the smallest peak."""
    program = lower(graph, options, name)
    arena = plan_arena(program, options.io, effort)
    order = execution_order(program, options.io, effort)
    if order.steps != tuple(range(len(program.steps))):
        other = lower(graph, options, name, [program.steps[k].name for k in order.steps])
        placed = plan_arena(other, options.io, effort)
        if placed.bytes < arena.bytes:
            program, arena = other, placed
    if not order.proves(arena.bytes):
        arena = replace(arena, proven_optimal=False)
    return program, arena


def _require_integer(graph: Graph[Any]) -> None:
    """Raises TinycError where operators compute on real numbers: names the first, says why, and counts the others."""
    found = [node for node in graph.nodes() if _computes_on_reals(graph, node)]
    if not found:
        return
    found.sort(key=lambda node: node.op in ("QuantizeLinear", "DequantizeLinear"))  # edges last
    first = found[0]
    edge = first.op in ("QuantizeLinear", "DequantizeLinear")
    hint = ("--io-dtype int8 drops the conversions at the edges" if edge
            else "quantize its inputs and outputs in the model")
    others = [f"{n.name!r}, {n.op}" + (f" ({n.obstacle})" if n.obstacle else "") for n in found[1:]]
    if others:
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""
        hint += f"; also float: {'; '.join(others[:5])}{more}"
    why = f": {first.obstacle}" if first.obstacle else ""
    raise TinycError(f"a float operator remains{why}", node=f"{first.name!r}, {first.op}", hint=hint)


def _computes_on_reals(graph: Graph[Any], node: Node) -> bool:
    # Real constants of an integer operator (the factors of a normalization) become integer tables.
    operands = [graph.type(i) for i in node.inputs if i and not (node.integer and graph.value(i).is_const)]
    inside = getattr(node.attrs, "dtypes", ())  # of a fused chain
    types = (*operands, *graph.output_types(node))
    return any(t.dtype.is_float for t in types) or any(d.is_float for d in inside)


def _memory_warnings(request: Request, report: Mapping[str, Any]) -> tuple[str, ...]:
    """What exceeds the target's memories; an error with --strict-memory."""
    warnings = []
    for kind, need in (("flash", report["weights_bytes"]), ("ram", report["arena"]["bytes"])):
        have = request.target.memory_bytes("flash" if kind == "flash" else "ram")
        if have is not None and need > have:
            what = "weights need" if kind == "flash" else "the arena needs"
            warnings.append(f"{what} {need:,} bytes of {kind}, {request.target.name} has {have:,}")
    if warnings and request.strict_memory:
        raise TinycError("; ".join(warnings), hint="choose a larger target, a smaller model, or --optimize ram or size")
    return tuple(warnings)


def with_picture(compiled: Compiled) -> Compiled:
    """The model with N_arena.html and N_arena.svg among its files: the arena over time."""
    program, arena = compiled.program, compiled.arena
    files = {**compiled.emitted.files, f"{compiled.name}_arena.svg": arena_svg(program, arena),
             f"{compiled.name}_arena.html": arena_page(program, arena, compiled.request.target.name)}
    report = {**compiled.report, "files": sorted((*files, REPORT))}
    return replace(compiled, emitted=replace(compiled.emitted, files=files), report=report)


def write(compiled: Compiled, folder: Path) -> list[Path]:
    """Writes the model's files; afterwards the folder has all of them, or it is as before. Raises TinycError."""
    report = json.dumps(compiled.report, indent=1, ensure_ascii=False) + "\n"
    return write_folder({**compiled.emitted.files, REPORT: report}, folder)
