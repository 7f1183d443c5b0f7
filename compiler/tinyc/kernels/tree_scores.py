# SPDX-License-Identifier: Apache-2.0
"""What the leaves of a forest say, and how it becomes scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinyc.backend.program import (
    Affine,
    Apply,
    Expr,
    For,
    Formula,
    Let,
    Literal,
    Load,
    Name,
    Set,
    Stmt,
    Store,
    While,
)
from tinyc.ir.types import Array, DType
from tinyc.kernels.base import Builder
from tinyc.kernels.forest import Leaf, Questions, smallest_integers
from tinyc.ops.tree_ensemble import TreeAttrs


def at(*terms: tuple[str, int], constant: int = 0) -> Affine:
    return Affine(constant, terms)


def whole(value: int) -> Literal:
    return Literal(value, DType.INT32)


@dataclass(frozen=True)
class Weights:
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


def weights_of(attrs: TreeAttrs, q: Questions) -> Weights:
    if attrs.targets == 1 and all(len(leaf) == 1 for leaf in q.leaves):
        return Weights("one", q.leaves)
    plain = attrs.aggregate in ("SUM", "AVERAGE") and not attrs.mark
    if attrs.targets == 1 and plain:
        return Weights("one", tuple(leaf or ((0, 0.0),) for leaf in q.leaves))
    owners = _owners(q)
    if owners is not None:
        return Weights("owner", q.leaves, owners)
    leaves = tuple(tuple(p for p in leaf if p[1] != 0.0) for leaf in q.leaves) if plain else q.leaves
    if all(len(leaf) == 1 for leaf in leaves) and len({leaf[0][1] for leaf in leaves}) == 1:
        return Weights("votes", leaves)
    lists, dense = Weights("lists", leaves), Weights("dense", leaves)
    full = all(len(leaf) == attrs.targets for leaf in leaves)
    if full or (not _tracked(attrs) and dense.bytes(attrs) <= lists.bytes(attrs) + 32):
        return dense
    return lists


def _on_bits(build: Builder) -> bool:
    """Whether sums are kept as the bits of floats: weights are not negative, and the core has no unit for floats."""
    a: TreeAttrs = build.node.attrs
    if build.options.target.has("fpu") or a.total is not DType.FLOAT32 or a.result is not a.total or a.mark:
        return False
    weights = [w for leaf in a.forest.leaves for _, w in leaf]
    total = max(weights, default=0.0) * len(a.forest.roots)
    return a.aggregate == "SUM" and not any(a.base) and min(weights, default=0.0) >= 0.0 and total < 1e37


def _stored(attrs: TreeAttrs, values: Sequence[float]) -> Array:
    """Weights as sums have them: bits, where attrs.total is uint32 (see Scores)."""
    if attrs.total is DType.UINT32:
        return (np.array(values, np.float32) + np.float32(0)).view(np.uint32)
    return np.array(values, attrs.total.numpy)


def weight_literal(attrs: TreeAttrs, value: float) -> Literal:
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


class Scores:
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


def leaf_statements(build: Builder, weights: Weights, scores: Scores, leaf: Expr | None) -> tuple[Stmt, ...]:
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
        vote = weight_literal(a, weights.leaves[0][0][1])
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
