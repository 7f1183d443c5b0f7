# SPDX-License-Identifier: Apache-2.0
"""From a graph to a Program: a kernel for each node, buffers for values, views as aliases."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import tinyc.kernels  # noqa: F401  (registers the kernels)
from tinyc.backend.program import (
    Access,
    Affine,
    Block,
    BufferInfo,
    Formula,
    If,
    Let,
    Part,
    Program,
    Step,
    Table,
    functions_in,
)
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import Builder, Kernel, Options
from tinyc.kernels.choose import Choice, choice_for, choose
from tinyc.kernels.guards import ALWAYS, Guard, guards_of
from tinyc.kernels.loops import load
from tinyc.ops.registry import operator

ALIGN = 4


def assign_storage(graph: Graph[Any], prefix: str = "") -> tuple[dict[str, str], set[str]]:
    """(buffer of each value, names of Reshape nodes that are only another name for their input)."""
    storage: dict[str, str] = {}
    aliases: set[str] = set()
    held = {name: name for name in graph.inputs}  # buffers that belong to a graph input or output
    for k, name in enumerate(graph.inputs):
        storage[name] = f"{prefix}in{k}"
    for node in graph.nodes():
        for name in node.outputs:
            if not name:
                continue
            source = node.inputs[0] if operator(node.op).is_view else ""
            root = storage.get(source, "")
            clash = name in graph.outputs and (not root or root in held.values() or root.startswith(f"{prefix}in"))
            if root and not clash:
                storage[name] = root
                aliases.add(node.name)
            else:
                storage[name] = f"{prefix}b{len(storage)}"
            if name in graph.outputs:
                held[name] = storage[name]
    return storage, aliases


def estimate(graph: Graph[Any], options: Options) -> Choice:
    """The kernels that `lower` would take, with what they are said to cost."""
    aliases = assign_storage(graph)[1]
    return choice_for(graph, [n for n in guards_of(graph)[1] if n not in aliases], options)


def lower(
    graph: Graph[Any], options: Options, name: str, order: Sequence[str] | None = None, prefix: str = ""
) -> Program:
    """The program: one step for each node that does something.

    `order` names those nodes in the order of execution; the graph's own order by default. Names of buffers and tables
    begin with `prefix`.
    """
    storage, aliases = assign_storage(graph, prefix)
    buffers: dict[str, BufferInfo] = {}
    for value, buffer in storage.items():
        type_ = graph.type(value)
        align = max(ALIGN, type_.dtype.size)
        if buffer not in buffers:
            buffers[buffer] = BufferInfo(buffer, max(type_.bytes, 1), align, type_.dtype, value)
    steps: list[Step] = []
    tables: dict[str, Table] = {}
    parts: dict[str, Part] = {}
    guards, names = guards_of(graph)
    names = [n for n in names if n not in aliases] if order is None else list(order)
    kernels = choose(graph, names, options)
    for node in map(graph.node, names):
        build = Builder(graph, node, storage, options, f"{prefix}l{len(steps)}")
        step = _step(graph, node, kernels[node.name], build, storage, len(steps), buffers, tables, parts)
        steps.append(_guarded(step, guards.get(node.name, ALWAYS), storage, buffers))
    return Program(name, tuple(steps), buffers, tables, tuple(storage[i] for i in graph.inputs),
                   tuple(storage[o] for o in graph.outputs), parts=parts,
                   state=tuple((storage[graph.inputs[i]], storage[graph.outputs[o]]) for i, o in options.state))


def _step(
    graph: Graph[Any], node: Node, kernel: Kernel, build: Builder, storage: dict[str, str], index: int,
    buffers: dict[str, BufferInfo], tables: dict[str, Table], parts: dict[str, Part],
) -> Step:
    lowered = kernel.lower(build)
    stated = kernel.cost(graph, node, build.options).calls
    if stated and set(stated) != functions_in(lowered.body):
        raise AssertionError(f"{kernel.name} calls {functions_in(lowered.body)}, not {stated} as its cost says")
    buffers |= lowered.buffers
    parts |= lowered.parts
    for table in build.tables:
        tables[table.name] = table
    scratch = ""
    if lowered.scratch_bytes:
        scratch = build.scratch
        buffers[scratch] = BufferInfo(scratch, lowered.scratch_bytes, 8, DType.UINT8, "")
    if lowered.pitch > 1:
        for k, result, _ in (*lowered.overlaps, *lowered.climbs):
            for name in (storage.get(node.inputs[k], ""), storage[node.outputs[result]]):
                if name:
                    buffers[name] = replace(buffers[name], pitch=math.lcm(buffers[name].pitch, lowered.pitch))
    reads = tuple(_access(storage[i], buffers) for i in node.inputs if i in storage)
    writes = tuple(_access(storage[o], buffers) for o in node.outputs if o)
    overlaps, climbs = _jointly(node, storage, lowered.overlaps, min), _jointly(node, storage, lowered.climbs, max)
    own = [t for t in build.tables if t.role == "weights"]
    body = lowered.body
    if any(isinstance(s, Let) for s in body):
        body = (Block(body),)
    kind = operator(node.op)
    macs = kind.macs(node, graph.input_types(node), graph.output_types(node))
    return Step(index, node.name, node.op, kernel.name, _comment(graph, node), body, reads, writes,
                tuple(i for i in node.inputs if i), tuple(o for o in node.outputs if o), scratch,
                lowered.scratch_bytes, overlaps, climbs, macs, sum(t.filter_bytes for t in own),
                sum(t.array.nbytes for t in own))


def _jointly(
    node: Node, storage: dict[str, str], claims: Sequence[tuple[int, int, int]], strictest: Callable[[list[int]], int]
) -> tuple[tuple[str, str, int], ...]:
    """A kernel's claims about operands as claims about buffers.

    Where one buffer is several operands (queries that are also the keys), the result may run over it only as far as
    all of them allow.
    """
    found = []
    for buffer in dict.fromkeys(storage[node.inputs[i]] for i, _, _ in claims if node.inputs[i] in storage):
        places = {k for k, name in enumerate(node.inputs) if storage.get(name) == buffer}
        for result in dict.fromkeys(o for _, o, _ in claims):
            deltas = {i: delta for i, o, delta in claims if o == result and i in places}
            if places == set(deltas):
                found.append((buffer, storage[node.outputs[result]], strictest(list(deltas.values()))))
    return tuple(found)


def _guarded(step: Step, guard: Guard, storage: dict[str, str], buffers: dict[str, BufferInfo]) -> Step:
    """The step, run only where the conditions of its guard hold."""
    body, reads = step.body, step.reads
    for condition, wanted in sorted(guard):
        if condition in storage:
            flag = load(storage[condition], Affine(), DType.BOOL)
            body = (If(Formula(f"{{0}} {'!=' if wanted else '=='} 0", (flag,)), body),)
            reads = (*reads, _access(storage[condition], buffers))
    return replace(step, body=body, reads=reads) if guard else step


def _access(buffer: str, buffers: dict[str, BufferInfo]) -> Access:
    return Access(buffer, 0, buffers[buffer].bytes)


def _comment(graph: Graph[Any], node: Node) -> str:
    def shape(name: str) -> str:
        type_ = graph.type(name)
        return f"{type_.dtype.label}[{'x'.join(map(str, type_.shape))}]"

    operands = ", ".join(shape(i) for i in node.inputs if i and not graph.value(i).is_const)
    results = ", ".join(shape(o) for o in node.outputs if o)
    parts = getattr(node.attrs, "label", "")
    return f"{node.name}: {node.op}{f' ({parts})' if parts else ''}, {operands} -> {results}"
