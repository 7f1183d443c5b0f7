# SPDX-License-Identifier: Apache-2.0
"""The command line inside the test's own process: much faster than a process for each call."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyc.cli.app import run


@dataclass(frozen=True)
class Outcome:
    """What a command returned and printed."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


def invoke(*words: object) -> Outcome:
    """`tinyc WORDS`."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([str(word) for word in words])
    return Outcome(code, out.getvalue(), err.getvalue())


def succeed(*words: object) -> Outcome:
    """The outcome of a command that must not fail."""
    outcome = invoke(*words)
    assert outcome.code == 0, outcome.stderr
    return outcome


def refuse(*words: object) -> str:
    """Runs a command that must fail with exit code 2, one error and one hint; returns these two lines."""
    outcome = invoke(*words)
    assert outcome.code == 2, outcome
    assert outcome.stdout == ""
    lines = outcome.stderr.splitlines()
    assert [line.split(":")[0] for line in lines] == ["error", "hint"], outcome.stderr
    assert "Traceback" not in outcome.stderr
    return outcome.stderr


def refuse_compile(model: Path, *options: object) -> str:
    """As `refuse`, for `tinyc compile`; nothing is left behind."""
    beside = model.parent if model.parent.is_dir() else model.parent.parent
    before = sorted(beside.rglob("*"))
    message = refuse("compile", model, "--target", "cortex-m4", "-o", beside / "out", *options)
    assert sorted(beside.rglob("*")) == before
    return message
