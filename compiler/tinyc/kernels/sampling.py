# SPDX-License-Identifier: Apache-2.0
"""GridSample and AffineGrid as generated loops, for any number of axes.

Places come from the model's data: they are bounded while they are still real numbers, so that every index lies inside.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from tinyc.backend.program import Affine, Expr, For, Formula, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import computed, load, row_strides, store
from tinyc.kernels.writing import at, formula, put, real, when, whole
from tinyc.ops.c_text import float_literal
from tinyc.ops.grid_sample import CUBIC, AffineGridAttrs, GridSampleAttrs

TAPS = {"nearest": 1, "linear": 2, "cubic": 4}


def weighted(
    counts: Sequence[int], weight: Callable[[int, int], str], element: Callable[[tuple[int, ...]], Expr], dtype: DType
) -> Expr:
    """The sum over all taps of elements times weights, factored axis by axis.

    weight(axis, tap) is C text, "" for 1; element(taps) the element at one tap of each axis.
    """

    def inner(chosen: tuple[int, ...]) -> Expr:
        axis = len(chosen)
        if axis == len(counts):
            return element(chosen)
        terms = [(weight(axis, tap), inner((*chosen, tap))) for tap in range(counts[axis])]
        texts = [f"{w} * {{{k}}}" if w else f"{{{k}}}" for k, (w, _) in enumerate(terms)]
        if len(texts) == 1 and not terms[0][0]:
            return terms[0][1]
        return formula(f"({' + '.join(texts)})", dtype, *(e for _, e in terms))

    return inner(())


def _far(t: str) -> str:
    a = float_literal(CUBIC)
    return f"(({a} * {t} - 5.0f * {a}) * {t} + 8.0f * {a}) * {t} - 4.0f * {a}"


def _near(t: str) -> str:
    a = float_literal(CUBIC)
    return f"(({a} + 2.0f) * {t} - ({a} + 3.0f)) * {t} * {t} + 1.0f"


@KERNELS.add
class GridSampleLoops(Kernel):
    name = "loops"
    ops = ("GridSample",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        x, y = graph.type(node.inputs[0]), graph.type(node.outputs[0])
        taps = TAPS[node.attrs.mode] ** (x.rank - 2)
        return Cost(6.0 * taps * y.elements + 60.0 * graph.type(node.inputs[1]).elements)

    def lower(self, build: Builder) -> Lowered:
        a: GridSampleAttrs = build.node.attrs
        x, y, grid = build.type(0), build.output_type(), build.type(1)
        if not y.elements:
            return Lowered(())
        first, channel = (1, x.rank - 1) if a.last else (2, 1)
        rank, taps = x.rank - 2, TAPS[a.mode]
        own, pixels = x.dtype, math.prod(grid.shape[1:-1])
        channels = x.shape[channel]
        strides = row_strides(x.shape)
        body: tuple[Stmt, ...] = ()
        for k in range(rank):
            g = load(build.input(1).buffer, Affine(rank - 1 - k, at(t_n=pixels * rank, t_p=rank).terms), grid.dtype)
            body += axis_taps(a, k, x.shape[first + k], own, g)
        inside = Affine(0, (("t_n", strides[0]), ("t_c", strides[channel])))

        def element(chosen: tuple[int, ...]) -> Expr:
            place = inside.plus(Affine(0, tuple((f"t_i{k}_{tap}", strides[first + k]) for k, tap in enumerate(chosen))))
            return load(build.input(0).buffer, place, own)

        def weight(axis: int, tap: int) -> str:
            return "" if taps == 1 and a.padding != "zeros" else f"t_w{axis}_{tap}"

        result = at(t_n=channels * pixels, t_c=1, t_p=channels) if a.last else at(t_n=channels * pixels, t_c=pixels,
                                                                               t_p=1)
        value = weighted([taps] * rank, weight, element, own)
        each = For("t_c", channels, (store(build.output().buffer, result, own, value),))
        return Lowered((For("t_n", x.shape[0], (For("t_p", pixels, (*body, each)),)),))


def axis_taps(a: GridSampleAttrs, k: int, size: int, own: DType, g: Expr) -> tuple[Stmt, ...]:
    """Statements that define t_i<k>_<tap> and t_w<k>_<tap>, indices and weights along an axis, from the grid."""
    x, first = f"t_x{k}", f"t_f{k}"
    scaled = f"(({{0}} + 1.0f) * {size}.0f - 1.0f) * 0.5f"
    if a.align_corners:
        scaled = f"({{0}} + 1.0f) * {0.5 * (size - 1)}f"
    low, high = (0.0, size - 1.0) if a.align_corners else (-0.5, size - 0.5)
    body: list[Stmt] = [real(x, own, f"rintf({scaled})" if a.mode == "nearest" else scaled, g, mutable=True)]
    if a.padding == "reflection" and high > low:
        span = f"{high - low}f"
        body += [
            real(f"t_r{k}", own, f"fabsf({x} - ({low}f))"),
            real(f"t_m{k}", own, f"t_r{k} - {2 * (high - low)}f * floorf(t_r{k} / {2 * (high - low)}f)"),
            put(x, f"({low}f) + (t_m{k} > {span} ? {2 * (high - low)}f - t_m{k} : t_m{k})", own),
        ]
    apart = a.padding == "border" and a.mode == "cubic"  # each tap is moved to the border by itself
    margin = 3 if a.padding == "zeros" or apart else 0  # outside, but not by more than all taps
    if a.padding == "reflection" and not a.align_corners:
        margin = 1
    body.append(put(x, f"fminf(fmaxf({x}, {-margin}.0f), {size - 1 + margin}.0f)", own))
    if a.mode == "nearest":
        body.append(whole(f"t_i{k}_0", f"(int32_t){x}", mutable=True))
    else:
        body += [real(first, own, f"floorf({x})"), real(f"t_d{k}", own, f"{x} - {first}")]
        shift = 1 if a.mode == "cubic" else 0
        body += [whole(f"t_i{k}_{tap}", f"(int32_t){first} + {tap - shift}" if tap != shift else f"(int32_t){first}",
                       mutable=True) for tap in range(TAPS[a.mode])]
    d = f"t_d{k}"
    weights = {"nearest": ["1.0f"], "linear": [f"1.0f - {d}", d],
               "cubic": [_far(f"({d} + 1.0f)"), _near(d), _near(f"(1.0f - {d})"), _far(f"(2.0f - {d})")]}[a.mode]
    for tap, text in enumerate(weights):
        index = f"t_i{k}_{tap}"
        if a.padding == "zeros":
            body.append(real(f"t_w{k}_{tap}", own, f"{index} >= 0 && {index} < {size} ? {text} : 0.0f"))
        elif a.mode != "nearest":
            body.append(real(f"t_w{k}_{tap}", own, text))
        if a.padding == "reflection" and a.mode == "cubic":
            above, below = (2 * size - 2, 0) if a.align_corners else (2 * size - 1, -1)
            body.append(when(f"{index} >= {size}", (put(index, f"{above} - {index}"),)))
            body.append(when(f"{index} < 0", (put(index, f"{below} - {index}"),)))
        body.append(put(index, f"{index} < 0 ? 0 : {index} >= {size} ? {size - 1} : {index}"))
    return tuple(body)


@KERNELS.add
class AffineGridLoops(Kernel):
    name = "loops"
    ops = ("AffineGrid",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(12.0 * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        a: AffineGridAttrs = build.node.attrs
        theta, y = build.type(0), build.output_type()
        own, rank = theta.dtype, len(a.size)
        places: list[tuple[Stmt, ...]] = []
        for k, size in enumerate(a.size):
            if a.align_corners:
                text = f"-1.0f + {2.0 / (size - 1)!r}f * {{0}}" if size > 1 else "-1.0f + 0.0f * {0}"
            else:
                text = f"(2.0f * {{0}} + 1.0f) / {size}.0f - 1.0f"
            number = Formula(f"({computed(own).c_type})t_p{k}", ())
            places.append((real(f"t_x{k}", own, text, number),))
        row = rank * (rank + 1)
        terms = [load(build.input(0).buffer, Affine(j, at(t_n=row, t_i=rank + 1).terms), own) for j in range(rank + 1)]
        text = " + ".join([*(f"{{{j}}} * t_x{rank - 1 - j}" for j in range(rank)), f"{{{rank}}}"])
        strides = row_strides(y.shape)
        place = Affine(0, (("t_n", strides[0]), *((f"t_p{k}", strides[1 + k]) for k in range(rank)), ("t_i", 1)))
        body: tuple[Stmt, ...] = (For("t_i", rank, (store(build.output().buffer, place, own,
                                                          formula(text, own, *terms)),)),)
        for k in range(rank - 1, -1, -1):
            body = (For(f"t_p{k}", a.size[k], (*places[k], *body)),)
        return Lowered((For("t_n", y.shape[0], body),))
