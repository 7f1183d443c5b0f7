# SPDX-License-Identifier: Apache-2.0
"""Kernels: how operators become calls and loops. Importing this package registers all."""

from tinyc.kernels import (
    conv_s8,
    copies,
    depthwise_conv_s8,
    elementwise_loops,
    elementwise_s8,
    float32,
    fully_connected_s8,
    pool_s8,
    quantize_linear,
)

__all__ = [
    "conv_s8",
    "copies",
    "depthwise_conv_s8",
    "elementwise_loops",
    "elementwise_s8",
    "float32",
    "fully_connected_s8",
    "pool_s8",
    "quantize_linear",
]
