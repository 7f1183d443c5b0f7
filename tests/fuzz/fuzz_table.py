# SPDX-License-Identifier: Apache-2.0
"""The operator table, and a random graph from it."""

from __future__ import annotations

import fuzz_rows_classical
import fuzz_rows_control
import fuzz_rows_elementwise
import fuzz_rows_moves
import fuzz_rows_networks
import fuzz_rows_numeric
import fuzz_rows_quantized
import fuzz_rows_windows
from fuzz_growing import Case, Growing
from fuzz_reference import Dropped
from fuzz_row import Row
from fuzz_source import Source

import tinyc.ops  # noqa: F401  (registers the operators)
from tinyc.frontend.subgraphs import CONTROL
from tinyc.ops.registry import IMPORTERS

ALL_ROWS: tuple[Row, ...] = (*fuzz_rows_elementwise.ROWS, *fuzz_rows_moves.ROWS, *fuzz_rows_numeric.ROWS,
                             *fuzz_rows_windows.ROWS, *fuzz_rows_quantized.ROWS,
                             *fuzz_rows_networks.ROWS, *fuzz_rows_classical.ROWS, *fuzz_rows_control.ROWS)
# Those that tinyc supports.
SUPPORTED = {*IMPORTERS, *(("", op) for op in CONTROL)}
ROWS: tuple[Row, ...] = tuple(row for row in ALL_ROWS if (row.domain, row.op) in SUPPORTED)
# Where onnxruntime, or ONNX's reference implementation where onnxruntime has no kernel, deviates from the standard or
# does what it leaves undefined. Rows do not draw these cases.
KNOWN_DIFFERENCES = {
    "AveragePool, MaxPool": "onnxruntime pads by auto_pad SAME as if there were no dilation",
    "AveragePool, MaxPool by SAME": "with a stride beyond the kernel onnxruntime crops by negative padding, or refuses",
    "ConvTranspose": "with a stride beyond the kernel and auto_pad SAME, onnxruntime's result is smaller than standard",
    "Resize": "align_corners with scales whose product with the extent is no integer: ONNX's tests use the product, "
              "onnxruntime the rounded extent",
    "RoiAlign": "onnxruntime's maximum of several samples is, by its own warning, incorrect",
    "AffineGrid": "align_corners with an extent of 1 divides by zero in the standard's formula",
    "Clip": "infinities pass a missing bound in tinyc; onnxruntime makes them the largest number",
    "TreeEnsembleRegressor": "with several targets onnxruntime leaves base_values out where no leaf counts for one",
    "QLinearSoftmax": "over a single element onnxruntime's quantized 1.0 wraps to 0",
    "Erf of float64": "onnxruntime and ONNX's reference implementation are right to 2e-8 only",
    "LRN": "ONNX's reference implementation takes the number of channels for that of instances",
    "ConvTranspose of float64": "ONNX's reference implementation adds one group's bias to all",
    "Hardmax, Softmax, LogSoftmax": "ONNX's reference implementation does not know what they meant before opset 13",
    "ReduceSumSquare and others on integers": "sums that overflow are undefined",
}
# Supported operators that no graph has, and why.
LEFT_OUT = {
    "ai.onnx.ml.CategoryMapper": "strings, which the tests of ai.onnx.ml have",
    "ai.onnx.ml.ZipMap": "gives a sequence of maps, which tinyc leaves out",
    "com.microsoft.QLinearMatMul": "onnxruntime does not know it under this domain",
    "com.microsoft.QLinearReduceMean": "onnxruntime has no kernel for it",
}
# Opsets of ONNX; onnxruntime 1.31 knows those up to 26.
OPSETS = (17, 13, 7, 8, 9, 10, 11, 12, 14, 15, 16, 18, 19, 20, 21, 22, 23, 24, 25, 26)
_WEIGHTED = tuple(row for row in ROWS for _ in range(row.weight))
ATTEMPTS = 40


def random_case(source: Source) -> Case:
    """A graph of 1 to 12 operators. Raises Dropped where the decisions lead nowhere."""
    quantized = source.chance(1, 4)
    opset = source.pick([13, 17, 21, 10, 19] if quantized else OPSETS)
    growing = Growing(source, opset, quantized, source.pick([3, 3, 5]))
    wanted = source.integer(1, 12) if source.chance(2, 3) else source.integer(1, 4)
    for _ in range(ATTEMPTS):
        if growing.grow(source.pick(_WEIGHTED)):
            wanted -= 1
        if wanted == 0:
            break
    if wanted == ATTEMPTS:
        raise Dropped("no operator fits")
    return growing.finished()


def without_row() -> list[str]:
    """Supported operators that no graph has."""
    known = {(row.domain, row.op) for row in ALL_ROWS}
    names = sorted(f"{domain}.{op}" if domain else op for domain, op in SUPPORTED if (domain, op) not in known)
    return [name for name in names if name not in LEFT_OUT]
