# SPDX-License-Identifier: Apache-2.0
"""Samples for calibration: every accepted form, and one clear error for each that is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from command_line import refuse_compile
from small_models import residual_net, two_ports_net
from tinyc.errors import TinycError
from tinyc.frontend import import_model
from tinyc.quantize.samples import load_samples

SHAPE = (1, 4, 8, 8)


def load(path: Path, model: Path) -> list[dict[str, np.ndarray]]:
    imported = import_model(model)
    return load_samples(path, imported.graph, imported.input_names)


@pytest.fixture()
def model(tmp_path: Path) -> Path:
    return residual_net(tmp_path / "net.onnx", int8=False)


def images(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, *SHAPE[1:])).astype(np.float32)


def test_forms_agree(tmp_path: Path, model: Path) -> None:
    data = images(3)
    np.savez(tmp_path / "plain.npz", input=data)
    np.savez(tmp_path / "named.npz", **{"in:image": data[:, np.newaxis], "out:other": np.zeros(3)})
    np.save(tmp_path / "array.npy", data)
    folder = tmp_path / "folder"
    folder.mkdir()
    for k, image in enumerate(data):
        np.save(folder / f"{k}.npy", image[np.newaxis])
    for path in (tmp_path / "plain.npz", tmp_path / "named.npz", tmp_path / "array.npy", folder):
        samples = load(path, model)
        assert [s["image"].shape for s in samples] == [SHAPE] * 3, path
        assert all(np.array_equal(s["image"][0], image) for s, image in zip(samples, data, strict=True))


def test_several_inputs(tmp_path: Path) -> None:
    model = two_ports_net(tmp_path / "two.onnx")
    values = np.arange(8, dtype=np.float32).reshape(2, 4)
    np.savez(tmp_path / "two.npz", **{"in:left": values, "in:right": values + 1})
    samples = load(tmp_path / "two.npz", model)
    assert len(samples) == 2 and np.array_equal(samples[1]["right"], values[1] + 1)
    np.savez(tmp_path / "uneven.npz", **{"in:left": values, "in:right": values[:1]})
    with pytest.raises(TinycError, match="number of cases"):
        load(tmp_path / "uneven.npz", model)
    np.save(tmp_path / "one.npy", values)
    with pytest.raises(TinycError, match="no array for input 'left'"):
        load(tmp_path / "one.npy", model)


def save(form: str, array: np.ndarray, path: Path) -> Path:
    """The array as an .npz, as an .npy, or as a folder with an .npy for each case."""
    if form == "npz":
        np.savez(path.with_suffix(".npz"), input=array)
    elif form == "npy":
        np.save(path.with_suffix(".npy"), array)
    else:
        path.mkdir()
        for k, case in enumerate(array):
            np.save(path / f"{k}.npy", case)
    return path if form == "folder" else path.with_suffix(f".{form}")


def damaged(value: float) -> np.ndarray:
    """One element of one case is no number."""
    array = images(3)
    array[1, 2, 3, 4] = value
    return array


@pytest.mark.parametrize("form", ["npz", "npy", "folder"])
@pytest.mark.parametrize(("array", "message"), [
    (np.zeros((3, 4, 8, 7), np.float32), r"shape \[3, 4, 8, 7\]"),
    (np.zeros((3, 4, 8), np.float32), r"shape \[3, 4, 8\]"),
    (np.full((3, 4, 8, 8), np.nan, np.float32), "NaN"),
    (damaged(np.nan), "sample 1 of 'image' has NaN"),
    (damaged(-np.inf), "sample 1 of 'image' has NaN or infinite"),
    (np.full((3, 4, 8, 8), 0.5, np.float32), "constant 0.5"),
    (np.full((3, 4, 8, 8), "x"), "samples of 'image' are"),
])
def test_unusable_arrays(tmp_path: Path, model: Path, array: np.ndarray, message: str, form: str) -> None:
    with pytest.raises(TinycError, match=message) as error:
        load(save(form, array, tmp_path / "bad"), model)
    assert error.value.hint


@pytest.mark.parametrize("form", ["npz", "npy"])
@pytest.mark.parametrize(("array", "message"), [
    (np.zeros((0, 4, 8, 8), np.float32), "no samples"),
    (np.float32(1), "shape"),
])
def test_no_cases(tmp_path: Path, model: Path, array: np.ndarray, message: str, form: str) -> None:
    with pytest.raises(TinycError, match=message):
        load(save(form, np.asarray(array), tmp_path / "bad"), model)


@pytest.mark.parametrize("name", ["empty.npz", "empty.npy", "folder"])
def test_the_command_line_refuses_an_empty_file(tmp_path: Path, model: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    for file in ("empty.npz", "empty.npy", "folder/0.npy"):
        (tmp_path / file).write_bytes(b"")
    assert "cannot read samples" in refuse_compile(model, "--calibrate", tmp_path / name)


def test_unusable_files(tmp_path: Path, model: Path) -> None:
    (tmp_path / "text.npz").write_text("not an archive")
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "nothing").mkdir()
    np.savez(tmp_path / "wrong.npz", picture=images(1))
    np.savez(tmp_path / "objects.npz", input=np.array([{"a": 1}], object))
    for name, message in (("text.npz", "cannot read"), ("empty.npz", "cannot read"), ("absent.npz", "cannot read"),
                          ("nothing", "no .npy file"), ("wrong.npz", "no array for input"),
                          ("objects.npz", "cannot read")):
        with pytest.raises(TinycError, match=message):
            load(tmp_path / name, model)
    folder = tmp_path / "uneven"
    folder.mkdir()
    np.save(folder / "a.npy", images(1)[0])
    np.save(folder / "b.npy", images(1))
    with pytest.raises(TinycError, match="differ in shape"):
        load(folder, model)
