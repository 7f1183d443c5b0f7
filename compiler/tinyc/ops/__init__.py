# SPDX-License-Identifier: Apache-2.0
"""The operators: one file each (or a table of like ones). Importing this package registers all."""

from tinyc.ops import (
    conv,
    elementwise,
    gemm,
    matmul,
    pool,
    quantize_linear,
    softmax,
    transpose,
    view,
)

__all__ = [
    "conv",
    "elementwise",
    "gemm",
    "matmul",
    "pool",
    "quantize_linear",
    "softmax",
    "transpose",
    "view",
]
