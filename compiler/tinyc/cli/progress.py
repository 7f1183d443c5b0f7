# SPDX-License-Identifier: Apache-2.0
"""A spinner on stderr for what takes more than a moment; silent where stderr is no terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def progress(what: str) -> Iterator[None]:
    """Shows `what` while the context runs."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield
