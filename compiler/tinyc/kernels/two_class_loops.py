# SPDX-License-Identifier: Apache-2.0
"""TwoClassScores as a loop over the rows; on cores without a floating-point unit on the bits of the numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyc.backend.program import Affine, Apply, Expr, For, Formula, Let, Literal, Load, Name, Store
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.ops.two_class import THRESHOLD


@KERNELS.add
class TwoClassLoops(Kernel):
    name = "loops"
    ops = ("TwoClassScores",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(20.0 * graph.type(node.inputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        real = build.options.target.has("fpu")
        own = DType.FLOAT32 if real else DType.UINT32
        bound = THRESHOLD if real else int(np.float32(THRESHOLD).view(np.uint32))
        rest: Expr = Formula("1.0f - {0}", (Name("t_p"),)) if real else Apply("tinyc_one_minus", (Name("t_p"),))
        row, rows = Affine(0, (("t_r", 1),)), build.type(0).shape[0]
        body = [Let("t_p", own.c_type, Load(build.input(0).buffer, row, own))]
        stores = []
        if build.node.outputs[0]:
            above = Formula("{0} > {1}", (Name("t_p"), Literal(bound, own)))
            stores.append(Store(build.output(0).buffer, row, DType.UINT8, above))
        if len(build.node.outputs) > 1 and build.node.outputs[1]:
            for column, value in enumerate((rest, Name("t_p"))):
                stores.append(Store(build.output(1).buffer, Affine(column, (("t_r", 2),)), own, value))
        return Lowered((For("t_r", rows, (*body, *stores)),))
