# SPDX-License-Identifier: Apache-2.0
"""Target descriptions: those shipped, users' own, and malformed ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyc.errors import TinycError
from tinyc.targets import list_targets, load_target

NAMES = [
    "cortex-m0",
    "cortex-m0plus",
    "cortex-m3",
    "cortex-m4",
    "cortex-m7",
    "cortex-m23",
    "cortex-m33",
    "cortex-m55",
    "cortex-m85",
    "host",
    "microbit",
    "riscv32imac",
    "stm32l4r5",
]


def test_shipped() -> None:
    targets = list_targets()
    assert [target.name for target in targets] == NAMES
    assert [target.name for target in targets if not target.can_run] == ["cortex-m85"]
    for target in targets:
        assert target.description and target.variants[-1] == "portable"
        assert target.optimize_flags("size") == ("-Os",)
        assert (target.memory_bytes("ram") is None) == (target.family == "host")


def test_variants() -> None:
    variants = {target.name: target.variants[0] for target in list_targets()}
    assert {name for name, variant in variants.items() if variant == "dsp"} == {
        "cortex-m4",
        "cortex-m7",
        "cortex-m33",
        "stm32l4r5",
    }
    assert {name for name, variant in variants.items() if variant == "mve"} == {"cortex-m55", "cortex-m85"}
    with_fpu = {target.name for target in list_targets() if "fpu" in target.variants}
    assert with_fpu == {"cortex-m4", "cortex-m7", "cortex-m33", "stm32l4r5"}


def test_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(TinycError, match="unknown target 'cortex-m5'") as error:
        load_target("cortex-m5")
    assert error.value.hint and "cortex-m4, cortex-m7" in error.value.hint


def test_own_file_inherits(tmp_path: Path) -> None:
    file = tmp_path / "board.toml"
    file.write_text(
        'base = "cortex-m4"\nname = "board"\n[optimize]\nspeed = ["-O2"]\n'
        '[[memories]]\nname = "sram"\nkind = "ram"\nbytes = 1000\n'
    )
    board, core = load_target(str(file)), load_target("cortex-m4")
    assert board.name == "board" and board.cflags == core.cflags and board.qemu == core.qemu
    assert board.optimize_flags("speed") == ("-O2",)
    assert board.optimize_flags("size") == core.optimize_flags("size")
    assert board.memory_bytes("ram") == 1000 and board.memory_bytes("flash") is None


def test_timings() -> None:
    assert [t.name for t in list_targets() if t.timing is None] == ["cortex-m85", "host"]
    assert [t.name for t in list_targets() if t.flash.wait_states] == ["stm32l4r5"]
    core, board = load_target("cortex-m4"), load_target("stm32l4r5")
    assert board.timing == core.timing
    assert core.timing is not None and core.timing.cost("load").repeated == 1
    assert core.timing.cost("vector") == core.timing.cost("alu")  # not given


def test_own_file_without_emulator_and_chained_bases(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('base = "cortex-m7"\nname = "a"\nqemu = false\n')
    (tmp_path / "b.toml").write_text('base = "./a.toml"\nname = "b"\n')
    target = load_target(tmp_path / "b.toml")
    assert target.name == "b" and not target.can_run


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "not a TOML file"),
        ("", "name: this field is missing"),
        ('base = "cortex-m4"\nname = 3', "name: must be a string, not 3"),
        ('base = "cortex-m4"\nname = ""', "name: must not be empty"),
        ('base = "cortex-m4"\nfamily = "avr"', "family: must be one of arm, riscv, host, not 'avr'"),
        ('base = "cortex-m4"\ncflags = "-O2"', "cflags: must be a list of strings"),
        ('base = "cortex-m4"\ncflags = [2]', "cflags: must be a list of strings, not one with 2"),
        ('base = "cortex-m4"\nfeatures = ["neon"]', "features: must list only dsp"),
        ('base = "cortex-m4"\nvariants = ["mve", "portable"]', 'variants: lists "mve"'),
        ('base = "cortex-m4"\nvariants = ["dsp"]', 'variants: must end with "portable"'),
        ('base = "cortex-m4"\nvariant = ["dsp"]', "variant: unknown field"),
        ('base = "cortex-m4"\n[optimize]\nsize = 1', "optimize.size: must be a list"),
        ('base = "cortex-m4"\n[optimize]\nfast = []', "optimize.fast: unknown field"),
        ('base = "cortex-m4"\n[[memories]]\nname = "x"\nkind = "rom"', r"memories\[0\].kind: must be one of"),
        (
            'base = "cortex-m4"\n[[memories]]\nname = "x"\nkind = "ram"\nbytes = 0',
            r"memories\[0\].bytes: must be at least 1",
        ),
        ('base = "cortex-m4"\nmemories = [1]', "memories: must be an array of tables"),
        ('base = "cortex-m4"\n[qemu.ram]\norigin = "x"', "qemu.ram.origin: must be an integer"),
        ('base = "cortex-m4"\n[qemu.ram]\norigin = true', "qemu.ram.origin: must be an integer"),
        ('base = "host"\n[qemu]\nmachine = "virt"', "qemu.binary: this field is missing"),
        ('base = "cortex-m4"\n[cycles]\nsimd = 1', "cycles.simd: unknown field"),
        ('base = "cortex-m4"\n[cycles]\nload = "2"', "cycles.load: must be a table, not '2'"),
        ('base = "cortex-m4"\n[cycles]\nload = { cycle = 2 }', "cycles.load.cycle: unknown field"),
        ('base = "cortex-m85"\n[cycles]\nalu = 1', "cycles.refill: this field is missing"),
        ('base = "cortex-m4"\n[flash]\nline_bytes = 0', "flash.line_bytes: must be at least 1, not 0"),
        ('base = "cortex-m4"\n[flash]\nprefetch = 1', "flash.prefetch: must be true or false"),
        ("base = 3", "base: must be the name or path"),
        ('base = "./board.toml"', "inherit from each other in a circle"),
        ('base = "./other.toml"', "no target description"),
        ('base = "cortex-m99"', "unknown target"),
    ],
)
def test_malformed(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "board.toml"
    file.write_text(text)
    with pytest.raises(TinycError, match=message) as error:
        load_target(file)
    assert error.value.exit_code == 2
    if "target" not in message:
        assert str(file) in str(error.value)


def test_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(TinycError, match="no target description"):
        load_target(tmp_path / "missing.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TinycError, match="not a TOML file"):
        load_target(binary)
