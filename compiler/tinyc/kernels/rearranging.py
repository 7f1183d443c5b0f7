# SPDX-License-Identifier: Apache-2.0
"""Generated loops that rearrange elements of any type: DepthToSpace, OneHot, ReverseSequence."""

from __future__ import annotations

import math
from typing import Any

from tinyc.backend.program import Affine, For, Formula, Let, Load, Stmt, Store
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import computed, copy_strided, let, load, row_strides
from tinyc.kernels.writing import at, whole
from tinyc.ops.depth_to_space import BlockAttrs


class _Rearranging(Kernel):
    name = "loops"

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return "no loops for strings" if graph.type(node.outputs[0]).dtype is DType.STRING else None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(8.0 * graph.type(node.outputs[0]).elements)


@KERNELS.add
class DepthToSpaceLoops(_Rearranging):
    """One copy with strides: both tensors seen with the axes n, rows, block rows, columns, block columns, depth."""

    ops = ("DepthToSpace",)

    def lower(self, build: Builder) -> Lowered:
        a: BlockAttrs = build.node.attrs
        deep, wide = build.type(0).shape, build.output_type().shape
        if a.to_depth:
            deep, wide = wide, deep
        channel, row = (3, 1) if a.last else (1, 2)
        own, area = row_strides(deep), a.block * a.block
        depth = deep[channel] // area
        step = own[channel]
        inside = (step * depth * a.block, step * depth, step) if a.depth_first else (step * a.block, step, step * area)
        channels_deep = [own[0], own[row], inside[0], own[row + 1], inside[1], inside[2]]
        own = row_strides(wide)
        channels_wide = [own[0], own[row] * a.block, own[row], own[row + 1] * a.block, own[row + 1], own[channel]]
        extents = [deep[0], deep[row], a.block, deep[row + 1], a.block, depth]
        order = range(6) if a.last else (0, 5, 1, 2, 3, 4)  # the last loop runs along the result
        steps = (channels_wide, channels_deep) if a.to_depth else (channels_deep, channels_wide)
        if a.to_depth and not a.last:
            order = (0, 2, 4, 5, 1, 3)
        body = copy_strided(build, build.input(0), build.output(), build.type(0).dtype, [extents[k] for k in order],
                            ([steps[0][k] for k in order], [steps[1][k] for k in order]))
        return Lowered(body)


@KERNELS.add
class OneHotLoops(_Rearranging):
    ops = ("OneHot",)

    def lower(self, build: Builder) -> Lowered:
        a, indices, y = build.node.attrs, build.type(0), build.output_type()
        inner = math.prod(indices.shape[a.axis:])
        outer = math.prod(indices.shape[:a.axis])
        own = computed(indices.dtype)
        wide = "int64_t" if own.is_float or own.size == 8 else "int32_t" if own is not DType.UINT32 else "int64_t"
        raw = load(build.input(0).buffer, at(t_o=inner, t_i=1), indices.dtype)
        bits = y.dtype
        values = [Let(f"t_{name}", bits.c_type, Load(build.input(1).buffer, Affine(k), bits))
                  for k, name in enumerate(("off", "on"))]
        put = Store(build.output().buffer, at(t_o=a.depth * inner, t_d=inner, t_i=1), bits,
                    Formula("t_d == t_at ? t_on : t_off", ()))
        inside = f"t_raw >= -{a.depth} && t_raw < {a.depth}"
        pick: tuple[Stmt, ...] = (
            let("t_raw", indices.dtype, raw),
            whole("t_at", f"{inside} ? (int32_t)(({wide})t_raw < 0 ? ({wide})t_raw + {a.depth} : ({wide})t_raw) : -1"),
        )
        if own.is_integer and own.limits[0] == 0:
            pick = (pick[0], whole("t_at", f"t_raw < {a.depth}U ? (int32_t)t_raw : -1"))
        loops = For("t_o", outer, (For("t_i", inner, (*pick, For("t_d", a.depth, (put,)))),))
        return Lowered((*values, loops) if y.elements else ())


@KERNELS.add
class ReverseSequenceLoops(_Rearranging):
    ops = ("ReverseSequence",)

    def lower(self, build: Builder) -> Lowered:
        a, x = build.node.attrs, build.type(0)
        steps = x.shape[a.time_axis]
        strides = row_strides(x.shape)
        inner = math.prod(x.shape[2:])
        batch, time = strides[a.batch_axis], strides[a.time_axis]
        raw = Load(build.input(1).buffer, at(t_b=1), DType.INT64)
        length: tuple[Stmt, ...] = (
            Let("t_raw", "int64_t", raw),
            whole("t_n", f"(int32_t)(t_raw < 0 ? 0 : t_raw > {steps} ? {steps} : t_raw)"),
        )
        place = whole("t_s", "t_t < t_n ? t_n - 1 - t_t : t_t")
        copy = copy_strided(build, build.input(0), build.output(), x.dtype, (inner,), ((1,), (1,)),
                            (at(t_b=batch, t_s=time), at(t_b=batch, t_t=time)))
        loops = For("t_b", x.shape[a.batch_axis], (*length, For("t_t", steps, (place, *copy))))
        return Lowered((loops,) if x.elements else ())
