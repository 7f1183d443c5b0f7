# SPDX-License-Identifier: Apache-2.0
"""TfIdfVectorizer: how often each n-gram of a list occurs in a sequence of integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyc.ir.graph import Node
from tinyc.ir.types import Array, DType, TensorType
from tinyc.ops.registry import Arrays, Importing, Operator, ShapeError, Types, array, imports, need, register


@dataclass(frozen=True)
class TfIdfAttrs:
    """`grams`: (the n-gram, its place in the result). `skips`: up to so many elements may lie between two of it.

    `mode`: TF counts, IDF gives the place's weight where there is any, TFIDF the count times the weight.
    """

    grams: tuple[tuple[tuple[int, ...], int], ...]
    skips: int
    size: int
    mode: str = "TF"
    weights: tuple[float, ...] = ()


@register
class TfIdf(Operator):
    """Sequences [n] or [batch, n] of integers; the result is float32 [size] or [batch, size]."""

    name = "TfIdf"

    def infer(self, node: Node, types: Types, constants: Arrays) -> list[TensorType]:
        a: TfIdfAttrs = node.attrs
        x = need(types[0], "input")
        if x.rank not in (1, 2) or x.dtype not in (DType.INT32, DType.INT64):
            raise ShapeError(f"an input {x}")
        if any(not 0 <= place < a.size for _, place in a.grams):
            raise ShapeError("an n-gram's place lies outside")
        if a.weights and len(a.weights) != a.size:
            raise ShapeError(f"{len(a.weights)} weights for {a.size} places")
        return [TensorType(DType.FLOAT32, (*x.shape[:-1], a.size))]

    def evaluate(self, node: Node, inputs: Arrays, outputs: Sequence[TensorType]) -> list[Array]:
        a: TfIdfAttrs = node.attrs
        x = array(inputs[0])
        counts = np.zeros((x.size // x.shape[-1] if x.size else int(np.prod(x.shape[:-1])), a.size))
        for row, sequence in enumerate(x.reshape(-1, x.shape[-1]) if x.size else []):
            for gram, place in a.grams:
                for step in range(1, (a.skips if len(gram) > 1 else 0) + 2):
                    reach = (len(gram) - 1) * step
                    for first in range(len(sequence) - reach):
                        counts[row, place] += tuple(sequence[first : first + reach + 1 : step]) == gram
        weights = np.array(a.weights) if a.weights else np.ones(a.size)
        if a.mode == "IDF":
            counts = (counts > 0) * weights
        elif a.mode == "TFIDF":
            counts = counts * weights
        return [counts.reshape(outputs[0].shape).astype(np.float32)]


@imports("TfIdfVectorizer")
def _tf_idf(node: Importing) -> Sequence[str]:
    attributes = node.attributes
    if attributes.get("pool_strings") or node.type(0).dtype is DType.STRING:
        raise node.fail("TfIdfVectorizer of strings", "give the tokens as integers")
    starts = [int(v) for v in attributes["ngram_counts"]]
    places = [int(v) for v in attributes["ngram_indexes"]]
    pool = [int(v) for v in attributes.get("pool_int64s", [])]
    low, high = int(attributes["min_gram_length"]), int(attributes["max_gram_length"])
    skips, mode = int(attributes["max_skip_count"]), str(attributes["mode"])
    ends = [*starts[1:], len(pool)]
    if mode not in ("TF", "IDF", "TFIDF") or not 1 <= low <= high or skips < 0 or not places:
        raise node.fail(f"mode {mode!r}, n-grams of {low} to {high} with {skips} skips")
    grams: list[tuple[tuple[int, ...], int]] = []
    count = 0
    for k, (start, end) in enumerate(zip(starts, ends, strict=True)):
        n = k + 1
        if not 0 <= start <= end <= len(pool) or (end - start) % n:
            raise node.fail(f"ngram_counts {starts} for a pool of {len(pool)}")
        for first in range(start, end, n):
            if count >= len(places):
                raise node.fail(f"{len(places)} places for more n-grams")
            if low <= n <= high:
                grams.append((tuple(pool[first : first + n]), places[count]))
            count += 1
    given = [float(w) for w in attributes.get("weights", [])]
    if given and len(given) != len(places):
        raise node.fail(f"{len(given)} weights for {len(places)} n-grams")
    weights = dict(zip(places, given, strict=True)) if given else {}
    size = max(places) + 1
    ordered = tuple(weights.get(place, 1.0) for place in range(size)) if given else ()
    attrs = TfIdfAttrs(tuple(grams), skips, size, mode, ordered)
    return node.emit("TfIdf", attrs, [node.input(0)])
