# SPDX-License-Identifier: Apache-2.0
"""int8 fully connected layers by CMSIS-NN's arm_fully_connected_s8 and its per-channel form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyc.backend.program import Argument, Call, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType, TensorType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.cmsis import activation, context, dims, per_channel
from tinyc.kernels.conv_s8 import bias_argument
from tinyc.ops.conv import channel_multipliers, symmetric
from tinyc.ops.gemm import GemmAttrs
from tinyc.ops.registry import quant_of, scale_zero


def layer_obstacle(graph: Graph[Any], node: Node) -> str | None:
    """Why a node is no integer layer with constant symmetric weights of 8 bits; None if it is."""
    if not node.integer:
        return "not an integer layer"
    if graph.type(node.inputs[0]).dtype is not DType.INT8 or not symmetric(graph.type(node.inputs[1])):
        return "not int8, or the weights have a zero point"
    if graph.type(node.inputs[1]).dtype is not DType.INT8:
        return "the weights do not have 8 bits"
    return None if graph.value(node.inputs[1]).is_const else "the weights are not constant"


def _function(w: TensorType) -> str:
    return "arm_fully_connected_s8" if quant_of(w).per_tensor else "arm_fully_connected_per_channel_s8"


@KERNELS.add
class FullyConnectedS8(Kernel):
    name = "arm_fully_connected_s8"
    ops = ("Gemm",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return layer_obstacle(graph, node)

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        portable = (8.25, 76.0) if options.optimize == "size" else (6.0, 86.0)
        per_mac, per_output = {"mve": (0.17, 19.0), "dsp": (1.5, 35.0)}.get(options.variant, portable)
        w = graph.type(node.inputs[1])
        flash = w.bytes + (8 if options.variant == "mve" else 4) * w.shape[0]  # biases, on Helium also sums
        each = per_mac * w.shape[1] + per_output
        return Cost(50 + graph.type(node.outputs[0]).elements * each, flash, calls=(_function(w),))

    def lower(self, build: Builder) -> Lowered:
        a: GemmAttrs = build.node.attrs
        x, w, y = build.type(0), build.type(1), build.output_type()
        outputs, depth = w.shape
        rows = math.prod(x.shape[:-1])
        in_zero = scale_zero(x)[1]
        multiplier, shift = channel_multipliers(x, w, y, outputs)
        per_tensor = quant_of(w).per_tensor
        if per_tensor:
            quantization = Struct("cmsis_nn_per_tensor_quant_params",
                                  (("multiplier", int(multiplier[0])), ("shift", int(shift[0]))))
        else:
            quantization = per_channel(build, build.table("multiplier", multiplier), build.table("shift", shift))
        # On Helium the sums of each filter, times the input's offset, plus the bias, come in the context.
        sums, size = None, 0
        if build.options.target.variants[0] == "mve":
            totals = -in_zero * build.data(1).astype(np.int64).sum(1)
            if build.has(2):
                totals = totals + build.data(2)
            sums, size = build.table("sums", totals.astype(np.int32)), 4 * outputs
        parameters = Struct("cmsis_nn_fc_params", (
            ("input_offset", -in_zero), ("filter_offset", 0), ("output_offset", scale_zero(y)[1]),
            ("activation", activation(a.clamp, y)),
        ))
        arguments: tuple[Argument, ...] = (
            context(None if sums is None else type(sums)(sums.buffer, 0, "void *"), size), parameters, quantization,
            dims(rows, 1, 1, depth), build.input(0), dims(depth, 1, 1, outputs), build.table("filter", build.data(1)),
            dims(1, 1, 1, outputs), bias_argument(build), dims(rows, 1, 1, outputs), build.output(),
        )
        return Lowered((Call(_function(w), arguments, True),))
