# SPDX-License-Identifier: Apache-2.0
"""Values of a random graph, the finished graph, and what ONNX's schemas allow."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
import onnx

MAX_ELEMENTS = 3000  # of a result
FLOATS = ("float32", "float64", "float16")
INTEGERS = ("int32", "int64", "int8", "uint8", "int16", "uint16", "uint32", "uint64")
NUMBERS = FLOATS + INTEGERS
ANY = (*NUMBERS, "bool")
RECURRENT = ("LSTM", "GRU", "RNN")
UNOFFICIAL = ("SimplifiedLayerNormalization",)  # in ONNX's domain, but onnxruntime's
LIMITS = {"float32": 1e6, "float64": 1e6, "float16": 2e3}


@dataclass(frozen=True)
class Value:
    """A tensor of the graph, with what it holds."""

    name: str
    array: np.ndarray
    constant: bool = False
    scale: float = 0.0  # of the integers behind a DequantizeLinear

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.array.shape)

    @property
    def rank(self) -> int:
        return self.array.ndim

    @property
    def dtype(self) -> str:
        return self.array.dtype.name

    @property
    def finite(self) -> bool:
        return self.array.dtype.kind != "f" or bool(np.isfinite(self.array).all())


@dataclass(frozen=True)
class Case:
    """A finished graph: the model, its inputs and the outputs that it should give."""

    model: onnx.ModelProto
    inputs: dict[str, np.ndarray]
    expected: dict[str, np.ndarray]
    operators: tuple[tuple[str, str], ...]
    inexact: frozenset[str]  # nodes (by first output) whose real results are rounded
    stepped: frozenset[str]  # nodes whose integer results may be a step away
    preferred: frozenset[str]  # nodes that the ONNX reference decides
    known: dict[str, np.ndarray]  # every value
    quantized: bool = False
    options: dict[str, str] = field(default_factory=dict)  # of the compiler


@cache
def schema(op: str, opset: int, domain: str) -> onnx.defs.OpSchema | None:
    """The operator's schema; None where this opset does not have it."""
    try:
        found = onnx.defs.get_schema(op, opset, domain)
    except onnx.defs.SchemaError:
        return None
    return None if found.deprecated else found


@cache
def allowed_types(op: str, opset: int, domain: str, index: int) -> tuple[str, ...]:
    """Element types that the schema allows for an operand."""
    found = schema(op, opset, domain)
    if found is None:
        return ANY
    formal = found.inputs[min(index, len(found.inputs) - 1)]
    return tuple(t for t in ANY if f"tensor({'double' if t == 'float64' else 'float' if t == 'float32' else t})"
                 in formal.types)
