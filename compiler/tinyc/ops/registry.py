# SPDX-License-Identifier: Apache-2.0
"""What an operator is, and the table of all of them.

An `Operator` describes one operator of the IR: its type inference, its evaluation in NumPy (float
and raw integers) and, where it has one, its integer form: when it applies and its evaluation by the
int8 specification, which is the oracle for the generated C. An importer turns one ONNX node into
IR nodes. Both live together in a file of this package.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

from tinyc.ir.graph import NoAttrs, Node
from tinyc.ir.types import Array, Quant, TensorType

Types = Sequence[TensorType | None]
Arrays = Sequence[Array | None]


class ShapeError(Exception):
    """Operands do not fit together. The front end adds the node's name."""


class Operator:
    """One operator of the IR. Subclasses are stateless; nodes carry the attributes."""

    name: ClassVar[str]
    # The output has the input's scale and zero point, whatever they are (Reshape, MaxPool, ...).
    keeps_quant: ClassVar[bool] = False
    # The output is the input's bytes under another shape; costs nothing.
    is_view: ClassVar[bool] = False

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        """Output types (Quant left None). Raises ShapeError."""
        raise NotImplementedError(self.name)

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        """Results on plain arrays, in ONNX's semantics."""
        raise NotImplementedError(self.name)

    def integer_obstacle(self, node: Node, types: Types, output: TensorType) -> str | None:
        """Why the integer form does not apply to these operand and result types; None if it does."""
        return f"{node.op} has no integer form"

    def evaluate_integer(
        self, node: Node, inputs: Arrays, types: Types, outputs: Sequence[TensorType]
    ) -> list[Array]:
        """Results on quantized integers, exact by the int8 specification."""
        raise NotImplementedError(self.name)

    def macs(self, node: Node, types: Types, outputs: Sequence[TensorType]) -> int:
        """Multiply-accumulates of one evaluation."""
        return 0


class Importing(Protocol):
    """What an importer sees of the ONNX node at hand; the front end implements it."""

    op_type: str
    domain: str
    opset: int
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]

    def has(self, index: int) -> bool:
        """Whether the optional operand is there."""

    def input(self, index: int) -> str:
        """The IR value of an operand, "" where it is omitted."""

    def type(self, index: int) -> TensorType:
        """The type of an operand."""

    def type_of(self, value: str) -> TensorType:
        """The type of any IR value."""

    def constant(self, index: int, what: str) -> Array:
        """The array of an operand that must be constant; an error naming `what` otherwise."""

    def constant_or_none(self, index: int) -> Array | None:
        """The operand's array if it is constant."""

    def const(self, array: Array, quant: Quant | None = None) -> str:
        """A new constant value."""

    def emit(self, op: str, attrs: Any, inputs: Sequence[str], count: int = 1) -> list[str]:
        """Adds an IR node; the names of its outputs."""

    def fail(self, what: str, hint: str = "") -> Exception:
        """An error at this node, to be raised."""


Importer = Callable[[Importing], Sequence[str]]

OPERATORS: dict[str, Operator] = {}
IMPORTERS: dict[tuple[str, str], Importer] = {}


def register(cls: type[Operator]) -> type[Operator]:
    """Class decorator: adds the operator to the table."""
    OPERATORS[cls.name] = cls()
    return cls


def imports(*op_types: str, domain: str = "") -> Callable[[Importer], Importer]:
    """Decorator: the function turns these ONNX operators into IR nodes and returns its outputs."""

    def add(function: Importer) -> Importer:
        for op_type in op_types:
            IMPORTERS[domain, op_type] = function
        return function

    return add


def operator(name: str) -> Operator:
    return OPERATORS[name]


def need(type_: TensorType | None, what: str) -> TensorType:
    if type_ is None:
        raise ShapeError(f"{what} is missing")
    return type_


def array(value: Array | None) -> Array:
    assert value is not None
    return value


def quant_of(type_: TensorType | None) -> Quant:
    assert type_ is not None and type_.quant is not None
    return type_.quant


def scale_zero(type_: TensorType | None) -> tuple[float, int]:
    """Scale and zero point of a tensor quantized as a whole."""
    quant = quant_of(type_)
    return quant.scale[0], quant.zero_point[0]


__all__ = ["NoAttrs", "Node", "Operator", "imports", "operator", "register"]
