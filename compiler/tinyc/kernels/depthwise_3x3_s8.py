# SPDX-License-Identifier: Apache-2.0
"""int8 depthwise 3x3 convolution on cores with the DSP extension, by planes of int16: tinyc_depthwise_3x3_s8.

The lines of an image that a line of results needs are widened once, into a plane for each channel, with the padding
written out; so two taps are one word, and borders cost nothing extra. Lines are the image's rows or its columns,
whichever are cheaper: a line's results share what it costs to begin one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyc.backend.program import Argument, Call, Pointer, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array, TensorType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.conv_s8 import convolution_obstacle, is_depthwise
from tinyc.ops.conv import ConvAttrs, channel_multipliers
from tinyc.ops.registry import scale_zero
from tinyc.quantize.numbers import clamp_limits

LINES = 3
LANES = 4  # channels at a time
MOST_RIGHT_SHIFT = 22


@dataclass(frozen=True)
class Lines:
    """An image as lines of pixels: rows, or columns. Steps in bytes."""

    lines: int
    line_step: int
    length: int
    step: int

    @property
    def struct(self) -> Struct:
        return Struct("tinyc_lines_s8", (("lines", self.lines), ("line_step", self.line_step),
                                         ("length", self.length), ("step", self.step)))


@dataclass(frozen=True)
class Layout:
    """How a convolution is computed: by rows or by columns of the NHWC image x, with the NHWC result y."""

    x: TensorType
    y: TensorType
    stride: int
    pads: tuple[int, ...]
    by_columns: bool

    def lines(self, t: TensorType) -> Lines:
        _, height, width, channels = t.shape
        rows, pixels = (height, width * channels), (width, channels)
        return Lines(*pixels, *rows) if self.by_columns else Lines(*rows, *pixels)

    @property
    def groups(self) -> int:
        """Groups of two pixels in a line of a plane."""
        length = self.lines(self.y).length
        return (length if self.stride == 2 else (length + 1) // 2) + 1

    @property
    def scratch_bytes(self) -> int:
        return 4 * LINES * LANES * self.groups

    @property
    def instructions(self) -> float:
        """As counted on a Cortex-M4."""
        channels, out = self.y.shape[3], self.lines(self.y)
        blocks, lone = divmod(channels, LANES)
        widened = (out.lines - 1) * self.stride + LINES
        line = 15.0 * out.length + (18 if out.length % 2 else 0) + (out.length if self.stride == 2 else 0) + 30
        widening = blocks * (14 * self.groups + 70) + lone * (9 * self.groups + 60)
        return 100 + channels * (60 + out.lines * line) + widened * widening + (blocks + lone) * 40 * out.lines

    @property
    def pitch(self) -> int:
        """Bytes of which the distance of the result from the image must be a multiple where they overlap.

        Each channel stays at its places then, and of columns each one.
        """
        channels = self.x.shape[3]
        return channels * self.x.shape[2] if self.by_columns else channels

    @property
    def overlap(self) -> int | None:
        """How many bytes the result may begin after the image, in multiples of the pitch; None if nowhere on it.

        A line of results is written when the last line that it needs has been read, of the same channels.
        """
        own, out = self.lines(self.x), self.lines(self.y)
        if self.by_columns:
            return self.x.bytes if own.lines == out.lines and self.stride == 1 else None
        room = [(y * self.stride - self.pads[0] + LINES) * own.line_step - (y + 1) * out.line_step
                for y in range(out.lines) if y * self.stride - self.pads[0] + LINES < own.lines]
        return min([*room, self.x.bytes])


def layout_of(graph: Graph[Any], node: Node) -> Layout:
    """The cheaper of rows and columns; rows where they cost the same."""
    a: ConvAttrs = node.attrs
    x, y = graph.type(node.inputs[0]), graph.type(node.outputs[0])
    rows, columns = (Layout(x, y, a.strides[0], a.pads, by_columns) for by_columns in (False, True))
    return columns if columns.overlap is not None and columns.instructions < rows.instructions else rows


def folded_bias(graph: Graph[Any], node: Node) -> Array:
    """The bias with what the input's zero point contributes, int64."""
    w = graph.data(node.inputs[1]).astype(np.int64)
    zero = scale_zero(graph.type(node.inputs[0]))[1]
    given = graph.data(node.inputs[2]).astype(np.int64) if len(node.inputs) > 2 and node.inputs[2] else np.int64(0)
    return np.asarray(given - zero * w.sum((1, 2, 3)))


@KERNELS.add
class Depthwise3x3S8(Kernel):
    name = "tinyc_depthwise_3x3_s8"
    ops = ("Conv",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if options.kernels != "auto" or options.variant != "dsp":
            return "for the DSP extension only"
        if not is_depthwise(graph, node):
            return "not depthwise"
        return convolution_obstacle(graph, node) or self._shape(graph, node) or self._range(graph, node)

    @staticmethod
    def _shape(graph: Graph[Any], node: Node) -> str | None:
        a: ConvAttrs = node.attrs
        x, w = graph.type(node.inputs[0]), graph.type(node.inputs[1])
        if w.shape[1:3] != (3, 3) or w.shape[0] != x.shape[3] or x.shape[0] != 1:
            return "not one 3x3 window for each channel of one image"
        if a.dilations != (1, 1) or a.strides not in ((1, 1), (2, 2)):
            return "the strides are not 1 or 2, or the window is dilated"
        if max(a.pads[:2]) > 1:
            return "more than one line of padding in front"
        return None if not node.inputs[2:] or not node.inputs[2] or graph.value(node.inputs[2]).is_const else "no bias"

    @staticmethod
    def _range(graph: Graph[Any], node: Node) -> str | None:
        x, w, y = (graph.type(name) for name in (*node.inputs[:2], node.outputs[0]))
        _, shift = channel_multipliers(x, w, y, w.shape[0])
        if not ((shift >= -MOST_RIGHT_SHIFT) & (shift <= -1)).all():
            return "results are not scaled down by 2 to 2^22"
        weights = np.abs(graph.data(node.inputs[1]).astype(np.int64)).sum((1, 2, 3))
        most = np.abs(folded_bias(graph, node)) + 128 * weights
        return None if (most < 2**30).all() else "accumulators of more than 31 bits"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        layout, w = layout_of(graph, node), graph.type(node.inputs[1])
        return Cost(layout.instructions, w.bytes + 9 * w.shape[0], layout.scratch_bytes, (self.name,))

    def lower(self, build: Builder) -> Lowered:
        a: ConvAttrs = build.node.attrs
        layout = layout_of(build.graph, build.node)
        x, y = build.type(0), build.output_type()
        taps = build.data(1)[..., 0]  # [channel][row][column]
        taps = np.ascontiguousarray(taps.transpose(0, 2, 1) if layout.by_columns else taps)
        pads = a.pads[1::-1] if layout.by_columns else a.pads[:2]
        low, high = clamp_limits(a.clamp, *scale_zero(y), (-128, 127))
        parameters = Struct("tinyc_depthwise_3x3_s8_params", (
            ("channels", x.shape[3]), ("in", layout.lines(x).struct), ("out", layout.lines(y).struct),
            ("stride", layout.stride), ("pad_lines", pads[0]), ("pad", pads[1]),
            ("input_zero_point", scale_zero(x)[1]), ("output_zero_point", scale_zero(y)[1]),
            ("lowest", low), ("highest", high),
        ))
        bias = build.table("bias", folded_bias(build.graph, build.node).astype(np.int32))
        multiplier, shift = channel_multipliers(x, build.type(1), y, x.shape[3])
        arguments: tuple[Argument, ...] = (
            parameters, build.input(0), build.table("filter", taps), bias, build.table("multiplier", multiplier),
            build.table("shift", shift.astype(np.int8)), Pointer(build.scratch, 0, "int32_t *"), build.output(),
        )
        overlaps = () if layout.overlap is None else ((0, 0, layout.overlap),)
        return Lowered((Call(self.name, arguments),), layout.scratch_bytes, overlaps, pitch=layout.pitch)
