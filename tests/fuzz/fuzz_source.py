# SPDX-License-Identifier: Apache-2.0
"""Where random decisions come from: a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


class Source:
    """Every decision is an integer from a closed interval."""

    def __init__(self, seed: int) -> None:
        self._integer = random.Random(seed).randint

    def integer(self, low: int, high: int) -> int:
        return low if low >= high else self._integer(low, high)

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.integer(0, len(choices) - 1)]

    def chance(self, count: int, of: int) -> bool:
        """True in `count` of `of` cases."""
        return self.integer(0, of - 1) >= of - count

    def shuffled(self, items: Sequence[T]) -> list[T]:
        rest, result = list(items), []
        while rest:
            result.append(rest.pop(self.integer(0, len(rest) - 1)))
        return result

    def some(self, items: Sequence[T]) -> list[T]:
        """A subset, in order; perhaps all, perhaps none."""
        return [item for item in items if self.integer(0, 1)]

    def real(self, low: float, high: float) -> float:
        """One of a few round numbers of an interval, exact in float32."""
        return float(np.float32(low + (high - low) * self.integer(0, 16) / 16))

    def numpy(self) -> np.random.Generator:
        """For contents of tensors."""
        return np.random.default_rng(self.integer(0, 1 << 16))
