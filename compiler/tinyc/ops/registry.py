# SPDX-License-Identifier: Apache-2.0
"""What an operator is, and the table of all of them.

An `Operator` describes one operator of the IR: its type inference, its evaluation in NumPy (float
and raw integers) and, where it has one, its integer form: when it applies and its evaluation by the
int8 specification, which is the oracle for the generated C. An importer turns one ONNX node into
IR nodes. Both live together in a file of this package.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

from tinyc.ir.graph import NoAttrs, Node
from tinyc.ir.types import Array, DType, Quant, TensorType

Types = Sequence[TensorType | None]
Arrays = Sequence[Array | None]


class ShapeError(Exception):
    """Operands do not fit together. The front end adds the node's name."""


@dataclass(frozen=True)
class Sunk:
    """node(Transpose(x)) = Transpose(node'(x)): the attributes of node', the permutation that remains."""

    attrs: Any
    perm: tuple[int, ...]


class Operator:
    """One operator of the IR. Subclasses are stateless; nodes carry the attributes."""

    name: ClassVar[str]
    # The integer form gives its result the scale and zero point of operand 0 (Reshape, MaxPool, ...).
    keeps_quant: ClassVar[bool] = False
    # The integer form wants every operand at the result's scale and zero point (Concat, Max, ...).
    shares_quant: ClassVar[bool] = False
    # The result consists of elements of operand 0, chosen by place or by order: it commutes with
    # QuantizeLinear and DequantizeLinear (Reshape, Slice, MaxPool, ...).
    selects: ClassVar[bool] = False
    # The result is a weighted mean of elements of operand 0: what is added to all of them is added to it.
    averages: ClassVar[bool] = False
    # Element i of the result depends on element i of each (broadcast) operand only.
    elementwise: ClassVar[bool] = False
    # The output is the input's bytes under another shape; costs nothing.
    is_view: ClassVar[bool] = False
    # The operand that the integer form wants as int32 at scale input * weights.
    bias_operand: ClassVar[int | None] = None
    # The operand that a float node may read as a constant of integers with their Quant: weights stored as int8.
    stored_operand: ClassVar[int | None] = None
    # Operands that are never quantized: indices, conditions.
    plain_operands: ClassVar[frozenset[int]] = frozenset()

    # Operands that the integer form takes as real constants: its tables are made of them.
    real_operands: ClassVar[frozenset[int]] = frozenset()

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

    def natural_quant(self, node: Node, types: Types, wanted: Quant) -> Quant:
        """Quantization of the integer form's result where the model asks for `wanted`.

        Where the two differ, a Requantize follows.
        """
        first = types[0] if types else None
        return first.quant if self.keeps_quant and first and first.quant else wanted

    def quant_across(self, known: TensorType) -> Quant | None:
        """Quantization on one side of a node that moves plain integers, given the type on the other.

        The sides are operand 0 and the result. None where that says nothing.
        """
        return known.quant if self.keeps_quant and known.quant and known.quant.per_tensor else None

    def as_integer(self, node: Node, quant: Quant) -> Node:
        """A node that moves plain integers, once they are known to have this quantization."""
        return replace(node, integer=True)

    def layout_operands(self, node: Node) -> tuple[int, ...]:
        """Operands that follow the layout of the result when a Transpose moves through the node."""
        return tuple(i for i, name in enumerate(node.inputs) if name)

    def through_transpose(
        self, node: Node, perm: tuple[int, ...], types: Types, output: TensorType
    ) -> Sunk | None:
        """How a Transpose of the layout operands moves behind the node; None if it cannot.

        `types` are the operands' types as the node now sees them, transposed.
        """
        return Sunk(node.attrs, perm) if self.elementwise and output.rank == len(perm) else None

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

    def constant_value(self, value: str) -> Array | None:
        """The array of an IR value if it is constant."""

    def declared(self, index: int) -> tuple[int, ...]:
        """The static shape that the model states for an output; an error where it states none."""

    def const(self, array: Array, quant: Quant | None = None) -> str:
        """A new constant value."""

    def with_labels(self, value: str, labels: Sequence[str] | None) -> str:
        """The value (int32), said to be places in a list of strings, -1 any other string; or None: plain integers."""

    def note(self, text: str) -> None:
        """Tells the user something about this node that is no error."""

    def as_map(self, output: str, keys: Sequence[int | str]) -> None:
        """The node's ONNX output is a map, or a list of maps, with these keys; ours is the tensor of values."""

    def emit(self, op: str, attrs: Any, inputs: Sequence[str], count: int = 1) -> list[str]:
        """Adds an IR node, or folds it where its operands are constants; the names of its outputs."""

    def dtype(self, onnx_code: int | str) -> DType:
        """The element type for a number, or its name, of ONNX's TensorProto.DataType."""

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


def int8_obstacle(types: Types, output: TensorType) -> str | None:
    """Why operands and result are not all int8, each with one scale; None if they are."""
    for type_ in (*types, output):
        if type_ is None:
            continue
        if type_.dtype is not DType.INT8:
            return f"an operand or the result is {type_.dtype.label}, not int8"
        if type_.quant is None:
            return "an operand is not quantized"
        if not type_.quant.per_tensor:
            return "an operand is quantized per channel"
    return None


def quantized_obstacle(types: Types, output: TensorType) -> str | None:
    """Why operands and result are not all int8 or all int16, each with one scale; None if they are."""
    if output.dtype is not DType.INT16:
        return int8_obstacle(types, output)
    for type_ in types:
        if type_ is not None and (type_.dtype is not DType.INT16 or type_.quant is None or not type_.quant.per_tensor):
            return "an operand is not int16 with one scale"
    return None


def constant_or_attribute(node: Importing, index: int, name: str, since: int) -> list[int] | None:
    """Integers that are an operand from opset `since` on and an attribute before; None if omitted."""
    if node.opset >= since:
        return [int(v) for v in node.constant(index, name).reshape(-1)] if node.has(index) else None
    values = node.attributes.get(name)
    return None if values is None else [int(v) for v in values]


def normalized_axes(node: Importing, axes: Sequence[int], rank: int) -> list[int]:
    """Axes made non-negative and sorted; an error where one is out of range or given twice."""
    result = [int(a) + rank if a < 0 else int(a) for a in axes]
    if any(not 0 <= a < rank for a in result) or len(set(result)) != len(result):
        raise node.fail(f"axes {list(axes)} do not fit rank {rank}")
    return sorted(result)


__all__ = ["NoAttrs", "Node", "Operator", "Sunk", "imports", "operator", "register"]
