# SPDX-License-Identifier: Apache-2.0
"""Rows of operators on quantized integers. (QuantizeLinear and DequantizeLinear also come with quantized graphs.)"""

from __future__ import annotations

from typing import Any

import numpy as np
from fuzz_growing import Growing
from fuzz_row import Row


def _zero(g: Growing, dtype: str) -> np.ndarray:
    info = np.iinfo(dtype)
    return np.array(g.integer(int(info.min), int(info.max)) if g.chance(1, 2) else 0, dtype)


def _quantize(g: Growing) -> None:
    x = g.operand(["float32"])
    allowed = [t for t in ("int8", "uint8", "int16", "uint16") if t in g.types(2)]
    dtype = allowed[0] if g.chance(1, 2) else g.pick(allowed)
    scale = np.float32(g.pick([0.05, 0.125, 1.0, 0.004]))
    if g.opset >= 13 and x.rank and g.chance(1, 3):
        axis = g.axis(x.rank)
        scales = np.full(x.shape[axis], scale) * np.float32(g.integer(1, 3))
        g.add([x, g.constant(scales.astype(np.float32)), g.constant(np.zeros(scales.shape, dtype))], axis=axis,
              stepped=True)
    else:
        g.add([x, g.constant(scale), g.constant(_zero(g, dtype))], stepped=True)


def _dequantize(g: Growing) -> None:
    x = g.operand([t for t in ("int8", "uint8", "int16", "uint16", "int32") if t in g.types()])
    scale = np.float32(g.pick([0.05, 0.125, 1.0]))
    zero = np.array(0, "int32") if x.dtype == "int32" else _zero(g, x.dtype)
    attributes: dict[str, Any] = {}
    if g.opset >= 13 and x.rank and g.chance(1, 3):
        attributes["axis"] = g.axis(x.rank)
        extent = x.shape[attributes["axis"]]
        parameters = [np.full(extent, scale, np.float32), np.full(extent, zero, x.dtype)]
        g.add([x, *(g.constant(p) for p in parameters)], **attributes)
    else:
        g.add([x, g.constant(scale), g.constant(zero)])


ROWS = (
    Row("QuantizeLinear", _quantize),
    Row("DequantizeLinear", _dequantize),
)
