# SPDX-License-Identifier: Apache-2.0
"""Trains the float models of this folder and writes each as ONNX, with cases and their labels as .npz.

Needs PyTorch (2.13.0 made the files here), which tinyc's tests do not. The data ships with scikit-learn (handwritten
digits) or is generated (three-axis motion of four kinds). Half of it trains, the other half are the cases.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

HERE = Path(__file__).resolve().parent
CASES = 128


def digits() -> tuple[np.ndarray, np.ndarray]:
    images, labels = load_digits(return_X_y=True)
    return (images / 16).astype(np.float32).reshape(-1, 1, 8, 8), labels


def motions(count: int = 1600) -> tuple[np.ndarray, np.ndarray]:
    """[count, 3, 64]: rest, walking, shaking and a single bump, each with gravity in a direction of its own."""
    rng = np.random.default_rng(0)
    time = np.arange(64) / 32
    signals, labels = [], rng.integers(0, 4, count)
    for label in labels:
        gravity = rng.normal(size=3)
        signal = np.repeat((gravity / np.linalg.norm(gravity))[:, None], 64, 1) + rng.normal(size=(3, 64)) * 0.05
        axis, phase = rng.normal(size=3), rng.uniform(0, 2 * np.pi, size=(3, 1))
        axis /= np.linalg.norm(axis)
        if label == 1:
            signal += axis[:, None] * np.sin(2 * np.pi * rng.uniform(1.5, 2.5) * time + phase) * rng.uniform(0.3, 0.8)
        elif label == 2:
            signal += axis[:, None] * np.sin(2 * np.pi * rng.uniform(5, 9) * time + phase) * rng.uniform(0.5, 3.0)
        elif label == 3:
            place, width = rng.uniform(0.4, 1.6), rng.uniform(0.03, 0.1)
            signal += axis[:, None] * np.exp(-np.square((time - place) / width)) * rng.uniform(1.0, 4.0)
        signals.append(signal)
    return np.stack(signals).astype(np.float32), labels


def conv(channels_in: int, channels: int, kernel: int, stride: int = 1, group: int = 1,
         act: type[nn.Module] | None = nn.ReLU) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(channels_in, channels, kernel, stride, kernel // 2, groups=group, bias=False),
                               nn.BatchNorm2d(channels)]
    return nn.Sequential(*layers, *([act()] if act else []))


class Residual(nn.Module):
    def __init__(self, *layers: nn.Module, act: nn.Module | None = None) -> None:
        super().__init__()
        self.body, self.act = nn.Sequential(*layers), act or nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(x + self.body(x))


def inverted(channels: int, factor: int = 4) -> Residual:
    wide = channels * factor
    return Residual(conv(channels, wide, 1, act=nn.ReLU6), conv(wide, wide, 3, group=wide, act=nn.ReLU6),
                    conv(wide, channels, 1, act=None))


def head(channels: int, classes: int) -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)]


def mobilenet() -> nn.Module:
    down = [conv(12, 48, 1, act=nn.ReLU6), conv(48, 48, 3, 2, 48, act=nn.ReLU6), conv(48, 16, 1, act=None)]
    return nn.Sequential(conv(1, 12, 3, act=nn.ReLU6), inverted(12), *down, inverted(16), inverted(16),
                         conv(16, 48, 1, act=nn.ReLU6), *head(48, 10))


def residual() -> nn.Module:
    def block(channels: int) -> Residual:
        return Residual(conv(channels, channels, 3), conv(channels, channels, 3, act=None), act=nn.ReLU())

    return nn.Sequential(conv(1, 16, 3), block(16), conv(16, 32, 3, 2), block(32), block(32), *head(32, 10))


def sensor_cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv1d(3, 16, 5, 2, 2), nn.ReLU(), nn.Conv1d(16, 24, 5, 2, 2), nn.ReLU(), nn.Conv1d(24, 32, 3, 1, 1),
        nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(32, 4))


class Gru(nn.Module):
    """Reads a digit row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.gru, self.out = nn.GRU(8, 32), nn.Linear(32, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        _, state = self.gru(x.reshape(x.shape[0], 8, 8).transpose(0, 1))
        return self.out(state[0])


def train(model: nn.Module, x: np.ndarray, y: np.ndarray, epochs: int) -> None:
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    inputs, labels = torch.from_numpy(x), torch.from_numpy(y)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(32):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs[rows]), labels[rows]).backward()
            optimizer.step()


def main() -> None:
    torch.set_num_threads(1)
    pictures, signals = digits(), motions()
    for name, model, (x, y), epochs in (
        ("sensor_cnn", sensor_cnn(), signals, 15), ("gru", Gru(), pictures, 30),
        ("mobilenet", mobilenet(), pictures, 12), ("residual", residual(), pictures, 8),
    ):
        torch.manual_seed(0)
        train(model, x[::2], y[::2], epochs)
        model.eval()
        cases, labels = x[1::2][:CASES], y[1::2][:CASES]
        with torch.no_grad():
            right = float((model(torch.from_numpy(x[1::2])).argmax(1).numpy() == y[1::2]).mean())
        torch.onnx.export(model, (torch.from_numpy(cases[:1]),), HERE / f"{name}.onnx", input_names=["input"],
                          output_names=["output"], opset_version=17, dynamo=False)
        np.savez_compressed(HERE / f"{name}.npz", input=cases, labels=labels)
        print(f"{name}: {right:.1%} of the unseen half right")


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
