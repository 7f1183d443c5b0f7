# SPDX-License-Identifier: Apache-2.0
"""Models of scikit-learn, LightGBM and XGBoost from end to end: equal to onnxruntime, labels exactly."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tinyc.cases import Cases
from tinyc.compiler import Compiled, Request, compile_model, write
from tinyc.ir.evaluate import evaluate
from tinyc.profiling import linked_size
from tinyc.targets import load_target
from tinyc.verification import onnxruntime_outputs, verify_compiled

FOLDER = Path(__file__).parent / "classical"
NAMES = sorted(p.stem for p in FOLDER.glob("*.onnx"))
ON_CORES = ("sonar_forest", "echo_forest", "iris_decision_tree", "iris_random_forest", "holes_lightgbm",
            "iris_svc_linear_names", "iris_knn", "wave_hist_boosting")


def compiled(model: str, target: str, **options: str) -> Compiled:
    return compile_model(Request(FOLDER / f"{model}.onnx", load_target(target), plan_effort=0.05, **options))


def rows(name: str, count: int = 60) -> Cases:
    with np.load(FOLDER / "inputs.npz") as data:
        return Cases(tuple((row[None],) for row in data[name.split("_")[0]][:count]), None)


def check(model: Compiled, cases: Cases) -> None:
    result = verify_compiled(model, cases)
    assert result.reference == "onnxruntime"
    assert result.passed, result.outputs


@pytest.mark.parametrize("name", NAMES)
def test_on_the_host(name: str) -> None:
    model, cases = compiled(name, "host"), rows(name)
    assert len(cases) >= 50
    check(model, cases)
    few = Cases(cases.inputs[:5], None)
    for case, want in zip(few.inputs, onnxruntime_outputs(model, few), strict=True):
        values = evaluate(model.graph, dict(zip(model.graph.inputs, case, strict=True)))
        for port, value in zip(model.emitted.outputs, want, strict=True):
            np.testing.assert_allclose(values[port.name], value, rtol=1e-4, atol=1e-4)


def test_there_are_enough() -> None:
    assert len(NAMES) >= 30


@pytest.mark.parametrize("target", ("cortex-m0plus", "cortex-m4"))
@pytest.mark.parametrize("name", ON_CORES)
def test_on_emulated_cores(name: str, target: str) -> None:
    check(compiled(name, target, optimize="size"), rows(name, 10))


@pytest.mark.parametrize(("name", "target", "most"), (
    ("sonar_forest", "cortex-m0plus", 2_180), ("sonar_forest", "cortex-m4", 2_100),
    ("echo_forest", "cortex-m0plus", 1_680), ("echo_forest", "cortex-m4", 1_600),
))
def test_flash_of_a_random_forest(name: str, target: str, most: int) -> None:
    """10 trees of depth 10 on data of the sonar set's shape: for int32 features emlearn needs 1,970 bytes on M4F."""
    assert linked_size(compiled(name, target, optimize="size")).flash <= most


def test_names_of_classes(tmp_path: Path) -> None:
    """A label is a place in NAME_LABELS."""
    model = compiled("iris_mlp_names", "host", name="iris")
    write(model, tmp_path / "iris")
    header, source = ((tmp_path / "iris" / f"iris.{end}").read_text() for end in "hc")
    assert "extern const char *const iris_labels[3];" in header and "#define IRIS_LABELS iris_labels" in header
    strings = r'\s*'.join(re.escape(s) for s in ("= {", '"setosa",', '"versicolor",', '"virginica"', "};"))
    assert re.search(r"const char \*const iris_labels\[3\] " + strings, source)
    assert model.report["outputs"][0]["labels"] == ["setosa", "versicolor", "virginica"]
    assert model.report["outputs"][0]["dtype"] == "int32"


def test_zip_map_is_dropped_with_a_note() -> None:
    model = compiled("iris_logistic", "host")
    assert model.report["outputs"][1]["shape"] == [1, 3]
    assert any("ZipMap" in note and "dropped" in note for note in model.report["notes"])
