# SPDX-License-Identifier: Apache-2.0
"""TfIdfVectorizer as generated loops: for each length of n-grams, all of them against all places."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyc.backend.program import Affine, For, Formula, If, Let, Literal, Load, Set, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import load, store
from tinyc.kernels.writing import at, formula, narrow, whole
from tinyc.ops.tf_idf import TfIdfAttrs


@KERNELS.add
class TfIdfLoops(Kernel):
    name = "loops"
    ops = ("TfIdf",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        a: TfIdfAttrs = node.attrs
        return Cost(12.0 * graph.type(node.inputs[0]).elements * len(a.grams) * (a.skips + 1))

    def lower(self, build: Builder) -> Lowered:
        a: TfIdfAttrs = build.node.attrs
        x, y = build.type(0), build.output_type()
        result = build.output().buffer
        length = x.shape[-1]
        clear = For("t_k", a.size, (store(result, at(t_b=a.size, t_k=1), y.dtype, Literal(0, DType.FLOAT32)),))
        body: list[Stmt] = [clear]
        for n in sorted({len(gram) for gram, _ in a.grams}):
            body += _count(build, n, length)
        if a.mode != "TF":
            place = at(t_b=a.size, t_k=1)
            number = load(result, place, y.dtype)
            text, operands = ("{0} > 0.0f ? 1.0f : 0.0f" if a.mode == "IDF" else "{0}"), [number]
            if a.weights:
                weights = build.table("weights", np.array(a.weights, np.float32))
                operands.append(load(weights.buffer, at(t_k=1), DType.FLOAT32))
                text = "{0} > 0.0f ? {1} : 0.0f" if a.mode == "IDF" else "{0} * {1}"
            body.append(For("t_k", a.size, (store(result, place, y.dtype, formula(text, y.dtype, *operands)),)))
        return Lowered((For("t_b", math.prod(x.shape[:-1]), tuple(body)),))


def _count(build: Builder, n: int, length: int) -> list[Stmt]:
    """Counts the n-grams of one length; those that no element of the input's type can match are left out."""
    a: TfIdfAttrs = build.node.attrs
    x, y = build.type(0), build.output_type()
    low, high = x.dtype.limits
    own = [(gram, place) for gram, place in a.grams if len(gram) == n and all(low <= v <= high for v in gram)]
    if not own:
        return []
    grams = np.array([gram for gram, _ in own], x.dtype.numpy)
    if -128 <= grams.min() and grams.max() < 128:
        grams = grams.astype(np.int8)
    elif -32768 <= grams.min() and grams.max() < 32768:
        grams = grams.astype(np.int16)
    table = build.table(f"grams{n}", grams, "constants").buffer
    target = build.table(f"places{n}", narrow(np.array([place for _, place in own])), "constants").buffer
    place_type = next(t.dtype for t in build.tables if t.name == target)
    same = Formula("{0} != {1}", (
        Load(build.input(0).buffer, Affine(0, (("t_b", length), ("t_p", 1))), x.dtype),
        Load(table, at(t_g=n, t_e=1), DType.of(grams))))
    compare = For("t_e", n, (whole("t_p", "t_f + t_e * t_step"),
                             If(same, (Set("t_same", Literal(0, DType.INT32)),))))
    place = at(t_b=a.size, t_at=1)
    found: tuple[Stmt, ...] = (
        Let("t_at", "int32_t", Formula("(int32_t){0}", (Load(target, at(t_g=1), place_type),))),
        store(build.output().buffer, place, y.dtype, formula("{0} + 1.0f", y.dtype,
                                                             load(build.output().buffer, place, y.dtype))),
    )
    inner: tuple[Stmt, ...] = (
        Let("t_same", "int32_t", Literal(1, DType.INT32), True), compare, If(Formula("t_same != 0", ()), found))
    statements: list[Stmt] = []
    for step in range(1, (a.skips if n > 1 else 0) + 2):
        starts = length - (n - 1) * step
        if starts > 0:
            statements.append(For("t_f", starts, (whole("t_step", str(step)), For("t_g", len(own), inner))))
    return statements
