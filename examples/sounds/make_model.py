# SPDX-License-Identifier: Apache-2.0
"""Makes sounds.onnx: from samples to a label in one model, as a keyword spotter has it.

    python make_model.py [--out DIR]

Half a second of sound (int16, 8 kHz) goes through a Hann window and a short-time Fourier transform, bands on the mel
scale and a logarithm, all of it ONNX operators in the graph, then through a small convolutional network. It tells
rising and falling tones, steady tones and noise apart. The convolutions are random and stay so; the last layer is
fitted to their features by least squares, so that no training framework is needed. sounds_test.npz has sounds that the
fit has not seen, their labels and onnxruntime's results.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

RATE, SAMPLES, FRAME, STEP, BANDS = 8000, 4000, 256, 128, 16
LABELS = ("rising", "falling", "steady", "noise")
SEED, FITTED, TESTED = 3, 600, 10
FEATURES = 128


def sound(rng: np.random.Generator, label: int) -> np.ndarray:
    """A sound as int16 samples."""
    t = np.arange(SAMPLES) / RATE
    low, high = rng.uniform(300, 900), rng.uniform(1400, 3000)
    first, last = ((low, high), (high, low), (low, low), (0.0, 0.0))[label]
    if label == 2 and rng.random() < 0.5:
        first = last = high
    phase = 2 * np.pi * (first * t + (last - first) * t * t * RATE / (2 * SAMPLES))
    tone = np.sin(phase + rng.uniform(0, 6)) * rng.uniform(0.2, 0.8) if label < 3 else 0.0
    hiss = rng.standard_normal(SAMPLES) * (rng.uniform(0.1, 0.3) if label == 3 else rng.uniform(0.005, 0.05))
    return np.clip(32767 * (tone + hiss), -32768, 32767).astype(np.int16)


def front_end(constants: dict[str, np.ndarray]) -> list[onnx.NodeProto]:
    """From samples [1, n] to logarithms of band energies [1, 1, frames, bands]."""
    node = helper.make_node
    constants.update({
        "full_scale": np.array(1 / 32768, np.float32), "last": np.array([2], np.int64),
        "step": np.array(STEP, np.int64), "frame": np.array(FRAME, np.int64), "bands": np.array(BANDS, np.int64),
        "rate": np.array(RATE, np.int64), "lowest": np.array(80, np.float32),
        "highest": np.array(3800, np.float32), "parts": np.array([3], np.int64), "floor": np.array(1e-6, np.float32),
        "channel": np.array([1], np.int64),
    })
    return [
        node("Cast", ["samples"], ["real"], "as_float", to=TensorProto.FLOAT),
        node("Mul", ["real", "full_scale"], ["scaled"], "scale"),
        node("Unsqueeze", ["scaled", "last"], ["signal"], "signal"),
        node("HannWindow", ["frame"], ["window"], "window"),
        node("STFT", ["signal", "step", "window", "frame"], ["spectrum"], "stft", onesided=1),
        node("Mul", ["spectrum", "spectrum"], ["squares"], "squares"),
        node("ReduceSum", ["squares", "parts"], ["power"], "power", keepdims=0),
        node("MelWeightMatrix", ["bands", "frame", "rate", "lowest", "highest"], ["mel"], "mel"),
        node("MatMul", ["power", "mel"], ["energies"], "energies"),
        node("Add", ["energies", "floor"], ["raised"], "floor"),
        node("Log", ["raised"], ["logarithms"], "log"),
        node("Unsqueeze", ["logarithms", "channel"], ["image"], "image"),
    ]


def network(constants: dict[str, np.ndarray], rng: np.random.Generator) -> list[onnx.NodeProto]:
    """From [1, 1, frames, bands] to features [1, n]."""
    node, nodes, source = helper.make_node, [], "image"
    for k, (inputs, outputs) in enumerate(((1, 8), (8, 16))):
        weights = rng.standard_normal((outputs, inputs, 3, 3))
        weights -= weights.mean((1, 2, 3), keepdims=True)  # edges, not levels
        constants[f"weights{k}"] = (weights / np.sqrt(9 * inputs)).astype(np.float32)
        constants[f"bias{k}"] = rng.uniform(-0.2, 0.2, outputs).astype(np.float32)
        nodes += [
            node("Conv", [source, f"weights{k}", f"bias{k}"], [f"conv{k}"], f"conv{k}", strides=[2, 2],
                 pads=[1, 1, 1, 1]),
            node("Relu", [f"conv{k}"], [f"relu{k}"], f"relu{k}"),
        ]
        source = f"relu{k}"
    nodes.append(node("AveragePool", [source], ["pooled"], "pool", kernel_shape=[2, 2], strides=[2, 2]))
    nodes.append(node("Flatten", ["pooled"], ["features"], "flatten"))
    return nodes


def model(
    nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray], outputs: list[onnx.ValueInfoProto]
) -> onnx.ModelProto:
    samples = helper.make_tensor_value_info("samples", TensorProto.INT16, [1, SAMPLES])
    graph = helper.make_graph(nodes, "sounds", [samples], outputs,
                              [numpy_helper.from_array(a, n) for n, a in constants.items()])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
                             producer_name="tinyc example")
    onnx.checker.check_model(made, full_check=True)
    return made


def run(made: onnx.ModelProto, sounds: np.ndarray) -> list[np.ndarray]:
    """onnxruntime's outputs, the sounds one by one."""
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    results = [session.run(None, {"samples": s[None]}) for s in sounds]
    return [np.stack(column) for column in zip(*results, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent)
    out = parser.parse_args().out
    rng = np.random.default_rng(SEED)
    constants: dict[str, np.ndarray] = {}
    nodes = front_end(constants) + network(constants, rng)
    info = helper.make_tensor_value_info
    labels = rng.integers(0, len(LABELS), FITTED + TESTED)
    sounds = np.stack([sound(rng, int(k)) for k in labels])
    (features,) = run(model(nodes, constants, [info("features", TensorProto.FLOAT, [1, FEATURES])]), sounds)
    features = features[:, 0]
    seen = np.hstack([features[:FITTED], np.ones((FITTED, 1))]).astype(np.float64)
    wanted = np.eye(len(LABELS))[labels[:FITTED]]
    fitted = np.linalg.solve(seen.T @ seen + 0.1 * np.eye(seen.shape[1]), seen.T @ wanted)
    constants["last_weights"] = fitted[:-1].astype(np.float32)
    constants["last_bias"] = fitted[-1].astype(np.float32)
    nodes += [helper.make_node("Gemm", ["features", "last_weights", "last_bias"], ["scores"], "scores"),
              helper.make_node("ArgMax", ["scores"], ["label"], "label", axis=1, keepdims=0)]
    whole = model(nodes, constants, [info("scores", TensorProto.FLOAT, [1, len(LABELS)]),
                                     info("label", TensorProto.INT64, [1])])
    scores, found = run(whole, sounds[FITTED:])
    onnx.save(whole, out / "sounds.onnx")
    np.savez_compressed(out / "sounds_test.npz", **{
        "in:samples": sounds[FITTED:, None], "out:scores": scores, "out:label": found, "truth": labels[FITTED:]})
    print(f"{(found[:, 0] == labels[FITTED:]).sum()} of {TESTED} sounds told right")


if __name__ == "__main__":
    main()
