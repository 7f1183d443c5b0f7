# SPDX-License-Identifier: Apache-2.0
"""Attention by tinyc_attention_f32 and its kin: one row of scores in scratch, keys read where they lie."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from tinyc.backend.program import Argument, Call, Null, Pointer, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType, TensorType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.ops.attention import AttentionAttrs, masked_to, split_heads
from tinyc.ops.registry import operator

SUFFIX = {DType.FLOAT32: "f32", DType.FLOAT64: "f64", DType.FLOAT16: "f16"}


def _strides(type_: TensorType, layout: str, heads: int) -> dict[str, int]:
    """Elements from one to the next along B, H, S and D."""
    _, _, rows, size = split_heads(type_.shape, layout, heads)
    if layout == "BSC":
        return {"B": rows * heads * size, "S": heads * size, "H": size, "D": 1}
    steps = [math.prod(type_.shape[k + 1:]) for k in range(4)]
    return dict(zip(layout, steps, strict=True))


def _as_struct(steps: dict[str, int]) -> Struct:
    return Struct("tinyc_attention_strides", (("batch", steps["B"]), ("head", steps["H"]), ("row", steps["S"])))


@KERNELS.add
class AttentionKernel(Kernel):
    name = "tinyc_attention"
    ops = ("Attention",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        a: AttentionAttrs = node.attrs
        if node.integer or graph.type(node.inputs[0]).dtype not in SUFFIX:
            return "no float operands"
        return "the elements of a head are not neighbours" if any(x[-1] == "S" for x in a.layouts) else None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        a: AttentionAttrs = node.attrs
        batch, heads, rows, size = split_heads(graph.type(node.inputs[0]).shape, a.layouts[0], a.heads)
        keys = split_heads(graph.type(node.inputs[1]).shape, a.layouts[1], a.kv_heads)[2]
        return Cost(batch * heads * rows * keys * (5.0 * size + 100.0), ram=4.0 * keys)

    def lower(self, build: Builder) -> Lowered:
        a: AttentionAttrs = build.node.attrs
        types = [build.type(k) for k in range(3)]
        batch, heads, rows, size = split_heads(types[0].shape, a.layouts[0], a.heads)
        keys, value_size = split_heads(types[2].shape, a.layouts[2], a.kv_heads)[2:]
        y_type = infer_y(build)
        steps = [_strides(t, x, h) for t, x, h in
                 zip(types, a.layouts, (a.heads, a.kv_heads, a.kv_heads), strict=False)]
        steps.append(_strides(y_type, a.layouts[3], a.heads))
        kind, columns, mask_steps = 0, 0, {"B": 0, "H": 0, "S": 0}
        if build.has(3):
            shape = masked_to(build.type(3).shape, (batch, heads, rows, keys))
            kind, columns = 1 if build.type(3).dtype is DType.BOOL else 2, shape[3]
            mask_steps = {c: 0 if shape[k] == 1 else math.prod(shape[k + 1:]) for k, c in enumerate("BHS")}
        inside = steps[3]["H"] < steps[3]["S"]
        parameters = Struct("tinyc_attention_params", (
            ("batch", batch), ("heads", heads), ("kv_heads", a.kv_heads), ("rows", rows), ("keys", keys),
            ("size", size), ("value_size", value_size),
            *((name, _as_struct(s)) for name, s in zip("qkvy", steps, strict=True)), ("mask", _as_struct(mask_steps)),
            ("mask_kind", kind), ("mask_columns", columns), ("past", a.past), ("left", a.left), ("right", a.right),
            ("heads_inside", int(inside)), ("scores_kind", a.kind if "QK" in a.results else -1),
            ("exact_softmax", int(a.exact_softmax)), ("scale", float(np.float32(a.scale))),
            ("softcap", float(a.softcap)),
        ))
        dtype = types[0].dtype
        number = DType.FLOAT64 if dtype is DType.FLOAT64 else DType.FLOAT32
        row_bytes = max(keys, 1) * number.size
        work = Pointer(build.scratch, 0, f"{number.c_type} *")
        y = Pointer(build.scratch, row_bytes, f"{dtype.c_type} *")  # where only the scores are wanted
        if "Y" in a.results:
            y = build.output(a.results.index("Y"))
        optional = [build.input(k) if build.has(k) else Null() for k in (3, 4)]
        scores: Argument = build.output(a.results.index("QK")) if "QK" in a.results else Null()
        call = Call(f"tinyc_attention_{SUFFIX[dtype]}", (
            parameters, *(build.input(k) for k in range(3)), *optional, y, scores, work))
        if "Y" not in a.results:
            return Lowered((call,), row_bytes + y_type.bytes)
        overlaps = ((0, a.results.index("Y"), 0),) if steps[0] == steps[3] and size == value_size else ()
        return Lowered((call,), row_bytes, overlaps)


def infer_y(build: Builder) -> TensorType:
    """The type of Y, which need not be one of the results."""
    node = replace(build.node, attrs=replace(build.node.attrs, results=("Y",)))
    types = [build.type(k) if build.has(k) else None for k in range(len(node.inputs))]
    return operator(node.op).infer(node, types, [None] * len(types))[0]
