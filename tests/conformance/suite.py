# SPDX-License-Identifier: Apache-2.0
"""ONNX's own backend tests, as the installed onnx package has them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from onnx import numpy_helper

KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator")


@dataclass(frozen=True)
class BackendTest:
    """One test: a model, its data sets (inputs, expected outputs) and the tolerance that it asks for."""

    name: str  # "node/test_abs"
    model: onnx.ModelProto
    data_sets: Sequence[tuple[Sequence[Any], Sequence[Any]]]
    rtol: float
    atol: float


def backend_tests() -> list[BackendTest]:
    """All tests of the installed onnx package that need no download, by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the cases overflow and divide by zero on purpose
        from onnx.backend.test.loader import load_model_tests

        found = []
        for kind in KINDS:
            for case in load_model_tests(kind=kind):
                name = f"{kind}/{case.name}"
                if case.model is not None:
                    data_sets = [(_arrays(given), _arrays(wanted)) for given, wanted in case.data_sets]
                    found.append(BackendTest(name, case.model, data_sets, case.rtol, case.atol))
                else:
                    model, data_sets = _from_folder(Path(case.model_dir))
                    found.append(BackendTest(name, model, data_sets, case.rtol, case.atol))
    return sorted(found, key=lambda t: t.name)


def _arrays(values: Sequence[Any]) -> list[Any]:
    """Data of a generated case: arrays, and tensors in ONNX's own form as arrays."""
    return [numpy_helper.to_array(v) if isinstance(v, onnx.TensorProto) else v for v in values]


def _from_folder(folder: Path) -> tuple[onnx.ModelProto, list[tuple[list[Any], list[Any]]]]:
    model = onnx.load(folder / "model.onnx")
    data_sets = []
    for data in sorted(folder.glob("test_data_set_*")):
        inputs, outputs = (_tensors(data, kind, len(ports)) for kind, ports in
                           (("input", model.graph.input), ("output", model.graph.output)))
        data_sets.append((inputs, outputs))
    return model, data_sets


def _tensors(folder: Path, kind: str, count: int) -> list[Any]:
    result: list[Any] = []
    for k in range(count):
        path = folder / f"{kind}_{k}.pb"
        if not path.is_file():
            break
        tensor = onnx.TensorProto()
        try:
            tensor.ParseFromString(path.read_bytes())
            result.append(numpy_helper.to_array(tensor))
        except Exception:  # a sequence or an optional: no tensor, and not in tinyc's scope
            result.append(None)
    return result
