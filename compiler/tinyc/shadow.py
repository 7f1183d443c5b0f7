# SPDX-License-Identifier: Apache-2.0
"""Replays a compiled model's reads and writes against its plan: is every byte still what its reader expects?

The plan's own checker looks at lifetimes and at how far kernels say that a result may run over an operand. Here the
kernels run, and each access is compared with the plan: natively by instrumented code, elsewhere in QEMU on the
target's own instructions. For that, the code is generated once more with every buffer at addresses of its own, so that
an access tells which buffer it means; a shadow as long as the planned arena knows whose content each byte holds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tinyc.backend.emit import emit
from tinyc.backend.program import Program
from tinyc.cases import Cases
from tinyc.compiler import Compiled
from tinyc.errors import TinycError
from tinyc.execute import build_model, check_status, written
from tinyc.plan.arena import Arena
from tinyc.toolchain import run
from tinyc.toolchain.shadow import READ, WRITE, ShadowPlan, ShadowResult, Violation


@dataclass(frozen=True)
class ShadowReport:
    """The outcome over all cases. read, written: bytes of the arena that were checked; first: the first violation."""

    passed: bool
    read: int
    written: int
    violations: int
    first: str | None


def shadow_plan(program: Program, arena: Arena) -> ShadowPlan:
    """What each step may access, as the program says, at the places that the arena has for it."""
    number = {b.name: k for k, b in enumerate(arena.buffers)}
    stride = 16
    while stride < max(arena.bytes, arena.align):
        stride *= 2
    rights: list[dict[int, int]] = [{number[b]: WRITE for b in program.inputs if b in number}]
    for step in program.steps:
        own: dict[int, int] = {}
        for names, right in (([a.buffer for a in step.reads], READ), ([a.buffer for a in step.writes], READ | WRITE),
                             ([step.scratch] if step.scratch else [], READ | WRITE)):
            for name in names:
                if name in number:
                    own[number[name]] = own.get(number[name], 0) | right
        rights.append(own)
    rights.append({number[b]: READ for b in program.outputs if b in number})
    sizes = (min(b.bytes, program.buffers[b.name].bytes) for b in arena.buffers)
    places = tuple((b.offset, size) for b, size in zip(arena.buffers, sizes, strict=True))
    return ShadowPlan(stride, arena.bytes, places, tuple(rights))


def _spread(compiled: Compiled, plan: ShadowPlan) -> Compiled:
    """The model once more, with every buffer at addresses of its own."""
    arena = compiled.arena
    apart = tuple(replace(b, offset=k * plan.stride + b.offset) for k, b in enumerate(arena.buffers))
    spread = replace(arena, bytes=plan.stride * len(apart), buffers=apart)
    names = (compiled.imported.input_names, compiled.imported.output_names)
    emitted = emit(compiled.graph, compiled.program, spread, compiled.options, compiled.request.target.name, names,
                   compiled.state)
    return replace(compiled, arena=spread, emitted=emitted)


def _in_one_arena(compiled: Compiled) -> Compiled:
    """The model with its fast arena, where it has one, behind the other."""
    arena, fast = compiled.arena, compiled.arena.fast
    if fast is None:
        return compiled
    align = max(arena.align, fast.align)
    base = -(-arena.bytes // align) * align
    behind = tuple(replace(b, offset=base + b.offset) for b in fast.buffers)
    whole = replace(arena, bytes=base + fast.bytes, align=align, buffers=(*arena.buffers, *behind), fast=None)
    return replace(compiled, arena=whole, options=replace(compiled.options, placement=None))


def shadow_run(compiled: Compiled, cases: Cases) -> ShadowReport:
    """Runs the cases and checks every access to the arena. Raises TinycError where there is no way to watch them."""
    compiled = _in_one_arena(compiled)
    if not compiled.arena.buffers:
        return ShadowReport(True, 0, 0, 0, None)
    target = compiled.request.target
    plan = shadow_plan(compiled.program, compiled.arena)
    if target.qemu is not None and plan.stride * (len(plan.buffers) + 1) > target.qemu.ram.bytes // 2:
        raise TinycError(f"{target.name} has too little memory for a shadow run of this model",
                         hint="use --target host, or a larger machine of the same kind")
    with written(_spread(compiled, plan)) as folder:
        elf = build_model(compiled, folder, shadow=plan)
        marks = elf.file.marks(rf"{compiled.name}_mark_(\d+)\.\d+") if target.family != "host" else []
        result = run(elf, [[a.tobytes() for a in case] for case in cases.inputs], marks=marks, shadow=plan)
    check_status(compiled, result.status)
    assert result.shadow is not None
    return _report(compiled, result.shadow)


def _report(compiled: Compiled, found: ShadowResult) -> ShadowReport:
    first = None if found.first is None else _sentence(compiled, found.first)
    return ShadowReport(found.violations == 0, found.read, found.written, found.violations, first)


def _sentence(compiled: Compiled, v: Violation) -> str:
    """What is wrong, with the layer, the buffer and the byte."""

    def layer(step: int) -> str:
        if step == 0:
            return "the copy of the inputs"
        if step > len(compiled.program.steps):
            return "the copy of the outputs"
        s = compiled.program.steps[step - 1]
        return f"layer {s.index} ({s.name!r}, {s.op}, {s.kernel})"

    def buffer(k: int) -> str:
        placed = compiled.arena.buffers[k]
        info: Any = compiled.program.buffers[placed.name]
        return f"{placed.name}" + (f" ({info.value!r})" if info.value else "")

    what = f"{layer(v.step)} {'writes' if v.store else 'reads'} byte {v.byte} of buffer {buffer(v.buffer)}"
    if v.kind == "overwritten":
        assert v.owner is not None
        return f"{what}, which {layer(v.owner_step)} has overwritten with buffer {buffer(v.owner)}"
    if v.kind == "unwritten":
        return f"{what}, which nobody has written"
    if v.kind == "outside":
        return f"{what}, beyond its {compiled.arena.buffers[v.buffer].bytes} bytes"
    return f"{what}, which the layer does not declare"
