# SPDX-License-Identifier: Apache-2.0
"""Keras networks through tf2onnx and through Keras' own export, float and quantized by onnxruntime."""

from __future__ import annotations

from pathlib import Path

import pytest
from exported import check_float, check_integers, requantized
from onnxruntime.quantization import QuantFormat, QuantType

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.onnx"))
IMAGES = ("inception", "lenet", "mobilenet", "mobilenet_v3", "resnet", "unet")


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name.removesuffix(".onnx"))
def test_float(path: Path) -> None:
    check_float(path)


@pytest.mark.parametrize("path", [p for p in FILES if p.name.startswith(tuple(f"{n}.export" for n in IMAGES))],
                         ids=lambda p: p.name.removesuffix(".onnx"))
def test_quantized(path: Path, tmp_path: Path) -> None:
    check_integers(requantized(path, tmp_path, quant_format=QuantFormat.QDQ, per_channel=True,
                               activation_type=QuantType.QInt8, weight_type=QuantType.QInt8), set())
