# SPDX-License-Identifier: Apache-2.0
"""Where trials run: in this process, in processes of this machine, or on a Dask cluster. Results keep their order."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Protocol, TypeVar

from tinyc.errors import TinycError

A = TypeVar("A")
B = TypeVar("B")
TIMEOUT = 10  # seconds to find the scheduler


class Workers(Protocol):
    """Calls a function of a module for each item, wherever; results in the order of the items."""

    def map(self, function: Callable[[A], B], items: Sequence[A]) -> Iterator[B]: ...


class Here:
    """One after the other, in this process."""

    def map(self, function: Callable[[A], B], items: Sequence[A]) -> Iterator[B]:
        return map(function, items)


class _Processes:
    def __init__(self, pool: Executor) -> None:
        self._pool = pool

    def map(self, function: Callable[[A], B], items: Sequence[A]) -> Iterator[B]:
        try:
            yield from self._pool.map(function, items)
        except BrokenProcessPool:
            raise TinycError("a process that ran a trial was killed", hint="where memory is short, --jobs 1") from None


class Dask:
    """`client`: a distributed.Client. Its workers need the same version of tinyc, and the target's tools."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def map(self, function: Callable[[A], B], items: Sequence[A]) -> Iterator[B]:
        from distributed import KilledWorker

        futures = self._client.map(function, items, pure=False)
        try:
            for future in futures:
                yield future.result()
        except (KilledWorker, ImportError, AttributeError) as error:
            raise TinycError(f"a Dask worker cannot run trials ({type(error).__name__}: {error})",
                             hint="workers need the same versions of tinyc and Python, and enough memory") from None
        finally:
            self._client.cancel(futures)


@contextlib.contextmanager
def processes(jobs: int | None = None) -> Iterator[Workers]:
    """So many processes; by default one for each core that this one may use."""
    jobs = jobs if jobs is not None else len(os.sched_getaffinity(0))
    if jobs == 1:
        yield Here()
        return
    # A fork of a process with onnxruntime's threads may hang.
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"))
    try:
        yield _Processes(pool)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def dask(address: str) -> Iterator[Workers]:
    """The workers of the scheduler at this address. Raises TinycError where there is none."""
    try:
        from distributed import Client
    except ImportError:
        raise TinycError("--dask needs the package distributed", hint="pip install 'tinyc[dask]'") from None
    try:
        client = Client(address, timeout=TIMEOUT, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise TinycError(f"no Dask scheduler at {address} ({type(error).__name__})",
                         hint="for example --dask tcp://192.0.2.1:8786; `dask scheduler` starts one") from None
    with client:
        yield Dask(client)
