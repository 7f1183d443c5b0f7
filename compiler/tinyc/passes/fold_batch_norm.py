# SPDX-License-Identifier: Apache-2.0
"""Folds chains of Mul and Add by constants, BatchNormalization above all, into the Conv or Gemm before."""

from __future__ import annotations

from typing import Any

from tinyc.ir.graph import Graph
from tinyc.passes.fold_scale import fold_scale
from tinyc.passes.fuse_bias import fuse_bias


def fold_batch_norm(graph: Graph[Any]) -> Graph[Any]:
    while True:
        before = len(graph.nodes())
        graph = fuse_bias(fold_scale(graph))
        if len([n for n in graph.nodes() if n.op in ("Mul", "Add")]) == 0 or len(graph.nodes()) == before:
            return graph
