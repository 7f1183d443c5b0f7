# SPDX-License-Identifier: Apache-2.0
"""The user's samples for calibration: an .npz, an .npy, or a folder of .npy files, checked before they are used."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyc.errors import TinycError
from tinyc.ir.graph import Graph
from tinyc.ir.types import Array, TensorType

Sample = dict[str, Array]
_ARRAYS = "save the arrays with numpy.savez, one for each input, named in:NAME, first axis = case"


def load_samples(path: Path, graph: Graph[Any], names: Sequence[str]) -> list[Sample]:
    """One dictionary (graph input -> array of its shape and type) for each case.

    An .npz has an array per input, `in:NAME` (plain `input` with only one). An .npy, or each of a folder's .npy
    files in the order of their names, is one case, or several along the first axis, of a model with one input.
    `names`: the inputs' names in the model. Raises TinycError.
    """
    if not graph.inputs:
        raise TinycError("the model has no input to calibrate", hint="--quantize none")
    arrays = _folder(path) if path.is_dir() else _file(path)
    columns: list[list[Array]] = []
    for value, name in zip(graph.inputs, names, strict=True):
        array = arrays.get(f"in:{name}")
        if array is None and len(names) == 1:
            array = arrays.get("input")
        if array is None:
            have = ", ".join(sorted(arrays)[:8]) or "nothing"
            raise TinycError(f"{path.name} has no array for input {name!r}", hint=f"name it 'in:{name}'; it has {have}")
        columns.append(_cases(array, graph.type(value), name, path))
    counts = {len(c) for c in columns}
    if len(counts) != 1:
        raise TinycError(f"{path.name}: inputs differ in their number of cases", hint="the first axis counts the cases")
    return [dict(zip(graph.inputs, row, strict=True)) for row in zip(*columns, strict=True)]


def _read(path: Path) -> Any:
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        raise TinycError(f"cannot read samples from {path}", hint=_ARRAYS) from None


def _file(path: Path) -> Mapping[str, Array]:
    loaded = _read(path)
    if isinstance(loaded, np.ndarray):
        return {"input": loaded}
    try:
        with loaded as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError):
        raise TinycError(f"cannot read samples from {path}", hint=_ARRAYS) from None


def _folder(path: Path) -> Mapping[str, Array]:
    files = sorted(path.glob("*.npy"))
    if not files:
        raise TinycError(f"{path} has no .npy file", hint="one file for each sample, or an .npz")
    arrays = [_read(file) for file in files]
    if len({(a.shape, a.dtype) for a in arrays}) != 1:
        raise TinycError(f"the files in {path} differ in shape or type", hint="each must be one sample of the input")
    return {"input": np.stack(arrays)}


def _cases(array: Array, type_: TensorType, name: str, path: Path) -> list[Array]:
    """The cases of one input, checked. Raises TinycError."""
    shapes = [type_.shape, *([type_.shape[1:]] if type_.shape[:1] == (1,) else [])]
    if array.dtype.kind not in "biuf":
        raise TinycError(f"{path.name}: the samples of {name!r} are {array.dtype}", hint=f"use {type_.dtype.label}")
    if array.shape in shapes:
        array = array[np.newaxis]
    while array.ndim > type_.rank + 1 and array.shape[1] == 1 and array.shape[1:] not in shapes:
        array = array[:, 0]
    if array.ndim == 0 or array.shape[1:] not in shapes:
        raise TinycError(f"{path.name}: the samples of {name!r} have shape {list(array.shape)}",
                         hint=f"it must be [cases, {', '.join(map(str, type_.shape))}]")
    if not len(array):
        raise TinycError(f"{path.name}: no samples of {name!r}", hint="some tens of typical inputs serve")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        case = int(np.argmin(np.isfinite(array.reshape(len(array), -1)).all(axis=1)))
        raise TinycError(f"{path.name}: sample {case} of {name!r} has NaN or infinite values", hint="remove it")
    if type_.dtype.is_float and array.size > 1 and array.min() == array.max():
        raise TinycError(f"{path.name}: all samples of {name!r} are the constant {float(array.flat[0]):g}",
                         hint="calibrate with typical inputs: their range decides the accuracy")
    return [np.ascontiguousarray(case, type_.dtype.numpy).reshape(type_.shape) for case in array]
