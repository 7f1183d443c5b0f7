# SPDX-License-Identifier: Apache-2.0
"""Lookup: keys to values. LabelEncoder, CategoryMapper and OneHotEncoder of ai.onnx.ml become this or Equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.ml_features import as_type, reshaped
from tinyc.ops.ml_scores import DOMAIN, binary, strings
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Types, array, imports, need, register


@dataclass(frozen=True)
class LookupAttrs:
    """`default`: the result where no key is equal. A NaN finds a key that is NaN. The first equal key counts."""

    default: float | int


@register
class Lookup(Operator):
    """Operand 0 of any shape; constant vectors of keys and values (operands 1 and 2)."""

    name = "Lookup"
    plain_operands = frozenset({1, 2})

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        x, keys, values = (need(t, "an operand") for t in types)
        if keys.dtype is not x.dtype or keys.rank != 1 or keys.shape != values.shape:
            raise ShapeError(f"keys {keys}, values {values} for an input {x}")
        return [TensorType(values.dtype, x.shape)]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        x, keys, values = (array(i) for i in inputs)
        result = np.full(x.shape, node.attrs.default, values.dtype)
        for key, value in reversed(list(zip(keys, values, strict=True))):
            result[(x == key) | ((x != x) & (key != key))] = value
        return [result]


def _places(labels: Sequence[str], texts: Sequence[str]) -> list[int]:
    """Each text's place in `labels`; a number that no element has where it is not there."""
    return [labels.index(t) if t in labels else -2 - k for k, t in enumerate(texts)]


def _without_labels(node: Importing, value: str) -> str:
    """The places that a value of strings consists of, as plain integers."""
    return node.with_labels(reshaped(node, value, node.type_of(value).shape), None)


def _emit(node: Importing, keys: Any, values: Any, default: Any) -> str:
    """Looks operand 0 up. Keys, values and default are numbers or strings."""
    x, value = node.type(0), node.input(0)
    if len(keys) != len(values) or not len(keys):
        raise node.fail(f"{len(keys)} keys and {len(values)} values")
    if isinstance(keys[0], str):
        if x.labels is None:
            raise node.fail("the keys are strings, the input is not")
        own = np.array(_places(x.labels, list(keys)), np.int32)
    elif x.labels is not None:
        raise node.fail("the input is strings, the keys are not")
    else:
        own = np.asarray(keys).astype(x.dtype.numpy)
    plain = value if x.labels is None else _without_labels(node, value)
    if not isinstance(values[0], str):
        table = np.asarray(values)
        return node.emit("Lookup", LookupAttrs(default), [plain, node.const(own), node.const(table)])[0]
    labels = list(dict.fromkeys([*values, default]))
    table = np.array([labels.index(v) for v in values], np.int32)
    operands = [plain, node.const(own), node.const(table)]
    return node.with_labels(node.emit("Lookup", LookupAttrs(labels.index(default)), operands)[0], labels)


def _of_kind(node: Importing, stem: str) -> tuple[Any, str]:
    """Keys or values of a LabelEncoder, and the suffix of the attribute that has them."""
    tensor = node.attributes.get(f"{stem}_tensor")
    if tensor is not None:
        flat = np.asarray(tensor).reshape(-1)
        return ([str(v) for v in flat] if flat.dtype.kind in "OUS" else flat), "tensor"
    texts = strings(node, f"{stem}_strings")
    if texts:
        return texts, "string"
    for name, dtype in (("int64s", np.int64), ("floats", np.float32)):
        if node.attributes.get(f"{stem}_{name}"):
            return np.array(node.attributes[f"{stem}_{name}"], dtype), name[:-1]
    raise node.fail(f"{stem} are missing")


@imports("LabelEncoder", domain=DOMAIN)
def _label_encoder(node: Importing) -> Sequence[str]:
    classes = strings(node, "classes_strings")
    if classes:
        return [_classes(node, classes, np.arange(len(classes)))]
    keys, _ = _of_kind(node, "keys")
    values, kind = _of_kind(node, "values")
    if node.opset < 4 and not isinstance(keys, list) and keys.dtype.kind == "f":  # a NaN was no key then
        values = [v for k, v in zip(keys, values, strict=True) if k == k]
        values, keys = values if isinstance(values[0], str) else np.array(values), keys[keys == keys]
    given = node.attributes.get("default_tensor")
    if given is not None:
        flat = np.asarray(given).reshape(-1)
        default = str(flat[0]) if flat.dtype.kind in "OUS" else flat[0].item()
    elif isinstance(values, list):
        default = node.attributes.get("default_string", "_Unused")
    elif kind == "float" or values.dtype.kind == "f":
        default = float(node.attributes.get("default_float", -0.0))
    else:
        default = int(node.attributes.get("default_int64", -1))
    return [_emit(node, keys, values, default)]


def _classes(node: Importing, texts: Sequence[str], numbers: Array) -> str:
    """Strings to numbers where the input is strings, numbers to strings otherwise."""
    if node.type(0).labels is not None:
        return _emit(node, list(texts), numbers.astype(np.int64), int(node.attributes.get("default_int64", -1)))
    return _emit(node, numbers.astype(np.int64), list(texts), node.attributes.get("default_string", "_Unused"))


@imports("CategoryMapper", domain=DOMAIN)
def _category_mapper(node: Importing) -> Sequence[str]:
    numbers = np.array(node.attributes.get("cats_int64s") or [], np.int64)
    return [_classes(node, strings(node, "cats_strings"), numbers)]


@imports("OneHotEncoder", domain=DOMAIN)
def _one_hot_encoder(node: Importing) -> Sequence[str]:
    """A column for each category; a category that is none of them gives zeros."""
    x, value = node.type(0), node.input(0)
    texts, numbers = strings(node, "cats_strings"), [int(v) for v in node.attributes.get("cats_int64s") or []]
    if bool(texts) == bool(numbers) or bool(texts) != (x.labels is not None):
        raise node.fail("the categories are not of the input's type")
    if not node.attributes.get("zeros", 1):
        node.note("a category that is none of the model's gives zeros, not an error")
    if texts:
        value, categories = _without_labels(node, value), np.array(_places(x.labels or (), texts), np.int32)
    else:
        dtype = x.dtype if x.dtype is DType.INT32 else DType.INT64
        value, categories = as_type(node, value, dtype), np.array(numbers, np.int64)
        low, high = dtype.limits
        if categories.min() < low or categories.max() > high:
            value = as_type(node, value, DType.INT64)
        else:
            categories = categories.astype(dtype.numpy)
    wide = reshaped(node, value, (*x.shape, 1))
    return [as_type(node, binary(node, "Equal", wide, node.const(categories)), DType.FLOAT32)]
