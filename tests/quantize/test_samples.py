# SPDX-License-Identifier: Apache-2.0
"""Samples for calibration: every accepted form, and one clear error for each that is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

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


@pytest.mark.parametrize(("array", "message"), [
    (np.zeros((3, 4, 8, 7), np.float32), "shape"),
    (np.zeros((0, 4, 8, 8), np.float32), "no samples"),
    (np.full((3, 4, 8, 8), np.nan, np.float32), "NaN"),
    (np.full((3, 4, 8, 8), np.inf, np.float32), "infinite"),
    (np.full((3, 4, 8, 8), 0.5, np.float32), "constant"),
    (np.full((3, 4, 8, 8), "x"), "samples of 'image' are"),
    (np.float32(1), "shape"),
])
def test_unusable_arrays(tmp_path: Path, model: Path, array: np.ndarray, message: str) -> None:
    np.savez(tmp_path / "bad.npz", input=array)
    with pytest.raises(TinycError, match=message):
        load(tmp_path / "bad.npz", model)


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
