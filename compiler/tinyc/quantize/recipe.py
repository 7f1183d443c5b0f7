# SPDX-License-Identifier: Apache-2.0
"""What calibration decided: each node's scheme, scales of activations, integers of weights, corrected biases. JSON.

The same recipe gives the same bytes on every machine; calibration itself computes in floating point and may not.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tinyc.errors import TinycError
from tinyc.ir.types import Array, DType, Quant
from tinyc.quantize.schemes import SCHEMES

SCHEMA = 2
_HINT = "write it again with --calibrate SAMPLES --save-ranges FILE"


@dataclass(frozen=True)
class Layer:
    """Weights [channels, ...] as int8, within the limits of the node's scheme; a scale for each channel; the bias
    [channels] in real numbers."""

    weights: Array
    scales: tuple[float, ...]
    bias: Array | None


@dataclass(frozen=True)
class Recipe:
    """Names are those of the IR.

    nodes: name of the scheme of each quantized node. activations: scale and zero point of each quantized value, by
    element type: first the type that it is computed in, then those in which nodes of other schemes read it.
    layers: weights of Conv and Gemm nodes.
    """

    model: str  # sha256 of the file
    nodes: Mapping[str, str]
    activations: Mapping[str, Mapping[DType, Quant]]
    layers: Mapping[str, Layer]
    settings: Mapping[str, str] = field(default_factory=dict)
    floats: tuple[str, ...] = ()  # nodes that shall stay float


def save_recipe(recipe: Recipe, path: Path) -> None:
    """Raises TinycError where the file cannot be written."""
    text = json.dumps({
        "schema": SCHEMA, "model": recipe.model, "settings": dict(recipe.settings), "nodes": dict(recipe.nodes),
        "float": list(recipe.floats),
        "activations": {n: {dtype.label: [q.scale[0], q.zero_point[0]] for dtype, q in quants.items()}
                        for n, quants in recipe.activations.items()},
        "layers": {n: {"shape": list(layer.weights.shape), "weights": _pack(layer.weights.astype(np.int8)),
                       "scales": list(layer.scales),
                       "bias": None if layer.bias is None else [float(b) for b in layer.bias]}
                   for n, layer in recipe.layers.items()},
    }, indent=1, ensure_ascii=False)
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise TinycError(f"cannot write {path} ({error.strerror})", hint="name a file that can be written") from None


def load_recipe(path: Path, model: str) -> Recipe:
    """Reads what `save_recipe` wrote for the model with this sha256. Raises TinycError."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["schema"] != SCHEMA:
            raise TinycError(f"{path.name} has ranges of schema {data['schema']}, not {SCHEMA}", hint=_HINT)
        if data["model"] != model:
            raise TinycError(f"{path.name} was made for another model file", hint=_HINT)
        nodes = {str(n): SCHEMES[scheme].name for n, scheme in data["nodes"].items()}
        activations = {str(n): _quants(item) for n, item in data["activations"].items()}
        layers = {str(n): _layer(item) for n, item in data["layers"].items()}
        settings = {str(k): str(v) for k, v in data["settings"].items()}
        floats = tuple(str(n) for n in data.get("float", ()))  # files of older versions have none
        return Recipe(model, nodes, activations, layers, settings, floats)
    except OSError as error:
        raise TinycError(f"cannot read {path} ({error.strerror})", hint=_HINT) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TinycError(f"{path.name} is no file of ranges ({error})", hint=_HINT) from None


_ACTIVATIONS = {dtype.label: dtype for dtype in (DType.INT8, DType.INT16)}


def _quants(item: Mapping[str, Any]) -> Mapping[DType, Quant]:
    quants = {_ACTIVATIONS[label]: Quant((float(s),), (int(z),)) for label, (s, z) in item.items()}
    if not quants or not all(np.isfinite(q.scale[0]) and q.scale[0] > 0 for q in quants.values()):
        raise ValueError("scales of a value are not positive numbers")
    return quants


def _layer(item: Mapping[str, Any]) -> Layer:
    shape = tuple(int(n) for n in item["shape"])
    weights = np.frombuffer(base64.b64decode(item["weights"], validate=True), np.int8).reshape(shape)
    scales = tuple(float(s) for s in item["scales"])
    if len(scales) != shape[0] or not all(np.isfinite(s) and s > 0 for s in scales):
        raise ValueError("scales do not fit the weights")
    bias = None if item["bias"] is None else np.array(item["bias"], np.float32)
    if bias is not None and (bias.shape != shape[:1] or not np.isfinite(bias).all()):
        raise ValueError("a bias does not fit the weights")
    return Layer(weights, scales, bias)


def _pack(array: Array) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
