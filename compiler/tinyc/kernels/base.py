# SPDX-License-Identifier: Apache-2.0
"""What a kernel is: when it applies to a node, what it costs, and the statements it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from tinyc.backend.program import BufferInfo, Part, Pointer, Stmt, Table
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.memories import Placement
from tinyc.targets import Target


@dataclass(frozen=True)
class Options:
    """What the user asked of code generation."""

    target: Target
    kernels: str = "auto"  # auto | cmsis-nn | reference
    optimize: str = "default"  # default | speed | size | ram
    io: str = "arena"  # arena | caller
    stored_weights: bool = False  # float layers keep weights of int8 wherever they come with them
    state: tuple[tuple[int, int], ...] = ()  # (input, output that it becomes) of the graph
    placement: Placement | None = None  # memories of arenas and weights

    @property
    def variants(self) -> tuple[str, ...]:
        """Variants of runtime functions in order of preference."""
        return ("portable",) if self.kernels == "reference" else self.target.variants

    @property
    def variant(self) -> str:
        return self.variants[0]


@dataclass(frozen=True)
class Cost:
    """An estimate by which kernels are compared: instructions, bytes of flash, bytes of RAM of one node.

    calls: the runtime functions that the kernel calls, where their code counts in the comparison: once in a program,
    with what they need (see tinyc.kernels.choose). The flash of the node itself is its tables and its call.
    """

    instructions: float
    flash: float = 0.0
    ram: float = 0.0
    calls: tuple[str, ...] = ()


@dataclass
class Lowered:
    """A node as statements. `overlaps`, `climbs`: (operand, result, bytes), see tinyc.backend.program.Step.

    pitch: operands and results that may overlap must lie a multiple of so many bytes apart.
    """

    body: tuple[Stmt, ...]
    scratch_bytes: int = 0
    overlaps: tuple[tuple[int, int, int], ...] = ()
    climbs: tuple[tuple[int, int, int], ...] = ()
    buffers: Mapping[str, BufferInfo] = field(default_factory=dict)  # inside others, as `parts` says
    parts: Mapping[str, Part] = field(default_factory=dict)
    pitch: int = 1


class Builder:
    """What a kernel uses to lower one node: operands as pointers, constants as tables."""

    def __init__(self, graph: Graph[Any], node: Node, storage: dict[str, str], options: Options, prefix: str) -> None:
        self.graph = graph
        self.node = node
        self.options = options
        self.prefix = prefix
        self.scratch = f"{prefix}.scratch"
        self.tables: list[Table] = []
        self._storage = storage

    def has(self, index: int) -> bool:
        return index < len(self.node.inputs) and bool(self.node.inputs[index])

    def type(self, index: int) -> TensorType:
        return self.graph.type(self.node.inputs[index])

    def output_type(self, index: int = 0) -> TensorType:
        return self.graph.type(self.node.outputs[index])

    def data(self, index: int) -> Array:
        return self.graph.data(self.node.inputs[index])

    def real(self, index: int) -> Array:
        """A constant of a float node: what its integers stand for, where it is stored as such."""
        quant = self.type(index).quant
        return self.data(index) if quant is None else quant.real(self.data(index))

    def input(self, index: int) -> Pointer:
        """An operand's address: a buffer, or a table where it is a constant."""
        value = self.graph.value(self.node.inputs[index])
        if value.data is not None:
            return self.table(f"c{index}", value.data)
        return Pointer(self._storage[value.name])

    def output(self, index: int = 0) -> Pointer:
        return Pointer(self._storage[self.node.outputs[index]])

    def scratch_pointer(self) -> Pointer:
        return Pointer(self.scratch)

    def table(self, role: str, array: Array, kind: str = "weights", filters: int | None = None) -> Pointer:
        """A constant array in flash, named after the layer and its role in it; the first of a name counts.

        kind, filters: see tinyc.backend.program.Table. Elements of 4 bits take a byte each: kernels that read them
        packed give packed bytes.
        """
        name = f"{self.prefix}.{role}"
        if all(t.name != name for t in self.tables):
            flat = np.ascontiguousarray(array.astype(np.int8) if DType.of(array) is DType.INT4 else array)
            self.tables.append(Table(name, flat, DType.of(flat), kind, filters))
        return Pointer(name)

    def is_table(self, pointer: Pointer) -> bool:
        return any(t.name == pointer.buffer for t in self.tables)


class Kernel:
    """One way to compute some nodes. Subclasses are stateless."""

    name: ClassVar[str]
    ops: ClassVar[tuple[str, ...]]

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        """Why the kernel does not apply; None if it does."""
        raise NotImplementedError(self.name)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        raise NotImplementedError(self.name)

    def lower(self, build: Builder) -> Lowered:
        raise NotImplementedError(self.name)


@dataclass
class Registry:
    """All kernels, in order of preference among equal costs."""

    kernels: list[Kernel] = field(default_factory=list)

    def add(self, cls: type[Kernel]) -> type[Kernel]:
        self.kernels.append(cls())
        return cls

    def candidates(self, op: str) -> Sequence[Kernel]:
        return [k for k in self.kernels if op in k.ops]


KERNELS = Registry()
