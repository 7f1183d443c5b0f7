# SPDX-License-Identifier: Apache-2.0
"""Tables of signal processing: HannWindow, HammingWindow, BlackmanWindow and MelWeightMatrix.

They import as constants. A mel matrix whose parameters are known only at run time is computed in run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Types, array, imports, need, register

MAX_ELEMENTS = 1 << 24
COSINES = {
    "HannWindow": (0.5, -0.5, 0.0),
    "HammingWindow": (25.0 / 46.0, -21.0 / 46.0, 0.0),
    "BlackmanWindow": (0.42, -0.5, 0.08),
}


@imports(*COSINES)
def _window(node: Importing) -> Sequence[str]:
    """A sum of cosines over one period, which the last element does or (symmetric) does not belong to."""
    size = int(node.constant(0, "size").reshape(-1)[0])
    if not 0 <= size <= MAX_ELEMENTS:
        raise ShapeError(f"a window of {size}")
    dtype = node.dtype(int(node.attributes.get("output_datatype", 1)))
    period = size if node.attributes.get("periodic", 1) else size - 1
    angle = 2 * np.pi * np.arange(size) / max(1, period)
    window = sum(c * np.cos(k * angle) for k, c in enumerate(COSINES[node.op_type]))
    return [node.const(np.asarray(window).astype(dtype.numpy))]


def mel_weights(
    bins: int, dft_length: int, sample_rate: int, lower: float, upper: float, dtype: DType
) -> Array:
    """Triangles [dft_length // 2 + 1, bins] at equal distances on the mel scale."""
    spectrum = dft_length // 2 + 1
    low, high = (2595.0 * np.log10(1.0 + f / 700.0) for f in (lower, upper))
    mels = low + np.arange(bins + 2) * ((high - low) / (bins + 2))
    hertz = 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    edges = np.floor((dft_length + 1) * hertz / sample_rate)
    if not np.isfinite(edges).all() or edges.min() < 0 or edges.max() >= spectrum or (np.diff(edges) < 0).any():
        raise ShapeError(f"{bins} bands from {lower:g} to {upper:g} Hz beyond the spectrum")
    result = np.zeros((spectrum, bins))
    for band in range(bins):
        left, centre, right = (int(e) for e in edges[band : band + 3])
        rising = np.arange(left, centre + 1)
        result[rising, band] = (rising - left) / (centre - left) if centre > left else 1.0
        falling = np.arange(centre, right)
        result[falling, band] = (right - falling) / max(1, right - centre)
    return result.astype(dtype.numpy)


@dataclass(frozen=True)
class MelAttrs:
    spectrum: int
    bins: int
    dtype: DType


@register
class MelWeights(Operator):
    """Operands as MelWeightMatrix's, read in run: bands, length, rate, lower and upper edge, one number each."""

    name = "MelWeights"
    plain_operands = frozenset(range(5))

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        operands = [need(t, "operand") for t in types]
        whole = all(t.dtype in (DType.INT32, DType.INT64) for t in operands[:3])
        if len(operands) != 5 or not whole or any(t.elements != 1 for t in operands):
            raise ShapeError("operands are not five numbers")
        return [TensorType(node.attrs.dtype, (node.attrs.spectrum, node.attrs.bins))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        bins, length, rate, lower, upper = (array(i).reshape(-1)[0] for i in inputs)
        return [mel_weights(int(bins), int(length), int(rate), float(lower), float(upper), outputs[0].dtype)]


@imports("MelWeightMatrix")
def _mel(node: Importing) -> Sequence[str]:
    dtype = node.dtype(int(node.attributes.get("output_datatype", 1)))
    known = [node.constant_or_none(k) for k in range(5)]
    if any(v is None for v in known):
        spectrum, bins = node.declared(0)
        return node.emit("MelWeights", MelAttrs(spectrum, bins, dtype), [node.input(k) for k in range(5)])
    bins, length, rate, lower, upper = (array(v).reshape(-1)[0] for v in known)
    if not 1 <= bins <= MAX_ELEMENTS or not 1 <= length <= MAX_ELEMENTS or rate < 1 or bins * length > MAX_ELEMENTS:
        raise ShapeError(f"{bins} bands of a transform of length {length} at {rate} Hz")
    return [node.const(mel_weights(int(bins), int(length), int(rate), float(lower), float(upper), dtype))]
