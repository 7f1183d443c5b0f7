# SPDX-License-Identifier: Apache-2.0
"""Prints a planned Program as C. The only place that knows C's syntax for statements."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from tinyc.backend.program import (
    TICK,
    Affine,
    Apply,
    Argument,
    Block,
    Call,
    Copy,
    Expr,
    Fail,
    Field,
    For,
    Formula,
    If,
    Index,
    Let,
    Literal,
    Load,
    Mark,
    Move,
    Name,
    Null,
    Pick,
    Pointer,
    Rows,
    Set,
    Stmt,
    Store,
    Struct,
    Table,
    While,
)
from tinyc.ir.types import DType


def number(value: float | int, dtype: DType) -> str:
    """A literal of an element type."""
    if dtype in (DType.FLOAT32, DType.FLOAT64):
        suffix = "f" if dtype is DType.FLOAT32 else ""
        real = float(np.float32(value)) if suffix else float(value)
        if math.isnan(real):
            return "NAN"
        if math.isinf(real):
            return "INFINITY" if real > 0 else "-INFINITY"
        text = _shortest(real) if suffix else repr(real)
        return (text if any(c in text for c in ".en") else text + ".0") + suffix
    whole = int(value)
    if whole == -(1 << 63):
        return "INT64_MIN"
    if whole == -(1 << 31):
        return "INT32_MIN"
    if dtype in (DType.INT64, DType.UINT64) and not -(1 << 31) <= whole < 1 << 31:
        return f"{whole}ULL" if dtype is DType.UINT64 else f"{whole}LL"
    return f"{whole}U" if dtype in (DType.UINT32, DType.UINT64) else str(whole)


def _shortest(value: float) -> str:
    """The shortest decimal that gives the same float32."""
    return str(np.float32(value))


@dataclass
class Places:
    """Where buffers and tables are: C expressions for their addresses, and which are in the arena."""

    address: Mapping[str, str]
    tables: Mapping[str, str]
    dtypes: Mapping[str, DType]
    const: frozenset[str] = frozenset()


@dataclass
class Printer:
    """Prints bodies of steps; collects the constant structs that they need."""

    model: str
    places: Places
    structs: dict[str, str] = field(default_factory=dict)  # initializer text -> name
    aliasing: dict[str, str] = field(default_factory=dict)  # element type in C -> its name as a type that may alias

    def body(self, body: Iterable[Stmt], indent: int) -> str:
        return "".join(self._stmt(s, indent) for s in body)

    def struct_definitions(self) -> str:
        """Types and constant structs that the bodies printed so far refer to."""
        lines = [f"typedef {c_type} {name} __attribute__((may_alias));" for c_type, name in self.aliasing.items()]
        for text, name in self.structs.items():
            c_type, _, value = text.partition("|")
            lines.append(f"static const {c_type} {name} = {value};")
        return "\n".join(lines)

    def mark(self, step: int) -> str:
        """Where the work of a step begins."""
        return f"{self.model.upper()}_MARK({self.model}_mark_{step});"

    def rows_begin(self, rows: Rows) -> str:
        """The head of the loop that steps share which run row by row."""
        comment = f"    /* Layers {rows.first} to {rows.last}, row by row: each makes its next row once it can. */\n"
        return f"{comment}    for (int32_t {TICK} = 0; {TICK} < {rows.ticks}; {TICK}++) {{\n"

    def rows_end(self) -> str:
        return "    }\n"

    # -- expressions -----------------------------------------------------------------------------

    def expr(self, e: Expr) -> str:
        if isinstance(e, Name):
            return e.name
        if isinstance(e, Literal):
            text = number(e.value, e.dtype)
            return f"({text})" if text.startswith("-") else text
        if isinstance(e, Load):
            return f"{self.element_pointer(e.buffer, e.dtype, True)}[{self.affine(e.index)}]"
        if isinstance(e, Index):
            return f"({self.affine(e.index)})"
        operands = [self.expr(o) for o in e.operands]
        if isinstance(e, Apply):
            return f"{e.function}({', '.join(operands)})"
        assert isinstance(e, Formula)
        return re.sub(r"\{(\d+)\}", lambda m: operands[int(m.group(1))], e.text)

    def affine(self, index: Affine) -> str:
        parts = [name if c == 1 else f"{c} * {name}" for name, c in index.terms if c]
        if index.constant or not parts:
            parts.append(str(index.constant))
        return " + ".join(parts).replace("+ -", "- ")

    def element_pointer(self, buffer: str, dtype: DType, reading: bool) -> str:
        """The address of a buffer's first element.

        Bytes of the arena hold one type now and another later, so loops access them through types
        that may alias: without, a compiler could move a store over a load of the former tenant.
        """
        if buffer in self.places.tables:
            return self.places.tables[buffer]
        c_type = dtype.c_type if dtype.size == 1 else self._aliasing(dtype.c_type)
        const = "const " if reading else ""
        inner = "const " if reading and buffer in self.places.const else ""
        return f"(({const}{c_type} *)({inner}void *)({self.places.address[buffer]}))"

    def _aliasing(self, c_type: str) -> str:
        return self.aliasing.setdefault(c_type, f"{self.model}_{c_type.removesuffix('_t')}")

    # -- arguments -------------------------------------------------------------------------------

    def pointer(self, p: Pointer) -> str:
        shift = self.affine(Affine(p.offset, p.terms))
        plus = f" + {shift}" if shift != "0" else ""
        if p.buffer in self.places.tables:
            text = f"{self.places.tables[p.buffer]}{plus}"
            return f"({p.c_type})({text})" if p.c_type else text
        base = f"({self.places.address[p.buffer]}{plus})"
        dtype = self.places.dtypes.get(p.buffer)
        if p.buffer in self.places.const:
            c_type = p.c_type or (f"const {dtype.c_type} *" if dtype else "const void *")
            return f"({c_type})(const void *){base}"
        c_type = p.c_type or (f"{dtype.c_type} *" if dtype else "void *")
        return base if c_type == "void *" else f"({c_type})(void *){base}"

    def argument(self, a: Argument) -> str:
        if isinstance(a, Struct):
            return f"&{self._struct(a)}"
        if isinstance(a, Pick):
            cases = "".join(f"{a.variable} < {limit} ? {self.argument(case)} : " for limit, case in a.cases)
            return f"({cases}{self.argument(a.last)})"
        return self._field(a)

    def _field(self, f: Field) -> str:
        if isinstance(f, Null):
            return "NULL"
        if isinstance(f, Pointer):
            return self.pointer(f)
        if isinstance(f, Struct):
            return self._initializer(f)
        return number(f, DType.FLOAT32 if isinstance(f, float) else DType.INT32)

    def _initializer(self, s: Struct) -> str:
        return "{" + ", ".join(f".{name} = {self._field(value)}" for name, value in s.fields) + "}"

    def _struct(self, s: Struct) -> str:
        text = self._initializer(s)
        if _runtime_address(s, self.places.tables):
            return f"({s.c_type}){text}"
        key = f"{s.c_type}|{text}"
        if key not in self.structs:
            self.structs[key] = f"{self.model}_s{len(self.structs)}"
        return self.structs[key]

    # -- statements ------------------------------------------------------------------------------

    def _stmt(self, s: Stmt, indent: int) -> str:
        pad = "    " * indent
        if isinstance(s, Call):
            arguments = ", ".join(self.argument(a) for a in s.arguments)
            call = f"{s.function}({arguments})"
            if s.checked:
                code = f"{self.model.upper()}_E_{s.checked if isinstance(s.checked, str) else 'KERNEL'}"
                return f"{pad}if ({call} != 0) {{\n{pad}    return {code};\n{pad}}}\n"
            return f"{pad}{call};\n"
        if isinstance(s, For):
            v = s.variable
            head = f"for (int32_t {v} = 0; {v} < {s.count}; {v}++)"
            return f"{pad}{head} {{\n{self.body(s.body, indent + 1)}{pad}}}\n"
        if isinstance(s, While):
            return f"{pad}while ({self.expr(s.condition)}) {{\n{self.body(s.body, indent + 1)}{pad}}}\n"
        if isinstance(s, Let):
            const = "" if s.mutable else "const "
            return f"{pad}{const}{s.c_type} {s.name} = {self.expr(s.value)};\n"
        if isinstance(s, Block):
            return f"{pad}{{\n{self.body(s.body, indent + 1)}{pad}}}\n"
        if isinstance(s, Set):
            return f"{pad}{s.name} = {self.expr(s.value)};\n"
        if isinstance(s, Store):
            target = f"{self.element_pointer(s.buffer, s.dtype, False)}[{self.affine(s.index)}]"
            return f"{pad}{target} = ({s.dtype.c_type})({self.expr(s.value)});\n"
        if isinstance(s, If):
            text = f"{pad}if ({self.expr(s.condition)}) {{\n{self.body(s.then, indent + 1)}{pad}}}"
            if s.otherwise:
                text += f" else {{\n{self.body(s.otherwise, indent + 1)}{pad}}}"
            return text + "\n"
        if isinstance(s, Fail):
            return f"{pad}return {self.model.upper()}_E_{s.code};\n"
        if isinstance(s, Move) and self.pointer(s.target) == self.pointer(s.source):
            return ""
        if isinstance(s, Mark):
            return f"{pad}{self.mark(s.step)}\n"
        if isinstance(s, Move):
            return f"{pad}memmove({self.pointer(s.target)}, {self.pointer(s.source)}, {s.bytes}U);\n"
        assert isinstance(s, Copy)
        return f"{pad}memcpy({self.pointer(s.target)}, {self.pointer(s.source)}, {s.bytes}U);\n"


def _runtime_address(s: Struct, tables: Mapping[str, str]) -> bool:
    """Whether a field is an address that is only known at run time."""
    for _, value in s.fields:
        if isinstance(value, Pointer) and value.buffer not in tables:
            return True
        if isinstance(value, Struct) and _runtime_address(value, tables):
            return True
    return False


def table_definition(table: Table, name: str, storage: str) -> str:
    """A constant array. `storage` precedes the type ("static " or "")."""
    flat = table.array.reshape(-1)
    if table.dtype is DType.FLOAT16:
        flat = flat.view(np.uint16)
    if flat.dtype.kind == "f":
        items = [number(float(v), table.dtype) for v in flat]
        per_line = 8
    else:
        items = [number(int(v), table.dtype) for v in flat.tolist()]
        per_line = 24 if table.dtype.size == 1 else 10
    items = items or ["0"]  # C has no empty arrays
    lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
    body = ",\n    ".join(lines)
    return f"{storage}const {table.dtype.c_type} {name}[{max(1, len(items))}] = {{\n    {body}\n}};\n"
