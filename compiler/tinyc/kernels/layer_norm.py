# SPDX-License-Identifier: Apache-2.0
"""LayerNormalization and RMSNormalization: float32 by the runtime, other types as generated loops."""

from __future__ import annotations

import math
from typing import Any

from tinyc.backend.program import Argument, Call, Expr, For, Null, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import computed, let, load, store
from tinyc.kernels.writing import at, formula, put, real
from tinyc.ops.c_text import float_literal
from tinyc.ops.layer_norm import LayerNormAttrs, row_length

OPS = ("LayerNormalization", "RMSNormalization")


@KERNELS.add
class LayerNormF32(Kernel):
    name = "tinyc_layer_norm_f32"
    ops = OPS

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if node.integer or graph.type(node.inputs[0]).dtype is not DType.FLOAT32:
            return "not float32"
        return None if "Y" in node.attrs.results else "only statistics are wanted"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(10.0 * graph.type(node.inputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        a: LayerNormAttrs = build.node.attrs
        x = build.type(0)
        rows, length = math.prod(x.shape[:a.axis]), row_length(x, a)
        scale, shift = (build.input(k) if build.has(k) else Null() for k in (1, 2))
        statistics: list[Argument] = [build.output(a.results.index(r)) if r in a.results else Null()
                                      for r in ("Mean", "InvStdDev")]
        y = a.results.index("Y")
        if build.node.op == "LayerNormalization":
            call = Call(self.name, (build.input(0), scale, shift, build.output(y), *statistics, rows, length,
                                    float(a.epsilon)))
        else:
            call = Call("tinyc_rms_norm_f32", (build.input(0), scale, build.output(y), rows, length, float(a.epsilon)))
        return Lowered((call,) if x.elements else (), 0, ((0, y, 0),))


@KERNELS.add
class LayerNormLoops(Kernel):
    """In double, or in float for half precision."""

    name = "loops"
    ops = OPS

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return "integer form" if node.integer else None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(20.0 * graph.type(node.inputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        a: LayerNormAttrs = build.node.attrs
        x = build.type(0)
        own, wide = x.dtype, computed(x.dtype)
        rows, length = math.prod(x.shape[:a.axis]), row_length(x, a)
        place = at(t_r=length, t_i=1)
        element = let("t_x", own, load(build.input(0).buffer, place, own))
        centred = build.node.op == "LayerNormalization"
        body: list[Stmt] = []
        if centred:
            body += [real("t_sum", own, "0.0f", mutable=True),
                     For("t_i", length, (element, put("t_sum", "t_sum + t_x", own)))]
        body += [
            real("t_mean", own, f"t_sum / {length}.0f" if centred else "0.0f"),
            real("t_squares", own, "0.0f", mutable=True),
            For("t_i", length, (element, put("t_squares", "t_squares + (t_x - t_mean) * (t_x - t_mean)", own))),
            real("t_factor", own, f"1.0f / sqrtf(t_squares / {length}.0f + {float_literal(a.epsilon)})"),
        ]
        if "Y" in a.results:
            text = "(t_x - t_mean) * t_factor"
            operands: list[Expr] = []
            for k, sign in ((1, "*"), (2, "+")):
                if build.has(k):
                    text += f" {sign} {{{len(operands)}}}"
                    operands.append(load(build.input(k).buffer, at(t_i=1), own))
            target = build.output(a.results.index("Y")).buffer
            body.append(For("t_i", length, (element, store(target, place, own, formula(text, own, *operands)))))
        for name, text in (("Mean", "t_mean"), ("InvStdDev", "t_factor")):
            if name in a.results:
                body.append(store(build.output(a.results.index(name)).buffer, at(t_r=1), wide, formula(text, own)))
        overlaps = ((0, a.results.index("Y"), 0),) if "Y" in a.results else ()
        return Lowered((For("t_r", rows, tuple(body)),) if x.elements else (), 0, overlaps)
