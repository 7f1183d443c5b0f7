# SPDX-License-Identifier: Apache-2.0
"""Trains the digits model and writes the ONNX files and the test split beside this script.

    pip install torch onnxscript onnx onnxruntime sympy scikit-learn
    python train.py

It takes some seconds on one core. The committed files were written with PyTorch 2.13; another version may
give other weights of about the same accuracy.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

HERE = Path(__file__).resolve().parent
EPOCHS = 60
BATCH = 64
SEED = 0


class Digits(nn.Module):
    """Two convolutions and a classifier for images [batch, 1, 8, 8] with values from 0 to 1."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Dropout(0.25), nn.Linear(32 * 2 * 2, 10))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(image))


class Images(CalibrationDataReader):
    """Feeds images to the calibration of the int8 model, one at a time."""

    def __init__(self, images: np.ndarray) -> None:
        self.rest: Iterator[np.ndarray] = iter(images)

    def get_next(self) -> dict[str, np.ndarray] | None:
        image = next(self.rest, None)
        return None if image is None else {"image": image[None]}


def shifted(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Each batch moved by up to one pixel: there are few images to learn from."""
    dy, dx = (int(d) for d in torch.randint(-1, 2, (2,), generator=generator))
    padded = nn.functional.pad(images, (1, 1, 1, 1))
    return padded[:, :, 1 + dy : 9 + dy, 1 + dx : 9 + dx]


def train(images: np.ndarray, labels: np.ndarray) -> Digits:
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(SEED)
    model = Digits()
    x, y = torch.from_numpy(images), torch.from_numpy(labels)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    steps = EPOCHS * -(-len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, total_steps=steps)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x), generator=generator).split(BATCH):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(shifted(x[batch], generator)), y[batch])
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()


def export(model: Digits, path: Path) -> None:
    """One file, weights inside, a fixed batch of 1; no trace of the paths of the machine that wrote it."""
    program = torch.onnx.export(
        model, (torch.zeros(1, 1, 8, 8),), input_names=["image"], output_names=["logits"], dynamo=True,
        verbose=False,
    )
    exported = program.model_proto
    for node in exported.graph.node:
        del node.metadata_props[:]
    for value in [*exported.graph.input, *exported.graph.output, *exported.graph.value_info]:
        del value.metadata_props[:]
    onnx.save(exported, path)


def quantize(float_model: Path, int8_model: Path, images: np.ndarray) -> None:
    """Post-training quantization to int8: per-channel symmetric weights, QDQ form."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(float_model, prepared)
        quantize_static(
            prepared, int8_model, Images(images), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QInt8, weight_type=QuantType.QInt8,
        )


def accuracy(path: Path, images: np.ndarray, labels: np.ndarray) -> float:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    found = [int(session.run(None, {"image": image[None]})[0].argmax()) for image in images]
    return float(np.mean(np.array(found) == labels))


def main() -> None:
    digits = load_digits()
    images = (digits.images[:, None] / 16.0).astype(np.float32)
    x_train, x_test, y_train, y_test = train_test_split(
        images, digits.target.astype(np.int64), test_size=0.2, random_state=SEED, stratify=digits.target
    )
    float_model, int8_model = HERE / "digits_f32.onnx", HERE / "digits_int8.onnx"
    export(train(x_train, y_train), float_model)
    quantize(float_model, int8_model, x_train[:200])
    np.savez_compressed(HERE / "digits_test.npz", input=x_test, label=y_test.astype(np.uint8))
    for path in (float_model, int8_model):
        print(f"{path.name}: accuracy {accuracy(path, x_test, y_test):.4f} over {len(x_test)} images (onnxruntime)")


if __name__ == "__main__":
    main()
