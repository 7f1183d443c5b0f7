# SPDX-License-Identifier: Apache-2.0
"""Recipes of quantization for small models, quickly: few samples and no search."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from small_models import float_graph
from tinyc.ir.evaluate import evaluate
from tinyc.quantize.measured import Ranges, extremes_of
from tinyc.quantize.recipe import Recipe, save_recipe
from tinyc.quantize.runner import Runner
from tinyc.quantize.schemes import INT8, Scheme
from tinyc.quantize.simulate import Settings, choose, simulate


def recipe_of(model: Path, schemes: dict[str, Scheme], scheme: Scheme = INT8) -> Recipe:
    """By six samples, without a search."""
    graph = float_graph(model)
    rng = np.random.default_rng(3)
    real = [evaluate(graph, {"image": rng.normal(size=(1, 4, 8, 8)).astype(np.float32)}) for _ in range(6)]
    chosen = choose(graph, scheme=scheme, schemes=schemes)
    runner = Runner()
    settings = Settings(rounding="reconstruct", correct_bias=True)
    found = Ranges(graph, real, extremes_of(real, chosen.values), chosen, runner).choose(range(6), settings.room)
    ranges = {name: choice.quants for name, choice in found.items()}
    result = simulate(graph, real, range(6), settings, chosen, ranges, runner)
    nodes = {name: own.name for name, own in chosen.nodes.items()}
    return Recipe(hashlib.sha256(model.read_bytes()).hexdigest(), nodes, result.activations, result.layers)


def written_recipe(model: Path, recipe: Recipe) -> Path:
    """The file for --load-ranges, beside the model."""
    path = model.with_suffix(".ranges.json")
    save_recipe(recipe, path)
    return path
