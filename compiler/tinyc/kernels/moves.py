# SPDX-License-Identifier: Apache-2.0
"""Kernels that only move elements, of any type: copies of boxes with strides, Gather and Pad."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyc.backend.program import (
    Affine,
    Call,
    Copy,
    For,
    Formula,
    If,
    Index,
    Let,
    Literal,
    Load,
    Set,
    Stmt,
    Store,
    Struct,
)
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array, DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.cmsis import dims_of
from tinyc.kernels.loops import copy_strided, row_strides, strides_of
from tinyc.ops.pad import PadAttrs, integer_value


class _Move(Kernel):
    name = "loops"
    per_element = 3.0

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None if graph.type(node.inputs[0]).dtype is not DType.STRING else "no loops for strings"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(self.per_element * graph.type(node.outputs[0]).elements)


@KERNELS.add
class CopyBytes(_Move):
    name = "copy"
    ops = ("Reshape", "Identity")
    per_element = 1.0

    def lower(self, build: Builder) -> Lowered:
        return Lowered((Copy(build.output(), build.input(0), build.output_type().bytes),))


@KERNELS.add
class TransposeLoops(_Move):
    ops = ("Transpose",)
    per_element = 8.0

    def lower(self, build: Builder) -> Lowered:
        x, y = build.type(0), build.output_type()
        source = strides_of(x.shape, x.shape)
        steps = ([source[p] for p in build.node.attrs.perm], strides_of(y.shape, y.shape))
        return Lowered(copy_strided(build, build.input(0), build.output(), x.dtype, y.shape, steps))


@KERNELS.add
class TransposeS8(Kernel):
    """CMSIS-NN's arm_transpose_s8, for --kernels cmsis-nn."""

    name = "arm_transpose_s8"
    ops = ("Transpose",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        x = graph.type(node.inputs[0])
        if x.dtype is not DType.INT8 or not 1 <= x.rank <= 4:
            return "not an int8 tensor of up to four axes"
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        per_element = 7.0 if options.kernels != "auto" else 9.0
        return Cost(per_element * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        x, y = build.type(0), build.output_type()
        rank = x.rank
        # Axes in front of the tensor's own are 1 and stay where they are.
        perm = [*range(4 - rank), *(p + 4 - rank for p in build.node.attrs.perm)]
        table = build.table("perm", np.array(perm, np.uint32), "constants")
        parameters = Struct("cmsis_nn_transpose_params", (("num_dims", 4), ("permutations", table)))
        ones = (1,) * (4 - rank)
        call = Call("arm_transpose_s8", (build.input(0), build.output(), dims_of((*ones, *x.shape)),
                                         dims_of((*ones, *y.shape)), parameters), True)
        return Lowered((call,))


@KERNELS.add
class SliceLoops(_Move):
    ops = ("Slice",)

    def lower(self, build: Builder) -> Lowered:
        a, x, y = build.node.attrs, build.type(0), build.output_type()
        dense = row_strides(x.shape)
        steps = ([s * step for s, step in zip(dense, a.steps, strict=True)], strides_of(y.shape, y.shape))
        first = Affine(sum(s * start for s, start in zip(dense, a.starts, strict=True)))
        return Lowered(copy_strided(build, build.input(0), build.output(), x.dtype, y.shape, steps,
                                    (first, Affine())))


@KERNELS.add
class ExpandLoops(_Move):
    ops = ("Expand",)

    def lower(self, build: Builder) -> Lowered:
        x, y = build.type(0), build.output_type()
        steps = (strides_of(x.shape, y.shape), strides_of(y.shape, y.shape))
        return Lowered(copy_strided(build, build.input(0), build.output(), x.dtype, y.shape, steps))


@KERNELS.add
class ConcatLoops(_Move):
    ops = ("Concat",)

    def lower(self, build: Builder) -> Lowered:
        y, axis = build.output_type(), build.node.attrs.axis
        dense, at = row_strides(y.shape), 0
        body: list[Stmt] = []
        for k in range(len(build.node.inputs)):
            x = build.type(k)
            steps = (row_strides(x.shape), dense)
            body += copy_strided(build, build.input(k), build.output(), y.dtype, x.shape, steps,
                                 (Affine(), Affine(at * dense[axis])))
            at += x.shape[axis]
        return Lowered(tuple(body))


@KERNELS.add
class GatherLoops(_Move):
    """Indices in a table are checked now; others are clamped, so that nothing outside is read."""

    ops = ("Gather",)

    def lower(self, build: Builder) -> Lowered:
        x, indices, axis = build.type(0), build.type(1), build.node.attrs.axis
        size = x.shape[axis]
        outer, inner = int(np.prod(x.shape[:axis])), int(np.prod(x.shape[axis + 1:]))
        count = indices.elements
        source, target = build.input(0), build.output()
        known = build.graph.value(build.node.inputs[1]).data
        pick: tuple[Stmt, ...]
        at = Affine(0, (("t_i", 1),))
        if known is not None:
            table = build.table("indices", _narrow(np.where(known < 0, known + size, known)), "constants")
            dtype = DType.of(build.tables[-1].array)
            pick = (Let("t_k", "int32_t", Formula("(int32_t){0}", (Load(table.buffer, at, dtype),))),)
        else:
            wide = indices.dtype.c_type
            raw = Load(build.input(1).buffer, at, indices.dtype)
            pick = (
                Let("t_raw", wide, raw),
                Let("t_up", wide, Formula(f"t_raw < 0 ? t_raw + {size} : t_raw", ())),
                Let("t_k", "int32_t", Formula(f"(int32_t)(t_up < 0 ? 0 : t_up >= {size} ? {size - 1} : t_up)", ())),
            )
        start = (Affine(0, (("t_o", size * inner), ("t_k", inner))),
                 Affine(0, (("t_o", count * inner), ("t_i", inner))))
        body = copy_strided(build, source, target, x.dtype, (inner,), ((1,), (1,)), start)
        loop: tuple[Stmt, ...] = (For("t_i", count, (*pick, *body)),)
        return Lowered((For("t_o", outer, loop),) if build.output_type().elements else ())


def _narrow(values: Array) -> Array:
    """Indices in the smallest type that holds them."""
    top = int(values.max(initial=0))
    return values.astype(np.uint8 if top < 256 else np.uint16 if top < 65536 else np.int32)


@KERNELS.add
class PadLoops(_Move):
    ops = ("Pad",)
    per_element = 10.0

    def lower(self, build: Builder) -> Lowered:
        if not build.output_type().elements:
            return Lowered(())
        return Lowered(_constant(build) if build.node.attrs.mode == "constant" else _mirrored(build))


def _box(build: Builder) -> tuple[list[int], list[int], list[int], list[int]]:
    """Per axis: the first element kept, how many are kept, how many are added before and after."""
    a: PadAttrs = build.node.attrs
    shape = build.type(0).shape
    begins, ends = a.pads[:len(shape)], a.pads[len(shape):]
    first = [max(0, -b) for b in begins]
    kept = [n + min(b, 0) + min(e, 0) for n, b, e in zip(shape, begins, ends, strict=True)]
    return first, kept, [max(0, b) for b in begins], [max(0, e) for e in ends]


def _constant(build: Builder) -> tuple[Stmt, ...]:
    """The whole output filled, then the input copied into it."""
    a, x, y = build.node.attrs, build.type(0), build.output_type()
    first, kept, before, after = _box(build)
    own, target = row_strides(x.shape), row_strides(y.shape)
    start = (Affine(sum(f * s for f, s in zip(first, own, strict=True))),
             Affine(sum(b * s for b, s in zip(before, target, strict=True))))
    copy = copy_strided(build, build.input(0), build.output(), x.dtype, kept, (own, target), start)
    if not any((*before, *after)):
        return copy
    value: int | float
    if build.node.integer:
        value = integer_value(a, y)
    elif y.dtype is DType.FLOAT16:
        value = int(np.float16(a.value).view(np.uint16))
    else:
        value = a.value if y.dtype.is_float else int(a.value)
    literal = Literal(value, DType.UINT16 if y.dtype is DType.FLOAT16 else y.dtype)
    fill = For("t_0", y.elements, (Store(build.output().buffer, Affine(0, (("t_0", 1),)), y.dtype, literal),))
    return (fill, *copy)


def _mirrored(build: Builder) -> tuple[Stmt, ...]:
    """Every element of the output from the element of the input that its mode names."""
    a, x, y = build.node.attrs, build.type(0), build.output_type()
    first, kept, before, after = _box(build)
    own, target = row_strides(x.shape), row_strides(y.shape)
    source = Affine(sum(f * s for f, s in zip(first, own, strict=True)),
                    tuple((f"t_s{k}", s) for k, s in enumerate(own)))
    place = Affine(0, tuple((f"t_{k}", s) for k, s in enumerate(target)))
    element = Load(build.input(0).buffer, source, x.dtype)
    body: tuple[Stmt, ...] = (Store(build.output().buffer, place, y.dtype, element),)
    for k in range(x.rank - 1, -1, -1):
        body = (For(f"t_{k}", y.shape[k], (*_source(k, a.mode, before[k], after[k], kept[k]), *body)),)
    return body


def _source(axis: int, mode: str, before: int, after: int, kept: int) -> tuple[Stmt, ...]:
    """Statements that define t_s<axis>, the element among those kept, for t_<axis> of the output."""
    name, last = f"t_s{axis}", kept - 1
    index = Index(Affine(-before, ((f"t_{axis}", 1),)))
    if not before and not after:
        return (Let(name, "int32_t", index),)
    below, above = {
        "edge": ("0", str(last)), "reflect": (f"-{name}", f"{2 * last} - {name}"),
        "wrap": (f"{name} + {kept}", f"{name} - {kept}"),
    }[mode]
    return (
        Let(name, "int32_t", index, True),
        If(Formula(f"{name} < 0", ()), (Set(name, Formula(below, ())),),
           (If(Formula(f"{name} > {last}", ()), (Set(name, Formula(above, ())),)),)),
    )


@KERNELS.add
class PadS8(Kernel):
    """CMSIS-NN's arm_pad_s8."""

    name = "arm_pad_s8"
    ops = ("Pad",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        x, a = graph.type(node.inputs[0]), node.attrs
        if not node.integer or x.dtype is not DType.INT8 or not 1 <= x.rank <= 4:
            return "not a quantized tensor of up to four axes"
        if a.mode != "constant" or min(a.pads) < 0:
            return "not constant padding"
        return "no elements" if 0 in x.shape else None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(2.0 * graph.type(node.outputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        a, x = build.node.attrs, build.type(0)
        ones = (1,) * (4 - x.rank)
        before, after = (0,) * (4 - x.rank) + a.pads[:x.rank], (0,) * (4 - x.rank) + a.pads[x.rank:]
        call = Call("arm_pad_s8", (build.input(0), build.output(), integer_value(a, build.output_type()),
                                   dims_of((*ones, *x.shape)), dims_of(before), dims_of(after)), True)
        return Lowered((call,))

