# SPDX-License-Identifier: Apache-2.0
"""TreeEnsemble: a loop that walks tables, or the trees as if and else."""

from __future__ import annotations

import math
from typing import Any

from tinyc.backend.program import (
    Affine,
    Apply,
    Block,
    Expr,
    For,
    Formula,
    If,
    Let,
    Literal,
    Load,
    Name,
    Set,
    Stmt,
    While,
)
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array, DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.forest import Questions, keys_of, questions
from tinyc.kernels.tree_scores import Scores, Weights, at, leaf_statements, weight_literal, weights_of, whole
from tinyc.kernels.tree_tables import NEAR_LIMIT, TreeTables, smallest_tables
from tinyc.ops.tree_ensemble import TreeAttrs

# Trees deeper than this, or with more paths, are not written out.
MAX_DEPTH, MAX_BRANCHES = 48, 20_000

class _Trees(Kernel):
    ops = ("TreeEnsemble",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        dtype = graph.type(node.inputs[0]).dtype
        if dtype in (DType.FLOAT16, DType.UINT32, DType.UINT64):
            return f"no trees on {dtype.label}"
        return None


def _key(build: Builder, feature: Affine) -> Expr:
    """The key of a feature of row t_r."""
    x = build.type(0)
    keys = keys_of(x.dtype)
    index = feature.plus(at(("t_r", x.shape[1])))
    if keys.function:
        return Apply(keys.function, (Load(build.input(0).buffer, index, keys.dtype),))
    return Formula(f"({keys.dtype.c_type}){{0}}", (Load(build.input(0).buffer, index, x.dtype),))


@KERNELS.add
class TreeWalk(_Trees):
    """Tables of nodes, walked by one loop."""

    name = "tables"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        attrs, x = node.attrs, graph.type(node.inputs[0])
        q = questions(attrs, x.dtype)
        weights = weights_of(attrs, q)
        tables = smallest_tables(q, x.dtype, attrs.total.size)
        depth = math.log2(max(2.0, len(attrs.forest.feature) / len(attrs.forest.roots))) + 1
        steps = x.shape[0] * len(q.roots) * (12 + depth * (16 if keys_of(x.dtype).function else 12))
        return Cost(steps, tables.bytes + weights.bytes(attrs) + 150)

    def lower(self, build: Builder) -> Lowered:
        attrs, x = build.node.attrs, build.type(0)
        q = questions(attrs, x.dtype)
        tables = smallest_tables(q, x.dtype, attrs.total.size)
        plain = weights_of(attrs, q)
        weights = Weights(plain.form, tuple(plain.leaves[k] for k in tables.order), plain.owners)
        scores = Scores(build, attrs)
        tree = (*self._find(build, tables), *leaf_statements(build, weights, scores, Name("t_at")))
        body = (*scores.start(), For("t_t", len(q.roots), tree), *scores.finish())
        overlap = ((0, 0, 0),) if attrs.targets == 1 and attrs.result.size <= x.dtype.size * x.shape[1] else ()
        return Lowered((For("t_r", x.shape[0], body),), scores.scratch, overlap)

    def _find(self, build: Builder, tables: TreeTables) -> tuple[Stmt, ...]:
        """Statements that leave the number of the leaf of tree t_t in t_at."""

        def column(role: str, values: Array, index: Affine) -> Expr:
            table = build.table(role, values)
            return Formula("(int32_t){0}", (Load(table.buffer, index, DType.of(values)),))

        keys = keys_of(build.type(0).dtype)
        root = column("root", tables.root, at(("t_t", 1)))
        here = at(("t_at", 1), ("t_base", 1)) if tables.near else at(("t_at", 1))
        walk: list[Stmt] = []
        if tables.split is not None:
            walk.append(Let("t_split", "int32_t", column("split", tables.split, here)))
        node = at(("t_split", 1)) if tables.split is not None else here
        walk.append(Let("t_f", "int32_t", column("feature", tables.feature, node)))
        feature = at(("t_f", 1))
        mask = (1 << tables.chained if tables.chained else tables.flag) - 1
        if mask > 0:
            walk.append(Let("t_g", "int32_t", Formula(f"t_f & {mask}", ())))
            feature = at(("t_g", 1))
        key = _key(build, feature)
        if tables.flag:
            lift = f"({keys.dtype.c_type}){keys.lift}U" if keys.dtype.size == 4 else f"{keys.lift}ULL"
            key = Formula(f"({keys.dtype.c_type})({{0}} + (t_f != t_g ? {lift} : 0U))", (key,))
        table = build.table("threshold", tables.threshold)
        bound = Load(table.buffer, node, DType.of(tables.threshold))
        walk.append(Let("t_x", keys.dtype.c_type, key))
        walk.append(Let("t_no", "int32_t", Formula("t_x > {0} ? 1 : 0", (bound,))))
        if tables.chained:
            return (*self._start(tables, root), While(
                Formula(f"t_at < {tables.limit}", ()),
                (*walk, Set("t_at", self._next(column("child", tables.child, here), tables.chained)))),
                Set("t_at", Formula(f"t_at - {tables.limit}", ())))
        pair = Affine(0, tuple((name, 2 * step) for name, step in here.terms)).plus(at(("t_no", 1)))
        walk.append(Set("t_at", column("child", tables.child, pair)))
        start = self._start(tables, root)
        start.append(While(Formula(f"t_at < {tables.limit}", ()), tuple(walk)))
        offset = f"t_at - {tables.limit}"
        if tables.first_leaf is not None:
            first = column("first_leaf", tables.first_leaf, at(("t_t", 1)))
            start.append(Set("t_at", Formula(f"{offset} + {{0}}", (first,))))
        else:
            start.append(Set("t_at", Formula(offset, ())))
        return tuple(start)


    @staticmethod
    def _start(tables: TreeTables, root: Expr) -> list[Stmt]:
        start: list[Stmt] = [Let("t_base", "int32_t", root)] if tables.near else []
        return [*start, Let("t_at", "int32_t", whole(0) if tables.near else root, True)]

    @staticmethod
    def _next(child: Expr, bits: int) -> Expr:
        """What follows a question in the chained layout."""
        leaf = f"t_f >> {bits} != 0 ? {NEAR_LIMIT - 1} + (t_f >> {bits})"
        return Formula(f"t_no != 0 ? {{0}} : {leaf} : t_at + 1", (child,))


@KERNELS.add
class TreeBranches(_Trees):
    """Every tree written out as if and else."""

    name = "branches"

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        reason = super().obstacle(graph, node, options)
        if reason is None:
            paths, depth = _size(questions(node.attrs, graph.type(node.inputs[0]).dtype))
            if depth > MAX_DEPTH or paths > MAX_BRANCHES:
                reason = "too many branches, or too deep"
        return reason

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        attrs, x = node.attrs, graph.type(node.inputs[0])
        q = questions(attrs, x.dtype)
        paths, _ = _size(q)
        depth = math.log2(max(2.0, paths / len(q.roots))) + 1
        steps = x.shape[0] * len(q.roots) * (10 + depth * (8 if keys_of(x.dtype).function else 5))
        return Cost(steps, paths * 18 + weights_of(attrs, q).bytes(attrs) + 30)

    def lower(self, build: Builder) -> Lowered:
        attrs, x = build.node.attrs, build.type(0)
        q = questions(attrs, x.dtype)
        weights = weights_of(attrs, q)
        scores = Scores(build, attrs)
        attrs = scores.attrs
        numbers = weights.form not in ("one", "owner")
        trees: list[Stmt] = []
        for k, root in enumerate(q.roots):
            first: Stmt = Let(f"t_l{k}", "int32_t", whole(0), True) if numbers else Let(
                f"t_l{k}", attrs.total.c_type, Literal(0, attrs.total), True)
            trees += [first, *self._branch(build, q, weights, root, f"t_l{k}", attrs)]
            trees.append(_scope(build, weights, scores, k, numbers))
        body = (*scores.start(), *trees, *scores.finish())
        return Lowered((For("t_r", x.shape[0], body),), scores.scratch)

    def _branch(
        self, build: Builder, q: Questions, weights: Weights, place: int, result: str, attrs: TreeAttrs
    ) -> tuple[Stmt, ...]:
        if place < 0:
            number = weights.form not in ("one", "owner")
            value = whole(~place) if number else weight_literal(attrs, weights.leaves[~place][0][1])
            return (Set(result, value),)
        keys = keys_of(build.type(0).dtype)
        key, bound = _key(build, at(constant=q.feature[place])), q.threshold[place]
        if q.nan_yes[place]:
            lift = f"{keys.lift}U" if keys.dtype.size == 4 else f"{keys.lift}ULL"
            key, bound = Formula(f"({keys.dtype.c_type})({{0}} + {lift})", (key,)), bound + keys.lift
        then, other = (self._branch(build, q, weights, p, result, attrs) for p in (q.yes[place], q.no[place]))
        return (If(Formula("{0} <= {1}", (key, Literal(bound, keys.dtype))), then, other),)


def _scope(build: Builder, weights: Weights, scores: Scores, tree: int, numbers: bool) -> Stmt:
    """Adds the result t_l<tree> to the scores, in a scope of its own."""
    name = f"t_l{tree}"
    if numbers:
        return Block(leaf_statements(build, weights, scores, Name(name)))
    target = weights.owners[tree] if weights.form == "owner" else 0
    return Block(scores.add(at(constant=target), Name(name)))


def _size(q: Questions) -> tuple[int, int]:
    """(questions when subtrees are not shared, depth) of the trees as if and else."""
    sizes: dict[int, tuple[int, int]] = {}
    total, deepest = 0, 0
    for root in q.roots:
        waiting = [root]
        while waiting:
            place = waiting[-1]
            children = [] if place < 0 else [q.yes[place], q.no[place]]
            missing = [c for c in children if c not in sizes]
            if place not in sizes and not missing:
                parts = [sizes[c] for c in children]
                sizes[place] = (1 + sum(p[0] for p in parts), 1 + max(p[1] for p in parts)) if parts else (0, 0)
            if missing:
                waiting += missing
            else:
                waiting.pop()
        total, deepest = total + sizes[root][0], max(deepest, sizes[root][1])
    return total, deepest
