# SPDX-License-Identifier: Apache-2.0
"""Operators whose result is known once shapes are: Shape, Size and ConstantOfShape.

They import as constants, so the shape arithmetic that exporters write folds away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinyc.ops.registry import Importing, ShapeError, imports

MAX_ELEMENTS = 1 << 24


@imports("Shape")
def _shape(node: Importing) -> Sequence[str]:
    shape = node.type(0).shape
    start, end = int(node.attributes.get("start", 0)), node.attributes.get("end")
    return [node.const(np.array(shape[start : None if end is None else int(end)], np.int64))]


@imports("Size")
def _size(node: Importing) -> Sequence[str]:
    return [node.const(np.array(node.type(0).elements, np.int64))]


@imports("ConstantOfShape")
def _constant_of_shape(node: Importing) -> Sequence[str]:
    shape = [int(d) for d in node.constant(0, "shape").reshape(-1)]
    if min(shape, default=0) < 0 or math.prod(shape) > MAX_ELEMENTS:
        raise ShapeError(f"a constant of shape {shape}")
    value = np.asarray(node.attributes.get("value", np.zeros(1, np.float32)))
    return [node.const(np.full(shape, value.reshape(())[()], value.dtype))]
