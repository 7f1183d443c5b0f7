# SPDX-License-Identifier: Apache-2.0
"""TreeEnsemble: a loop that walks tables, or the trees as if and else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

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
    Store,
    While,
)
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array, DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.forest import Leaf, Questions, keys_of, questions, smallest_integers
from tinyc.kernels.tree_tables import NEAR_LIMIT, TreeTables, smallest_tables
from tinyc.ops.tree_ensemble import TreeAttrs

# Trees deeper than this, or with more paths, are not written out.
MAX_DEPTH, MAX_BRANCHES = 48, 20_000


def at(*terms: tuple[str, int], constant: int = 0) -> Affine:
    return Affine(constant, terms)


def whole(value: int) -> Literal:
    return Literal(value, DType.INT32)


@dataclass(frozen=True)
class _Weights:
    """How leaves become scores.

    form: "one": a number for the only target; "owner": a number for the target of the tree; "votes": the same number
    for one target; "dense": a number for each target; "lists": pairs of target and number.
    """

    form: str
    leaves: tuple[Leaf, ...]
    owners: tuple[int, ...] = ()

    def bytes(self, attrs: TreeAttrs) -> int:
        size, count = attrs.total.size, len(self.leaves)
        if self.form == "votes":
            return count
        if self.form == "lists":
            return 2 * (count + 1) + sum(len(leaf) for leaf in self.leaves) * (1 + size)
        return count * size * (attrs.targets if self.form == "dense" else 1) + len(self.owners)


def _tracked(attrs: TreeAttrs) -> bool:
    """Whether sums begin as NaN, so that the first weight of a target is told from further ones."""
    return attrs.mark or (attrs.aggregate in ("MIN", "MAX") and attrs.targets > 1)


def _owners(q: Questions) -> tuple[int, ...] | None:
    """The one target of all of a tree's leaves, for each tree; None if there is none."""
    owners = []
    for root in q.roots:
        seen: set[int] = set()
        found: set[int] = set()
        waiting = [root]
        while waiting:
            place = waiting.pop()
            if place < 0:
                leaf = q.leaves[~place]
                found |= {t for t, _ in leaf} if len(leaf) == 1 else {-1}
            elif place not in seen:
                seen.add(place)
                waiting += [q.yes[place], q.no[place]]
        if len(found) != 1 or -1 in found:
            return None
        owners.append(found.pop())
    return tuple(owners)


def _weights(attrs: TreeAttrs, q: Questions) -> _Weights:
    if attrs.targets == 1 and all(len(leaf) == 1 for leaf in q.leaves):
        return _Weights("one", q.leaves)
    plain = attrs.aggregate in ("SUM", "AVERAGE") and not attrs.mark
    if attrs.targets == 1 and plain:
        return _Weights("one", tuple(leaf or ((0, 0.0),) for leaf in q.leaves))
    owners = _owners(q)
    if owners is not None:
        return _Weights("owner", q.leaves, owners)
    leaves = tuple(tuple(p for p in leaf if p[1] != 0.0) for leaf in q.leaves) if plain else q.leaves
    if all(len(leaf) == 1 for leaf in leaves) and len({leaf[0][1] for leaf in leaves}) == 1:
        return _Weights("votes", leaves)
    lists, dense = _Weights("lists", leaves), _Weights("dense", leaves)
    full = all(len(leaf) == attrs.targets for leaf in leaves)
    if full or (not _tracked(attrs) and dense.bytes(attrs) <= lists.bytes(attrs) + 32):
        return dense
    return lists


class _Trees(Kernel):
    ops = ("TreeEnsemble",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        dtype = graph.type(node.inputs[0]).dtype
        if dtype in (DType.FLOAT16, DType.UINT32, DType.UINT64):
            return f"no trees on {dtype.label}"
        return None


def _on_bits(build: Builder) -> bool:
    """Whether sums are kept as the bits of floats: weights are not negative, and the core has no unit for floats."""
    a: TreeAttrs = build.node.attrs
    if build.options.target.has("fpu") or a.total is not DType.FLOAT32 or a.result is not a.total or a.mark:
        return False
    weights = [w for leaf in a.forest.leaves for _, w in leaf]
    total = max(weights, default=0.0) * len(a.forest.roots)
    return a.aggregate == "SUM" and not any(a.base) and min(weights, default=0.0) >= 0.0 and total < 1e37


def _stored(attrs: TreeAttrs, values: Sequence[float]) -> Array:
    """Weights as sums have them: bits, where attrs.total is uint32 (see _Scores)."""
    if attrs.total is DType.UINT32:
        return (np.array(values, np.float32) + np.float32(0)).view(np.uint32)
    return np.array(values, attrs.total.numpy)


def _weight(attrs: TreeAttrs, value: float) -> Literal:
    return Literal(_stored(attrs, [value])[0].item(), attrs.total)


def _accumulate(attrs: TreeAttrs, known: Expr, own: Expr) -> Expr:
    """A score with one more weight."""
    if attrs.total is DType.UINT32:
        return Apply("tinyc_add_positive", (known, own))
    if attrs.aggregate in ("SUM", "AVERAGE"):
        plain: Expr = Formula("{0} + {1}", (known, own))
        return Formula("({0} == {0} ? {0} + {1} : {1})", (known, own)) if attrs.mark else plain
    symbol = "<" if attrs.aggregate == "MIN" else ">"
    return Formula(f"({{1}} {symbol} {{0}} || {{0}} != {{0}} ? {{1}} : {{0}})", (known, own))


class _Scores:
    """Where scores are summed up: a local variable, the result, or scratch memory."""

    def __init__(self, build: Builder, attrs: TreeAttrs) -> None:
        self.attrs = attrs
        self.build = build
        if _on_bits(build):
            self.attrs = attrs = replace(attrs, total=DType.UINT32, result=DType.UINT32)
        self.local = attrs.targets == 1
        self.direct = not self.local and attrs.total is attrs.result
        self.scratch = 0 if self.local or self.direct else attrs.targets * attrs.total.size

    def place(self, target: Affine) -> tuple[str, Affine]:
        if self.direct:
            return self.build.output().buffer, target.plus(at(("t_r", self.attrs.targets)))
        return self.build.scratch, target

    def start(self) -> tuple[Stmt, ...]:
        value = math.nan if _tracked(self.attrs) or (self.local and self.attrs.aggregate in ("MIN", "MAX")) else 0.0
        zero = Literal(value, self.attrs.total)
        if self.local:
            return (Let("t_sum", self.attrs.total.c_type, zero, True),)
        buffer, index = self.place(at(("t_k", 1)))
        return (For("t_k", self.attrs.targets, (Store(buffer, index, self.attrs.total, zero),)),)

    def add(self, target: Affine, weight: Expr) -> tuple[Stmt, ...]:
        if self.local:
            return (Set("t_sum", _accumulate(self.attrs, Name("t_sum"), weight)),)
        buffer, index = self.place(target)
        known = Load(buffer, index, self.attrs.total)
        if isinstance(weight, Load) and (self.attrs.mark or self.attrs.aggregate in ("MIN", "MAX")):
            named = (Let("t_own", self.attrs.total.c_type, weight), Let("t_old", self.attrs.total.c_type, known))
            value = _accumulate(self.attrs, Name("t_old"), Name("t_own"))
            return (*named, Store(buffer, index, self.attrs.total, value))
        return (Store(buffer, index, self.attrs.total, _accumulate(self.attrs, known, weight)),)

    def finish(self) -> tuple[Stmt, ...]:
        a, build = self.attrs, self.build
        output, total = build.output().buffer, a.total
        base = a.base if any(a.base) else ()
        source: Expr = Name("t_sum")
        if not self.local:
            buffer, index = self.place(at(("t_k", 1)))
            source = Load(buffer, index, total)
        value: Expr = Name("t_s")
        if _tracked(a) and not a.mark:
            value = Formula("({0} == {0} ? {0} : 0)", (value,))
        if a.aggregate == "AVERAGE":
            value = Formula("{0} / {1}", (value, Literal(float(len(a.forest.roots)), total)))
        if base:
            term: Expr = Literal(base[0], total)
            if not self.local and len(set(base)) > 1:
                table = build.table("base", np.array(base, total.numpy))
                term = Load(table.buffer, at(("t_k", 1)), total)
            value = Formula("{0} + {1}", (value, term))
        if self.direct and value == Name("t_s"):
            return ()
        place = at(("t_r", a.targets)) if self.local else at(("t_r", a.targets), ("t_k", 1))
        body = (Let("t_s", total.c_type, source), Store(output, place, a.result, value))
        return body if self.local else (For("t_k", a.targets, body),)


def _leaf_statements(build: Builder, weights: _Weights, scores: _Scores, leaf: Expr | None) -> tuple[Stmt, ...]:
    """Adds what leaf number t_leaf says (or, where `leaf` is None, t_w) to the scores."""
    a = scores.attrs
    if weights.form in ("one", "owner"):
        weight: Expr = Name("t_w")
        if leaf is not None:
            weight = Load(_leaf_table(build, a, [pairs[0][1] for pairs in weights.leaves]), at(("t_leaf", 1)),
                          _dtype(build, f"{build.prefix}.leaf"))
        if weights.form == "one":
            return _named(leaf, scores.add(at(), weight))
        owners = weights.owners
        if len(set(owners)) == 1:
            return _named(leaf, scores.add(at(constant=owners[0]), weight))
        table = build.table("target", smallest_integers(np.array(owners)))
        own = Formula("(int32_t){0}", (Load(table.buffer, at(("t_t", 1)), _dtype(build, table.buffer)),))
        return _named(leaf, (Let("t_o", "int32_t", own), *scores.add(at(("t_o", 1)), weight)))
    assert leaf is not None
    if weights.form == "votes":
        table = build.table("target", smallest_integers(np.array([pairs[0][0] for pairs in weights.leaves])))
        own = Formula("(int32_t){0}", (Load(table.buffer, at(("t_leaf", 1)), _dtype(build, table.buffer)),))
        vote = _weight(a, weights.leaves[0][0][1])
        return _named(leaf, (Let("t_o", "int32_t", own), *scores.add(at(("t_o", 1)), vote)))
    if weights.form == "dense":
        rows = np.zeros((len(weights.leaves), a.targets))
        for k, pairs in enumerate(weights.leaves):
            for target, value in pairs:
                rows[k, target] = value
        buffer = _leaf_table(build, a, rows.reshape(-1).tolist())
        weight = Load(buffer, at(("t_leaf", a.targets), ("t_k", 1)), _dtype(build, buffer))
        return _named(leaf, (For("t_k", a.targets, scores.add(at(("t_k", 1)), weight)),))
    starts = np.cumsum([0, *(len(pairs) for pairs in weights.leaves)])
    start = build.table("start", smallest_integers(starts))
    pairs_ = [pair for pairs in weights.leaves for pair in pairs]
    target_table = build.table("target", smallest_integers(np.array([t for t, _ in pairs_])))
    buffer = _leaf_table(build, a, [w for _, w in pairs_])
    weight = Load(buffer, at(("t_e", 1)), _dtype(build, buffer))
    own = Formula("(int32_t){0}", (Load(target_table.buffer, at(("t_e", 1)), _dtype(build, target_table.buffer)),))
    ends = [Formula("(int32_t){0}", (Load(start.buffer, at(("t_leaf", 1), constant=k), _dtype(build, start.buffer)),))
            for k in (0, 1)]
    body = (Let("t_o", "int32_t", own), *scores.add(at(("t_o", 1)), weight), Set("t_e", Formula("t_e + 1", ())))
    return _named(leaf, (Let("t_e", "int32_t", ends[0], True), Let("t_end", "int32_t", ends[1]),
                         While(Formula("t_e < t_end", ()), body)))


def _leaf_table(build: Builder, attrs: TreeAttrs, values: Sequence[float]) -> str:
    """The table of weights: of the type of the sums, or smaller integers."""
    if attrs.total.is_float or attrs.total is DType.UINT32:
        return build.table("leaf", _stored(attrs, values)).buffer
    return build.table("leaf", smallest_integers(np.array(values, np.int64))).buffer


def _named(leaf: Expr | None, body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    return body if leaf is None else (Let("t_leaf", "int32_t", leaf), *body)


def _dtype(build: Builder, name: str) -> DType:
    return next(t.dtype for t in build.tables if t.name == name)


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
        weights = _weights(attrs, q)
        tables = smallest_tables(q, x.dtype, attrs.total.size)
        depth = math.log2(max(2.0, len(attrs.forest.feature) / len(attrs.forest.roots))) + 1
        steps = x.shape[0] * len(q.roots) * (12 + depth * (16 if keys_of(x.dtype).function else 12))
        return Cost(steps, tables.bytes + weights.bytes(attrs) + 150)

    def lower(self, build: Builder) -> Lowered:
        attrs, x = build.node.attrs, build.type(0)
        q = questions(attrs, x.dtype)
        tables = smallest_tables(q, x.dtype, attrs.total.size)
        plain = _weights(attrs, q)
        weights = _Weights(plain.form, tuple(plain.leaves[k] for k in tables.order), plain.owners)
        scores = _Scores(build, attrs)
        tree = (*self._find(build, tables), *_leaf_statements(build, weights, scores, Name("t_at")))
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
        return Cost(steps, paths * 18 + _weights(attrs, q).bytes(attrs) + 30)

    def lower(self, build: Builder) -> Lowered:
        attrs, x = build.node.attrs, build.type(0)
        q = questions(attrs, x.dtype)
        weights = _weights(attrs, q)
        scores = _Scores(build, attrs)
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
        self, build: Builder, q: Questions, weights: _Weights, place: int, result: str, attrs: TreeAttrs
    ) -> tuple[Stmt, ...]:
        if place < 0:
            number = weights.form not in ("one", "owner")
            value = whole(~place) if number else _weight(attrs, weights.leaves[~place][0][1])
            return (Set(result, value),)
        keys = keys_of(build.type(0).dtype)
        key, bound = _key(build, at(constant=q.feature[place])), q.threshold[place]
        if q.nan_yes[place]:
            lift = f"{keys.lift}U" if keys.dtype.size == 4 else f"{keys.lift}ULL"
            key, bound = Formula(f"({keys.dtype.c_type})({{0}} + {lift})", (key,)), bound + keys.lift
        then, other = (self._branch(build, q, weights, p, result, attrs) for p in (q.yes[place], q.no[place]))
        return (If(Formula("{0} <= {1}", (key, Literal(bound, keys.dtype))), then, other),)


def _scope(build: Builder, weights: _Weights, scores: _Scores, tree: int, numbers: bool) -> Stmt:
    """Adds the result t_l<tree> to the scores, in a scope of its own."""
    name = f"t_l{tree}"
    if numbers:
        return Block(_leaf_statements(build, weights, scores, Name(name)))
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


__all__: Sequence[str] = ["TreeBranches", "TreeWalk"]
