# SPDX-License-Identifier: Apache-2.0
"""A forest as kernels walk it: one kind of question, on integers.

Every question becomes "key of the feature <= threshold". The key of an integer is the integer; that of a float is
its bits, rearranged so that unsigned comparison orders them as numbers, with all NaNs above (tinyc_float_key).
Thresholds are exact: the largest key for which the model's own comparison says yes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tinyc.ir.types import Array, DType
from tinyc.ops.tree_ensemble import Forest, TreeAttrs

Leaf = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Questions:
    """Node k: key(feature[k]) <= threshold[k] ? yes[k] : no[k]; a NaN goes to no, or to yes where nan_yes[k].

    References are a node's number or ~number of a leaf. `leaves` are distinct.
    """

    roots: tuple[int, ...]
    feature: tuple[int, ...]
    threshold: tuple[int, ...]
    yes: tuple[int, ...]
    no: tuple[int, ...]
    nan_yes: tuple[bool, ...]
    leaves: tuple[Leaf, ...]


@dataclass(frozen=True)
class Keys:
    """How features of an element type are compared: `function` makes the key ("" for none), of type `dtype`.

    NaN's keys lie above the others; adding `lift` (which wraps) moves them below all others.
    """

    dtype: DType
    function: str = ""
    lift: int = 0


FLOAT_KEYS = {
    DType.FLOAT32: Keys(DType.UINT32, "tinyc_float_key", 0x00FFFFFE),
    DType.FLOAT64: Keys(DType.UINT64, "tinyc_double_key", 0x001FFFFFFFFFFFFE),
}


def keys_of(dtype: DType) -> Keys:
    """The keys of features with this element type."""
    return FLOAT_KEYS[dtype] if dtype in FLOAT_KEYS else Keys(DType.INT64 if dtype.size == 8 else DType.INT32)


def float_key(value: float, dtype: DType) -> int:
    """The key of a number that is no NaN: 0 for -infinity, -0 just below +0."""
    bits = int(np.array(value, dtype.numpy).view(f"u{dtype.size}"))
    width, fraction = dtype.size * 8, 23 if dtype is DType.FLOAT32 else 52
    ordered = bits ^ ((1 << width) - 1) if bits >> (width - 1) else bits | 1 << (width - 1)
    return ordered - ((1 << fraction) - 1)


@lru_cache(maxsize=8)
def questions(attrs: TreeAttrs, dtype: DType) -> Questions:
    """The forest for features of element type `dtype`."""
    return _Rewriting(attrs, dtype).run()


class _Rewriting:
    """Nodes with equal subtrees are made once; nodes with one answer vanish."""

    def __init__(self, attrs: TreeAttrs, dtype: DType) -> None:
        self.forest: Forest = attrs.forest
        self.compare = attrs.compare
        self.dtype = dtype
        self.nodes: dict[tuple[int, int, int, int, bool], int] = {}
        self.leaves: dict[Leaf, int] = {}

    def run(self) -> Questions:
        known: dict[int, int] = {}
        for root in self.forest.roots:
            waiting = [root]
            while waiting:
                place = waiting[-1]
                missing = [] if place < 0 else [
                    c for c in (self.forest.yes[place], self.forest.no[place]) if c not in known
                ]
                if place not in known and not missing:
                    known[place] = self._leaf(place) if place < 0 else self._question(place, known)
                if missing:
                    waiting += missing
                else:
                    waiting.pop()
        columns = list(zip(*self.nodes, strict=True)) or [()] * 5
        feature, threshold, yes, no, nan_yes = columns
        return Questions(tuple(known[r] for r in self.forest.roots), feature, threshold, yes, no,
                         nan_yes, tuple(self.leaves))

    def _leaf(self, place: int) -> int:
        return ~self.leaves.setdefault(self.forest.leaves[~place], len(self.leaves))

    def _node(self, feature: int, threshold: int, yes: int, no: int, nan_yes: bool) -> int:
        low, high = self._range()
        can_be_nan = self.dtype.is_float
        nan_yes = nan_yes and can_be_nan
        if yes == no or (threshold < low and not nan_yes):
            return no
        if threshold >= high and (nan_yes or not can_be_nan):
            return yes
        key = (feature, threshold, yes, no, nan_yes)
        return self.nodes.setdefault(key, len(self.nodes))

    def _range(self) -> tuple[int, int]:
        """The smallest and the largest key of a number."""
        if self.dtype.is_float:
            return 0, float_key(math.inf, self.dtype)
        return (0, 1) if self.dtype is DType.BOOL else self.dtype.limits

    def _question(self, place: int, known: dict[int, int]) -> int:
        f = self.forest
        feature, mode, value = f.feature[place], f.mode[place], f.value[place]
        yes, no, nan_yes = known[f.yes[place]], known[f.no[place]], f.nan_yes[place]
        upto, below = self._thresholds(value)
        if mode == "LEQ":
            return self._node(feature, upto, yes, no, nan_yes)
        if mode == "LT":
            return self._node(feature, below, yes, no, nan_yes)
        if mode == "GT":
            return self._node(feature, upto, no, yes, not nan_yes)
        if mode == "GTE":
            return self._node(feature, below, no, yes, not nan_yes)
        if mode == "EQ":
            return self._node(feature, upto, self._node(feature, below, no, yes, False), no, nan_yes)
        return self._node(feature, upto, self._node(feature, below, yes, no, False), yes, False)

    def _thresholds(self, value: float) -> tuple[int, int]:
        """The largest keys whose number is <= value, and < value."""
        low, high = self._range()
        if math.isnan(value):
            return low - 1, low - 1
        if self.dtype.is_float:
            zero = value == 0.0
            return (self._floor_key(0.0 if zero else value, True), self._floor_key(-0.0 if zero else value, False))
        return (_largest(low, high, lambda v: self._converted(v) <= value),
                _largest(low, high, lambda v: self._converted(v) < value))

    def _floor_key(self, value: float, equal: bool) -> int:
        """The largest key of a number of the features' type that is <= value, or < value."""
        with np.errstate(over="ignore"):
            nearest = float(np.array(value, self.dtype.numpy))
        key = float_key(math.copysign(nearest, value) if nearest == 0.0 else nearest, self.dtype)
        return key if nearest < value or (equal and nearest == value) else key - 1

    def _converted(self, value: int) -> float:
        return float(np.array(value, self.compare.numpy))


def _largest(low: int, high: int, accepted: Callable[[int], bool]) -> int:
    """The largest integer of [low, high] that is accepted, low - 1 if none is. All below an accepted one are, too."""
    low, high = low - 1, high + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if accepted(middle) else (low, middle)
    return low


def smallest_integers(values: Array) -> Array:
    """Integers in the smallest type that holds them, signed where one is negative."""
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    types = (np.int8, np.int16, np.int32, np.int64) if low < 0 else (np.uint8, np.int16, np.uint16, np.int32, np.uint32,
                                                                       np.int64)
    return values.astype(next(t for t in types if np.iinfo(t).min <= low and high <= np.iinfo(t).max))
