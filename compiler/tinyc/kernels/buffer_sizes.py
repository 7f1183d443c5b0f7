# SPDX-License-Identifier: Apache-2.0
"""Scratch bytes that CMSIS-NN v7.0.0's *_get_buffer_size functions report, per kernel variant.

The bundled functions never need more, so one plan serves both. `variant` is the target's best one:
Arm's library is built for the core, whatever the generated code uses.
"""

from __future__ import annotations

from collections.abc import Sequence

MVE_CHANNEL_BLOCK = 124


def convolve_s8(variant: str, depth: int) -> int:
    """Columns of `depth` = kernel h * w * input channels: four of int8 on Helium, two of int16 elsewhere."""
    if variant == "mve":
        return 4 * (-(-depth // 16) * 16)
    return 2 * (-(-depth // 4) * 4) * 2


def convolve_1_x_n_s8(
    variant: str, x: Sequence[int], kernel: int, out_width: int, pad: int, stride: int
) -> int:
    """A convolution along one axis. x: NHWC shape of the input."""
    width, channels = x[2], x[3]
    depth = kernel * channels
    if variant != "mve":
        return convolve_s8(variant, depth)
    total_pad = (out_width - 1) * stride + kernel - width
    asymmetric = total_pad - 2 * int(total_pad / 2)  # C's remainder
    right = max(1, int((pad + asymmetric + stride - 1) / stride)) if pad + asymmetric != 0 else 0
    left = max(1, (pad + stride - 1) // stride) if pad != 0 else 0
    middle = max(out_width - (right + left), 0)
    if right + middle + left != out_width:
        return convolve_s8(variant, depth)
    pad_left = pad * channels
    pad_right = right * channels if asymmetric else pad_left
    return max(depth + pad_left, depth - channels + pad_right)


def depthwise_conv_s8_opt(variant: str, channels: int, height: int, width: int) -> int:
    if variant == "mve":
        return 4 * MVE_CHANNEL_BLOCK * width * height
    return channels * width * height * 2 if variant == "dsp" else 0


def avgpool_s8(variant: str, channels: int) -> int:
    return channels * 4 if variant == "dsp" else 0
