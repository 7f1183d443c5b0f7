# SPDX-License-Identifier: Apache-2.0
"""Test inputs and expected outputs from an .npz, or seeded random inputs."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyc.backend.emit import Port
from tinyc.errors import TinycError
from tinyc.ir.types import Array


@dataclass(frozen=True)
class Cases:
    """`inputs[k]` has each input's array of case k, in the model's order and types; `expected` likewise."""

    inputs: tuple[tuple[Array, ...], ...]
    expected: tuple[tuple[Array, ...], ...] | None

    def __len__(self) -> int:
        return len(self.inputs)


def load_cases(path: Path, inputs: Sequence[Port], outputs: Sequence[Port]) -> Cases:
    """Reads `in:NAME` and `out:NAME` (or plain `input` and `output`). Raises TinycError."""
    arrays = _read(path)
    given = [_find(arrays, "in", p, inputs, "input", path) for p in inputs]
    for port, array in zip(inputs, given, strict=True):
        if array is None:
            raise TinycError(f"{path.name} has no array for input {port.name!r}",
                             hint=f"name it 'in:{port.name}'; it has {', '.join(sorted(arrays)) or 'nothing'}")
    columns = [_cases_of(a, p, path) for a, p in zip(given, inputs, strict=True) if a is not None]
    count = len(columns[0]) if columns else 1
    if any(len(c) != count for c in columns) or count == 0:
        raise TinycError(f"{path.name}: inputs differ in their number of cases, or have none",
                         hint="the first axis counts the cases")
    found = [_find(arrays, "out", p, outputs, "output", path) for p in outputs]
    expected = None
    if all(a is not None for a in found):
        results = [_cases_of(a, p, path) for a, p in zip(found, outputs, strict=True) if a is not None]
        if any(len(r) != count for r in results):
            raise TinycError(f"{path.name}: outputs have another number of cases than inputs",
                             hint="the first axis counts the cases")
        expected = tuple(zip(*results, strict=True))
    return Cases(tuple(zip(*columns, strict=True)) if columns else ((),), expected)


def _read(path: Path) -> Mapping[str, Array]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            if not hasattr(archive, "files"):
                raise TinycError(f"{path.name} is a single array", hint="save it with numpy.savez")
            return {name: archive[name] for name in archive.files}
    except TinycError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError, AttributeError, TypeError):
        raise TinycError(f"cannot read {path} as .npz", hint="save the arrays with numpy.savez") from None


def _find(
    arrays: Mapping[str, Array], kind: str, port: Port, ports: Sequence[Port], plain: str, path: Path
) -> Array | None:
    named = arrays.get(f"{kind}:{port.name}")
    return arrays.get(plain) if named is None and len(ports) == 1 else named


def _cases_of(array: Array, port: Port, path: Path) -> list[Array]:
    """The cases of one tensor: [case, shape...]; a leading 1 of the shape may be left out."""
    shapes = [port.shape, *([port.shape[1:]] if port.shape[:1] == (1,) else [])]
    if array.ndim == 0 or tuple(array.shape[1:]) not in shapes:
        raise TinycError(f"{path.name}: the array for {port.name!r} has shape {list(array.shape)}",
                         hint=f"it must be [cases, {', '.join(map(str, port.shape))}]")
    if port.labels is not None and array.dtype.kind in "OSU":
        array = places_of(array, port.labels)
    if array.dtype.kind not in "biuf" or (array.dtype.kind == "f" and not port.dtype.is_float
                                           and not np.all(array == np.rint(array))):
        raise TinycError(f"{path.name}: the array for {port.name!r} is {array.dtype}", hint=f"use {port.dtype.label}")
    if not port.dtype.is_float and array.dtype.kind in "iu" and array.size:
        low, high = (0, 1) if port.dtype.label == "bool" else port.dtype.limits
        if array.min() < low or array.max() > high:
            raise TinycError(f"{path.name}: values of {port.name!r} do not fit {port.dtype.label}",
                             hint=f"they must lie from {low} to {high}")
    return [np.ascontiguousarray(case, port.dtype.numpy).reshape(port.shape) for case in array]


def places_of(strings: Array, labels: Sequence[str]) -> Array:
    """Strings as their places in `labels`, -1 for any other."""
    places = {label: k for k, label in enumerate(labels)}
    texts = [s.decode() if isinstance(s, bytes) else str(s) for s in strings.reshape(-1).tolist()]
    return np.array([places.get(s, -1) for s in texts], np.int32).reshape(strings.shape)


def random_cases(inputs: Sequence[Port], count: int = 4, seed: int = 0) -> Cases:
    """Seeded inputs: integers over the type's whole range (wide ones from -128 to 127), reals from N(0, 1)."""
    rng = np.random.default_rng(seed)
    cases = []
    for _ in range(count):
        arrays = []
        for port in inputs:
            if port.dtype.is_float:
                arrays.append(rng.standard_normal(port.shape).astype(port.dtype.numpy))
            elif port.labels is not None:
                arrays.append(rng.integers(-1, len(port.labels), port.shape).astype(np.int32))
            elif port.dtype.label == "bool":
                arrays.append(rng.integers(0, 2, port.shape).astype(bool))
            else:
                low, high = port.dtype.limits
                values = rng.integers(max(low, -128), min(high, 255 if low == 0 else 127), port.shape, endpoint=True)
                arrays.append(values.astype(port.dtype.numpy))
        cases.append(tuple(arrays))
    return Cases(tuple(cases), None)
