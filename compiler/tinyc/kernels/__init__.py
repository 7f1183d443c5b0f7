# SPDX-License-Identifier: Apache-2.0
"""Kernels: how operators become calls and loops. Importing this package registers all."""

from tinyc.kernels import (
    arg_extremum_loops,
    conv_loops,
    conv_s8,
    depthwise_conv_s8,
    elementwise_loops,
    elementwise_s8,
    float32,
    fully_connected_s8,
    matmul_loops,
    moves,
    pool_loops,
    pool_s8,
    quantize_linear,
    recurrent,
    reduce_loops,
    softmax_loops,
)

__all__ = [
    "arg_extremum_loops",
    "conv_loops",
    "conv_s8",
    "depthwise_conv_s8",
    "elementwise_loops",
    "elementwise_s8",
    "float32",
    "fully_connected_s8",
    "matmul_loops",
    "moves",
    "pool_loops",
    "pool_s8",
    "quantize_linear",
    "recurrent",
    "reduce_loops",
    "softmax_loops",
]
