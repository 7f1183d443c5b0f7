# SPDX-License-Identifier: Apache-2.0
"""Resize as generated loops over tables of indices and weights, and the tables where scales are read in run."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyc.backend.program import Affine, Expr, Fail, For, Formula, If, Let, Literal, Load, Stmt, Store
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import computed, copy_strided, load, row_strides, store
from tinyc.kernels.sampling import weighted
from tinyc.kernels.writing import at, formula, narrow, put, real, when, whole
from tinyc.ops.c_text import float_literal
from tinyc.ops.resize import FIXED_BITS, ResampleAttrs, fixed_weights
from tinyc.ops.resize_taps import ResizeAxis


@KERNELS.add
class ResampleLoops(Kernel):
    name = "loops"
    ops = ("Resample", "ResampleNearest")

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        tables = 1 if node.op == "ResampleNearest" else 2
        taps = np.prod([graph.type(name).shape[1] for name in node.inputs[1::tables]])
        return Cost(float(6.0 * taps) * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        a: ResampleAttrs = build.node.attrs
        x, y = build.type(0), build.output_type()
        if not y.elements:
            return Lowered(())
        tables = 1 if build.node.op == "ResampleNearest" else 2
        own, result = row_strides(x.shape), row_strides(y.shape)
        taps = [build.type(1 + tables * k).shape[1] for k in range(len(a.axes))]
        plain = [k for k in range(x.rank) if k not in a.axes]
        source = Affine(0, tuple((f"t_y{k}", own[k]) for k in plain if x.shape[k] > 1))
        target = Affine(0, tuple((f"t_y{k}", result[k]) for k in range(x.rank) if y.shape[k] > 1))
        run = [k for k in plain if k > max(a.axes)]  # innermost axes that stay as they are

        def element(chosen: tuple[int, ...]) -> Expr:
            place = source.plus(Affine(0, tuple((f"t_i{k}_{tap}", own[a.axes[k]]) for k, tap in enumerate(chosen))))
            return load(build.input(0).buffer, place, x.dtype)

        body: tuple[Stmt, ...]
        if tables == 1 and a.extrapolation is None:
            size = row_strides(x.shape)[run[0] - 1] if run else 1
            first = source.plus(Affine(0, tuple((f"t_i{k}_0", own[axis]) for k, axis in enumerate(a.axes))))
            starts = [Affine(0, tuple((n, c) for n, c in f.terms if int(n[3:].split("_")[0]) not in run or n[2] == "i"))
                      for f in (first, target)]
            body = copy_strided(build, build.input(0), build.output(), x.dtype, (size,), ((1,), (1,)),
                                (starts[0], starts[1]))
            inner: list[int] = run
        else:
            inner = []
            body = _sum(build, taps, element, target)
        if a.extrapolation is not None:
            outside = " || ".join(f"t_i{k}_0 < 0" for k in range(len(a.axes)))
            body = (when(outside, (_constant(build, target, a.extrapolation),), body),)
        for axis in range(x.rank - 1, -1, -1):
            if axis in a.axes:
                k = a.axes.index(axis)
                body = (*_tables(build, k, tables, taps[k]), *body)
            if axis not in inner and (y.shape[axis] > 1 or axis in a.axes):
                body = (For(f"t_y{axis}", y.shape[axis], body),)
        return Lowered(body)


def _constant(build: Builder, place: Affine, value: float) -> Stmt:
    y = build.output_type()
    own = computed(y.dtype)
    return store(build.output().buffer, place, y.dtype, Literal(value if own.is_float else int(value), own))


def _sum(build: Builder, taps: list[int], element: Any, target: Affine) -> tuple[Stmt, ...]:
    """The weighted sum stored: real, rounded to the integer type, or in fixed point."""
    y = build.output_type()

    def weight(axis: int, tap: int) -> str:
        return f"t_w{axis}_{tap}"

    result = build.output().buffer
    if build.node.op == "ResampleNearest":
        return (store(result, target, y.dtype, element((0,) * len(taps))),)
    if build.node.integer:
        shift = FIXED_BITS * len(taps)
        total = weighted(taps, weight, element, DType.INT32)
        return (
            Let("t_acc", "int32_t", total),
            whole("t_v", f"(t_acc + {1 << (shift - 1)}) >> {shift}"),
            Store(result, target, y.dtype, Formula("t_v < -128 ? -128 : t_v > 127 ? 127 : t_v", ())),
        )
    if y.dtype.is_float:
        return (store(result, target, y.dtype, weighted(taps, weight, element, y.dtype)),)
    low, high = (0, 1) if y.dtype is DType.BOOL else y.dtype.limits
    top = float(np.nextafter(np.float32(high), np.float32(0))) if float(np.float32(high)) > high else float(high)
    wide = "int64_t" if y.dtype.size == 8 or y.dtype is DType.UINT32 else "int32_t"
    total = weighted(taps, weight, lambda chosen: Formula("(float){0}", (element(chosen),)), DType.FLOAT32)
    bounded = f"fminf(fmaxf(rintf(t_acc), {float_literal(float(low))}), {float_literal(top)})"
    return (real("t_acc", DType.FLOAT32, "{0}", total),
            Store(result, target, y.dtype, Formula(f"({y.dtype.c_type})({wide}){bounded}", ())))


def _tables(build: Builder, k: int, tables: int, taps: int) -> tuple[Stmt, ...]:
    """t_i<k>_<tap> and t_w<k>_<tap> for one place along an axis."""
    a: ResampleAttrs = build.node.attrs
    operand = 1 + tables * k
    body: list[Stmt] = []
    known = build.graph.value(build.node.inputs[operand]).data
    place = at(**{f"t_y{a.axes[k]}": taps})
    pointer, dtype = build.input(operand) if known is None else None, DType.INT32
    if known is not None:
        indices = known if a.extrapolation is not None and known.min(initial=0) < 0 else narrow(known)
        pointer = build.table(f"indices{k}", indices, "constants")
        dtype = DType.of(indices)
    assert pointer is not None
    for tap in range(taps):
        element = Load(pointer.buffer, place.plus(Affine(tap)), dtype)
        body.append(Let(f"t_i{k}_{tap}", "int32_t", Formula("(int32_t){0}", (element,))))
    if tables == 1:
        return tuple(body)
    weights = build.graph.value(build.node.inputs[operand + 1])
    if build.node.integer and weights.data is not None:
        table = build.table(f"weights{k}", fixed_weights(weights.data), "constants")
        body += [Let(f"t_w{k}_{tap}", "int32_t", Load(table.buffer, place.plus(Affine(tap)), DType.INT16))
                 for tap in range(taps)]
    else:
        buffer = build.input(operand + 1).buffer
        body += [Let(f"t_w{k}_{tap}", weights.type.dtype.c_type,
                     load(buffer, place.plus(Affine(tap)), weights.type.dtype)) for tap in range(taps)]
    return tuple(body)


def _coordinate(a: ResizeAxis) -> str:
    """C text, for floats, of the place t_x in the input; t_f is the place in the result."""
    last, width = f"{a.before - 1}.0f", f"{a.width!r}f" if a.width is not None else f"(t_scale * {a.before}.0f)"
    if a.transform == "asymmetric":
        return "t_f / t_scale"
    if a.transform == "tf_half_pixel_for_nn":
        return "(t_f + 0.5f) / t_scale"
    if a.transform == "align_corners":
        return f"{width} > 1.0f || {width} < 1.0f ? t_f * {last} / ({width} - 1.0f) : 0.0f"
    if a.transform == "tf_crop_and_resize":
        middle = f"0.5f * (t_first + t_end) * {last}"
        spread = f"t_first * {last} + t_f * (t_end - t_first) * {last} / ({width} - 1.0f)"
        return f"{width} > 1.0f || {width} < 1.0f ? {spread} : {middle}"
    plain = "(t_f + 0.5f) / t_scale - 0.5f"
    if a.transform == "pytorch_half_pixel":
        return plain if a.after > 1 else "0.0f"
    if a.transform == "half_pixel_symmetric":
        return f"{a.before / 2!r}f * (1.0f - {a.after}.0f / {width}) + {plain}"
    return plain


def _nearest(a: ResizeAxis) -> str:
    return {"round_prefer_floor": "ceilf(t_x - 0.5f)", "round_prefer_ceil": "floorf(t_x + 0.5f)",
            "floor": "floorf(t_x)", "ceil": "ceilf(t_x)",
            "simple": "(t_scale < 1.0f ? ceilf(t_x) : floorf(t_x))"}[a.nearest]


@KERNELS.add
class ResizeTapsLoops(Kernel):
    """In single precision throughout, whatever the weights' type."""

    name = "loops"
    ops = ("ResizeTaps",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(60.0 * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        a: ResizeAxis = build.node.attrs.axis
        taps, last = a.taps, a.before - 1
        body: list[Stmt] = []
        if isinstance(a.scale, int):
            number = load(build.input(0).buffer, Affine(a.scale), build.type(0).dtype)
            body.append(real("t_scale", DType.FLOAT32, "(float){0}", number))
            # The result's static length has to follow from the scale, up to rounding.
            length = f"t_scale * {a.before}.0f"
            fits = Formula(f"!({length} > {a.after - 0.01!r}f && {length} < {a.after + 1.01!r}f)", ())
            body.append(If(fits, (Fail("SHAPE"),)))
        elif a.transform not in ("align_corners", "tf_crop_and_resize") or a.width is None or a.nearest == "simple":
            body.append(real("t_scale", DType.FLOAT32, float_literal(a.scale)))
        if a.extrapolates:
            for name, bound in zip(("t_first", "t_end"), a.roi, strict=True):
                if isinstance(bound, int):
                    number = load(build.input(1).buffer, Affine(bound), build.type(1).dtype)
                    body.append(real(name, DType.FLOAT32, "(float){0}", number))
                else:
                    body.append(real(name, DType.FLOAT32, float_literal(bound)))
        if a.antialias:
            body.append(real("t_step", DType.FLOAT32, "fminf(t_scale, 1.0f)"))
        each: list[Stmt] = [
            real("t_f", DType.FLOAT32, "(float)t_y"),
            real("t_raw", DType.FLOAT32, _coordinate(a)),
            real("t_x", DType.FLOAT32, f"fminf(fmaxf(t_raw, -2.0f), {a.before + 1}.0f)"),
        ]
        outside = f"!(t_raw >= 0.0f && t_raw <= {last}.0f)" if a.extrapolates else ""
        each += _one_tap(build, a, outside) if taps == 1 else _taps(build, a, outside)
        return Lowered((*body, For("t_y", a.after, tuple(each))))


def _index(build: Builder, place: Affine, text: str, last: int, outside: str) -> tuple[Stmt, ...]:
    value = f"t_i < 0 ? 0 : t_i > {last} ? {last} : t_i"
    if outside:
        value = f"{outside} ? -1 : ({value})"
    return (whole("t_i", text), Store(build.output().buffer, place, DType.INT32, Formula(value, ())))


def _one_tap(build: Builder, a: ResizeAxis, outside: str) -> list[Stmt]:
    place = at(t_y=1)
    body = list(_index(build, place, f"(int32_t){_nearest(a)}", a.before - 1, outside))
    if len(build.node.outputs) > 1 and build.node.outputs[1]:
        body.append(store(build.output(1).buffer, place, build.output_type(1).dtype, formula("1.0f")))
    return body


def _taps(build: Builder, a: ResizeAxis, outside: str) -> list[Stmt]:
    taps = a.taps
    place = at(t_y=taps, t_k=1)
    dtype = build.output_type(1).dtype
    weights = build.output(1).buffer
    normalized = a.antialias or a.exclude_outside
    distance = f"fabsf((float)(t_k - {taps // 2 - 1}) - (t_x - t_base))" + (" * t_step" if a.antialias else "")
    if a.mode == "linear":
        weight = "fmaxf(0.0f, 1.0f - t_d)"
    else:
        c = float_literal(a.cubic_a)
        near = f"(({c} + 2.0f) * t_d - ({c} + 3.0f)) * t_d * t_d + 1.0f"
        far = f"(({c} * t_d - 5.0f * {c}) * t_d + 8.0f * {c}) * t_d - 4.0f * {c}"
        weight = f"t_d <= 1.0f ? {near} : t_d < 2.0f ? {far} : 0.0f"
    if a.exclude_outside:
        weight = f"t_i >= 0 && t_i < {a.before} ? ({weight}) : 0.0f"
    index = _index(build, place, f"(int32_t)t_base + t_k - {taps // 2 - 1}", a.before - 1, outside)
    each: list[Stmt] = [*index, real("t_d", DType.FLOAT32, distance), real("t_w", DType.FLOAT32, weight),
                        store(weights, place, dtype, formula("t_w"))]
    body: list[Stmt] = [real("t_base", DType.FLOAT32, "ceilf(t_x) - 1.0f")]
    if normalized:
        body.append(real("t_sum", DType.FLOAT32, "0.0f", mutable=True))
        each.append(put("t_sum", "t_sum + t_w"))
    body.append(For("t_k", taps, tuple(each)))
    if normalized:
        scaled = store(weights, place, dtype, formula("{0} / t_sum", dtype, load(weights, place, dtype)))
        body.append(For("t_k", taps, (scaled,)))
    return body
