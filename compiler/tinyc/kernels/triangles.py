# SPDX-License-Identifier: Apache-2.0
"""Trilu, BitCast and EyeLike's kin: elements kept, zeroed or taken as they are."""

from __future__ import annotations

import math
from typing import Any

from tinyc.backend.program import Affine, Copy, For, Formula, Let, Load, Stmt, Store
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.writing import at, whole


@KERNELS.add
class TriluLoops(Kernel):
    name = "loops"
    ops = ("Trilu",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(6.0 * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        x = build.type(0)
        rows, columns = x.shape[-2:]
        before: tuple[Stmt, ...] = ()
        diagonal = "0"
        if build.has(1):
            # Beyond the matrix it makes no difference how far.
            raw = Load(build.input(1).buffer, Affine(), DType.INT64)
            bounded = f"(int32_t)(t_raw < -{rows} ? -{rows} : t_raw > {columns} ? {columns} : t_raw)"
            before = (Let("t_raw", "int64_t", raw), whole("t_k", bounded))
            diagonal = "t_k"
        place = at(t_n=rows * columns, t_i=columns, t_j=1)
        kept = f"t_j {'>=' if build.node.attrs.upper else '<='} t_i + {diagonal}"
        bits = {1: DType.UINT8, 2: DType.UINT16, 4: DType.UINT32, 8: DType.UINT64}[x.dtype.size]
        value = Formula(f"{kept} ? {{0}} : 0", (Load(build.input(0).buffer, place, bits),))
        if build.is_table(build.input(0)):
            value = Formula(f"{kept} ? {{0}} : 0", (Load(build.input(0).buffer, place, x.dtype),))
            bits = x.dtype
        body: tuple[Stmt, ...] = (Store(build.output().buffer, place, bits, value),)
        loops = For("t_n", math.prod(x.shape[:-2]), (For("t_i", rows, (For("t_j", columns, body),)),))
        return Lowered((*before, loops), 0, ((0, 0, 0),))


@KERNELS.add
class BitCastCopy(Kernel):
    name = "copy"
    ops = ("BitCast",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(1.0 * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        return Lowered((Copy(build.output(), build.input(0), build.output_type().bytes),))
