# SPDX-License-Identifier: Apache-2.0
"""BatchNormalization at inference: a Mul and an Add with constants of one value a channel.

The pass fold_scale takes them into a Conv or Gemm before them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyc.ops.elementwise import BinaryAttrs
from tinyc.ops.registry import Importing, ShapeError, imports
from tinyc.ops.unary import UnaryAttrs
from tinyc.ops.view import ReshapeAttrs


@imports("BatchNormalization")
def _batch_norm(node: Importing) -> Sequence[str]:
    x = node.type(0)
    if len([o for o in node.outputs if o]) > 1 or node.attributes.get("training_mode", 0):
        raise node.fail("BatchNormalization in training mode", "export the model in inference mode")
    if node.opset < 7 and not node.attributes.get("is_test", 0):
        raise node.fail("BatchNormalization without is_test trains", "export the model in inference mode")
    if node.opset < 9 and not node.attributes.get("spatial", 1):
        raise node.fail("BatchNormalization with spatial 0", "normalize per channel")
    channels = x.shape[1] if x.rank > 1 else 1
    if any(node.type(i).shape != (channels,) for i in range(1, 5)):
        raise ShapeError(f"parameters that do not have one value for each of {channels} channels")
    scale, shift, mean, variance = (node.input(i) for i in range(1, 5))
    epsilon = node.const(np.array(node.attributes.get("epsilon", 1e-5), node.type(4).dtype.numpy))
    deviation = node.emit("Sqrt", UnaryAttrs(), node.emit("Add", BinaryAttrs(), [variance, epsilon]))
    factor = node.emit("Div", BinaryAttrs(), [scale, *deviation])[0]
    offset = node.emit("Sub", BinaryAttrs(), [shift, *node.emit("Mul", BinaryAttrs(), [mean, factor])])[0]
    if x.rank > 2:
        shape = ReshapeAttrs((channels, *[1] * (x.rank - 2)))
        factor, offset = (node.emit("Reshape", shape, [v])[0] for v in (factor, offset))
    scaled = node.emit("Mul", BinaryAttrs(), [node.input(0), factor])
    return node.emit("Add", BinaryAttrs(), [*scaled, offset])
