# SPDX-License-Identifier: Apache-2.0
"""The CSV files of minimalloc: id, lower and upper (exclusive) time, size, and offset in solutions."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import TextIO

from tinyc.plan.problem import Buffer, PlacementError, Plan, Problem


def read_problem(file: TextIO, capacity: int | None = None) -> Problem:
    """Buffers with byte alignment; sizes in bytes. Raises PlacementError for anything malformed."""
    rows = _rows(file, "id", "lower", "upper", "size")
    return Problem(tuple(_buffer(row) for row in rows), capacity=capacity)


def write_problem(file: TextIO, problem: Problem) -> None:
    """Lifetimes and sizes; the format has no place for overlaps, alignments and fixed offsets."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["id", "lower", "upper", "size"])
    writer.writerows([b.name, b.start, b.end, b.size] for b in problem.buffers)


def read_offsets(file: TextIO) -> dict[str, int]:
    """Offsets in bytes by id, from a solution with an `offset` column."""
    return {row["id"]: _integer(row, "offset") for row in _rows(file, "id", "offset")}


def write_plan(file: TextIO, problem: Problem, plan: Plan) -> None:
    """The problem with the column `offset`, as minimalloc writes solutions."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["id", "lower", "upper", "size", "offset"])
    writer.writerows([b.name, b.start, b.end, b.size, plan.offsets[b.name]] for b in problem.buffers)


def _rows(file: TextIO, *columns: str) -> list[dict[str, str]]:
    reader = csv.DictReader(file)
    missing = [c for c in columns if c not in (reader.fieldnames or ())]
    if missing:
        raise PlacementError(f"placement CSV without column {', '.join(missing)}")
    rows = []
    for row in reader:
        if any(row[c] is None for c in columns):
            raise PlacementError(f"placement CSV: line {reader.line_num} is too short")
        rows.append(row)
    return rows


def _buffer(row: Mapping[str, str]) -> Buffer:
    start, end, size = (_integer(row, c) for c in ("lower", "upper", "size"))
    return Buffer(row["id"], size, 1, start, end)


def _integer(row: Mapping[str, str], column: str) -> int:
    try:
        return int(row[column])
    except ValueError:
        raise PlacementError(f"placement CSV: {column} {row[column]!r} is not a whole number") from None
