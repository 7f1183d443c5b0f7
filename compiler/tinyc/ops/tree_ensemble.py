# SPDX-License-Identifier: Apache-2.0
"""TreeEnsemble: decision trees whose leaves add to (or bound) scores of targets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import Arrays, Operator, ShapeError, Types, array, need, register

MODES = ("LEQ", "LT", "GTE", "GT", "EQ", "NEQ")
AGGREGATES = ("SUM", "AVERAGE", "MIN", "MAX")


@dataclass(frozen=True, repr=False)
class Forest:
    """Trees in order. A reference to a place in a tree is a node's number, or ~number of a leaf.

    Node k asks whether row[feature[k]] MODE value[k]; the answer leads to yes[k] or no[k]. A feature that is
    NaN answers no (to NEQ yes), or yes where nan_yes[k]. A leaf is a list of (target, weight).
    """

    roots: tuple[int, ...]
    feature: tuple[int, ...]
    mode: tuple[str, ...]
    value: tuple[float, ...]
    yes: tuple[int, ...]
    no: tuple[int, ...]
    nan_yes: tuple[bool, ...]
    leaves: tuple[tuple[tuple[int, float], ...], ...]

    def __repr__(self) -> str:
        return f"{len(self.roots)} trees, {len(self.feature)} nodes, {len(self.leaves)} leaves"

    def leaf(self, root: int, row: Sequence[float]) -> tuple[tuple[int, float], ...]:
        """What the tree says about a row of features."""
        place = root
        while place >= 0:
            x, t, mode = row[self.feature[place]], self.value[place], self.mode[place]
            if math.isnan(x):
                answer = self.nan_yes[place] or mode == "NEQ"
            else:
                answer = {"LEQ": x <= t, "LT": x < t, "GTE": x >= t, "GT": x > t, "EQ": x == t, "NEQ": x != t}[mode]
            place = self.yes[place] if answer else self.no[place]
        return self.leaves[~place]


@dataclass(frozen=True)
class TreeAttrs:
    """`compare`: the type that features are converted to before they are compared; `total`: of the sums (int32
    where leaves are votes).

    The result is the trees' aggregate plus `base` (a number for each target, or none). With `mark`, a target
    that no leaf mentions becomes NaN, otherwise 0 (plus base).
    """

    forest: Forest
    targets: int
    aggregate: str = "SUM"
    base: tuple[float, ...] = ()
    compare: DType = DType.FLOAT32
    total: DType = DType.FLOAT32
    result: DType = DType.FLOAT32
    mark: bool = False


@register
class TreeEnsemble(Operator):
    """Rows [N, features] to scores [N, targets]; weights are added in the order of the trees."""

    name = "TreeEnsemble"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: TreeAttrs = node.attrs
        x = need(types[0], "input")
        if x.rank != 2:
            raise ShapeError(f"features of shape {x.shape}")
        if max(a.forest.feature, default=0) >= x.shape[1]:
            raise ShapeError(f"a tree asks for feature {max(a.forest.feature)} of {x.shape[1]}")
        return [TensorType(a.result, (x.shape[0], a.targets))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: TreeAttrs = node.attrs
        rows = array(inputs[0]).astype(a.compare.numpy)
        return [np.stack([self._row(a, row) for row in rows.tolist()]).astype(a.result.numpy)]

    def _row(self, a: TreeAttrs, row: Sequence[float]) -> Array:
        real = a.total.numpy.type
        scores: list[Any] = [None] * a.targets
        for root in a.forest.roots:
            for target, weight in a.forest.leaf(root, row):
                known, own = scores[target], real(weight)
                if known is None:
                    scores[target] = real(0) + own if a.aggregate in ("SUM", "AVERAGE") else own
                elif a.aggregate in ("SUM", "AVERAGE"):
                    scores[target] = known + own
                else:
                    scores[target] = own if (own < known) == (a.aggregate == "MIN") and own != known else known
        missing = real(np.nan if a.mark else 0)
        total = np.array([missing if s is None else s for s in scores], a.total.numpy)
        if a.aggregate == "AVERAGE":
            total = total / real(len(a.forest.roots))
        return np.asarray(total + np.array(a.base, a.total.numpy) if a.base else total)
