# SPDX-License-Identifier: Apache-2.0
"""TreeEnsembleClassifier of ai.onnx.ml: labels and scores of one, two or many classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinyc.ir.graph import NoAttrs
from tinyc.ir.types import Array, DType
from tinyc.ops.ml_scores import (
    DOMAIN,
    binary,
    both_scores,
    class_labels,
    constant,
    label_if,
    label_of_best,
    transform_name,
    transformed,
)
from tinyc.ops.registry import Importing, imports
from tinyc.ops.select import GatherAttrs
from tinyc.ops.tree_ensemble import Forest
from tinyc.ops.tree_import import classic_forest, floats_of, tree_sums
from tinyc.ops.unary import UnaryAttrs
from tinyc.ops.view import ReshapeAttrs


@imports("TreeEnsembleClassifier", domain=DOMAIN)
def _classifier(node: Importing) -> Sequence[str]:
    labels = class_labels(node, "classlabels_int64s")
    forest, transform = classic_forest(node, "class", len(labels)), transform_name(node)
    base, _ = floats_of(node, "base_values")
    used = {target for leaf in forest.leaves for target, _ in leaf}
    positive = all(weight >= 0 for leaf in forest.leaves for _, weight in leaf)
    if len(labels) > 2:
        return _many_classes(node, forest, labels, base, transform)
    if len(labels) == 2 and len(used) == 2:
        return _two_columns(node, forest, labels, base, transform)
    if len(base) > 1 or len(labels) == 1 and transform == "PROBIT":
        raise node.fail(f"{len(base)} base_values, post_transform {transform}: not defined for one column of scores")
    if len(labels) == 2 and used == {1}:  # as onnxruntime: the first class scores 0, base_values is not used
        sums = tree_sums(node, forest, 2, {})
        score = node.emit("Gather", GatherAttrs(1), [sums, node.const(np.array([1], np.int64))])[0]
        result = transformed(node, sums, transform)
    elif (votes := _votes(forest, positive and len(labels) == 2)) is not None:
        return _counted_votes(node, votes, labels, sum(base), transform)
    elif len(labels) == 2 and _probability(forest, base, positive, transform):
        score = tree_sums(node, forest, 1, {})
        condition, result = node.emit("TwoClassScores", NoAttrs(), [score], 2)
        return [label_if(node, condition, labels), result]
    else:
        score = tree_sums(node, forest, 1, {"base": tuple(base)})
        result = score if len(labels) == 1 else both_scores(node, score, transform, positive)
    threshold = constant(node, 0.5 if positive and len(labels) == 2 else 0.0)
    condition = binary(node, "Greater", score, threshold)
    return [label_if(node, condition, _two_labels(node, labels)), result]


def _probability(forest: Forest, base: Sequence[float], positive: bool, transform: str) -> bool:
    """Whether the sum of weights lies in [0, 2) and is not transformed."""
    most = max((w for leaf in forest.leaves for _, w in leaf), default=0.0) * len(forest.roots)
    return positive and not any(base) and transform not in ("LOGISTIC", "PROBIT") and most < 1.9


# Above so many trees a table of all possible sums is larger than code that adds weights.
_MOST_VOTERS = 48
_COUNTS = {"total": DType.INT32, "result": DType.INT32}


@dataclass(frozen=True)
class _Votes:
    """A forest each of whose leaves gives the same weight to at most one target: that is a vote.

    `forest` has weights of 1 instead; `sums`: what 0, 1, ... votes add up to in float32.
    """

    forest: Forest
    sums: Array


def _votes(forest: Forest, applies: bool) -> _Votes | None:
    """The forest as votes: exact, because a sum depends on the number of equal weights alone. None if it is no such."""
    leaves = [[(t, w) for t, w in leaf if w != 0.0] for leaf in forest.leaves]
    weights = {w for leaf in leaves for _, w in leaf}
    few = len(forest.roots) <= _MOST_VOTERS
    if not applies or not few or len(weights) != 1 or min(weights) < 0 or any(len(leaf) > 1 for leaf in leaves):
        return None
    sums = [np.float32(0)]
    for _ in forest.roots:
        sums.append(np.float32(sums[-1] + np.float32(min(weights))))
    ones = tuple(tuple((t, 1.0) for t, _ in leaf) for leaf in leaves)
    return _Votes(replace(forest, leaves=ones), np.array(sums, np.float32))


def _counted_votes(
    node: Importing, votes: _Votes, labels: Sequence[int] | Sequence[str], base: float, transform: str
) -> Sequence[str]:
    """Two classes, votes for the second one: what a number of votes means is in tables."""
    count = tree_sums(node, votes.forest, 1, _COUNTS)
    scores = (votes.sums + np.float32(base)).reshape(-1, 1)
    least = int((scores <= 0.5).sum()) - 1  # sums ascend with the votes
    condition = binary(node, "Greater", count, node.const(np.array(least, np.int32)))
    rows = both_scores(node, node.const(scores), transform, True)
    flat = node.emit("Reshape", ReshapeAttrs(node.type_of(count).shape[:1]), [count])[0]
    return [label_if(node, condition, labels), node.emit("Gather", GatherAttrs(0), [rows, flat])[0]]


def _two_labels(node: Importing, labels: Sequence[int] | Sequence[str]) -> Sequence[int] | Sequence[str]:
    """(negative, positive); with a single class onnxruntime says 0 or 1."""
    if len(labels) == 2:
        return labels
    if isinstance(labels[0], str):
        raise node.fail("a single class whose label is a string")
    return (0, 1)


def _always_scored(forest: Forest, target: int) -> bool:
    """Whether every row gets a weight for the target: all leaves of some tree have one."""
    for root in forest.roots:
        waiting, seen, every = [root], set[int](), True
        while waiting and every:
            place = waiting.pop()
            if place < 0:
                every = any(t == target for t, _ in forest.leaves[~place])
            elif place not in seen:
                seen.add(place)
                waiting += [forest.yes[place], forest.no[place]]
        if every:
            return True
    return False


def _many_classes(
    node: Importing, forest: Forest, labels: Sequence[int] | Sequence[str], base: Sequence[float], transform: str
) -> Sequence[str]:
    """A class that no leaf mentions is never the best one; its score is 0."""
    if len(base) not in (0, len(labels)):
        raise node.fail(f"{len(base)} base_values for {len(labels)} classes")
    scored = all(_always_scored(forest, k) for k in range(len(labels)))
    votes = _votes(forest, scored and not base)
    if votes is not None:
        counts = tree_sums(node, votes.forest, len(labels), _COUNTS)
        sums = node.const(votes.sums)
        scores = node.emit("Gather", GatherAttrs(0), [sums, counts])[0]
        return [label_of_best(node, counts, labels), transformed(node, scores, transform)]
    if base or scored:
        scores = ranked = tree_sums(node, forest, len(labels), {"base": tuple(base)})
    else:
        marked = tree_sums(node, forest, len(labels), {"mark": True})
        missing = node.emit("IsNaN", UnaryAttrs(), [marked])[0]
        ranked, scores = (_instead(node, missing, value, marked) for value in (-math.inf, 0.0))
    return [label_of_best(node, ranked, labels), transformed(node, scores, transform)]


def _instead(node: Importing, condition: str, value: float, other: str) -> str:
    return node.emit("Where", NoAttrs(), [condition, constant(node, value), other])[0]


def _two_columns(
    node: Importing, forest: Forest, labels: Sequence[int] | Sequence[str], base: Sequence[float], transform: str
) -> Sequence[str]:
    """Weights for both of two classes: onnxruntime then says 1 where the second one's score is positive, else 0."""
    if base or list(labels) != [0, 1] or not _always_scored(forest, 1):
        raise node.fail("weights for both of two classes, with base_values, labels other than 0 and 1 or leaves "
                        "without the second class, are not defined", "export weights of the second class only")
    scores = tree_sums(node, forest, 2, {})
    second = node.emit("Gather", GatherAttrs(1), [scores, node.const(np.array([1], np.int64))])[0]
    condition = binary(node, "Greater", second, constant(node, 0.0))
    return [label_if(node, condition, labels), transformed(node, scores, transform)]
