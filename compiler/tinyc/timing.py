# SPDX-License-Identifier: Apache-2.0
"""What instructions cost on a core, as its target's description tells ([cycles] and [flash] of the TOML file).

docs/measuring.md says where the shipped figures come from and how estimates are made of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyc.toml_table import Table

KINDS: dict[str, str] = {
    "alu": "arithmetic",
    "it": "arithmetic",
    "divide": "arithmetic",
    "multiply": "multiplies",
    "multiply_add": "multiplies",
    "multiply_long": "multiplies",
    "load": "loads",
    "load_multiple": "loads",
    "store": "stores",
    "store_multiple": "stores",
    "branch": "branches",
    "call": "branches",
    "jump": "branches",
    "loop": "branches",
    "float": "arithmetic",
    "float_multiply": "multiplies",
    "float_multiply_add": "multiplies",
    "float_divide": "arithmetic",
    "vector": "arithmetic",
    "vector_multiply": "multiplies",
    "vector_load": "loads",
    "vector_store": "stores",
    "vector_gather": "loads",
    "vector_scatter": "stores",
}
"""Kinds of instructions that a timing tells apart, and the share of a layer's cycles that each counts towards."""

SHARES = ("multiplies", "loads", "stores", "arithmetic", "branches", "flash")


@dataclass(frozen=True)
class Cost:
    """Cycles of a kind of instruction.

    cycles: until the next one may begin. repeated: the same, where the instruction before was of this kind, too.
    words: how many registers are moved in a cycle, which is added to both; 0 where their number does not matter.
    latency: from the beginning until another can use the result. unit: what it occupies, for `busy` cycles, at least
    until the next may begin.
    """

    cycles: int
    repeated: int
    words: int
    latency: int
    unit: str
    busy: int


@dataclass(frozen=True)
class Timing:
    """A core's instruction timings.

    width: instructions that may begin in a cycle. refill: cycles that control's going elsewhere adds. units: how many
    of a unit there are, one where none is given; the unit "alu" is as often there as instructions may begin.
    """

    width: int
    refill: int
    units: tuple[tuple[str, int], ...]
    costs: tuple[tuple[str, Cost], ...]

    def cost(self, kind: str) -> Cost:
        return dict(self.costs)[kind]


@dataclass(frozen=True)
class FlashTiming:
    """A flash that answers after wait states, behind a cache.

    line_bytes: what is read at once. instruction_lines, data_lines: what the caches hold, least recently used first
    out; 0: no more than the line read last. prefetch: the line that follows is read while one executes.
    """

    wait_states: int = 0
    line_bytes: int = 16
    instruction_lines: int = 64
    data_lines: int = 8
    prefetch: bool = True


def _cost(table: Table, field: str) -> Cost:
    if table.is_number(field):
        cycles = table.number(field)
        return Cost(cycles, cycles, 0, max(cycles, 1), field, 0)
    inner = table.table(field)
    cycles = inner.number("cycles")
    cost = Cost(
        cycles, inner.number("repeated", default=cycles), inner.number("words", default=0),
        inner.number("latency", default=max(cycles, 1)),
        inner.text("unit") if inner.has("unit") else field, inner.number("busy", default=0),
    )
    inner.finish()
    return cost


def read_timing(table: Table) -> Timing:
    """The table [cycles]: `width`, `refill`, `units`, and a number or a table for each of KINDS that the core has.

    Instructions of a kind that is not given cost what `alu` costs.
    """
    width = table.number("width", default=1, least=1)
    refill = table.number("refill")
    units = {"alu": width}
    if table.has("units"):
        inner = table.table("units")
        units.update({name: inner.number(name, least=1) for name in inner.fields()})
        inner.finish()
    alu = _cost(table, "alu")
    costs = {kind: _cost(table, kind) if table.has(kind) else alu for kind in KINDS}
    table.finish()
    return Timing(width, refill, tuple(sorted(units.items())), tuple(costs.items()))


def read_flash(table: Table) -> FlashTiming:
    """The table [flash]; fields that are not given are as in FlashTiming."""
    default = FlashTiming()
    flash = FlashTiming(
        table.number("wait_states", default=default.wait_states),
        table.number("line_bytes", default=default.line_bytes, least=1),
        table.number("instruction_lines", default=default.instruction_lines),
        table.number("data_lines", default=default.data_lines),
        table.flag("prefetch", default=default.prefetch),
    )
    table.finish()
    return flash
