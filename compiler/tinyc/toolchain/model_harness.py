# SPDX-License-Identifier: Apache-2.0
"""The part of the test harness that knows the model: its buffers and the call of its entry function."""

from __future__ import annotations

from dataclasses import dataclass

GUARD = "HARNESS_GUARD_BYTES"


@dataclass(frozen=True)
class Tensor:
    """An input or output of the entry function.

    c_type: of an element, as in the function's signature ("int8_t"); elements: how many; element_bytes: of
    one.
    in_arena: a C expression for its address within the arena, with `arena` for the arena's address
    ("KWS_INPUT(arena)"); None: the harness gives it a buffer of its own, outside the arena.
    """

    c_type: str
    elements: int
    element_bytes: int
    in_arena: str | None = None

    @property
    def bytes(self) -> int:
        return self.elements * self.element_bytes


@dataclass(frozen=True)
class Entry:
    """A function to run: `int NAME_run(void *arena, inputs..., outputs...)`.

    arena_bytes: a C expression for the arena's size, 0 where it needs none.
    state_type: the type of the state that is passed after the arena; NAME_state_init(&state) is called once.
    """

    name: str
    header: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    arena_bytes: str
    state_type: str | None = None
    fast_bytes: str | None = None  # a C expression for the size of a second arena, which is passed behind the first

    @property
    def function(self) -> str:
        return f"{self.name}_run"

    @property
    def input_bytes(self) -> int:
        return sum(tensor.bytes for tensor in self.inputs)

    @property
    def output_bytes(self) -> int:
        return sum(tensor.bytes for tensor in self.outputs)


@dataclass(frozen=True)
class _Buffer:
    """A C object of the harness and how the rest of the glue names it."""

    declaration: str
    address: str
    guard: str


def _buffer(name: str, size: str, guarded: bool, offset: int, align: int = 16) -> _Buffer:
    """`offset` shifts the data away from the strongest alignment."""
    if not guarded:
        text = f"static unsigned char {name}[{size}] __attribute__((aligned({align})));"
        return _Buffer(text, name, "{NULL, NULL}")
    # Bytes only, so that nothing is padded between the data and what guards it.
    shift = f"    unsigned char shift[{offset}];\n" if offset else ""
    text = (
        f"static struct {{\n{shift}    unsigned char front[{GUARD}];\n    unsigned char data[{size}];\n"
        f"    unsigned char back[{GUARD}];\n}} {name} __attribute__((aligned(16)));"
    )
    return _Buffer(text, f"{name}.data", f"{{{name}.front, {name}.back}}")


def _tensor_buffer(name: str, tensor: Tensor, arena: str, guarded: bool) -> _Buffer:
    if tensor.in_arena is not None:
        address = tensor.in_arena.replace("(arena)", f"({arena})")
        return _Buffer("", address, "{NULL, NULL}")
    # A byte buffer may lie anywhere, so it does: code that expects more alignment shall not pass.
    return _buffer(name, str(max(tensor.bytes, 1)), guarded, 1 if tensor.element_bytes == 1 else 0)


def glue_source(entry: Entry, *, guarded: bool = True, shadow_stride: int = 0) -> str:
    """The C file between main.c and the model.

    `guarded=False` leaves the canaries out: under the address sanitizer they would count as the buffer's own.
    shadow_stride: not 0 for a shadow run, where the arena begins at a multiple of it.
    """
    arena = _buffer("arena_memory", "ARENA_SIZE", guarded and not shadow_stride, 0, max(16, shadow_stride))

    def buffers(name: str, tensors: tuple[Tensor, ...]) -> list[_Buffer]:
        return [
            _tensor_buffer(f"{name}_{i}", tensor, arena.address, guarded) for i, tensor in enumerate(tensors)
        ]

    inputs = buffers("input", entry.inputs)
    outputs = buffers("output", entry.outputs)
    fast = [_buffer("arena_fast_memory", "ARENA_FAST_SIZE", guarded, 0)] if entry.fast_bytes else []
    everything = [arena, *inputs, *outputs, *fast]

    def table(buffers: list[_Buffer], tensors: tuple[Tensor, ...]) -> str:
        rows = [
            f"    {{(unsigned char *){buffer.address}, {tensor.bytes}}},"
            for buffer, tensor in zip(buffers, tensors, strict=True)
        ]
        return "\n".join(rows or ["    {NULL, 0},"])

    state = [f"static {entry.state_type} state;"] if entry.state_type else []
    arguments = [f"(void *){buffer.address}" for buffer in (arena, *fast)]
    arguments += ["&state"] if entry.state_type else []
    for buffer, tensor in zip(inputs, entry.inputs, strict=True):
        arguments.append(f"(const {tensor.c_type} *)(const void *){buffer.address}")
    for buffer, tensor in zip(outputs, entry.outputs, strict=True):
        arguments.append(f"({tensor.c_type} *)(void *){buffer.address}")
    callers = all(tensor.in_arena is None for tensor in entry.inputs)
    lines = [
        "#include <stddef.h>",
        "",
        '#include "harness.h"',
        f'#include "{entry.header}"',
        "",
        f"enum {{ ARENA_SIZE = ({entry.arena_bytes}) > 0 ? ({entry.arena_bytes}) : 1 }};",
        *([f"enum {{ ARENA_FAST_SIZE = ({entry.fast_bytes}) > 0 ? ({entry.fast_bytes}) : 1 }};"] if fast else []),
        *state,
        *[buffer.declaration for buffer in everything if buffer.declaration],
        "",
        f"const harness_buffer harness_arena = {{(unsigned char *){arena.address}, ARENA_SIZE}};",
        "const harness_buffer harness_inputs[] = {",
        table(inputs, entry.inputs),
        "};",
        "const harness_buffer harness_outputs[] = {",
        table(outputs, entry.outputs),
        "};",
        "const harness_guard harness_guards[] = {",
        *[f"    {buffer.guard}," for buffer in everything],
        "};",
        f"const uint32_t harness_input_count = {len(inputs)};",
        f"const uint32_t harness_output_count = {len(outputs)};",
        f"const uint32_t harness_guard_count = {len(everything)};",
        f"const uint32_t harness_inputs_are_callers = {int(callers)};",
        "",
        "void harness_start(void)",
        "{",
        *([f"    {entry.name}_state_init(&state);"] if entry.state_type else []),
        "}",
        "",
        "__attribute__((noinline)) int harness_call(void)",
        "{",
        "    int status;",
        "#ifdef HARNESS_BARE_METAL",
        "    uint32_t start;",
        "    uint32_t *const sp = harness_paint_stack();",
        "    harness_clock_start();",
        "    start = harness_clock();",
        "#endif",
        *(["#ifdef HARNESS_SHADOW", "    harness_shadow_begin();", "#endif"] if shadow_stride else []),
        f"    status = {entry.function}({', '.join(arguments)});",
        *(["#ifdef HARNESS_SHADOW", "    harness_shadow_end();", "#endif"] if shadow_stride else []),
        "#ifdef HARNESS_BARE_METAL",
        "    harness_ticks = harness_clock_since(start);",
        "    harness_measure_stack(sp);",
        "#endif",
        "    return status;",
        "}",
        "",
    ]
    return "\n".join(lines)
