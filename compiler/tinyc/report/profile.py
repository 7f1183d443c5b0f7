# SPDX-License-Identifier: Apache-2.0
"""A profile as text: a table of layers within 120 columns, then the totals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_KERNEL = 21


def bound_by(shares: Mapping[str, int] | None) -> str:
    """The largest share of a layer's cycles, as "loads 41 %"; empty where they were not estimated."""
    total = sum(shares.values()) if shares else 0
    if not shares or not total:
        return ""
    name = max(shares, key=lambda share: shares[share])
    return f"{name} {100 * shares[name] / total:.0f} %"


def per_mac(instructions: int | None, macs: int) -> str:
    return f"{instructions / macs:.2f}" if instructions is not None and macs else ""


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _row(cells: tuple[str, ...]) -> str:
    index, kernel, macs, instructions, ratio, loads, stores, multiplies, cycles, bound, flash = cells
    short = kernel.removeprefix("tinyc_").removeprefix("arm_")[:_KERNEL]
    return (f"{index:>3} {short:{_KERNEL}} {macs:>10} {instructions:>10} {ratio:>6} {loads:>9} {stores:>9} "
            f"{multiplies:>9} {cycles:>10}  {bound:<15} {flash:>7}").rstrip()


def profile_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a profile as `profile_compiled` makes it."""
    if report["instructions"] is not None:
        yield _row(("", "kernel", "MACs", "instr.", "/MAC", "loads", "stores", "mult.", "~cycles", "bound by", "flash"))
    for layer in report["layers"]:
        yield _row((
            str(layer["index"]), layer["kernel"], _number(layer["macs"] or None), _number(layer["instructions"]),
            per_mac(layer["instructions"], layer["macs"]), _number(layer["loads"]), _number(layer["stores"]),
            _number(layer["multiplies"]), _number(layer["cycles"]), bound_by(layer["cycle_shares"]),
            _number(layer["weights_bytes"]),
        ))
    if report["instructions"] is not None:
        yield f"instructions {report['instructions']:,} (exact, counted in QEMU)"
    if report["cycles"] is not None:
        yield f"cycles {report['cycles']:,} (estimated, {report['wait_states']} wait states of the flash)"
    for title, figures in (("flash", report["flash"]), ("ram  ", report["ram"])):
        yield f"{title} " + ", ".join(f"{key} {'?' if value is None else format(value, ',')}"
                                      for key, value in figures.items())
