# SPDX-License-Identifier: Apache-2.0
"""Runs programs of the test harness, natively or in QEMU, and reads what they found."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from tinyc.errors import InternalError, TinycError
from tinyc.timing import FlashTiming
from tinyc.toolchain import gcc, plugin
from tinyc.toolchain.build import Elf, require_runnable
from tinyc.toolchain.shadow import PLAN_FILE, ShadowPlan, ShadowResult, read_shadow

Counter = Literal["auto", "plugin", "icount"]

_MAGIC = 0x54434E59
_ALL_ONES = 0xFFFFFFFF
_SYSTICK_RANGE = 1 << 24
_MAX_ICOUNT_SHIFT = 10


class RunError(InternalError):
    """The program did not run as it must: it hung, faulted or wrote outside its buffers."""


@dataclass(frozen=True)
class Unaligned:
    """Memory accesses that were not aligned to their size: how many, and where the first one was."""

    count: int
    pc: int
    address: int
    function: str | None


@dataclass(frozen=True)
class Layer:
    """What was executed from passing a mark until passing the next one, over all calls.

    loads, stores: None where not counted. An instruction that moves several words counts for each. blocks: empty
    where not counted. flash: what the flash read, nothing where not counted.
    """

    label: str
    instructions: int
    loads: int | None
    stores: int | None
    blocks: tuple[plugin.Block, ...] = ()
    flash: plugin.FlashReads = plugin.FlashReads()


@dataclass(frozen=True)
class RunResult:
    """What a program of the harness found.

    outputs: [case][output], the bytes of the buffers; status: what the last call returned (cases after a
    status other than 0 are not run). stack_bytes: depth below the entry function's caller, its callees
    included; None natively. instructions: of all calls; calls: of each; None where not counted. layers: by
    mark, empty without marks. counted_by "icount": of the last call only, with the few instructions that pass
    its arguments, and above some millions good to seven digits.
    unaligned: None where not looked for.
    """

    outputs: tuple[tuple[bytes, ...], ...]
    status: int
    stack_bytes: int | None
    instructions: int | None = None
    calls: tuple[int, ...] = ()
    layers: tuple[Layer, ...] = ()
    counted_by: Literal["plugin", "icount"] | None = None
    unaligned: Unaligned | None = None
    shadow: ShadowResult | None = None


@dataclass(frozen=True)
class _Report:
    """report.bin as main.c writes it."""

    cases_done: int
    status: int
    stack_bytes: int
    overrun: int
    input_written: int
    ticks: int


def run(
    elf: Elf,
    cases: Sequence[Sequence[bytes]],
    *,
    count_instructions: bool = False,
    count_memory: bool = False,
    count_blocks: bool = False,
    flash: FlashTiming | None = None,
    marks: Sequence[tuple[str, int]] = (),
    counter: Counter = "auto",
    check_alignment: bool | None = None,
    shadow: ShadowPlan | None = None,
    timeout: float = 120.0,
) -> RunResult:
    """Runs the program on `cases` ([case][input], the inputs' bytes) and returns outputs and measurements.

    count_instructions: between entry to and return from the model's function, in QEMU only.
    marks: (label, address) in the ELF; every instruction counts for the mark that was passed last, those
    before the first for the label "". Several addresses may have one label. Needs the plugin.
    count_memory: loads and stores per mark as well (slower). count_blocks: how often each run of instructions was
    executed, per mark. flash: count what a flash with these caches reads, per mark (slower).
    counter: "auto" is the plugin where it works.
    shadow: the plan of a program that was built for a shadow run; in QEMU `marks` must name all layers.
    check_alignment: report unaligned accesses; by default where the core forbids them and the plugin works.

    Raises RunError for a fault, a hang, an access outside a buffer or a sanitizer's finding.
    """
    require_runnable(elf.target)
    entry = elf.entry
    for case in cases:
        if [len(data) for data in case] != [tensor.bytes for tensor in entry.inputs]:
            raise ValueError(f"inputs of {[len(data) for data in case]} bytes do not fit {entry.function}")
    with tempfile.TemporaryDirectory(prefix="tinyc-run-") as name:
        folder = Path(name)
        blob = struct.pack("<I", len(cases)) + b"".join(data for case in cases for data in case)
        (folder / "cases.bin").write_bytes(blob)
        if shadow is not None:
            (folder / PLAN_FILE).write_text(shadow.text())
        if elf.target.family == "host":
            found = _run_native(elf, folder, timeout)
            return found if shadow is None else replace(found, shadow=read_shadow(folder))
        if check_alignment is None:
            check_alignment = not elf.target.has("unaligned")
        return _run_qemu(
            elf, folder, count_instructions, count_memory, count_blocks, flash, marks, counter, check_alignment,
            shadow is not None, timeout,
        )


def _run_native(elf: Elf, folder: Path, timeout: float) -> RunResult:
    # Leak detection needs ptrace, which sandboxes forbid, and there is no heap to leak from.
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"}
    _execute(elf, [str(elf.path.resolve())], folder, timeout, environment)
    report = _read_report(elf, folder)
    return RunResult(_read_outputs(elf, folder, report), report.status, None)


def _run_qemu(
    elf: Elf,
    folder: Path,
    count: bool,
    memory: bool,
    blocks: bool,
    flash: FlashTiming | None,
    marks: Sequence[tuple[str, int]],
    counter: Counter,
    check_alignment: bool,
    watch: bool,
    timeout: float,
) -> RunResult:
    qemu = elf.target.qemu
    assert qemu is not None
    binary = gcc.find_tool(qemu.binary)
    wanted = count or memory or bool(marks) or check_alignment or watch
    library = plugin.find_plugin(binary) if wanted and counter != "icount" else None
    if watch and library is None:
        raise TinycError(f"{qemu.binary} does not load tinyc's plugin, which watches the arena",
                         hint="use --target host")
    if counter == "plugin" and library is None:
        raise RunError(f"{qemu.binary} does not load the instruction counter")
    by_clock = count and library is None
    command = [binary, "-M", qemu.machine, *qemu.args]
    command += ["-display", "none", "-serial", "none", "-monitor", "none", "-no-reboot"]
    command += ["-semihosting-config", "enable=on,target=native", "-kernel", str(elf.path.resolve())]
    if library is not None:
        caller = elf.file.symbol("harness_call")
        command += plugin.arguments(
            library,
            folder,
            entry=elf.file.symbol(elf.entry.function).address,
            caller=(caller.address, caller.address + caller.bytes),
            marks=[address for _, address in marks],
            steps=[int(label) + 1 if watch else 0 for label, _ in marks],
            memory=memory,
            blocks=blocks,
            flash=(flash, qemu.flash) if flash is not None else None,
            unaligned=check_alignment,
            arena=elf.file.symbol("arena_memory").address if watch else None,
        )
    _execute(elf, [*command, *(["-icount", "shift=0"] if by_clock else [])], folder, timeout, None)
    report = _read_report(elf, folder)
    outputs = _read_outputs(elf, folder, report)
    if library is not None:
        counts = plugin.read_counts(folder)
        return RunResult(
            outputs,
            report.status,
            report.stack_bytes,
            instructions=sum(counts.calls),
            calls=counts.calls,
            layers=_layers(counts, [label for label, _ in marks], memory),
            counted_by="plugin",
            unaligned=_unaligned(elf, counts) if check_alignment else None,
            shadow=read_shadow(folder) if watch else None,
        )
    if by_clock:
        number = _count_by_clock(elf, command, report, folder, timeout)
        return RunResult(
            outputs,
            report.status,
            report.stack_bytes,
            instructions=number,
            calls=(number,),
            counted_by="icount",
        )
    return RunResult(outputs, report.status, report.stack_bytes)


def _layers(counts: plugin.Counts, labels: Sequence[str], memory: bool) -> tuple[Layer, ...]:
    """The plugin's tallies by label; the first is the function's entry."""
    if not labels:
        return ()
    totals: dict[str, list[plugin.Tally]] = {}
    for label, tally in zip(["", *labels], counts.tallies, strict=True):
        totals.setdefault(label, []).append(tally)
    return tuple(
        Layer(
            label, sum(t.instructions for t in tallies),
            sum(t.loads for t in tallies) if memory else None, sum(t.stores for t in tallies) if memory else None,
            tuple(block for t in tallies for block in t.blocks),
            sum((t.flash for t in tallies), plugin.FlashReads()),
        )
        for label, tallies in totals.items()
    )


def _unaligned(elf: Elf, counts: plugin.Counts) -> Unaligned:
    number, pc, address = counts.unaligned
    return Unaligned(number, pc, address, elf.file.function_at(pc) if number else None)


def _count_by_clock(elf: Elf, command: list[str], report: _Report, folder: Path, timeout: float) -> int:
    """Instructions of the last call, from the machine's timer after a run under `-icount shift=0`.

    There an instruction takes a nanosecond of the machine's time, much less than a tick of SysTick. A second
    run with slower instructions, as slow as the timer's 24 bits allow, tells them apart.
    """
    qemu = elf.target.qemu
    assert qemu is not None
    if not qemu.systick_hz:
        return report.ticks  # RISC-V counts retired instructions
    if report.ticks == _ALL_ONES:
        raise RunError("the run is too long for the machine's timer; counting it needs the QEMU plugin")
    shift = 0
    while shift < _MAX_ICOUNT_SHIFT and (report.ticks + 2) << (shift + 1) < _SYSTICK_RANGE:
        shift += 1
    _execute(elf, [*command, "-icount", f"shift={shift}"], folder, timeout, None)
    return (_read_report(elf, folder).ticks * 10**9 // qemu.systick_hz) >> shift


def _execute(
    elf: Elf, command: list[str], folder: Path, timeout: float, environment: dict[str, str] | None
) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RunError(f"{elf.entry.function} on {elf.target.name} still ran after {timeout:g} s") from None
    text = (done.stderr + done.stdout).strip()
    fault = re.search(r"harness: fault at pc 0x([0-9a-f]{8}) cause 0x([0-9a-f]{8})", text)
    if fault:
        pc = int(fault.group(1), 16)
        where = elf.file.function_at(pc) or "unknown code"
        raise RunError(
            f"{elf.entry.function} on {elf.target.name}: processor fault at {pc:#010x} in {where}, "
            f"cause 0x{fault.group(2)}"
        )
    if done.returncode != 0:
        raise RunError(f"{elf.entry.function} on {elf.target.name} ended with {done.returncode}: {text}")


def _read_report(elf: Elf, folder: Path) -> _Report:
    file = folder / "report.bin"
    words = struct.unpack("<IIiIIII", file.read_bytes()) if file.is_file() else (0,)
    if words[0] != _MAGIC:
        raise RunError(f"{elf.entry.function} on {elf.target.name} left no report")
    report = _Report(*words[1:])
    entry = elf.entry
    names = ["the arena"]
    names += [f"input {i}" for i in range(len(entry.inputs))]
    names += [f"output {i}" for i in range(len(entry.outputs))]
    names += ["the fast arena"] if entry.fast_bytes else []
    if report.overrun:
        buffer, behind = divmod(report.overrun - 1, 2)
        where = "behind" if behind else "in front of"
        raise RunError(f"{entry.function} on {elf.target.name} wrote {where} {names[buffer]}")
    if report.input_written:
        raise RunError(f"{entry.function} on {elf.target.name} wrote into input {report.input_written - 1}")
    if report.stack_bytes == _ALL_ONES:
        raise RunError(f"{entry.function} on {elf.target.name} ran out of stack")
    return report


def _read_outputs(elf: Elf, folder: Path, report: _Report) -> tuple[tuple[bytes, ...], ...]:
    data = (folder / "outputs.bin").read_bytes()
    cases = []
    at = 0
    for _ in range(report.cases_done):
        case = []
        for tensor in elf.entry.outputs:
            case.append(data[at : at + tensor.bytes])
            at += tensor.bytes
        cases.append(tuple(case))
    return tuple(cases)
