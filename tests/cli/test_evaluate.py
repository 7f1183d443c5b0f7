# SPDX-License-Identifier: Apache-2.0
"""`tinyc evaluate`: float, integers and target side by side."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from checkout import ROOT
from command_line import refuse, succeed
from tinyc.cases import Cases
from tinyc.errors import TinycError
from tinyc.evaluation import class_of, labels_of

TRAINED = ROOT / "tests" / "models" / "quantization"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Samples, ranges by them, and 24 cases with labels."""
    path = tmp_path_factory.mktemp("evaluate")
    data = np.load(TRAINED / "residual.npz")
    np.savez(path / "samples.npz", input=data["input"][:8])
    np.savez(path / "cases.npz", input=data["input"][8:32], labels=data["labels"][8:32])
    np.savez(path / "plain.npz", input=data["input"][8:32])
    succeed("compile", TRAINED / "residual.onnx", "--target", "host", "--calibrate", path / "samples.npz",
            "--save-ranges", path / "ranges.json", "-o", path / "out")
    return path


def test_side_by_side(folder: Path) -> None:
    report = succeed("evaluate", TRAINED / "residual.onnx", "--target", "cortex-m4", "--load-ranges",
                     folder / "ranges.json", "--inputs", folder / "cases.npz", "--labels", "--sample", "3", "--report",
                     folder / "noise.svg", "--json").json
    real, integer, board = report["results"]
    assert real["cases"] == integer["cases"] == 24 and board["cases"] == board["exact"] == 3
    assert real["accuracy"] > 80 and abs(integer["accuracy"] - real["accuracy"]) < 10
    assert real["agreement"] == 100 and integer["agreement"] > 90 and integer["decibels"] > 20
    assert {n["op"] for n in report["layers"]} >= {"Conv", "Add", "Gemm"}
    assert all(n["scheme"] == "int8" and n["decibels"] > 10 for n in report["layers"])
    texts = [t.text for t in ElementTree.parse(folder / "noise.svg").iter("{http://www.w3.org/2000/svg}text")]
    assert len(texts) >= 2 * len(report["layers"])


def test_a_float_model_has_no_quantized_layers(folder: Path) -> None:
    arguments = [TRAINED / "residual.onnx", "--target", "host", "--inputs", folder / "plain.npz"]
    report = succeed("evaluate", *arguments, "--json").json
    assert report["layers"] == [] and report["results"][1]["agreement"] == 100
    assert "--report" in refuse("evaluate", *arguments, "--report", folder / "none.svg")
    assert not (folder / "none.svg").exists()


def test_labels(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    three = Cases(((), (), ()), None)
    np.savez(path, labels=np.array([2, 0, 1]))
    assert labels_of(path, three) == [2, 0, 1]
    for wrong in (np.array([1, 2]), np.array([0.5, 1.0, 2.0]), np.zeros((3, 2), int), np.array(1)):
        np.savez(path, labels=wrong)
        with pytest.raises(TinycError, match="labels are"):
            labels_of(path, three)
    np.savez(path, other=np.zeros(3))
    with pytest.raises(TinycError, match="has no labels"):
        labels_of(path, three)
    outputs = ((np.array([[0.1, 0.9]]),), (np.array([[0.7, 0.3]]),))
    assert labels_of(path, Cases(((), ()), outputs)) == [1, 0]
    assert [class_of(np.array(v)) for v in ([0.2], [0.8])] == [0, 1]
