# SPDX-License-Identifier: Apache-2.0
"""N_state_t: the memory of a model from run to run, its first value, and how a run changes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyc.backend.names import comment_text
from tinyc.backend.printer import table_definition
from tinyc.backend.program import Table
from tinyc.ir.types import Array, DType


@dataclass(frozen=True)
class StatePart:
    """A member of N_state_t: read as the buffer `source`, at the end of a run copied from `result`."""

    name: str  # of the input in the model
    output: str  # in the model
    member: str
    dtype: DType
    shape: tuple[int, ...]
    initial: Array
    source: str
    result: str

    @property
    def bytes(self) -> int:
        return int(self.initial.nbytes)

    @property
    def address(self) -> str:
        return f"(uint8_t *)(void *)state->{self.member}"


def declaration(part: StatePart) -> dict[str, Any]:
    """What the header says of a member."""
    shape = "x".join(map(str, part.shape)) or "scalar"
    return {"member": part.member, "c_type": part.dtype.c_type, "elements": int(part.initial.size),
            "comment": f"{comment_text(part.name)}, after a run {comment_text(part.output)}: "
                       f"{part.dtype.label}[{shape}]"}


def first_values(model: str, parts: Sequence[StatePart]) -> tuple[list[str], str]:
    """(constant tables, statements of N_state_init)."""
    tables, body = [], ""
    for part in parts:
        raw = np.frombuffer(np.ascontiguousarray(part.initial).tobytes(), np.uint8)
        if (raw == raw[0]).all():
            body += f"    memset(state->{part.member}, {int(raw[0])}, sizeof state->{part.member});\n"
            continue
        name = f"{model}_first_{part.member}"
        tables.append(table_definition(Table(name, part.initial, part.dtype), name, "static "))
        body += f"    memcpy(state->{part.member}, {name}, sizeof state->{part.member});\n"
    return tables, body


def updates(parts: Sequence[StatePart], address: Mapping[str, str]) -> str:
    """Statements at the end of a run; nothing for results that were written where the state is."""
    return "".join(f"    memcpy(state->{part.member}, {address[part.result]}, {part.bytes}U);\n" for part in parts
                   if address[part.result] != part.address)
