# SPDX-License-Identifier: Apache-2.0
"""DeformConv as generated loops: each moved tap is sampled once and then added to all channels of its group."""

from __future__ import annotations

from typing import Any

from tinyc.backend.program import Affine, Expr, For, Literal, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import computed, load, row_strides, store
from tinyc.kernels.writing import at, formula, put, real, when, whole
from tinyc.ops.deform_conv import DeformConvAttrs
from tinyc.ops.registry import operator


@KERNELS.add
class DeformConvLoops(Kernel):
    name = "loops"
    ops = ("DeformConv",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(12.0 * operator(node.op).macs(node, graph.input_types(node), graph.output_types(node)))

    def lower(self, build: Builder) -> Lowered:
        a: DeformConvAttrs = build.node.attrs
        x, w, y = build.type(0), build.type(1), build.output_type()
        if not y.elements:
            return Lowered(())
        dtype, own = x.dtype, computed(x.dtype)
        c_type = own.c_type
        _, outputs, rows, columns = y.shape
        (per, kh, kw), each = w.shape[1:], outputs // a.group
        share, pixels = x.shape[1] // a.moved, rows * columns
        image, work = row_strides(x.shape), build.scratch
        start: Expr = Literal(0, own)
        if build.has(3):
            start = load(build.input(3).buffer, at(t_o=1), dtype)
        pixel = (("t_y", columns), ("t_x", 1))
        tap = (("t_m", kh * kw), ("t_ky", kw), ("t_kx", 1))
        body: list[Stmt] = [whole("t_c", f"{per} * t_g + t_i"), whole("t_m", f"t_c / {share}")]
        for d, (place, k) in enumerate((("t_y", "t_ky"), ("t_x", "t_kx"))):
            moved = Affine(d * pixels, (("t_n", 2 * a.moved * kh * kw * pixels), *(
                (name, 2 * step * pixels) for name, step in tap), *pixel))
            base = f"({c_type})({a.strides[d]} * {place} + {a.dilations[d]} * {k} - {a.pads[d]})"
            size = x.shape[2 + d]
            body += [
                real(f"t_far{d}", dtype, f"{base} + {{0}}", load(build.input(2).buffer, moved, build.type(2).dtype)),
                # Two pixels outside is as far as one can be; an index then stays small.
                real(f"t_at{d}", dtype, f"fminf(fmaxf(t_far{d}, -2.0f), {size + 1}.0f)"),
                real(f"t_low{d}", dtype, f"floorf(t_at{d})"),
                whole(f"t_p{d}_0", f"(int32_t)t_low{d}"),
                whole(f"t_p{d}_1", f"t_p{d}_0 + 1"),
                real(f"t_w{d}_1", dtype, f"t_at{d} - t_low{d}"),
                real(f"t_w{d}_0", dtype, f"1.0f - t_w{d}_1"),
            ]
        body.append(real("t_v", dtype, "0.0f", mutable=True))
        for i in (0, 1):
            for j in (0, 1):
                at_pixel = load(build.input(0).buffer, Affine(0, (
                    ("t_n", image[0]), ("t_c", image[1]), (f"t_p0_{i}", image[2]), (f"t_p1_{j}", image[3]))), dtype)
                inside = " && ".join(f"t_p{d}_{k} >= 0 && t_p{d}_{k} < {x.shape[2 + d]}" for d, k in ((0, i), (1, j)))
                body.append(when(inside, (put("t_v", f"t_v + t_w0_{i} * t_w1_{j} * {{0}}", dtype, at_pixel),)))
        if build.has(4):
            factor = Affine(0, (("t_n", a.moved * kh * kw * pixels), *((name, step * pixels) for name, step in tap),
                                *pixel))
            body.append(put("t_v", "t_v * {0}", dtype, load(build.input(4).buffer, factor, dtype)))
        dense = row_strides(w.shape)
        filters = Affine(0, (("t_g", each * dense[0]), ("t_o", dense[0]), ("t_i", dense[1]), ("t_ky", dense[2]),
                             ("t_kx", 1)))
        total = at(t_g=each, t_o=1)
        added = formula("{0} + t_v * {1}", own, load(work, total, own), load(build.input(1).buffer, filters, dtype))
        loop: tuple[Stmt, ...] = (*body, For("t_o", each, (store(work, total, own, added),)))
        for name, count in (("t_kx", kw), ("t_ky", kh), ("t_i", per), ("t_g", a.group)):
            loop = (For(name, count, loop),)
        result = Affine(0, (("t_n", outputs * pixels), ("t_o", pixels), *pixel))
        loop = (
            For("t_o", outputs, (store(work, at(t_o=1), own, start),)), *loop,
            For("t_o", outputs, (store(build.output().buffer, result, dtype, load(work, at(t_o=1), own)),)),
        )
        for name, count in (("t_x", columns), ("t_y", rows), ("t_n", x.shape[0])):
            loop = (For(name, count, loop),)
        return Lowered(loop, outputs * own.size)
