# SPDX-License-Identifier: Apache-2.0
"""`--quantize auto` and `tinyc explore`: the budget decides the schemes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from checkout import DIGITS, files_below
from command_line import invoke, refuse, succeed
from small_models import Net, residual_net


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of one layer, and samples for it."""
    path = tmp_path_factory.mktemp("explore")
    net = Net(int8=False)
    net.nodes.append(helper.make_node("Gemm", ["x", net.weights(16, 64), net.bias(16)], ["y"], name="dense", transB=1))
    net.save(path / "dense.onnx", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 64])],
             [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 16])])
    rng = np.random.default_rng(1)
    np.savez(path / "samples.npz", input=rng.normal(size=(16, 1, 64)).astype(np.float32))
    return path


def explored(folder: Path, budget: str, *words: object) -> Any:
    """What `tinyc explore` reports for the model."""
    return succeed("explore", folder / "dense.onnx", "--target", "host", "--calibrate", folder / "samples.npz",
                   "--budget", budget, "--json", *words).json


@pytest.fixture(scope="module")
def loose(folder: Path) -> Any:
    return explored(folder, "snr=15", "--jobs", "1")


def scheme(trial: dict[str, Any]) -> str:
    """Of the one layer."""
    (own,) = trial["schemes"].values()
    return str(own)


def test_the_budget_decides(folder: Path, loose: Any) -> None:
    """A bound on noise, tightened, costs flash; a bound on flash costs accuracy. All is as measured elsewhere."""
    trials = loose["trials"]
    assert [scheme(t) for t in trials] == ["int8", "int4w", "int16x8", "float"]
    figures = {scheme(t): t["figures"] for t in trials}
    assert figures["int4w"]["snr"] + 10 < figures["int8"]["snr"] < figures["int16x8"]["snr"] < figures["float"]["snr"]
    assert all(0 <= f["right"] <= 100 and f["drop"] == 100 - f["right"] for f in figures.values())
    assert loose["judged"] == 8 and loose["held_out"] and loose["classes_of"] == "float"
    least = min(figures, key=lambda s: figures[s]["flash"])
    assert scheme(trials[loose["best"]]) == least
    tight = f"snr={figures['float']['snr'] - 1}"
    ranges = folder / "best.json"
    report = explored(folder, tight, "--jobs", "1", "--save-ranges", ranges)
    assert scheme(report["trials"][report["best"]]) == "float"
    assert [t["over"].keys() for t in report["trials"] if scheme(t) != "float"] == [{"snr"}] * 3
    size = succeed("size", folder / "dense.onnx", "--target", "host", "--load-ranges", ranges, "--json").json
    assert size["flash"]["total"] == figures["float"]["flash"] and size["ram"]["total"] == figures["float"]["ram"]
    small = f"flash={figures['float']['flash'] - 1}"
    report = explored(folder, small, "--jobs", "1")
    kept = [s for s, f in figures.items() if f["flash"] < figures["float"]["flash"]]
    assert scheme(report["trials"][report["best"]]) == max(kept, key=lambda s: figures[s]["snr"])


def test_on_dask(folder: Path, loose: Any) -> None:
    """The same report, whoever runs the trials."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as cluster:
        assert explored(folder, "snr=15", "--dask", cluster.scheduler_address) == loose


def test_compiled_as_chosen(folder: Path, tmp_path: Path) -> None:
    """--load-ranges of what was saved gives the same bytes."""
    arguments = ["compile", folder / "dense.onnx", "--target", "host"]
    done = succeed(*arguments, "--calibrate", folder / "samples.npz", "--quantize", "auto", "--budget", "snr=90",
                   "--save-ranges", tmp_path / "r.json", "-o", tmp_path / "auto")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["flash", "ram", "right", "%", "drop", "dB", "layers"]
    assert [line for line in lines if line.startswith(">")][0].endswith("  float")
    assert lines[lines.index("chosen:") + 1].split()[0] == "float" and "classes by the float model" in done.stdout
    succeed(*arguments, "--load-ranges", tmp_path / "r.json", "-o", tmp_path / "loaded")
    files = set(files_below(tmp_path / "auto"))
    assert files == set(files_below(tmp_path / "loaded"))
    assert all((tmp_path / "auto" / f).read_bytes() == (tmp_path / "loaded" / f).read_bytes()
               for f in files if f != "report.json")


def test_nothing_keeps_the_budget(folder: Path, tmp_path: Path) -> None:
    outcome = invoke("compile", folder / "dense.onnx", "--target", "host", "--calibrate", folder / "samples.npz",
                     "--quantize", "auto", "--budget", "flash=100,snr=10", "--save-ranges", tmp_path / "r.json", "-o",
                     tmp_path / "out")
    assert outcome.code == 1 and "misses flash" in outcome.stdout
    assert "over its limit of 100" in outcome.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("words", "says"), [
    (["--quantize", "auto"], "needs samples"),
    (["--quantize", "auto", "--calibrate", "S"], "without --budget"),
    (["--quantize", "auto", "--calibrate", "S", "--budget", "rom=3"], "rom=3"),
    (["--quantize", "auto", "--calibrate", "S", "--budget", "drop=1K"], "drop=1K"),
    (["--quantize", "auto", "--load-ranges", "S", "--budget", "drop=1"], "--load-ranges"),
    (["--quantize", "int8", "--calibrate", "S", "--budget", "drop=1"], "--budget without --quantize auto"),
    (["--quantize", "auto", "--calibrate", "S", "--budget", "cycles=1K"], "host does not count cycles"),
    (["--quantize", "auto", "--calibrate", "S", "--budget", "snr=9", "--ram", "9K"], "--ram"),
    (["--quantize", "auto", "--calibrate", "S", "--budget", "snr=9", "--stateful", "x=y"], "--stateful"),
    (["--quantize", "auto", "--calibrate", "missing.npz", "--budget", "snr=9"], "missing.npz"),
])
def test_unusable_arguments(folder: Path, tmp_path: Path, words: list[str], says: str) -> None:
    given = [folder / "samples.npz" if word == "S" else word for word in words]
    assert says in refuse("compile", folder / "dense.onnx", "--target", "host", "-o", tmp_path / "out", *given)
    assert list(tmp_path.iterdir()) == []


def test_more_unusable_arguments(folder: Path, tmp_path: Path) -> None:
    plain = ["explore", folder / "dense.onnx", "--target", "host"]
    assert "needs samples" in refuse(*plain)
    given = [*plain, "--calibrate", folder / "samples.npz"]
    assert "--save-ranges" in refuse(*given, "--save-ranges", tmp_path / "r.json")
    assert "itself" in refuse(*given, "--quantize", "int8")
    assert "exclude" in refuse(*given, "--jobs", "2", "--dask", "tcp://127.0.0.1:1")
    auto = ["--calibrate", folder / "samples.npz", "--quantize", "auto", "--budget", "drop=1"]
    assert "one model" in refuse("compile", folder / "dense.onnx", folder / "dense.onnx", "--target", "host", *auto)
    quantized = residual_net(tmp_path / "q.onnx", int8=True)
    assert "already quantized" in refuse("explore", quantized, *given[2:])
    labelled = tmp_path / "labelled.npz"
    np.savez(labelled, input=np.random.default_rng(0).normal(size=(9, 64)).astype(np.float32), labels=np.zeros(8, int))
    assert "labels are" in refuse(*plain, "--calibrate", labelled)


@pytest.mark.slow
def test_digits_on_a_budget() -> None:
    """A bound on cycles keeps out weights of 4 bits, which are smaller, but slower on a Cortex-M4."""
    report = succeed("explore", DIGITS / "digits_f32.onnx", "--target", "cortex-m4", "--calibrate",
                     DIGITS / "digits_test.npz", "--budget", "drop=0.6%,cycles=200K", "--json").json
    assert report["classes_of"] == "labels" and report["judged"] == 180
    best = report["trials"][report["best"]]
    assert not best["over"] and best["figures"]["drop"] <= 0.6 and best["figures"]["cycles"] <= 200_000
    assert "int4w" not in best["schemes"].values()
    smaller = [t for t in report["trials"] if t["over"].keys() == {"cycles"} and "int4w" in t["schemes"].values()]
    assert min(t["figures"]["flash"] for t in smaller) < best["figures"]["flash"]
