# SPDX-License-Identifier: Apache-2.0
"""The ways in which tinyc fails, by who has to act on them."""

from __future__ import annotations


class TinycError(Exception):
    """Unusable input or arguments: the user has to act (exit code 2 by default).

    `what` says what is wrong, `node` where ("NAME, Operator"), `hint` what to do about it.
    `str()` gives "WHAT, at NODE".
    """

    def __init__(
        self, what: str, node: str | None = None, hint: str | None = None, exit_code: int = 2
    ) -> None:
        super().__init__(what)
        self.what = what
        self.node = node
        self.hint = hint
        self.exit_code = exit_code

    def __str__(self) -> str:
        return f"{self.what}, at {self.node}" if self.node else self.what


class CheckFailed(Exception):
    """A check ran and its answer is no: mismatching outputs, a budget exceeded (exit code 1)."""

    exit_code = 1


class InternalError(Exception):
    """tinyc contradicts itself, for example by C that does not compile: a bug, not the user's fault."""
