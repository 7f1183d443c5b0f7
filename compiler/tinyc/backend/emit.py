# SPDX-License-Identifier: Apache-2.0
"""Lays out the files of a compiled model: N.h, N.c, N_weights.c, CMakeLists.txt and the runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import Any

import jinja2

from tinyc.backend.names import comment_text, parameter_names, string_literal
from tinyc.backend.printer import Places, Printer, number, table_definition
from tinyc.backend.program import Program, Step, called_functions
from tinyc.backend.remember import StatePart, declaration, first_values, updates
from tinyc.backend.runtime import CMSIS_PREFIX, RuntimeFiles, manifest, runtime_files
from tinyc.ir.graph import Graph
from tinyc.ir.types import DType, Quant
from tinyc.kernels.base import Options
from tinyc.memories import Placement, bss_section, linker_snippet, weights_section
from tinyc.plan.arena import Arena
from tinyc.resources import runtime_dir
from tinyc.state import Remembered
from tinyc.version import VERSION

# Constants beyond this many bytes go to a file of their own, so that N.c stays readable.
SEPARATE_WEIGHTS_BYTES = 16_384
RUNTIME_FOLDER = PurePosixPath("tinyc")


@dataclass(frozen=True)
class Port:
    """An input or output of the generated function."""

    role: str  # "input" or "output"
    name: str  # in the model
    c_name: str  # the parameter
    macro: str  # prefix of its macros in N.h
    dtype: DType
    shape: tuple[int, ...]
    quant: Quant | None
    buffer: str
    labels: tuple[str, ...] | None = None  # an element is a place in this list of strings

    @property
    def elements(self) -> int:
        n = 1
        for d in self.shape:
            n *= d
        return n

    @property
    def bytes(self) -> int:
        return self.elements * self.dtype.size


@dataclass(frozen=True)
class Emitted:
    """The generated files, by path relative to the output folder, and how to build them."""

    files: Mapping[str, str]
    sources: tuple[str, ...]
    include_dirs: tuple[str, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    weight_symbols: tuple[str, ...]
    static_tables: int
    state: tuple[StatePart, ...] = ()


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("tinyc.backend", "templates"), trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, autoescape=False, undefined=jinja2.StrictUndefined,
    )


def ports(
    graph: Graph[Any], program: Program, names: tuple[Sequence[str], Sequence[str]],
    hidden: tuple[frozenset[int], frozenset[int]] = (frozenset(), frozenset()),
) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    """Inputs and outputs with their C names: `input` and `output` where there is only one.

    names: of inputs and outputs in the model; in the graph, values may have other ones. hidden: those that are no
    parameters, being state.
    """
    counts = [len(values) - len(gone) for values, gone in zip((graph.inputs, graph.outputs), hidden, strict=True)]
    reserved = {"arena", "arena_memory", "arena_fast", "arena_fast_memory", "state"}
    reserved |= {"output"} if counts[1] == 1 else set()
    result = []
    for role, own_names, values, buffers, gone, count in (
        ("input", names[0], graph.inputs, program.inputs, hidden[0], counts[0]),
        ("output", names[1], graph.outputs, program.outputs, hidden[1], counts[1]),
    ):
        c_names = parameter_names(own_names, role, program.name, reserved | ({role} if count == 1 else set()))
        if count == 1:
            c_names = [name if k in gone else role for k, name in enumerate(c_names)]
        reserved |= set(c_names)
        upper = program.name.upper()
        own = []
        for name, value, buffer, c_name in zip(own_names, values, buffers, c_names, strict=True):
            macro = f"{upper}_{role.upper()}" + ("" if c_name == role and count == 1 else f"_{c_name.upper()}")
            type_ = graph.type(value)
            own.append(Port(role, name, c_name, macro, type_.dtype, type_.shape, type_.quant, buffer,
                            type_.labels))
        result.append(tuple(own))
    return result[0], result[1]


def emit(
    graph: Graph[Any], program: Program, arena: Arena, options: Options, target_name: str,
    names: tuple[Sequence[str], Sequence[str]], state: Sequence[Remembered] = (), expose: bool = False,
) -> Emitted:
    """All files of the model. Nothing is written here. `names`: of inputs and outputs in the model.

    expose: the outputs that are kept as state are results, too.
    """
    gone = (frozenset(part.input for part in state),
            frozenset() if expose else frozenset(part.output for part in state))
    inputs, outputs = ports(graph, program, names, gone)
    kept = _state_parts(state, inputs, outputs)
    inputs, outputs = (tuple(p for k, p in enumerate(side) if k not in hidden)
                       for side, hidden in zip((inputs, outputs), gone, strict=True))
    external = options.kernels == "cmsis-nn"
    functions = called_functions(program)
    runtime = runtime_files(functions, options.variants, external)
    uses_cmsis = any(f.startswith(CMSIS_PREFIX) for f in functions)
    upper = program.name.upper()
    signature = _signature(program.name, inputs, outputs, kept, arena.fast is not None)
    address, const = _addresses(program, arena, options, inputs, outputs, kept)
    first_tables, first_body = first_values(program.name, kept)
    tables = {t: f"{program.name}_{t.replace('.', '_')}" for t in program.tables}
    printer = Printer(program.name, Places(address, tables, {n: b.dtype for n, b in program.buffers.items()}, const))
    steps = [_printed(program, s, printer) for s in program.steps]
    separate = sum(t.array.nbytes for t in program.tables.values()) > SEPARATE_WEIGHTS_BYTES
    common = {"name": program.name, "upper": upper, "version": VERSION, "target": target_name,
              "comment_name": comment_text(graph.name or program.name), "signature": signature,
              "arena_bytes": arena.bytes, "arena_align": max(arena.align, arena.fast.align if arena.fast else 1),
              "fast": _two_arenas(arena, options.placement), "abi": manifest()["abi"]}
    section, attribute = _weights_section(upper, options.placement)
    definitions = [table_definition(t, tables[n], (attribute if t.role == "weights" else "")
                                    + ("" if separate else "static ")) for n, t in program.tables.items()]
    definitions = [*section, *definitions]
    declarations = "\n".join(f"extern const {t.dtype.c_type} {tables[n]}[{max(1, t.array.size)}];"
                             for n, t in program.tables.items())
    prologue, epilogue = _copies(arena, inputs, outputs)
    epilogue += updates(kept, address)
    epilogue += "".join(f"    memcpy({p.c_name}, {part.address}, {part.bytes}U);\n" for part in kept for p in outputs
                        if p.buffer == part.result and address[p.buffer] == part.address)
    common["state"] = {"parts": [declaration(part) for part in kept], "bytes": sum(p.bytes for p in kept),
                       "tables": "\n".join(first_tables), "body": first_body}
    files: dict[str, str] = {}
    files[f"{program.name}.h"] = render("model.h.j2", {
        **common, "tensors": [_tensor(p, arena) for p in (*inputs, *outputs)],
        "helpers": [_helper(p, program.name) for p in (*inputs, *outputs)],
        "label_tables": _label_tables(program.name, inputs, outputs),
        "io_comment": _io_comment(options.io), "runtime_folder": str(RUNTIME_FOLDER)})
    files[f"{program.name}.c"] = render("model.c.j2", {
        **common, "includes": _includes(runtime, uses_cmsis, external), "steps": steps, "prologue": prologue,
        "epilogue": epilogue, "tables": declarations + "\n" if separate else "\n".join(definitions),
        "structs": printer.struct_definitions() + "\n", "refuse_single_rounding": uses_cmsis,
        "label_tables": _label_tables(program.name, inputs, outputs),
        "null_check": " || ".join(f"{name} == NULL" for name in (
            *(["state"] if kept else []), *(p.c_name for p in (*inputs, *outputs)))),
    })
    sources = [f"{program.name}.c"]
    if separate:
        files[f"{program.name}_weights.c"] = render("weights.c.j2", {
            **common, "declarations": declarations, "tables": "\n".join(definitions)})
        sources.append(f"{program.name}_weights.c")
    root = runtime_dir()
    for path in (*runtime.sources, *runtime.all_headers):
        files[str(RUNTIME_FOLDER / path.as_posix())] = (root / path).read_text()
    sources += [str(RUNTIME_FOLDER / s.as_posix()) for s in runtime.sources]
    used = {str(PurePosixPath(h.as_posix()).parent) for h in runtime.all_headers}
    include_dirs = [str(RUNTIME_FOLDER / d) for d in manifest()["include_dirs"] if d in used]
    if options.placement is not None:
        files[f"{program.name}_memories.ld"] = linker_snippet(program.name, options.placement)
    files["CMakeLists.txt"] = build_file(program.name, target_name, sources, include_dirs, external)
    weights = tuple(tables[n] for n, t in program.tables.items() if t.role == "weights")
    return Emitted(files, tuple(sources), (".", *include_dirs), inputs, outputs, weights, len(program.tables),
                   kept)


def _printed(program: Program, step: Step, printer: Printer) -> dict[str, Any]:
    """A step for the template: its statements, and the loop over rows that begins before it or ends behind it."""
    rows = next((r for r in program.rows if r.first <= step.index <= r.last), None)
    indent = 1 if rows is None else 2
    begins, ends = rows is not None and rows.first == step.index, rows is not None and rows.last == step.index
    return {
        "index": step.index, "comment": comment_text(step.comment), "pad": "    " * indent,
        "body": printer.body(step.body, indent), "begin": printer.rows_begin(rows) if rows and begins else "",
        "end": printer.rows_end() if ends else "", "mark": printer.mark(step.index) if rows is None else "",
    }


def build_file(
    name: str, target_name: str, sources: Sequence[str], include_dirs: Sequence[str], external: bool
) -> str:
    """CMakeLists.txt of a library `name`. external: it calls the firmware's CMSIS-NN."""
    return render("CMakeLists.txt.j2", {
        "name": name, "target": target_name, "version": VERSION, "sources": sources, "include_dirs": include_dirs,
        "external_cmsis": external, "languages": sorted({"ASM" if s.endswith(".S") else "C" for s in sources})})


def render(template: str, values: Mapping[str, Any]) -> str:
    """The text of one of templates/*.j2."""
    text: str = _templates().get_template(template).render(**values)
    return text


def _state_parts(
    state: Sequence[Remembered], inputs: Sequence[Port], outputs: Sequence[Port]
) -> tuple[StatePart, ...]:
    kept = []
    for part in state:
        source, result = inputs[part.input], outputs[part.output]
        kept.append(StatePart(source.name, result.name, source.c_name, source.dtype, source.shape, part.initial,
                              source.buffer, result.buffer))
    return tuple(kept)


def _signature(
    model: str, inputs: tuple[Port, ...], outputs: tuple[Port, ...], state: Sequence[StatePart] = (),
    fast: bool = False,
) -> str:
    parts = ["void *arena_memory", *(["void *arena_fast_memory"] if fast else [])]
    parts += [f"{model}_state_t *state"] if state else []
    parts += [f"const {p.dtype.c_type} *{p.c_name}" for p in inputs]
    parts += [f"{p.dtype.c_type} *{p.c_name}" for p in outputs]
    return ", ".join(parts)


def _addresses(
    program: Program, arena: Arena, options: Options, inputs: tuple[Port, ...], outputs: tuple[Port, ...],
    state: Sequence[StatePart] = (),
) -> tuple[dict[str, str], frozenset[str]]:
    """A C expression for each buffer's address; the buffers that may not be written."""
    address = {b.name: f"arena + {b.offset}" if b.offset else "arena" for b in arena.buffers}
    if arena.fast is not None:
        address |= {b.name: f"arena_fast + {b.offset}" if b.offset else "arena_fast" for b in arena.fast.buffers}
    const = set()
    if options.io == "caller":
        const = {p.buffer for p in inputs}
        address |= {p.buffer: _bytes(p.c_name, p.buffer in const) for p in (*inputs, *outputs)
                    if p.buffer not in address}
    direct = program.direct()
    address |= {part.source: part.address for part in state}
    address |= {part.result: part.address for part in state if part.result in direct}
    for name in program.parts:
        _place_part(program, name, address, const)
    return address, frozenset(const)


def _two_arenas(arena: Arena, placement: Placement | None) -> dict[str, Any] | None:
    """What the templates need of the fast arena and of both sections; None with one arena."""
    if arena.fast is None or placement is None or placement.fast is None or placement.slow is None:
        return None
    return {"bytes": arena.fast.bytes, "memory": comment_text(placement.fast.name),
            "slow_memory": comment_text(placement.slow.name), "section": bss_section(placement.fast),
            "slow_section": bss_section(placement.slow)}


def _weights_section(upper: str, placement: Placement | None) -> tuple[list[str], str]:
    """(definition of the macro that places the weights, its use in front of each); nothing by default."""
    if placement is None or placement.weights is None:
        return [], ""
    macro = f"{upper}_WEIGHTS_SECTION"
    attribute = f'__attribute__((section("{weights_section(placement.weights)}")))'
    return [f"#ifndef {macro}", f"#define {macro} {attribute}", "#endif"], f"{macro} "


def _place_part(program: Program, name: str, address: dict[str, str], const: set[str]) -> None:
    """Adds the address of a buffer that is part of another one, or of a table."""
    part = program.parts[name]
    if part.buffer in program.tables:
        base = _bytes(f"{program.name}_{part.buffer.replace('.', '_')}", True)
        const.add(name)
    else:
        if part.buffer in program.parts and part.buffer not in address:
            _place_part(program, part.buffer, address, const)
        base = address[part.buffer]
        if part.buffer in const:
            const.add(name)
    terms = [f"{step} * {variable}" for variable, step in part.terms]
    address[name] = " + ".join([base, *([str(part.offset)] if part.offset else []), *terms])


def _bytes(expression: str, const: bool) -> str:
    """A pointer as bytes, so that offsets in bytes can be added to it."""
    qualifier = "const " if const else ""
    return f"({qualifier}uint8_t *)({qualifier}void *){expression}"


def _copies(arena: Arena, inputs: tuple[Port, ...], outputs: tuple[Port, ...]) -> tuple[str, str]:
    """Statements that bring inputs into their slots of the arena, and outputs out of theirs."""
    def copy(port: Port, inward: bool) -> str:
        slot = f"arena + {arena.offset(port.buffer)}" if arena.offset(port.buffer) else "arena"
        target, source = (slot, port.c_name) if inward else (port.c_name, slot)
        return (f"    if ((const void *)({slot}) != (const void *){port.c_name}) {{\n"
                f"        memcpy({target}, {source}, {port.bytes}U);\n    }}\n")

    prologue = "".join(copy(p, True) for p in inputs if arena.holds(p.buffer))
    epilogue = "".join(copy(p, False) for p in outputs if arena.holds(p.buffer))
    return prologue, epilogue


def _tensor_quant(port: Port) -> Quant | None:
    """The one scale and zero point of an integer port."""
    return port.quant if port.quant is not None and port.quant.per_tensor and not port.dtype.is_float else None


def _tensor(port: Port, arena: Arena) -> dict[str, Any]:
    quant = _tensor_quant(port)
    shape = "x".join(map(str, port.shape)) or "scalar"
    return {
        "role": port.role.capitalize(), "macro": port.macro, "elements": port.elements,
        "comment": f"{comment_text(port.name)}: {port.dtype.label}[{shape}]", "c_type": port.dtype.c_type,
        "scale": number(float(quant.scale[0]), DType.FLOAT32) if quant else None,
        "zero_point": (f"({quant.zero_point[0]})" if quant.zero_point[0] < 0 else quant.zero_point[0])
        if quant else None,
        "offset": arena.offset(port.buffer) if arena.holds(port.buffer) else None,
    }


def _label_tables(model: str, inputs: Sequence[Port], outputs: Sequence[Port]) -> list[dict[str, Any]]:
    """The strings of ports whose elements are labels: NAME_LABELS of the first such output, others by their port."""
    ports_of: dict[tuple[str, ...], list[Port]] = {}
    for port in (*outputs, *inputs):
        if port.labels is not None:
            ports_of.setdefault(port.labels, []).append(port)
    tables: list[dict[str, Any]] = []
    for labels, own in ports_of.items():
        macro = f"{own[0].macro}_LABELS" if tables else f"{model.upper()}_LABELS"
        tables.append({"macro": macro, "symbol": macro.lower(), "count": len(labels),
                       "strings": [string_literal(s) for s in labels],
                       "comment": comment_text(", ".join(p.name for p in own))})
    return tables


def _helper(port: Port, model: str) -> dict[str, Any] | None:
    """How to convert between real numbers and a quantized port: a function in N.h."""
    quantized = _tensor_quant(port)
    if quantized is None or port.dtype not in (DType.INT8, DType.UINT8, DType.INT16):
        return None
    low, high = port.dtype.limits
    c_name = port.macro.lower()
    return {"input": port.role == "input", "function": c_name, "c_type": port.dtype.c_type, "low": low,
            "high": high, "macro": port.macro}


def _io_comment(io: str) -> str:
    if io == "caller":
        return ("Inputs are read and outputs are written where the caller has them; they must not overlap\n"
                " * each other or the arena. Returns 0 or a negative error.")
    return ("Inputs and outputs have slots in the arena, given by the macros above, that share memory with\n"
            " * the layers: data in a slot is valid only until the next run (input) or from its end (output).\n"
            " * Pass a slot's address to save the copy, or any other pointer; the caller's input is never\n"
            " * written. Returns 0 or a negative error.")


def _includes(runtime: RuntimeFiles, uses_cmsis: bool, external: bool) -> list[str]:
    includes = [f'"{h}"' for h in runtime.headers if h != "tinyc_nn.h"]
    if uses_cmsis:
        includes.insert(0, "<arm_nnfunctions.h>" if external else '"tinyc_cmsis_map.h"')
    return includes
