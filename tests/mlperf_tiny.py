# SPDX-License-Identifier: Apache-2.0
"""The MLPerf Tiny models, which lie beside the repository and are no part of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tinyc.cases import Cases, load_cases
from tinyc.compiler import Compiled, Request, compile_model
from tinyc.targets import load_target

SHARED = Path(__file__).resolve().parents[2] / "shared"
MODELS = ("ad", "ic", "kws", "vww")

needs_models = pytest.mark.skipif(
    not (SHARED / "models").is_dir(), reason="the MLPerf Tiny models do not lie in ../shared/models"
)


def model_path(name: str) -> Path:
    return SHARED / "models" / f"{name}.onnx"


def compiled(name: str, target: str, **options: Any) -> Compiled:
    """A model such as "kws_int8", compiled in memory."""
    return compile_model(Request(model_path(name), load_target(target), **options))


def expected_cases(result: Compiled, path: Path | None = None) -> Cases:
    """All cases of the model's .npz, with the outputs that the int8 specification demands."""
    path = path or result.request.model.with_suffix(".npz")
    cases = load_cases(path, result.emitted.inputs, result.emitted.outputs)
    assert cases.expected is not None
    return cases


def peers(target: str) -> dict[str, Any]:
    """Measurements of other systems on a target: {system: {model: {"instructions": n, "flash": bytes}}}."""
    found: dict[str, Any] = json.loads((SHARED / "peers.json").read_text())["measured"][target]
    return found
