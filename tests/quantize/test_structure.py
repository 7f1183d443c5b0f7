# SPDX-License-Identifier: Apache-2.0
"""Calibration of pruned and clustered float networks keeps what their flash depends on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge

from tinyc.cases import load_cases
from tinyc.compiler import Compiled, Request, compile_model
from tinyc.profiling import linked_size
from tinyc.quantization import QuantizeRequest
from tinyc.quantize.rounding import channel_scales, reconstruct
from tinyc.quantize.structure import is_clustered, is_sparse
from tinyc.targets import load_target
from tinyc.verification import run_cases

ZEROS = 0.9
HIDDEN = 128


def pruned(weights: np.ndarray) -> np.ndarray:
    """The smallest magnitudes are zero."""
    return np.where(np.abs(weights) < np.quantile(np.abs(weights), ZEROS), 0, weights).astype(np.float32)


def clustered(weights: np.ndarray) -> np.ndarray:
    """Each row's values at the centres of 16 bins."""
    low, high = weights.min(1, keepdims=True), weights.max(1, keepdims=True)
    step = (high - low) / 16
    return (low + (np.clip((weights - low) // step, 0, 15) + 0.5) * step).astype(np.float32)


def plain(weights: np.ndarray) -> np.ndarray:
    return weights.astype(np.float32)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    images, labels = load_digits(return_X_y=True)
    return (images / 16).astype(np.float32), labels


def save(folder: Path, data: tuple[np.ndarray, np.ndarray], change) -> Path:
    """Two layers of random features, the last one fitted to the digits; `change` is made to the first two's weights."""
    images, labels = data
    rng = np.random.default_rng(4)
    first = change(rng.normal(size=(HIDDEN, 64)) / 4)
    second = change(rng.normal(size=(HIDDEN, HIDDEN)) / 6)
    bias = [rng.normal(size=HIDDEN).astype(np.float32) / 4 for _ in range(2)]
    hidden = np.maximum(np.maximum(images @ first.T + bias[0], 0) @ second.T + bias[1], 0)
    last = Ridge(1.0).fit(hidden[:1200], np.eye(10)[labels[:1200]])
    layers = [(first, bias[0]), (second, bias[1]), (last.coef_.astype(np.float32), last.intercept_.astype(np.float32))]
    nodes, constants, x = [], [], "input"
    for k, (w, b) in enumerate(layers):
        constants += [numpy_helper.from_array(w, f"w{k}"), numpy_helper.from_array(b, f"b{k}")]
        y = "output" if k == 2 else f"y{k}"
        nodes.append(helper.make_node("Gemm", [x, f"w{k}", f"b{k}"], [y], f"gemm{k}", transB=1))
        x = y
        if k < 2:
            nodes.append(helper.make_node("Relu", [y], [f"r{k}"], f"relu{k}"))
            x = f"r{k}"
    graph = helper.make_graph(
        nodes, "digits", [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 64])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 10])], constants)
    path = folder / f"{change.__name__}.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    np.savez(folder / "samples.npz", input=images[:16, None])
    np.savez(folder / "test.npz", input=images[1200:1300, None])
    return path


def compiled(model: Path, target: str, optimize: str = "default") -> Compiled:
    quantize = QuantizeRequest(samples=model.with_name("samples.npz"))
    return compile_model(Request(model, load_target(target), optimize=optimize, quantize=quantize), lambda text: None)


def filters(result: Compiled) -> list[np.ndarray]:
    return [result.graph.data(n.inputs[1]) for n in result.graph.nodes() if n.op == "Gemm"]


@pytest.fixture(scope="module")
def usual(digits: tuple[np.ndarray, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> int:
    """Flash of the network as it is."""
    return linked_size(compiled(save(tmp_path_factory.mktemp("plain"), digits, plain), "cortex-m4", "size")).flash


@pytest.mark.slow
@pytest.mark.parametrize("change", (pruned, clustered))
def test_structure_survives_and_saves_flash(
    change, digits: tuple[np.ndarray, np.ndarray], usual: int, tmp_path: Path
) -> None:
    kind = {"pruned": "sparse", "clustered": "clustered"}[change.__name__]
    result = compiled(save(tmp_path, digits, change), "cortex-m4", "size")
    for real, rounded in zip(real_weights(tmp_path / f"{change.__name__}.onnx"), filters(result)[:2], strict=True):
        if change is pruned:
            assert np.count_nonzero(rounded) <= np.count_nonzero(real) and is_sparse(rounded)
        else:
            assert is_clustered(rounded)
    kernels = [layer["kernel"] for layer in result.report["layers"] if layer["op"] == "Gemm"]
    assert [kind in kernel for kernel in kernels] == [True, True, False]
    assert linked_size(result).flash < {"pruned": 0.45, "clustered": 0.8}[change.__name__] * usual
    cases = load_cases(tmp_path / "test.npz", result.emitted.inputs, result.emitted.outputs)
    outputs, _ = run_cases(result, cases)
    right = [int(np.argmax(got[0])) == label for got, label in zip(outputs, digits[1][1200:1300], strict=True)]
    assert np.mean(right) > 0.85


def real_weights(path: Path) -> list[np.ndarray]:
    return [numpy_helper.to_array(i) for i in onnx.load(path).graph.initializer if i.name in ("w0", "w1")]


def test_reconstruction_keeps_zeros_where_asked() -> None:
    rng = np.random.default_rng(3)
    inputs = rng.normal(size=(400, 24)) @ rng.normal(size=(24, 24))
    weights = rng.normal(size=(10, 24)) * (rng.random((10, 24)) < 0.3)
    scales, covariance = channel_scales(weights), inputs.T @ inputs / 400
    moved = reconstruct(weights, scales, covariance)
    kept = reconstruct(weights, scales, covariance, kept=weights != 0)
    assert (moved[weights == 0] != 0).any() and (kept[weights == 0] == 0).all()
    nearest = np.rint(weights / scales[:, None])
    errors = [np.square(inputs @ (r * scales[:, None] - weights).T).sum() for r in (kept, nearest)]
    assert errors[0] < errors[1]


def test_what_has_structure() -> None:
    assert is_sparse(np.array([[0, 0, 1.0]])) and not is_sparse(np.array([[0, 1.0]]))
    many = np.tile(np.arange(16.0), 4)[None]
    assert is_clustered(many) and not is_clustered(np.append(many, [[16.0]], axis=1)) and not is_clustered(many[:, :32])
