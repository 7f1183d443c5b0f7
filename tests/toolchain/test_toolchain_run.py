# SPDX-License-Identifier: Apache-2.0
"""Programs of the harness on every runnable target, and what it notices."""

from __future__ import annotations

from pathlib import Path

import pytest
from toolchain_toys import BYTES, CASE, EMULATED, RUNNABLE, TOY, TOY_DIR, build_body, build_toy, run_body

from tinyc.errors import TinycError
from tinyc.targets import load_target
from tinyc.toolchain import BuildError, Entry, RunError, Tensor, build, run


@pytest.mark.parametrize("target", RUNNABLE)
def test_outputs_stack_and_counts(target: str, tmp_path: Path) -> None:
    elf = build_toy(target, tmp_path, TOY_DIR / "toy.c")
    cases = [[bytes(range(16))], [bytes(range(1, 17))]]
    result = run(elf, cases, count_instructions=True)
    assert result.status == 0
    assert result.outputs == tuple((bytes(2 * byte for byte in case[0]),) for case in cases)
    if target == "host":
        assert result.stack_bytes is None and result.instructions is None
        return
    assert result.stack_bytes is not None and 200 <= result.stack_bytes <= 400
    assert result.counted_by == "plugin"
    assert result.calls[0] == result.calls[1] > 200
    assert run(elf, cases, count_instructions=True) == result


def test_inputs_and_outputs_in_the_arena(tmp_path: Path) -> None:
    entry = Entry(
        "toy",
        "toy.h",
        (Tensor("int8_t", 16, 1, in_arena="TOY_INPUT(arena)"),),
        (Tensor("int8_t", 16, 1, in_arena="TOY_OUTPUT(arena)"),),
        "TOY_ARENA_BYTES",
    )
    for target in ("host", "cortex-m0"):
        result = run(build_toy(target, tmp_path, TOY_DIR / "toy.c", entry), [CASE, CASE])
        assert result.outputs == ((bytes(2 * byte for byte in CASE[0]),),) * 2


def test_state_lives_from_case_to_case(tmp_path: Path) -> None:
    source = tmp_path / "counter.c"
    source.write_text(
        '#include "toy.h"\n'
        "void counter_state_init(counter_state_t *state) { state->sum = 3; }\n"
        "int counter_run(void *arena, counter_state_t *state, const int8_t *input, int8_t *output)\n"
        "{ (void)arena; state->sum = (int8_t)(state->sum + input[0]); output[0] = state->sum; return 0; }\n"
    )
    entry = Entry("counter", "toy.h", (BYTES,), (Tensor("int8_t", 1, 1),), "0", state_type="counter_state_t")
    for target in ("host", "cortex-m4"):
        elf = build_toy(target, tmp_path, source, entry)
        assert run(elf, [[bytes([2] * 16)]] * 3).outputs == ((b"\x05",), (b"\x07",), (b"\x09",))


@pytest.mark.parametrize("target", ["host", "cortex-m0plus"])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("output[16] = 1; return 0;", "behind output 0"),
        ("output[-1] = 1; return 0;", "in front of output 0"),
        ("((int8_t *)arena)[TOY_ARENA_BYTES] = 1; return 0;", "behind the arena"),
        ("((int8_t *)(uintptr_t)input)[3] = 99; return 0;", "into input 0"),
    ],
)
def test_writing_where_it_must_not(target: str, body: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=message):
        run_body(target, tmp_path, body, cflags=["-w"])


def test_status_ends_the_run(tmp_path: Path) -> None:
    elf = build_body("cortex-m3", tmp_path, "return input[0] == 2 ? -7 : 0;")
    result = run(elf, [[bytes([value] * 16)] for value in (1, 2, 3)])
    assert result.status == -7 and len(result.outputs) == 2


@pytest.mark.parametrize("target", ["cortex-m0", "cortex-m4", "cortex-m33", "cortex-m55"])
def test_fault_names_the_function(target: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="processor fault at 0x[0-9a-f]{8} in toy_run"):
        run_body(target, tmp_path, '__asm__ volatile("udf #1"); return 0;')


def test_fault_on_riscv(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="processor fault at 0x[0-9a-f]{8} in toy_run"):
        run_body("riscv32imac", tmp_path, '__asm__ volatile("unimp"); return 0;')


def test_stack_overflow(tmp_path: Path) -> None:
    body = "volatile int8_t big[70000]; int i; for (i = 0; i < 70000; i++) big[i] = 1; return big[5] - 1;"
    with pytest.raises(RunError, match="ran out of stack"):
        run_body("cortex-m4", tmp_path, body)


def test_hang(tmp_path: Path) -> None:
    for target in ("cortex-m4", "host"):
        elf = build_body(target, tmp_path, "for (;;) { __asm__ volatile(\"\"); } return 0;")
        with pytest.raises(RunError, match="still ran after 1 s"):
            run(elf, [CASE], timeout=1)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("output[16] = 1; return 0;", "AddressSanitizer"),
        ("((int8_t *)arena)[TOY_ARENA_BYTES] = 1; return 0;", "AddressSanitizer"),
        ("return (0x7FFFFFFF - 16 + input[15] + input[2] > 0) ? 0 : 1;", "runtime error: signed integer"),
    ],
)
def test_sanitizers(body: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=message):
        run_body("host", tmp_path, body, sanitize=True, cflags=["-w"])


def test_sanitizers_pass_good_code(tmp_path: Path) -> None:
    elf = build_toy("host", tmp_path, TOY_DIR / "toy.c", sanitize=True)
    assert run(elf, [CASE]).outputs == ((bytes(2 * byte for byte in CASE[0]),),)


def test_compiler_message(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="compiling body.c failed(.|\n)*nonsense"):
        build_body("cortex-m4", tmp_path, "return nonsense;")


@pytest.mark.parametrize("flag", ["-O0", "-Og", "-Os", "-flto"])
def test_compiler_flags(flag: str, tmp_path: Path) -> None:
    for target in ("cortex-m4", "riscv32imac", "host"):
        result = run(build_toy(target, tmp_path, TOY_DIR / "toy.c", cflags=[flag]), [CASE])
        assert result.outputs == ((bytes(2 * byte for byte in CASE[0]),),)


def test_no_emulator(tmp_path: Path) -> None:
    with pytest.raises(TinycError, match="cortex-m85 code can be compiled but not run") as error:
        build(load_target("cortex-m85"), [TOY_DIR / "toy.c"], [TOY_DIR], tmp_path / "x", entry=TOY)
    assert error.value.hint and error.value.exit_code == 2


@pytest.mark.parametrize(
    ("target", "tool", "package"),
    [
        ("cortex-m4", "arm-none-eabi-gcc", "gcc-arm-none-eabi"),
        ("riscv32imac", "riscv64-unknown-elf-gcc", "picolibc-riscv64-unknown-elf"),
    ],
)
def test_missing_compiler(
    target: str, tool: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TinycError, match=tool) as error:
        build_toy(target, tmp_path, TOY_DIR / "toy.c")
    assert error.value.hint and package in error.value.hint


def test_missing_emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elf = build_toy("cortex-m4", tmp_path, TOY_DIR / "toy.c")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TinycError, match="qemu-system-arm is not installed") as error:
        run(elf, [CASE])
    assert error.value.hint and "apt-get install qemu-system-arm" in error.value.hint


def test_wrong_input_size(tmp_path: Path) -> None:
    elf = build_toy("host", tmp_path, TOY_DIR / "toy.c")
    with pytest.raises(ValueError, match="do not fit toy_run"):
        run(elf, [[b"short"]])


def test_every_emulated_target_is_covered() -> None:
    assert {"cortex-m0", "cortex-m55", "riscv32imac", "microbit"} <= set(EMULATED)
