# SPDX-License-Identifier: Apache-2.0
"""Where trials run: results keep their order, and errors reach the caller."""

from __future__ import annotations

import os
from operator import neg

import pytest

from tinyc.errors import TinycError
from tinyc.explore.workers import Here, dask, processes


def refused(item: int) -> int:
    raise TinycError(f"item {item}", node="'n', Conv", hint="another one")


def killed(item: int) -> int:
    os._exit(item)


def test_processes() -> None:
    with processes(2) as team:
        assert [*team.map(neg, range(5))] == [0, -1, -2, -3, -4]
        with pytest.raises(TinycError, match="item 3") as caught:
            [*team.map(refused, [3, 4])]
        assert caught.value.hint == "another one" and caught.value.node == "'n', Conv"
        with pytest.raises(TinycError, match="was killed"):
            [*team.map(killed, [1])]


def test_one_job_needs_no_process() -> None:
    with processes(1) as team:
        assert isinstance(team, Here) and [*team.map(neg, [1])] == [-1]


def test_dask() -> None:
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as cluster:
        with dask(cluster.scheduler_address) as team:
            assert [*team.map(neg, range(5))] == [0, -1, -2, -3, -4]
            with pytest.raises(TinycError, match="item 3") as caught:
                [*team.map(refused, [3, 4])]
            assert caught.value.hint == "another one"


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x"])
def test_no_scheduler(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyc.explore.workers.TIMEOUT", 1)
    with pytest.raises(TinycError, match="no Dask scheduler"), dask(address):
        pass


def test_dask_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(TinycError, match="distributed") as caught, dask("tcp://127.0.0.1:1"):
        pass
    assert "tinyc[dask]" in str(caught.value.hint)
