# SPDX-License-Identifier: Apache-2.0
"""A Program whose segments run as loops: their buffers, and the statements of a step in one turn of its loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tinyc.backend.program import (
    ROW,
    TICK,
    Access,
    Block,
    BufferInfo,
    Copy,
    Due,
    Formula,
    If,
    Let,
    Mark,
    Move,
    Pointer,
    Program,
    Step,
    Stmt,
    Table,
)
from tinyc.ir.types import DType
from tinyc.kernels.row_code import RowCode, placeholder
from tinyc.kernels.row_segment import Context, Segment
from tinyc.kernels.row_variants import Place, joined, mentions, moved, piecewise
from tinyc.plan.rows import Ring


def with_segments(context: Context, segments: Sequence[Segment], bodies: bool = True) -> Program:
    """The program with these segments as loops; without `bodies`, only what planning needs."""
    program = context.program
    steps, buffers, tables = list(program.steps), dict(program.buffers), dict(program.tables)
    for segment in segments:
        for k in range(segment.first, segment.last + 1):
            code = context.codes[k]
            if steps[k].scratch:
                del buffers[steps[k].scratch]
            for name, size in ((code.scratch, code.scratch_bytes), (code.sums, code.sums_bytes)):
                if size:
                    buffers[name] = BufferInfo(name, size, 8, DType.UINT8, "")
        for image in segment.plan.rings:
            if image in segment.home:
                del buffers[image]
            else:
                buffers[image] = replace(buffers[image], bytes=segment.plan.ring_bytes(image))
        for k in range(segment.first, segment.last + 1):
            steps[k] = _step(context, segment, k, buffers, bodies)
        if bodies:
            tables = _with_tables(tables, {k: context.codes[k] for k in range(segment.first, segment.last + 1)})
    return replace(program, steps=tuple(steps), buffers=buffers, tables=tables, rows=tuple(s.rows for s in segments))


def _with_tables(tables: Mapping[str, Table], codes: Mapping[int, RowCode]) -> dict[str, Table]:
    """The tables with those of these steps exchanged, in the order of steps."""
    result: dict[str, Table] = {}
    own = {f"l{k}": code.tables for k, code in codes.items()}
    for name, table in tables.items():
        owner = name.partition(".")[0]
        if owner in own:
            result.update({t.name: t for t in own[owner]})
        else:
            result[name] = table
    for group in own.values():
        result.update({t.name: t for t in group if t.name not in result})
    return result


def _step(
    context: Context, segment: Segment, index: int, buffers: Mapping[str, BufferInfo], bodies: bool
) -> Step:
    code, old, layer = context.codes[index], context.program.steps[index], index - segment.first
    plan = segment.plan

    def access(image: str) -> Access:
        buffer = segment.home.get(image, image)
        return Access(buffer, 0, buffers[buffer].bytes)

    reads = tuple(access(context.storage[i]) for i in code.node.inputs if i in context.storage)
    writes = [access(context.storage[code.node.outputs[0]])]
    if code.sums_bytes:
        writes.append(access(code.sums))
    own = [t for t in code.tables if t.role == "weights"]
    due = Due(plan.delay[layer], plan.period[layer], code.form.rows)
    return replace(
        old, kernel=code.kernel, comment=f"{old.comment}, row by row",
        body=_body(context, segment, layer, code, due) if bodies else (), reads=reads, writes=tuple(writes),
        scratch=code.scratch if code.scratch_bytes else "", scratch_bytes=code.scratch_bytes, overlaps=(), climbs=(),
        filter_bytes=sum(t.filter_bytes for t in own),
        weights_bytes=sum(t.array.nbytes for t in own), due=due,
    )


def _body(context: Context, segment: Segment, layer: int, code: RowCode, due: Due) -> tuple[Stmt, ...]:
    """The step in a tick: nothing unless a row is due, else room for the row, and the row."""
    plan = segment.plan
    body = joined(code.variants)
    places: dict[str, Place] = {}
    prologue: list[Stmt] = []
    result = context.storage[code.node.outputs[0]]
    operands = [i for i in code.node.inputs if i in context.storage]
    for k, value in enumerate(dict.fromkeys(operands)):
        places[placeholder(value)] = _read_place(context, segment, layer, value, f"t_at{k}", prologue)
    written = segment.home.get(result, result)
    lead = all(segment.home.get(o.result, o.result) != written for o in plan.chain.layers[:layer])
    places[placeholder(code.node.outputs[0])] = _write_place(
        context, segment, code.node.outputs[0], written, "t_to", prologue, lead, code.form.gathers)
    body = (*prologue, *moved(body, places))
    if mentions(body, ROW):
        text = TICK if due.delay == 0 else f"{TICK} - {due.delay}"
        row = text if due.period == 1 else f"({text}) / {due.period}"
        body = (Let(ROW, "int32_t", Formula(row, ())), *body)
    body = (Mark(segment.first + layer), *body)
    end = due.delay + due.period * (due.rows - 1) + 1
    tests = [f"{TICK} >= {due.delay}"] if due.delay else []
    tests += [f"{TICK} < {end}"] if end < plan.ticks else []
    tests += [f"({TICK} - {due.delay}) % {due.period} == 0"] if due.period > 1 else []
    if tests:
        return (If(Formula(" && ".join(tests), ()), body),)
    return (Block(body),) if any(isinstance(s, Let) for s in body) else body


def _pointer_type(context: Context, value: str, buffer: str) -> str:
    """What pointers to a value's elements are cast to where the buffer is of another type."""
    own = context.graph.type(value).dtype
    return "" if context.program.buffers[buffer].dtype is own else f"{own.c_type} *"


def _read_place(
    context: Context, segment: Segment, layer: int, value: str, name: str, prologue: list[Stmt]
) -> Place:
    """Where the window of a step on an operand begins."""
    plan = segment.plan
    image = context.storage[value]
    if image in segment.home:
        return _write_place(context, segment, value, segment.home[image], name, prologue, False, False)
    rows, shape = plan.chain.layers[layer].rows, context.graph.type(value)
    step = plan.chain.images[image].row_bytes
    if plan.chain.images[image].scattered:
        step = shape.shape[-1] * shape.dtype.size  # from a line of a plane to the next
    return _indexed(image, step, [plan.place(layer, image, y) for y in range(rows)], name,
                    prologue)


def _write_place(
    context: Context, segment: Segment, value: str, buffer: str, name: str, prologue: list[Stmt], lead: bool,
    gathers: bool,
) -> Place:
    """Where the newest row of an image lies. `lead`: this is the first step of the tick that writes to its buffer."""
    plan = segment.plan
    shape = plan.chain.images[buffer]
    c_type = _pointer_type(context, value, buffer)
    if gathers:
        return Place(buffer, c_type=c_type)
    if shape.whole:
        return Place(buffer, 0, ((ROW, shape.row_bytes),), c_type)
    ring = plan.rings[buffer]
    if lead and ring.slots > ring.step and any(ring.shifts(y) for y in range(shape.rows)):
        moves = _moves(buffer, ring, shape.row_bytes)
        test = f"{ROW} >= {ring.slots}"
        if ring.step > 1:
            test += f" && ({ROW} - {ring.slots}) % {ring.step} == 0"
        prologue.append(If(Formula(test, ()), moves))
    if ring.slots == 1:
        return Place(buffer, c_type=c_type)
    if ring.step == 1:
        return replace(_indexed(buffer, shape.row_bytes, [ring.slot(y) for y in range(shape.rows)], name, prologue),
                       c_type=c_type)
    cycle = f"{ring.slots - ring.step} + ({ROW} - {ring.slots}) % {ring.step}"
    prologue.append(Let(name, "int32_t", Formula(f"{ROW} < {ring.slots} ? {ROW} : {cycle}", ())))
    return Place(buffer, 0, ((name, shape.row_bytes),), c_type)


def _moves(buffer: str, ring: Ring, row_bytes: int) -> tuple[Stmt, ...]:
    """Moves the rows that stay to the first slots: in pieces that do not overlap, which memcpy does faster."""
    shift = ring.step * row_bytes
    length = (ring.slots - ring.step) * row_bytes
    if length > 4 * shift:
        return (Move(Pointer(buffer, c_type="void *"), Pointer(buffer, shift, "void *"), length),)
    return tuple(
        Copy(Pointer(buffer, start, "void *"), Pointer(buffer, start + shift, "void *"), min(shift, length - start))
        for start in range(0, length, shift)
    )


def _indexed(buffer: str, row_bytes: int, rows: Sequence[int], name: str, prologue: list[Stmt]) -> Place:
    """A place in a buffer by the number of a row or slot, which may depend on the row of the result."""
    pieces = piecewise(rows)
    if len(pieces) == 1:
        _, constant, slope = pieces[0]
        return Place(buffer, constant * row_bytes, ((ROW, slope * row_bytes),) if slope else ())
    texts = []
    for limit, constant, slope in pieces:
        text = str(constant) if not slope else ROW if slope == 1 else f"{slope} * {ROW}"
        if slope and constant:
            text += f" {'+' if constant > 0 else '-'} {abs(constant)}"
        texts.append((limit, text))
    chosen = "".join(f"{ROW} < {limit} ? {text} : " for limit, text in texts[:-1]) + texts[-1][1]
    prologue.append(Let(name, "int32_t", Formula(chosen, ())))
    return Place(buffer, 0, ((name, row_bytes),))
