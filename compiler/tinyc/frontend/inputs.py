# SPDX-License-Identifier: Apache-2.0
"""Types of graph inputs: element types, and symbolic dimensions made static."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import onnx

from tinyc.errors import TinycError
from tinyc.ir.types import DType, TensorType

MAX_ELEMENTS = 1 << 28
DTYPES: dict[int, DType] = {
    onnx.TensorProto.FLOAT: DType.FLOAT32,
    onnx.TensorProto.DOUBLE: DType.FLOAT64,
    onnx.TensorProto.FLOAT16: DType.FLOAT16,
    onnx.TensorProto.INT4: DType.INT4,
    onnx.TensorProto.INT8: DType.INT8,
    onnx.TensorProto.INT16: DType.INT16,
    onnx.TensorProto.INT32: DType.INT32,
    onnx.TensorProto.INT64: DType.INT64,
    onnx.TensorProto.UINT8: DType.UINT8,
    onnx.TensorProto.UINT16: DType.UINT16,
    onnx.TensorProto.UINT32: DType.UINT32,
    onnx.TensorProto.UINT64: DType.UINT64,
    onnx.TensorProto.BOOL: DType.BOOL,
    onnx.TensorProto.STRING: DType.STRING,
}


def dtype_of(code: int, where: str) -> DType:
    """The element type with this ONNX number. Raises TinycError."""
    dtype = DTYPES.get(code)
    if dtype is None:
        known = code in onnx.TensorProto.DataType.values()
        name = onnx.TensorProto.DataType.Name(code) if known else code
        labels = ", ".join(d.label for d in DTYPES.values())
        raise TinycError(f"element type {name} is not supported", node=where, hint=f"supported: {labels}")
    return dtype


@dataclass
class Dimensions:
    """Sizes of symbolic dimensions: given by the user, or a batch fixed to 1 with a note."""

    given: Mapping[str, int]
    used: set[str] = field(default_factory=set)
    batches: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def scan(self, inputs: Iterable[onnx.ValueInfoProto]) -> None:
        """Finds names of batch dimensions first: a name has one size wherever it stands."""
        for info in inputs:
            dims = info.type.tensor_type.shape.dim
            if dims and dims[0].dim_param and dims[0].dim_param not in self.given:
                self.batches.add(dims[0].dim_param)

    def size(self, dim: onnx.TensorShapeProto.Dimension, axis: int, where: str) -> int:
        """The size of one dimension. Raises TinycError where it is unknown."""
        if dim.dim_param and dim.dim_param in self.given:
            self.used.add(dim.dim_param)
            if self.given[dim.dim_param] < 1:
                raise TinycError(f"--dim {dim.dim_param}={self.given[dim.dim_param]}", hint="a size of 1 or more")
            return self.given[dim.dim_param]
        if dim.HasField("dim_value") and dim.dim_value >= 0:
            return int(dim.dim_value)
        label = dim.dim_param or "?"
        if axis == 0 or dim.dim_param in self.batches:
            self.notes.append(f"{where}: batch dimension {label} fixed to 1")
            return 1
        hint = f"--dim {label}=SIZE fixes it" if dim.dim_param else "export the model with static shapes"
        raise TinycError(f"dimension {axis} ({label}) is not static", node=where, hint=hint)

    def type_of(self, info: onnx.ValueInfoProto) -> TensorType:
        """The static type of a graph input. Raises TinycError."""
        where = f"graph input {info.name!r}"
        if not info.type.HasField("tensor_type") or not info.type.tensor_type.HasField("shape"):
            raise TinycError("not a tensor of known rank", node=where, hint="export with static shapes")
        tensor = info.type.tensor_type
        shape = tuple(self.size(dim, axis, where) for axis, dim in enumerate(tensor.shape.dim))
        if any(not 0 <= size <= MAX_ELEMENTS for size in shape):
            raise TinycError(f"shape {list(shape)}", node=where, hint="extents must be 0 to 2^28")
        type_ = TensorType(dtype_of(tensor.elem_type, where), shape)
        if type_.elements > MAX_ELEMENTS:
            raise TinycError(f"shape {list(shape)}", node=where, hint="this is no microcontroller model")
        if type_.dtype is DType.INT4:
            raise TinycError("an input of int4", node=where, hint="only weights may have 4 bits")
        return type_

    def check_all_used(self) -> None:
        """Raises TinycError where the user named a dimension that no input has."""
        unknown = sorted(set(self.given) - self.used)
        if unknown:
            raise TinycError(
                f"no symbolic dimension named {', '.join(unknown)}",
                hint="tinyc inspect shows the model's dimensions",
            )


def declared_shapes(
    infos: Iterable[onnx.ValueInfoProto], given: Mapping[str, int]
) -> dict[str, tuple[int, ...]]:
    """The shapes that a graph states for its values, where they are static or become so by `given`."""
    shapes = {}
    for info in infos:
        tensor = info.type.tensor_type
        if not info.type.HasField("tensor_type") or not tensor.HasField("shape"):
            continue
        sizes = [given.get(d.dim_param, d.dim_value if d.HasField("dim_value") else -1) for d in tensor.shape.dim]
        if all(0 <= size <= MAX_ELEMENTS for size in sizes):
            shapes[info.name] = tuple(int(size) for size in sizes)
    return shapes
