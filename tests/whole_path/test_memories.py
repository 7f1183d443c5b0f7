# SPDX-License-Identifier: Apache-2.0
"""Arenas in two memories, and weights in a third: on cores whose emulated machines have several RAMs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from checkout import DIGITS
from command_line import refuse, succeed
from small_models import residual_net
from tinyc.cases import random_cases
from tinyc.compiler import Compiled, Request, compile_model, write
from tinyc.memories import Placement, bss_section
from tinyc.plan.arena import plan_arena
from tinyc.profiling import profile_compiled
from tinyc.shadow import shadow_run
from tinyc.targets import load_target
from tinyc.toolchain import Elf, Entry, Tensor, build, run
from tinyc.toolchain.build import linker_script
from tinyc.verification import reference_outputs, verify_compiled

MODEL = DIGITS / "digits_int8.onnx"
# Where the emulated machines have another RAM than the one that the harness uses.
OTHER_RAM = {"cortex-m7": 0x2000_0000, "cortex-m55": 0x2000_0000}


def compiled(
    target: str, fast_bytes: int, weights: str | None = None, model: Path = MODEL, io: str = "arena"
) -> Compiled:
    core = load_target(target)
    named = {m.name: m for m in core.memories}
    placement = Placement(named["dtcm"], fast_bytes, named["sram"], named[weights] if weights else None)
    return compile_model(Request(model, core, io=io, placement=placement))


def linked(model: Compiled, folder: Path, weights: str | None) -> Elf:
    """A program whose arenas the model's own linker snippet puts into two RAMs, and its weights where they belong."""
    name, target = model.name, model.request.target
    out = folder / "out"
    write(model, out)
    upper = name.upper()
    copy = """
    extern uint32_t __tinyc_weights_load[], __tinyc_weights_start[], __tinyc_weights_end[];
    uint32_t *to = __tinyc_weights_start; const uint32_t *from = __tinyc_weights_load;
    while (to < __tinyc_weights_end) { *to++ = *from++; }
""" if weights == "dtcm" else ""
    (out / "wrapper.h").write_text(
        f'#include "{name}.h"\nint wrapper_run(void *unused, const float *image, float *logits);\n')
    (out / "wrapper.c").write_text(f"""
#include "wrapper.h"
static {upper}_ARENA(arena);
static {upper}_ARENA_FAST(fast);
int wrapper_run(void *unused, const float *image, float *logits)
{{
    (void)unused;{copy}
    return {name}_run(arena, fast, image, logits);
}}
""")
    script = linker_script(target)
    assert target.qemu is not None
    start = OTHER_RAM[target.name]
    regions = (f"    DTCM (rwx) : ORIGIN = {start:#x}, LENGTH = 0x8000\n"
               f"    SRAM (rwx) : ORIGIN = {start + 0x10000:#x}, LENGTH = 0x8000\n"
               f"    QSPI (rx) : ORIGIN = {target.qemu.flash.origin + 0x200000:#x}, LENGTH = 0x100000\n"
               f"    OSPI (rx) : ORIGIN = {target.qemu.flash.origin + 0x200000:#x}, LENGTH = 0x100000\n")
    script = script.replace("MEMORY\n{\n", "MEMORY\n{\n" + regions, 1)
    vectors = script.index("    .text :")
    script = f"{script[:vectors]}    INCLUDE {out / name}_memories.ld\n{script[vectors:]}"
    ports = [*model.emitted.inputs, *model.emitted.outputs]
    tensors = [Tensor("float", p.elements, 4) for p in ports]
    entry = Entry("wrapper", "wrapper.h", (tensors[0],), (tensors[1],), "0")
    return build(target, [out / "wrapper.c", *(out / s for s in model.emitted.sources)],
                 [out / d for d in model.emitted.include_dirs], folder / "wrapper.elf", entry=entry, script=script)


@pytest.mark.parametrize("target", OTHER_RAM)
@pytest.mark.parametrize("weights", (None, "flash", "dtcm"))
def test_two_memories_on_a_core(target: str, weights: str | None, tmp_path: Path) -> None:
    if weights == "flash":
        weights = "qspi" if target == "cortex-m7" else "ospi"
    model = compiled(target, 700, weights)
    assert model.arena.fast is not None and 0 < model.arena.fast.bytes <= 700
    elf = linked(model, tmp_path, weights)
    start = OTHER_RAM[target]
    sections = {s.name: s for s in elf.file.sections}
    assert start <= sections[".tinyc_dtcm"].address < start + 0x8000
    assert start + 0x10000 <= sections[".tinyc_sram"].address < start + 0x18000
    assert sections[".tinyc_dtcm"].bytes >= model.arena.fast.bytes
    if weights is not None:
        held = sections[f".tinyc_weights_{weights}"]
        assert held.bytes >= model.report["weights_bytes"]
    cases = random_cases(model.emitted.inputs, 3)
    result = run(elf, [[a.tobytes() for a in case] for case in cases.inputs])
    assert result.status == 0
    _, wanted = reference_outputs(model, cases)
    assert [out[0] for out in result.outputs] == [np.asarray(w[0]).tobytes() for w in wanted]


@pytest.mark.parametrize("fast_bytes", (1, 64, 300, 2000, 100_000))
def test_any_split_is_sound(fast_bytes: int, tmp_path: Path) -> None:
    path = residual_net(tmp_path / "net.onnx", True, 4)
    for io in ("arena", "caller"):
        model = compiled("cortex-m7", fast_bytes, model=path, io=io)
        fast = model.arena.fast
        assert fast is not None and fast.bytes <= fast_bytes
        names = [b.name for b in (*model.arena.buffers, *fast.buffers)]
        assert sorted(names) == sorted(b.name for b in plan_arena(model.program, io).buffers)
        assert not {*model.program.inputs, *model.program.outputs} & {b.name for b in fast.buffers}
        cases = random_cases(model.emitted.inputs, 2)
        assert verify_compiled(model, cases).passed
        report = shadow_run(model, cases)
        assert report.passed, report.first
    ram = profile_compiled(model, cases.inputs[0])["ram"]
    assert ram["arena"] == model.arena.bytes + fast.bytes


def test_one_memory_keeps_the_signature(tmp_path: Path) -> None:
    core = load_target("cortex-m7")
    plain = compile_model(Request(MODEL, core))
    qspi = next(m for m in core.memories if m.name == "qspi")
    moved = compile_model(Request(MODEL, core, placement=Placement(weights=qspi)))
    assert plain.emitted.files["digits_int8.h"] == moved.emitted.files["digits_int8.h"]
    assert "DIGITS_INT8_WEIGHTS_SECTION" in moved.emitted.files["digits_int8.c"]
    assert ".rodata.tinyc_qspi" in moved.emitted.files["digits_int8_memories.ld"]
    assert "arena_fast" not in plain.emitted.files["digits_int8.h"]
    assert not any(f.endswith(".ld") for f in plain.emitted.files)


def test_command_and_report(tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = succeed("compile", MODEL, "--target", "cortex-m55", "--memories", "dtcm=700,sram", "--weights", "ospi",
                     "-o", out, "--json", "--report").json
    fast = report["arena"]["fast"]
    assert fast["memory"] == "dtcm" and 0 < fast["bytes"] <= 700
    header = (out / "digits_int8.h").read_text()
    assert f"#define DIGITS_INT8_ARENA_FAST_BYTES {fast['bytes']}" in header
    assert "digits_int8_run(void *arena_memory, void *arena_fast_memory, const float *input" in header
    assert bss_section(load_target("cortex-m55").memories[1]) in header
    assert "digits_int8_memories.ld" in report["files"]


def test_refusals(tmp_path: Path) -> None:
    def refused(*words: object) -> str:
        return refuse("compile", MODEL, "--target", "cortex-m7", "-o", tmp_path / "out", *words)

    assert "no memory 'tcm'" in refused("--memories", "tcm=4K,sram")
    assert "no memory 'psram'" in refused("--weights", "psram")
    assert "is flash" in refused("--memories", "dtcm,flash")
    assert "two different" in refused("--memories", "dtcm=4K")
    assert "two different" in refused("--memories", "dtcm,dtcm")
    assert "two different" in refused("--memories", "dtcm,sram,sram")
    assert "slower than" in refused("--memories", "sram=4K,dtcm")
    assert "takes what" in refused("--memories", "dtcm=4K,sram=4K")
    assert "has 131,072 bytes" in refused("--memories", "dtcm=200K,sram")
    assert "has 131,072 bytes" in refused("--memories", "dtcm=0,sram")
    assert "is no size" in refused("--memories", "dtcm=much,sram")
    assert "is not FAST[=SIZE],SLOW" in refused("--memories", "dtcm=4K=5,sram")
    assert "about one model" in refused(DIGITS / "digits_f32.onnx", "--memories", "dtcm,sram")
    assert "no memory 'dtcm'" in refuse("compile", MODEL, "--target", "host", "--memories", "dtcm,sram")


def test_sections_may_be_overridden(tmp_path: Path) -> None:
    """Empty macros: the arenas are ordinary objects."""
    model = compiled("cortex-m7", 700, "qspi")
    plain = replace(model, request=replace(model.request, target=load_target("host")))
    write(plain, tmp_path / "out")
    text = (tmp_path / "out" / "digits_int8.h").read_text()
    for macro in ("DIGITS_INT8_ARENA_SECTION", "DIGITS_INT8_ARENA_FAST_SECTION"):
        assert f"#ifndef {macro}" in text
    assert "#ifndef DIGITS_INT8_WEIGHTS_SECTION" in (tmp_path / "out" / "digits_int8.c").read_text()
