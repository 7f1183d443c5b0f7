# SPDX-License-Identifier: Apache-2.0
"""Operators of ai.onnx.ml that prepare features, as element-wise operators, reductions and moves."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinyc.ir.graph import NoAttrs
from tinyc.ir.types import DType
from tinyc.ops.cast import CastAttrs
from tinyc.ops.concat import ConcatAttrs
from tinyc.ops.ml_linear import floats
from tinyc.ops.ml_scores import DOMAIN, binary, constant, unary
from tinyc.ops.reduce import ReduceAttrs
from tinyc.ops.registry import Importing, imports
from tinyc.ops.select import GatherAttrs, SliceAttrs
from tinyc.ops.view import ReshapeAttrs


def as_type(node: Importing, value: str, dtype: DType) -> str:
    """The value with another element type."""
    return value if node.type_of(value).dtype is dtype else node.emit("Cast", CastAttrs(dtype), [value])[0]


def reshaped(node: Importing, value: str, shape: Sequence[int]) -> str:
    return node.emit("Reshape", ReshapeAttrs(tuple(shape)), [value])[0]


def _per_feature(node: Importing, name: str, default: float) -> str:
    """A constant from an attribute with one number, or one for each feature."""
    values, features = floats(node, name) or [default], node.type(0).shape[-1:] or (1,)
    if len(values) not in (1, features[0]):
        raise node.fail(f"{name} has {len(values)} numbers for {features[0]} features")
    return constant(node, *values)


@imports("Scaler", domain=DOMAIN)
def _scaler(node: Importing) -> Sequence[str]:
    """(x - offset) * scale."""
    value = as_type(node, node.input(0), DType.FLOAT32)
    if any(floats(node, "offset")):
        value = binary(node, "Sub", value, _per_feature(node, "offset", 0.0))
    if any(s != 1.0 for s in floats(node, "scale")):
        value = binary(node, "Mul", value, _per_feature(node, "scale", 1.0))
    return [value]


@imports("Normalizer", domain=DOMAIN)
def _normalizer(node: Importing) -> Sequence[str]:
    """Rows over their maximum, sum of magnitudes or length; a row where that is 0 stays as it is."""
    norm = node.attributes.get("norm", "MAX")
    value = as_type(node, node.input(0), DType.FLOAT32)
    attrs = ReduceAttrs((node.type(0).rank - 1,), True)
    if norm == "MAX":
        size = node.emit("ReduceMax", attrs, [value])[0]
    elif norm == "L1":
        size = node.emit("ReduceSum", attrs, [unary(node, "Abs", value)])[0]
    elif norm == "L2":
        size = unary(node, "Sqrt", node.emit("ReduceSum", attrs, [binary(node, "Mul", value, value)])[0])
    else:
        raise node.fail(f"norm {norm!r} is not MAX, L1 or L2")
    empty = binary(node, "Equal", size, constant(node, 0.0))
    return [binary(node, "Div", value, node.emit("Where", NoAttrs(), [empty, constant(node, 1.0), size])[0])]


@imports("Imputer", domain=DOMAIN)
def _imputer(node: Importing) -> Sequence[str]:
    """Another value in place of one that stands for "missing"."""
    x = node.type(0)
    whole = [int(v) for v in node.attributes.get("imputed_value_int64s") or []]
    values: list[float] | list[int] = whole if x.dtype.is_integer else floats(node, "imputed_value_floats")
    if len(values) not in (1, (x.shape[-1:] or (1,))[0]):
        raise node.fail(f"{len(values)} imputed values for {x.dtype.label}{list(x.shape)}")
    marker = node.attributes.get("replaced_value_int64" if x.dtype.is_integer else "replaced_value_float", 0)
    if isinstance(marker, float) and math.isnan(marker):
        missing = unary(node, "IsNaN", node.input(0))
    else:
        missing = binary(node, "Equal", node.input(0), node.const(np.array(marker, x.dtype.numpy)))
    fill = node.const(np.array(values[0] if len(values) == 1 else values, x.dtype.numpy))
    return node.emit("Where", NoAttrs(), [missing, fill, node.input(0)])


@imports("Binarizer", domain=DOMAIN)
def _binarizer(node: Importing) -> Sequence[str]:
    """1 above the threshold, else 0."""
    dtype, threshold = node.type(0).dtype, float(node.attributes.get("threshold", 0.0))
    value = node.input(0)
    if dtype.is_integer:  # x > t exactly when x > floor(t)
        threshold = math.floor(min(max(threshold, dtype.limits[0]), dtype.limits[1] - 1))
    bound = node.const(np.array(threshold, dtype.numpy))
    return [as_type(node, binary(node, "Greater", value, bound), dtype)]


@imports("FeatureVectorizer", domain=DOMAIN)
def _feature_vectorizer(node: Importing) -> Sequence[str]:
    """The operands' features side by side, each cut or padded with zeros to its number of columns."""
    sizes = [int(v) for v in node.attributes.get("inputdimensions") or []]
    if len(sizes) != len(node.inputs) or min(sizes, default=0) < 1:
        raise node.fail(f"inputdimensions {sizes} for {len(node.inputs)} operands")
    parts = []
    for index, size in enumerate(sizes):
        shape = node.type(index).shape
        rows = shape if len(shape) == 2 else (1, *shape) if len(shape) == 1 else None
        if rows is None:
            raise node.fail(f"operand {index} has shape {list(shape)}")
        part = reshaped(node, as_type(node, node.input(index), DType.FLOAT32), rows)
        if rows[1] > size:
            part = node.emit("Slice", SliceAttrs((0, 0), (1, 1), (rows[0], size)), [part])[0]
        parts.append(part)
        if rows[1] < size:
            parts.append(node.const(np.zeros((rows[0], size - rows[1]), np.float32)))
    return parts if len(parts) == 1 else node.emit("Concat", ConcatAttrs(1), parts)


@imports("ArrayFeatureExtractor", domain=DOMAIN)
def _array_feature_extractor(node: Importing) -> Sequence[str]:
    """Columns of the last axis, picked by a vector of indices."""
    x, indices = node.type(0), node.type(1)
    if not x.rank:
        raise node.fail("the features are a scalar")
    count = indices.elements
    value = node.input(0) if x.rank > 1 else reshaped(node, node.input(0), (1, *x.shape))
    places = reshaped(node, node.input(1), (count,))
    return node.emit("Gather", GatherAttrs(node.type_of(value).rank - 1), [value, places])
