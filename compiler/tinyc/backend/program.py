# SPDX-License-Identifier: Apache-2.0
"""The Program: a small typed tree, and the only way from kernels to C.

A kernel builds statements over named buffers; where a buffer lies is decided later by the planner,
so the same tree serves liveness, placement and printing. Every step says what it reads and writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tinyc.ir.types import Array, DType

# -- expressions ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Affine:
    """constant + sum of coefficient * loop variable; an element index."""

    constant: int = 0
    terms: tuple[tuple[str, int], ...] = ()

    def plus(self, other: Affine) -> Affine:
        sums = dict(self.terms)
        for name, coefficient in other.terms:
            sums[name] = sums.get(name, 0) + coefficient
        return Affine(self.constant + other.constant, tuple((n, c) for n, c in sums.items() if c))


@dataclass(frozen=True)
class Load:
    """The element of a buffer at an index."""

    buffer: str
    index: Affine
    dtype: DType


@dataclass(frozen=True)
class Name:
    """A local variable."""

    name: str


@dataclass(frozen=True)
class Literal:
    """A number of an element type."""

    value: float | int
    dtype: DType


@dataclass(frozen=True)
class Formula:
    """C text with {0}, {1}, ... for its operands, e.g. "expf({0})"; an operator table's cell."""

    text: str
    operands: tuple[Expr, ...]


@dataclass(frozen=True)
class Index:
    """The value of an index, as an int32_t."""

    index: Affine


@dataclass(frozen=True)
class Apply:
    """The result of a runtime function that takes and returns numbers."""

    function: str
    operands: tuple[Expr, ...]


Expr = Load | Name | Literal | Formula | Index | Apply

# -- arguments of calls --------------------------------------------------------------------------


@dataclass(frozen=True)
class Pointer:
    """The address of a buffer (of the arena, the caller or a constant table).

    Plus `offset` and, inside loops, coefficient * loop variable for each of `terms`: in bytes for
    buffers, in elements for tables. `c_type` where it is not the buffer's own.
    """

    buffer: str
    offset: int = 0
    c_type: str = ""
    terms: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Null:
    """NULL."""


@dataclass(frozen=True)
class Struct:
    """A pointer to a struct. Its fields: int, float (float32), Pointer, Null or Struct (nested by value)."""

    c_type: str
    fields: tuple[tuple[str, Field], ...]


Field = int | float | Pointer | Null | Struct


@dataclass(frozen=True)
class Pick:
    """By a local variable: the first of `cases` (limit, argument) whose limit is above it, else `last`."""

    variable: str
    cases: tuple[tuple[int, Argument], ...]
    last: Argument


Argument = int | float | Pointer | Null | Struct | Pick

# -- statements ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """A call of a runtime function. `checked`: its result is a status, 0 when all is well.

    Another one makes the generated function return N_E_KERNEL, or the code that `checked` names.
    """

    function: str
    arguments: tuple[Argument, ...]
    checked: bool | str = False


@dataclass(frozen=True)
class For:
    """body for variable = 0 .. count - 1."""

    variable: str
    count: int
    body: tuple[Stmt, ...]


@dataclass(frozen=True)
class While:
    """Repeats the body as long as a condition in C over its operands holds."""

    condition: Formula
    body: tuple[Stmt, ...]


@dataclass(frozen=True)
class Let:
    """A new local variable; `mutable` where Set assigns to it later."""

    name: str
    c_type: str
    value: Expr
    mutable: bool = False


@dataclass(frozen=True)
class Set:
    """Assignment to a local variable."""

    name: str
    value: Expr


@dataclass(frozen=True)
class Store:
    """Writes an element of a buffer."""

    buffer: str
    index: Affine
    dtype: DType
    value: Expr


@dataclass(frozen=True)
class If:
    """Runs a branch by a condition in C over its operands."""

    condition: Formula
    then: tuple[Stmt, ...]
    otherwise: tuple[Stmt, ...] = ()


@dataclass(frozen=True)
class Copy:
    """memcpy of bytes from one buffer to another."""

    target: Pointer
    source: Pointer
    bytes: int


@dataclass(frozen=True)
class Move:
    """memmove of bytes within a buffer."""

    target: Pointer
    source: Pointer
    bytes: int


@dataclass(frozen=True)
class Fail:
    """Leaves the generated function with N_E_<code>."""

    code: str


@dataclass(frozen=True)
class Mark:
    """Where a step's work begins, for profiles: in a step that runs row by row, once it is due."""

    step: int


@dataclass(frozen=True)
class Block:
    """A scope of its own for local variables."""

    body: tuple[Stmt, ...]


Stmt = Call | For | While | Let | Set | Store | If | Copy | Move | Mark | Fail | Block

# -- buffers, steps, the whole -------------------------------------------------------------------


@dataclass(frozen=True)
class Table:
    """A constant array in flash. `role`: "weights" (filters, biases, requantization) or "constants".

    filters: how many of its bytes are filters; by default all where the name ends in .filter, else none.
    """

    name: str
    array: Array = field(compare=False)
    dtype: DType = DType.INT8
    role: str = "weights"
    filters: int | None = None

    @property
    def filter_bytes(self) -> int:
        if self.filters is not None:
            return self.filters
        return self.array.nbytes if self.name.endswith(".filter") else 0


@dataclass(frozen=True)
class Access:
    """Bytes [start, stop) of a buffer that a step reads or writes."""

    buffer: str
    start: int
    stop: int


TICK, ROW = "t_tick", "t_row"  # local variables of steps that run row by row


@dataclass(frozen=True)
class Due:
    """A step's body makes row t_row = 0 ... rows - 1 of its result, in tick delay + period * t_row of a Rows."""

    delay: int
    period: int
    rows: int


@dataclass(frozen=True)
class Rows:
    """Steps first ... last share a loop of so many ticks; in each, those that are due run, in order.

    held: buffers that live through the whole loop, with what they had before; other buffers of its steps live from
    their first step to their last within a tick. overlaps: (image, buffer, bytes): the buffer may begin at most so
    many bytes past the beginning of the image, although rows of the image are read in the loop. moved_bytes: what
    moving rows along costs, as bytes moved.
    """

    first: int
    last: int
    ticks: int
    held: tuple[str, ...]
    overlaps: tuple[tuple[str, str, int], ...] = ()
    moved_bytes: int = 0


@dataclass(frozen=True)
class Step:
    """The work of one layer.

    `overlaps`: (input buffer, output buffer, bytes): the output may begin at most so many bytes past
    that input's beginning, although the step still reads it. `scratch` bytes are live during the step only.
    """

    index: int
    name: str
    op: str
    kernel: str
    comment: str
    body: tuple[Stmt, ...]
    reads: tuple[Access, ...]
    writes: tuple[Access, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    scratch: str = ""
    scratch_bytes: int = 0
    overlaps: tuple[tuple[str, str, int], ...] = ()
    climbs: tuple[tuple[str, str, int], ...] = ()
    macs: int = 0
    filter_bytes: int = 0
    weights_bytes: int = 0
    due: Due | None = None


@dataclass(frozen=True)
class BufferInfo:
    """Memory of a value: in the arena, or the caller's. pitch: its offset in the arena is a multiple of that."""

    name: str
    bytes: int
    align: int
    dtype: DType
    value: str
    pitch: int = 1


@dataclass(frozen=True)
class Part:
    """Where a buffer lies that is part of another one (or of a table): in bytes, plus coefficient * loop variable."""

    buffer: str
    offset: int = 0
    terms: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Program:
    """Steps in order over buffers; `storage` maps each IR value to its buffer or table."""

    name: str
    steps: tuple[Step, ...]
    buffers: dict[str, BufferInfo]
    tables: dict[str, Table]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    rows: tuple[Rows, ...] = ()
    parts: Mapping[str, Part] = field(default_factory=dict)
    state: tuple[tuple[str, str], ...] = ()  # (input, output that it is in the next run): the input is the caller's

    def outside(self, io: str) -> frozenset[str]:
        """Buffers that do not lie in the arena."""
        callers = {*self.inputs, *self.outputs} if io == "caller" else set()
        return frozenset((callers - {o for _, o in self.state}) | {i for i, _ in self.state} | self.direct())

    def direct(self) -> frozenset[str]:
        """Outputs that are written where the state is: nothing reads the old one any more, and no run fails."""
        if not self.state or self.rows or any(_may_fail(s) for step in self.steps for s in statements(step.body)):
            return frozenset()
        return frozenset(result for source, result in self.state if self._follows(source, result))

    def _follows(self, source: str, result: str) -> bool:
        read = max((k for k, s in enumerate(self.steps) if any(a.buffer == source for a in s.reads)), default=-1)
        written = min((k for k, s in enumerate(self.steps) if any(a.buffer == result for a in s.writes)), default=-1)
        in_place = read == written >= 0 and any(o[:2] == (source, result) and o[2] >= 0
                                                for o in self.steps[read].overlaps)
        return read < written or in_place


def _may_fail(stmt: Stmt) -> bool:
    return isinstance(stmt, Fail) or (isinstance(stmt, Call) and isinstance(stmt.checked, str))


def statements(body: tuple[Stmt, ...]) -> Iterator[Stmt]:
    """All statements of a tree, outermost first."""
    for stmt in body:
        yield stmt
        if isinstance(stmt, (For, While, Block)):
            yield from statements(stmt.body)
        elif isinstance(stmt, If):
            yield from statements(stmt.then)
            yield from statements(stmt.otherwise)


def _expressions(stmt: Stmt) -> Iterator[Expr]:
    """All expressions of a statement, without those of the statements inside it."""
    waiting: list[Expr] = []
    if isinstance(stmt, (Let, Set, Store)):
        waiting.append(stmt.value)
    elif isinstance(stmt, (If, While)):
        waiting.append(stmt.condition)
    while waiting:
        expr = waiting.pop()
        yield expr
        if isinstance(expr, (Formula, Apply)):
            waiting += expr.operands


def called_functions(program: Program) -> list[str]:
    """Names of the runtime functions that are called, sorted."""
    return sorted(set[str]().union(*(functions_in(step.body) for step in program.steps)))


def functions_in(body: tuple[Stmt, ...]) -> set[str]:
    """Names of the runtime functions that the statements call."""
    names: set[str] = set()
    for stmt in statements(body):
        if isinstance(stmt, Call):
            names.add(stmt.function)
        names |= {e.function for e in _expressions(stmt) if isinstance(e, Apply)}
    return names
