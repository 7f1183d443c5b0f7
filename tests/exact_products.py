# SPDX-License-Identifier: Apache-2.0
"""Products of uint8 and int8, so that onnxruntime computes them exactly.

On x86-64 without VNNI its kernels add two such products in 16 bits, which saturate (its documentation calls that the
U8S8 issue). With both operands in uint8, and 128 more on values and zero point, the same node is exact everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import numpy_helper

# Operator: the places of its second factor and of that factor's zero point.
FACTORS = {
    "MatMulInteger": (1, 3),
    "ConvInteger": (1, 3),
    "DynamicQuantizeMatMul": (1, 3),
    "MatMulIntegerToFloat": (1, 5),
    "QLinearMatMul": (3, 5),
    "QLinearConv": (3, 5),
    "QGemm": (3, 5),
}
# And that of the first factor's zero point, whose type is the factor's.
FIRST_ZERO = {"MatMulInteger": 2, "ConvInteger": 2, "MatMulIntegerToFloat": 4, "QLinearMatMul": 2, "QLinearConv": 2,
              "QGemm": 2}


def unsigned(node: onnx.NodeProto, operands: Mapping[str, np.ndarray],
             constants: set[str]) -> tuple[onnx.NodeProto, dict[str, np.ndarray], set[str]]:
    """The node with an int8 second factor brought to uint8, its operands, and the names of those that are constant."""
    found, held = dict(operands), set(constants)
    if node.op_type not in FACTORS or operands[node.input[0]].dtype == np.int8:
        return node, found, held
    factor, zero = FACTORS[node.op_type]
    if operands[node.input[factor]].dtype != np.int8:
        return node, found, held
    changed = onnx.NodeProto()
    changed.CopyFrom(node)
    while len(changed.input) <= zero:
        changed.input.append("")
    for place in (factor, zero):
        name = node.input[place] if place < len(node.input) else ""
        signed = operands[name] if name else np.zeros((), np.int8)
        changed.input[place] = f"{name}.unsigned{place}"
        found[changed.input[place]] = np.asarray(signed.view(np.uint8) ^ np.uint8(128))
        if not name or name in constants:
            held.add(changed.input[place])
    left = set(changed.input)
    return changed, {n: a for n, a in found.items() if n in left}, held


def unsigned_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with the int8 weights that uint8 values are multiplied by brought to uint8, as far as they and the
    values' zero points are initializers."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    held = {t.name: numpy_helper.to_array(t) for t in changed.graph.initializer}
    names = set(held)
    for node in changed.graph.node:
        first = FIRST_ZERO.get(node.op_type, -1)
        if not 0 <= first < len(node.input) or node.input[first] not in names:
            continue
        operands = {name: held[name] for name in node.input if name in names}
        if operands[node.input[first]].dtype != np.uint8 or node.input[FACTORS[node.op_type][0]] not in names:
            continue
        operands.setdefault(node.input[0], operands[node.input[first]])
        found, arrays, _ = unsigned(node, operands, names)
        for name in set(found.input) - set(node.input):
            if name not in names:
                names.add(name)
                held[name] = arrays[name]
                changed.graph.initializer.append(numpy_helper.from_array(arrays[name], name))
        node.CopyFrom(found)
    return changed
