# SPDX-License-Identifier: Apache-2.0
"""Products of uint8 and int8, so that onnxruntime computes them exactly.

On x86-64 without VNNI its kernels add two such products in 16 bits, which saturate (its documentation calls that the
U8S8 issue). With both operands in uint8, and 128 more on values and zero point, the same node is exact everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx

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
