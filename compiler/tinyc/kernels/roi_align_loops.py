# SPDX-License-Identifier: Apache-2.0
"""RoiAlign as generated loops. Regions come from data: places are bounded while they are real numbers."""

from __future__ import annotations

from typing import Any

from tinyc.backend.program import Affine, For, Formula, Stmt, While
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import computed, load, row_strides, store
from tinyc.kernels.writing import at, formula, index_of, put, real, when, whole
from tinyc.ops.c_text import float_literal
from tinyc.ops.roi_align import RoiAlignAttrs

MAX_SAMPLES = 1 << 14  # along an axis, whatever a region claims to cover


@KERNELS.add
class RoiAlignLoops(Kernel):
    name = "loops"
    ops = ("RoiAlign",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(60.0 * max(4, node.attrs.samples ** 2) * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        a: RoiAlignAttrs = build.node.attrs
        x, y = build.type(0), build.output_type()
        if not y.elements:
            return Lowered(())
        own = x.dtype
        strides = row_strides(x.shape)
        offset = "0.5f" if a.half_pixel else "0.0f"
        body: list[Stmt] = [*index_of(build, 2, at(t_r=1), x.shape[0], "t_b", from_end=False)]
        for k, name in enumerate(("x1", "y1", "x2", "y2")):
            number = load(build.input(1).buffer, Affine(k, (("t_r", 4),)), own)
            body.append(real(f"t_{name}", own, f"{{0}} * {float_literal(a.scale)} - {offset}", number))
        for axis, count in (("y", a.height), ("x", a.width)):
            size = f"t_{axis}2 - t_{axis}1"
            body.append(real(f"t_size_{axis}", own, size if a.half_pixel else f"fmaxf({size}, 1.0f)"))
            body.append(real(f"t_bin_{axis}", own, f"t_size_{axis} / {count}.0f"))
            grid = f"(int32_t)fminf(fmaxf(ceilf(t_bin_{axis}), 0.0f), {MAX_SAMPLES}.0f)"
            grid = str(a.samples) if a.samples else grid
            body.append(whole(f"t_grid_{axis}", formula(grid, own).text))
        corners = {f"{r}{c}": load(build.input(0).buffer, Affine(0, (
            ("t_b", strides[0]), ("t_c", strides[1]), (f"t_{r}_y", strides[2]), (f"t_{c}_x", strides[3]))), own)
            for r in ("low", "high") for c in ("low", "high")}
        parts = ("t_g_y * t_g_x * {0}", "t_g_y * t_f_x * {1}", "t_f_y * t_g_x * {2}", "t_f_y * t_f_x * {3}")
        if a.maximum:
            value = f"fmaxf(fmaxf({parts[0]}, {parts[1]}), fmaxf({parts[2]}, {parts[3]}))"
            take = "t_n == 0 || t_v > t_acc ? t_v : t_acc"
        else:
            value, take = " + ".join(parts), "t_acc + t_v"
        inside = "t_at_y >= -1.0f && t_at_y <= {}.0f && t_at_x >= -1.0f && t_at_x <= {}.0f".format(*x.shape[2:])
        sample: tuple[Stmt, ...] = (
            *_place("x", own), real("t_v", own, "0.0f", mutable=True),
            when(formula(inside, own).text, (*_pixels("y", x.shape[2], own), *_pixels("x", x.shape[3], own),
                                             put("t_v", value, own, *corners.values()))),
            put("t_acc", take, own), put("t_n", "t_n + 1"), put("t_ix", "t_ix + 1"))
        row: tuple[Stmt, ...] = (*_place("y", own), whole("t_ix", "0", mutable=True),
                                 While(Formula("t_ix < t_grid_x", ()), sample), put("t_iy", "t_iy + 1"))
        result = "t_acc" if a.maximum else f"t_n > 0 ? t_acc / ({computed(own).c_type})t_n : 0.0f"
        places = row_strides(y.shape)
        target = Affine(0, (("t_r", places[0]), ("t_c", places[1]), ("t_py", places[2]), ("t_px", places[3])))
        each: tuple[Stmt, ...] = (
            real("t_acc", own, "0.0f", mutable=True), whole("t_n", "0", mutable=True),
            whole("t_iy", "0", mutable=True), While(Formula("t_iy < t_grid_y", ()), row),
            store(build.output().buffer, target, own, formula(result, own)))
        for name, count in (("t_px", a.width), ("t_py", a.height), ("t_c", x.shape[1])):
            each = (For(name, count, each),)
        return Lowered((For("t_r", y.shape[0], (*body, *each)),))


def _place(axis: str, own: DType) -> tuple[Stmt, ...]:
    """t_at_<axis>: where a sample lies."""
    c = computed(own).c_type
    text = f"t_{axis}1 + ({c})t_p{axis} * t_bin_{axis} + (({c})t_i{axis} + 0.5f) * t_bin_{axis} / ({c})t_grid_{axis}"
    return (real(f"t_at_{axis}", own, text),)


def _pixels(axis: str, extent: int, own: DType) -> tuple[Stmt, ...]:
    """t_low_<axis>, t_high_<axis>: the pixels on both sides; t_f_, t_g_: the weights of the second and the first."""
    low, high = f"t_low_{axis}", f"t_high_{axis}"
    c = computed(own).c_type
    return (
        real(f"t_in_{axis}", own, f"fmaxf(t_at_{axis}, 0.0f)"),
        whole(f"t_cut_{axis}", f"(int32_t)t_in_{axis}"),
        whole(low, f"t_cut_{axis} > {extent - 1} ? {extent - 1} : t_cut_{axis}"),
        whole(high, f"{low} + 1 > {extent - 1} ? {extent - 1} : {low} + 1"),
        real(f"t_f_{axis}", own, f"{low} >= {extent - 1} ? 0.0f : t_in_{axis} - ({c}){low}"),
        real(f"t_g_{axis}", own, f"1.0f - t_f_{axis}"),
    )
