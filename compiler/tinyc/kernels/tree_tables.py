# SPDX-License-Identifier: Apache-2.0
"""Forests as tables of nodes, laid out in the smallest of several ways.

A table has a column for the feature, one for the threshold and two children for each node. In the near layout a
tree's nodes lie together and children count from its first one in a byte each; in the far layout they count from
the forest's first node, and trees share equal subtrees. Either may name each distinct pair of feature and threshold
by a number of its own (`split`). The chained layout is near, and has one child: the other one is the next node, or a
leaf whose number stands in bits of the feature that no feature needs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyc.ir.types import Array, DType
from tinyc.kernels.forest import Questions, keys_of, smallest_integers

NEAR_LIMIT = 128  # children from here on are leaves


@dataclass(frozen=True)
class TreeTables:
    """`limit`: children from it on are leaves. `root`: first node of each tree (far: perhaps a leaf).

    `first_leaf`: the number of each tree's leaf 0, or None where leaves are numbered for the forest as a whole.
    `order`: the forest's leaf for each leaf number. `flag`: the bit of a feature that says that NaN answers yes, or 0.
    `chained`: how many bits of a feature are its number, 0 in other layouts. What is above is 1 + the leaf after a yes,
    or 0 where the next node follows; `child` has what follows a no.
    """

    near: bool
    limit: int
    root: Array
    first_leaf: Array | None
    child: Array
    split: Array | None
    feature: Array
    threshold: Array
    flag: int
    order: tuple[int, ...]
    chained: int = 0

    @property
    def bytes(self) -> int:
        """Flash of the tables, the leaves' weights not counted."""
        columns = (self.root, self.first_leaf, self.child, self.split, self.feature, self.threshold)
        return sum(c.nbytes for c in columns if c is not None)


def smallest_tables(q: Questions, dtype: DType, weight_bytes: int) -> TreeTables:
    """The layout of least flash. `weight_bytes`: of one leaf."""
    layouts = [_far(q)]
    near = _near(q)
    layouts += [near] if near else []
    tables = [_tables(q, dtype, layout, split) for layout in layouts for split in (False, True)]
    chained = _chained(q, dtype)
    tables += [chained] if chained else []
    return min(tables, key=lambda t: t.bytes + weight_bytes * len(t.order))


@dataclass(frozen=True)
class _Layout:
    near: bool
    limit: int
    nodes: tuple[int, ...]  # in the order of the table; -1 asks nothing
    root: tuple[int, ...]
    child: tuple[tuple[int, int], ...]
    first_leaf: tuple[int, ...] | None
    order: tuple[int, ...]


def _preorder(q: Questions, root: int, seen: dict[int, int]) -> None:
    """Numbers the nodes below `root` that have no number yet, a node before its children."""
    waiting = [root]
    while waiting:
        place = waiting.pop()
        if place >= 0 and place not in seen:
            seen[place] = len(seen)
            waiting += [q.no[place], q.yes[place]]


def _far(q: Questions) -> _Layout:
    seen: dict[int, int] = {}
    for root in q.roots:
        _preorder(q, root, seen)
    limit = 1 << (7 if len(seen) <= 128 and len(q.leaves) <= 128 else 15 if max(len(seen), len(q.leaves)) <= 1 << 15
                  else 30)

    def reference(place: int) -> int:
        return seen[place] if place >= 0 else limit + ~place

    children = tuple((reference(q.yes[n]), reference(q.no[n])) for n in seen)
    return _Layout(False, limit, tuple(seen), tuple(reference(r) for r in q.roots), children, None,
                   tuple(range(len(q.leaves))))


def _near(q: Questions) -> _Layout | None:
    """None where a tree has too many nodes or leaves for bytes."""
    shared = len(q.leaves) <= 256 - NEAR_LIMIT
    nodes: list[int] = []
    roots: list[int] = []
    children: list[tuple[int, int]] = []
    first: list[int] = []
    order: list[int] = list(range(len(q.leaves))) if shared else []
    for root in q.roots:
        seen: dict[int, int] = {}
        _preorder(q, root, seen)
        own: dict[int, int] = {}

        def reference(place: int, seen: dict[int, int] = seen, own: dict[int, int] = own) -> int:
            if place >= 0:
                return seen[place]
            return NEAR_LIMIT + (~place if shared else own.setdefault(~place, len(own)))

        pairs = [(reference(q.yes[n]), reference(q.no[n])) for n in seen] or [(reference(root),) * 2]
        if len(seen) > NEAR_LIMIT or len(own) > 256 - NEAR_LIMIT:
            return None
        roots.append(len(nodes))
        first.append(len(order))
        nodes += list(seen) or [-1]
        children += pairs
        order += own
    return _Layout(True, NEAR_LIMIT, tuple(nodes), tuple(roots), tuple(children), None if shared else tuple(first),
                   tuple(order))


def _chained(q: Questions, dtype: DType) -> TreeTables | None:
    """None where the features leave too few bits, or a tree has too many nodes."""
    bits = max(q.feature, default=0).bit_length() or 1
    if bits > 7 or len(q.leaves) >= 1 << (8 - bits) or any(q.nan_yes):
        return None
    features: list[int] = []
    thresholds: list[int] = []
    children: list[int] = []
    roots: list[int] = []
    for root in q.roots:
        first, seen = len(features), dict[int, int]()
        waiting: list[tuple[int, int]] = [(root, -1)]  # a place, and the node that goes there after a no
        while waiting:
            place, parent = waiting.pop()
            if parent >= 0:
                known = seen.get(place, len(features) - first)
                children[parent] = NEAR_LIMIT + ~place if place < 0 else known
                if place < 0 or place in seen:
                    continue
            while place >= 0:  # down the answers yes, which may repeat nodes of another chain
                seen.setdefault(place, len(features) - first)
                waiting.append((q.no[place], len(features)))
                features.append(q.feature[place])
                thresholds.append(q.threshold[place])
                children.append(0)
                place = q.yes[place]
            if len(features) - first > NEAR_LIMIT:
                return None
            if len(features) == first:  # a tree that asks nothing
                features, thresholds, children = [*features, 0], [*thresholds, 0], [*children, NEAR_LIMIT + ~place]
            features[-1] |= (1 + ~place) << bits
        roots.append(first)
    column, keys = np.array(thresholds, object), keys_of(dtype)
    return TreeTables(
        True,
        NEAR_LIMIT,
        smallest_integers(np.array(roots, object)),
        None,
        np.array(children, np.uint8),
        None,
        np.array(features, np.uint8),
        column.astype(keys.dtype.numpy) if keys.function else smallest_integers(column),
        0,
        tuple(range(len(q.leaves))),
        bits,
    )


def _tables(q: Questions, dtype: DType, layout: _Layout, split: bool) -> TreeTables:
    """The layout's columns. `split`: distinct pairs of feature and threshold are stored once."""
    keys = keys_of(dtype)
    lift = keys.lift if any(q.nan_yes) else 0
    flag = 0
    if lift:
        flag = 128 if max(q.feature) < 128 else 1 << 15 if max(q.feature) < 1 << 15 else 1 << 30
    pairs = []
    for n in layout.nodes:
        if n < 0:
            pairs.append((0, 0))
            continue
        up = q.nan_yes[n]
        pairs.append((q.feature[n] | (flag if up else 0), q.threshold[n] + (lift if up else 0)))
    numbers = None
    if split:
        distinct = {pair: k for k, pair in enumerate(dict.fromkeys(pairs))}
        numbers = smallest_integers(np.array([distinct[p] for p in pairs], object))
        pairs = list(distinct)
    thresholds = np.array([t for _, t in pairs], object)
    limits = np.array([c for pair in layout.child for c in pair], object)
    return TreeTables(
        layout.near,
        layout.limit,
        smallest_integers(np.array(layout.root, object)),
        None if layout.first_leaf is None else smallest_integers(np.array(layout.first_leaf, object)),
        smallest_integers(limits),
        numbers,
        smallest_integers(np.array([f for f, _ in pairs], object)),
        thresholds.astype(keys.dtype.numpy) if keys.function else smallest_integers(thresholds),
        flag,
        layout.order,
    )
