# SPDX-License-Identifier: Apache-2.0
"""Integer graph inputs that shapes are computed from: values that the declared shapes of the outputs suggest."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import numpy as np
import onnx

from tinyc.frontend.inputs import declared_shapes
from tinyc.ir.types import Array

MAX_TRIED = 64
_TYPES = {onnx.TensorProto.INT64: np.int64, onnx.TensorProto.INT32: np.int32}


def guesses(graph: onnx.GraphProto, dims: Mapping[str, int]) -> Iterator[tuple[str, Array]]:
    """(input, value) for the only integer input of a few elements: extents of an output, in their order.

    Nothing where an output's shape is not declared or there is more than one such input.
    """
    shapes = declared_shapes(graph.output, dims)
    constants = {tensor.name for tensor in graph.initializer}
    small = []
    for info in graph.input:
        shape = declared_shapes([info], dims).get(info.name)
        dtype = _TYPES.get(info.type.tensor_type.elem_type)
        if info.name not in constants and dtype and shape is not None and len(shape) < 2:
            small.append((info.name, dtype, shape))
    if len(small) != 1 or len(shapes) != len(graph.output):
        return
    name, dtype, shape = small[0]
    count = shape[0] if shape else 1
    seen: set[tuple[int, ...]] = set()
    for extents in shapes.values():
        for values in itertools.islice(itertools.combinations(extents, count), MAX_TRIED):
            if values not in seen and len(seen) < MAX_TRIED:
                seen.add(values)
                yield name, np.array(values, dtype).reshape(shape)
