# SPDX-License-Identifier: Apache-2.0
"""Estimated cycles: instructions' kinds, what short sequences cost on a core, and counts of blocks and flash reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_toolchain_counts import INPUT, build_loop
from toolchain_toys import EMULATED, build_body

from tinyc.targets import load_target
from tinyc.timing import FlashTiming
from tinyc.toolchain import run
from tinyc.toolchain.cycles import Estimator, block_cycles, flash_cycles
from tinyc.toolchain.disassembly import Instruction, disassemble
from tinyc.toolchain.operation import Operation, operation
from tinyc.toolchain.plugin import FlashReads


def decode(text: str, family: str = "arm") -> Operation:
    mnemonic, _, operands = text.partition(" ")
    return operation(Instruction(0, mnemonic, operands), "riscv" if family == "riscv" else "arm")


def cost(target: str, *lines: str) -> int:
    described = load_target(target)
    assert described.timing is not None
    steps = [decode(line, described.family) for line in lines]
    return sum(block_cycles(steps, described.timing).values())


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("adds r0, r1, r2", "alu", 1),
        ("bics r0, r1", "alu", 1),
        ("bfi r0, r1, #3, #4", "alu", 1),
        ("ssat r0, #8, r1", "alu", 1),
        ("sxtb16 r0, r1, ror #8", "alu", 1),
        ("itte eq", "it", 1),
        ("bls 100", "branch", 1),
        ("b 100", "branch", 1),
        ("cbz r0, 100", "branch", 1),
        ("bl 100", "call", 1),
        ("bx lr", "jump", 1),
        ("le lr, 100", "loop", 1),
        ("mul r0, r1, r2", "multiply", 1),
        ("muls r0, r1", "multiply", 1),
        ("smlad r0, r1, r2, r3", "multiply", 1),
        ("smuadx r0, r1, r2", "multiply", 1),
        ("smlabb r0, r1, r2, r3", "multiply", 1),
        ("smulwt r0, r1, r2", "multiply", 1),
        ("smmulr r0, r1, r2", "multiply", 1),
        ("mla r0, r1, r2, r3", "multiply_add", 1),
        ("smull r0, r1, r2, r3", "multiply_long", 1),
        ("smlald r0, r1, r2, r3", "multiply_long", 1),
        ("sdiv r0, r1, r2", "divide", 1),
        ("ldrsb r0, [r1, #4]", "load", 1),
        ("ldrd r0, r1, [r2]", "load_multiple", 2),
        ("ldmia r0!, {r1, r4-r7}", "load_multiple", 5),
        ("pop {r4, r5, pc}", "load_multiple", 3),
        ("strb r0, [r1], #1", "store", 1),
        ("push {r4, lr}", "store_multiple", 2),
        ("vldr s0, [r1]", "load", 1),
        ("vldr d0, [r1]", "load_multiple", 2),
        ("vldmia r0!, {s0-s3}", "load_multiple", 4),
        ("vpush {d8-d9}", "store_multiple", 4),
        ("vadd.f32 s0, s1, s2", "float", 1),
        ("vmul.f32 s0, s1, s2", "float_multiply", 1),
        ("vfma.f32 s0, s1, s2", "float_multiply_add", 1),
        ("vsqrt.f32 s0, s1", "float_divide", 1),
        ("vldrb.8 q0, [r0], #16", "vector_load", 1),
        ("vldrb.u16 q0, [r0, q1]", "vector_gather", 8),
        ("vstrw.32 q0, [r0, q1]", "vector_scatter", 4),
        ("vmladava.s8 r0, q0, q1", "vector_multiply", 1),
        ("vqrdmulh.s32 q0, q1, q2", "vector_multiply", 1),
        ("vaddva.s8 r0, q0", "vector", 1),
    ],
)
def test_kinds(text: str, kind: str, words: int) -> None:
    assert (decode(text).kind, decode(text).words) == (kind, words)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("lbu a0, 3(a1)", "load"), ("sw a0, 0(sp)", "store"), ("mulhu a0, a1, a2", "multiply"), ("bgez a0, 10", "branch"),
     ("ret", "jump"), ("remu a0, a1, a2", "divide"), ("slli a0, a0, 2", "alu"), ("jal ra, 10", "call")],
)
def test_kinds_of_riscv(text: str, kind: str) -> None:
    assert decode(text, "riscv").kind == kind


@pytest.mark.parametrize(
    ("text", "reads", "writes"),
    [
        ("smlad r0, r1, r2, r3", {"r1", "r2"}, {"r0"}),
        ("smull r0, r1, r2, r3", {"r2", "r3"}, {"r0", "r1"}),
        ("ldr r0, [r1], #4", {"r1"}, {"r0", "r1"}),
        ("ldmia r0!, {r1-r3}", {"r0"}, {"r0", "r1", "r2", "r3"}),
        ("str r0, [r1, r2]", {"r0", "r1", "r2"}, set()),
        ("cmp r0, r1", {"r0", "r1"}, set()),
        ("vmladava.s8 r0, q0, q1", {"q0", "q1"}, {"r0"}),
    ],
)
def test_registers(text: str, reads: set[str], writes: set[str]) -> None:
    assert (decode(text).reads, decode(text).writes) == (reads, writes)


def test_cortex_m4() -> None:
    assert cost("cortex-m4", "ldr r0, [r1]") == 2
    assert cost("cortex-m4", "ldr r0, [r1]", "ldr r2, [r1, #4]", "ldr r3, [r1, #8]") == 4
    assert cost("cortex-m4", "ldr r0, [r1]", "adds r2, r0", "ldr r3, [r1]") == 5
    assert cost("cortex-m4", "ldmia r0!, {r1-r4}") == 5
    assert cost("cortex-m4", "smlad r0, r1, r2, r0", "smull r4, r5, r6, r7") == 2
    assert cost("cortex-m4", "vadd.f32 s0, s1, s2", "vadd.f32 s3, s0, s2") == 3  # the second waits for the first
    assert cost("cortex-m4", "vadd.f32 s0, s1, s2", "vadd.f32 s3, s1, s2") == 2


def test_other_cores() -> None:
    assert cost("cortex-m0", "ldr r0, [r1]", "ldr r2, [r1]", "muls r0, r2") == 5
    assert cost("cortex-m0plus", "push {r4, r5, lr}", "bl 10") == 6
    assert cost("cortex-m3", "mla r0, r1, r2, r3", "smull r0, r1, r2, r3") == 6
    assert cost("cortex-m33", "ldr r0, [r1]", "adds r2, r0") == 3
    assert cost("cortex-m33", "ldr r0, [r1]", "adds r2, r3") == 2
    assert cost("riscv32imac", "lw a0, 0(a1)", "add a0, a0, a2") == 3


def test_dual_issue() -> None:
    independent = ["adds r0, r1, r2", "adds r3, r4, r5", "adds r6, r1, r2", "adds r7, r4, r5"]
    assert cost("cortex-m7", *independent) == 2
    assert cost("cortex-m7", "adds r0, r1, r2", "adds r0, r0, r3", "adds r0, r0, r4") == 3
    assert cost("cortex-m7", "smlad r0, r4, r5, r0", "smlad r1, r4, r6, r1") == 2  # one multiplier
    assert cost("cortex-m7", "smlad r0, r4, r5, r0", "ldr r6, [r7]") == 1


def test_helium_beats_overlap_between_units() -> None:
    alternating = ["vldrb.8 q0, [r0]", "vmladava.s8 r2, q2, q3"] * 4
    assert cost("cortex-m55", *alternating) == 8
    assert cost("cortex-m55", *["vmladava.s8 r2, q2, q3"] * 4) == 7  # two beats each; the last one's end is not awaited
    assert cost("cortex-m55", "vldrb.u16 q0, [r0, q1]") == 8


@pytest.mark.parametrize("target", EMULATED)
def test_blocks_of_a_loop(target: str, tmp_path: Path) -> None:
    """One instruction and 200 rounds of two; 199 times back to the start; a load, two stores that wait for it; the
    return."""
    elf = build_loop(target, tmp_path)
    marks = elf.file.marks(r"toy_layer_(\d+)_mark")
    result = run(elf, [INPUT, INPUT], count_blocks=True, marks=marks)
    described = elf.target
    assert described.timing is not None
    estimator = Estimator(disassemble(elf), described.family, described.timing, described.flash)
    first, second, last = (estimator.work(layer.blocks, layer.flash) for layer in result.layers)
    timing = described.timing
    assert sum(block.left for block in result.layers[0].blocks) == 2 * 199
    round_cycles = 2 if timing.width == 1 else 1
    assert first.total == 2 * (1 + 200 * round_cycles + 199 * timing.refill)
    load, store = timing.cost("load"), timing.cost("store")
    assert second.total == 2 * (max(load.cycles, load.latency) + 2 * store.cycles)
    assert dict(last.cycles)["branches"] >= 2 * timing.refill
    assert first.multiplies == 0


def test_helium_is_disassembled(tmp_path: Path) -> None:
    body = '__asm__ volatile("vmladava.s8 r0, q0, q1\\n\\tvldrb.u8 q0, [r1]" ::: "r0"); return 0;'
    code = disassemble(build_body("cortex-m55", tmp_path, body))
    kinds = {operation(instruction, "arm").kind for instruction in code.values()}
    assert {"vector_multiply", "vector_load"} <= kinds


def test_flash_reads(tmp_path: Path) -> None:
    """Code in lines of 8 bytes: a loop stays in the cache, without a cache each round reads its lines again."""
    elf = build_loop("cortex-m4", tmp_path)
    small = FlashTiming(wait_states=1, line_bytes=2, instruction_lines=64, data_lines=4)
    none = FlashTiming(wait_states=1, line_bytes=2, instruction_lines=0, data_lines=0)
    cached, uncached = (run(elf, [INPUT], flash=flash, marks=elf.file.marks(r"toy_layer_(1)_mark")).layers
                        for flash in (small, none))
    # movs, subs and bne: a line each.
    assert (cached[0].flash.jumped, cached[0].flash.followed) == (1, 2)
    assert (uncached[0].flash.jumped, uncached[0].flash.followed) == (200, 1 + 1 + 199)
    assert cached[1].flash.data == 0  # loads and stores in RAM


def test_cycles_of_flash_reads() -> None:
    reads = FlashReads(jumped=10, followed=100, data=5)
    assert flash_cycles(reads, FlashTiming(wait_states=0)) == 0
    assert flash_cycles(reads, FlashTiming(wait_states=5, line_bytes=8, prefetch=False)) == 115 * 5
    assert flash_cycles(reads, FlashTiming(wait_states=5, line_bytes=8, prefetch=True)) == 15 * 5 + 100 * 3
    assert flash_cycles(reads, FlashTiming(wait_states=3, line_bytes=16, prefetch=True)) == 15 * 3
