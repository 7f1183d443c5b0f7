# SPDX-License-Identifier: Apache-2.0
"""Trees of ai.onnx.ml as TreeEnsemble of the IR; TreeEnsembleRegressor and TreeEnsemble."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinyc.ir.types import DType
from tinyc.ops.cast import CastAttrs
from tinyc.ops.ml_scores import (
    DOMAIN,
    TRANSFORMS,
    matrix,
    strings,
    transform_name,
    transformed,
)
from tinyc.ops.registry import Importing, imports
from tinyc.ops.tree_ensemble import AGGREGATES, MODES, Forest, TreeAttrs

_MEMBER = "MEMBER"
# Numbers of the newest TreeEnsemble's attributes.
_MODE_NUMBERS = (*MODES, _MEMBER)
_AGGREGATE_NUMBERS = ("AVERAGE", "SUM", "MIN", "MAX")


@dataclass
class _Growing:
    """A forest under construction."""

    feature: list[int] = field(default_factory=list)
    mode: list[str] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    yes: list[int] = field(default_factory=list)
    no: list[int] = field(default_factory=list)
    nan_yes: list[bool] = field(default_factory=list)
    leaves: list[list[tuple[int, float]]] = field(default_factory=list)

    def node(self, feature: int, mode: str, value: float, yes: int, no: int, nan_yes: bool) -> int:
        for column, item in zip(
            (self.feature, self.mode, self.value, self.yes, self.no, self.nan_yes),
            (feature, mode, value, yes, no, nan_yes),
            strict=True,
        ):
            column.append(item)  # type: ignore[attr-defined]
        return len(self.feature) - 1

    def done(self, node: Importing, roots: Sequence[int]) -> Forest:
        """The forest, checked: every path ends, no leaf mentions a target twice. Raises node.fail."""
        for leaf in self.leaves:
            if len({target for target, _ in leaf}) != len(leaf):
                raise node.fail("a leaf has two weights for one target")
        self._check_paths(node, roots)
        return Forest(
            tuple(roots),
            tuple(self.feature),
            tuple(self.mode),
            tuple(self.value),
            tuple(self.yes),
            tuple(self.no),
            tuple(self.nan_yes),
            tuple(tuple(leaf) for leaf in self.leaves),
        )

    def _check_paths(self, node: Importing, roots: Sequence[int]) -> None:
        open_, done = set[int](), set[int]()
        waiting = [(root, False) for root in roots]
        while waiting:
            place, closing = waiting.pop()
            if closing:
                open_.discard(place)
                done.add(place)
            elif place in open_:
                raise node.fail("a tree's nodes form a cycle")
            elif place >= 0 and place not in done:
                open_.add(place)
                waiting += [(place, True), (self.yes[place], False), (self.no[place], False)]


def floats_of(node: Importing, name: str) -> tuple[list[float], DType]:
    """Attribute `name`, or `name`_as_tensor; with its element type."""
    tensor = node.attributes.get(f"{name}_as_tensor")
    if tensor is None:
        return [float(v) for v in node.attributes.get(name) or []], DType.FLOAT32
    array = np.asarray(tensor)
    return [float(v) for v in array.reshape(-1)], DType.of(array)


def _columns(node: Importing, names: Sequence[str], columns: Sequence[Sequence[Any]]) -> int:
    """The common length of columns. Raises node.fail."""
    lengths = {len(c) for c in columns}
    if len(lengths) != 1:
        raise node.fail(f"{', '.join(names)} differ in length")
    return lengths.pop()


def classic_forest(node: Importing, kind: str, targets: int) -> Forest:
    """The forest of TreeEnsembleClassifier (kind "class") or TreeEnsembleRegressor ("target")."""
    a = node.attributes
    values, _ = floats_of(node, "nodes_values")
    names = ("treeids", "nodeids", "featureids", "truenodeids", "falsenodeids")
    trees, ids, features, yes, no = ([int(v) for v in a.get(f"nodes_{n}") or []] for n in names)
    modes = strings(node, "nodes_modes")
    count = _columns(node, [f"nodes_{n}" for n in (*names, "modes", "values")],
                     (trees, ids, features, yes, no, modes, values))
    tracks = [bool(v) for v in a.get("nodes_missing_value_tracks_true") or [0] * count]
    if not count or len(tracks) != count:
        raise node.fail("nodes_missing_value_tracks_true has another length than nodes_treeids")
    grown = _Growing()
    place: dict[tuple[int, int], int] = {}
    for key, mode in zip(zip(trees, ids, strict=True), modes, strict=True):
        if key in place:
            raise node.fail(f"node {key[1]} of tree {key[0]} is given twice")
        if mode == "LEAF":
            place[key] = ~len(grown.leaves)
            grown.leaves.append([])
        else:
            place[key] = grown.node(0, mode, 0.0, 0, 0, False)
    for k, key in enumerate(zip(trees, ids, strict=True)):
        own, mode = place[key], modes[k].removeprefix("BRANCH_")
        if own < 0:
            continue
        children = [place.get((key[0], child)) for child in (yes[k], no[k])]
        if mode not in MODES or features[k] < 0 or children[0] is None or children[1] is None:
            raise node.fail(f"node {key[1]} of tree {key[0]} has an unknown mode, feature or child")
        grown.feature[own], grown.mode[own], grown.value[own] = features[k], mode, values[k]
        grown.yes[own], grown.no[own], grown.nan_yes[own] = children[0], children[1], tracks[k]
    _add_weights(node, kind, targets, grown, place)
    roots: dict[int, int] = {}
    for key in zip(trees, ids, strict=True):
        roots.setdefault(key[0], place[key])
    return grown.done(node, tuple(roots.values()))


def _add_weights(
    node: Importing, kind: str, targets: int, grown: _Growing, place: Mapping[tuple[int, int], int]
) -> None:
    names = [f"{kind}_{n}" for n in ("treeids", "nodeids", "ids")]
    trees, ids, own = ([int(v) for v in node.attributes.get(n) or []] for n in names)
    weights, _ = floats_of(node, f"{kind}_weights")
    _columns(node, [*names, f"{kind}_weights"], (trees, ids, own, weights))
    for tree, id_, target, weight in zip(trees, ids, own, weights, strict=True):
        leaf = place.get((tree, id_), 0)
        if leaf >= 0 or not 0 <= target < targets or not math.isfinite(weight):
            raise node.fail(f"a weight of node {id_} of tree {tree} for target {target}")
        grown.leaves[~leaf].append((target, weight))


def tree_sums(node: Importing, forest: Forest, targets: int, attrs: Mapping[str, Any]) -> str:
    """The node TreeEnsemble on operand 0. With double features sums are double, too, as in onnxruntime."""
    value, wide = matrix(node), DType.FLOAT32
    if node.type(0).dtype is DType.FLOAT64:
        wide = DType.FLOAT64
    elif node.type(0).dtype is DType.FLOAT16:
        value = node.emit("Cast", CastAttrs(DType.FLOAT32), [value])[0]
    own = TreeAttrs(forest, targets, **{"compare": wide, "total": wide, **attrs})
    return node.emit("TreeEnsemble", own, [value])[0]


def _regression(node: Importing, forest: Forest, targets: int, attrs: Mapping[str, Any], transform: str) -> str:
    result = tree_sums(node, forest, targets, attrs)
    if targets == 1 and transform not in ("NONE", "PROBIT"):
        node.note(f"post_transform {transform} has no effect on a single target, as in onnxruntime")
        return result
    return transformed(node, result, transform)


@imports("TreeEnsembleRegressor", domain=DOMAIN)
def _regressor(node: Importing) -> Sequence[str]:
    targets = int(node.attributes.get("n_targets", 1))
    if not 1 <= targets <= 1 << 16:
        raise node.fail(f"n_targets is {targets}")
    base, _ = floats_of(node, "base_values")
    aggregate = node.attributes.get("aggregate_function", "SUM")
    if aggregate not in AGGREGATES:
        raise node.fail(f"aggregate_function {aggregate!r} is not one of {', '.join(AGGREGATES)}")
    if len(base) not in (0, targets):
        raise node.fail(f"{len(base)} base_values for {targets} targets")
    attrs = {"aggregate": aggregate, "base": tuple(base)}
    return [_regression(node, classic_forest(node, "target", targets), targets, attrs, transform_name(node))]


@imports("TreeEnsemble", domain=DOMAIN)
def _ensemble(node: Importing) -> Sequence[str]:
    a = node.attributes
    targets = int(a.get("n_targets", 1))
    aggregate, transform = int(a.get("aggregate_function", 1)), int(a.get("post_transform", 0))
    if not (1 <= targets <= 1 << 16 and 0 <= aggregate < 4 and 0 <= transform < len(TRANSFORMS)):
        raise node.fail("n_targets, aggregate_function or post_transform is out of range")
    forest = _numbered_forest(node, targets)
    result = DType.FLOAT64 if node.type(0).dtype is DType.FLOAT64 else DType.FLOAT32
    attrs = {"aggregate": _AGGREGATE_NUMBERS[aggregate], "result": result}
    value = _regression(node, forest, targets, attrs, TRANSFORMS[transform])
    own = node.type(0).dtype
    return [value if node.type_of(value).dtype is own else node.emit("Cast", CastAttrs(own), [value])[0]]


def _numbered_forest(node: Importing, targets: int) -> Forest:
    """The forest of the newest form, whose references are numbers of nodes and leaves."""
    a = node.attributes
    names = ("featureids", "truenodeids", "trueleafs", "falsenodeids", "falseleafs")
    features, yes, yes_leaf, no, no_leaf = ([int(v) for v in a.get(f"nodes_{n}") or []] for n in names)
    modes = [int(v) for v in np.asarray(a["nodes_modes"]).reshape(-1)]
    splits = [float(v) for v in np.asarray(a["nodes_splits"]).reshape(-1)]
    count = _columns(node, [f"nodes_{n}" for n in (*names, "modes", "splits")],
                     (features, yes, yes_leaf, no, no_leaf, modes, splits))
    tracks = [bool(v) for v in a.get("nodes_missing_value_tracks_true") or [0] * count]
    weights = [float(v) for v in np.asarray(a["leaf_weights"]).reshape(-1)]
    owners = [int(v) for v in a.get("leaf_targetids") or []]
    roots = [int(v) for v in a.get("tree_roots") or []]
    sets = _member_sets(a.get("membership_values"))
    if len(tracks) != count or len(weights) != len(owners) or not roots or modes.count(len(MODES)) != len(sets):
        raise node.fail("attributes of the nodes, leaves or sets differ in length")
    if any(not 0 <= t < targets for t in owners) or not all(math.isfinite(w) for w in weights):
        raise node.fail("a leaf has an unknown target or no finite weight")

    def reference(number: int, is_leaf: int) -> int:
        if not 0 <= number < (len(weights) if is_leaf else count):
            raise node.fail(f"a tree refers to node or leaf {number}, which there is not")
        return ~number if is_leaf else number

    if any(not 0 <= m < len(_MODE_NUMBERS) for m in modes) or min(features, default=0) < 0:
        raise node.fail("a node has an unknown mode or feature")
    grown = _Growing(leaves=[[pair] for pair in zip(owners, weights, strict=True)])
    children = [(reference(yes[k], yes_leaf[k]), reference(no[k], no_leaf[k])) for k in range(count)]
    for k in range(count):
        grown.node(features[k], _MODE_NUMBERS[modes[k]], splits[k], *children[k], tracks[k])
    for k in range(count):
        if grown.mode[k] == _MEMBER:
            _expand_member(grown, k, sets.pop(0))
    return grown.done(node, [reference(root, 0) for root in roots])


def _member_sets(values: Any) -> list[list[float]]:
    """Sets that end with a NaN each."""
    sets: list[list[float]] = [[]]
    for v in [] if values is None else np.asarray(values).reshape(-1).tolist():
        if math.isnan(v):
            sets.append([])
        else:
            sets[-1].append(float(v))
    return sets if sets[-1] else sets[:-1]


def _expand_member(grown: _Growing, k: int, members: Sequence[float]) -> None:
    """A question for one of several values becomes one for each, in a row."""
    yes, no = grown.yes[k], grown.no[k]
    for member in reversed(members[1:]):
        no = grown.node(grown.feature[k], "EQ", member, yes, no, False)
    grown.mode[k], grown.value[k], grown.no[k] = "EQ", members[0] if members else math.nan, no
