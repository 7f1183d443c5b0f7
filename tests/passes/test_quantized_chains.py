# SPDX-License-Identifier: Apache-2.0
"""Random operators between one DequantizeLinear and one QuantizeLinear, as quantizers leave them, against onnxruntime.

The passes make tables, depthwise convolutions and scales of their own of these; on average the result must stay within
a step and a half of the float evaluation, or 16 of the finer steps of 16 bits.
"""

import numpy as np
import onnx
import pytest

from support import Model, graph_of, with_onnxruntime
from tinyc.ir.evaluate import evaluate

F32 = np.float32
SHAPES = ((2, 3, 4, 5), (1, 4, 6), (3, 7), (2, 5, 3, 3))
UNARY = ("Tanh", "Sigmoid", "Relu", "Abs", "Gelu")
OPS = ("Mul", "Add", "Sub", "Div", "From", "Factor", "Offset", *UNARY, "Clip", "Square", "Gate", "Pow", "AveragePool",
       "Second", "Transpose", "Full", "Max")


class Chain:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.model = Model("chain", seed=seed)
        self.shape = SHAPES[self.rng.integers(len(SHAPES))]
        self.dtype = (np.int8, np.uint8, np.int16, np.uint16)[self.rng.choice(4, p=(0.4, 0.3, 0.2, 0.1))]
        self.info = np.iinfo(self.dtype)
        self.values = [self.operand(name) for name in ("x", "z")]
        self.current, self.count = self.values[0], 0
        for op in self.rng.choice(OPS, self.rng.integers(2, 8)):
            self.add(str(op))

    def operand(self, name):
        low, high = int(self.info.min), int(self.info.max)
        self.model.inputs[name] = self.rng.integers(low, high + 1, self.shape).astype(self.dtype)
        scale = float(self.rng.uniform(0.01, 0.05) * 256 / (high - low + 1))
        return self.model.dequantized(name, scale, int(self.rng.integers(low // 2, high // 2)), self.dtype)

    def const(self, shape, positive=False):
        self.count += 1
        data = self.rng.uniform(0.3, 2, shape) if positive else self.rng.standard_normal(shape)
        return self.model.const(f"c{self.count}", np.asarray(data, F32))

    def channels(self):
        rank = len(self.shape)
        axis = 1 if self.rng.random() < 0.6 else rank - 1
        return [n if k == axis else 1 for k, n in enumerate(self.shape)]

    def node(self, op, operands, **attributes):
        self.count += 1
        self.model.node(op, operands, [f"v{self.count}"], **attributes)
        self.current = f"v{self.count}"

    def add(self, op):
        x, rank = self.current, len(self.shape)
        if op in ("Mul", "Add", "Sub"):
            self.node(op, [x, self.const(())])
        elif op == "Div":
            self.node(op, [x, self.const((), True)])
        elif op == "From":
            self.node("Sub", [self.const((1,)), x])
        elif op == "Factor":
            self.node("Mul", [x, self.const(self.channels())])
        elif op == "Offset":
            self.node("Add", [self.const(self.channels()), x])
        elif op in UNARY:
            self.node(op, [x])
        elif op == "Clip":
            self.node(op, [x, self.model.const(f"{x}_low", F32(-0.5)), self.model.const(f"{x}_high", F32(0.8))])
        elif op == "Square":
            self.node("Mul", [x, x])
        elif op == "Gate":
            self.node("Sigmoid", [x])
            self.node("Mul", [x, self.current])
        elif op == "Pow":
            self.node(op, [x, self.model.const(f"{x}_two", F32(2))])
        elif op == "AveragePool" and rank == 4:
            self.node(op, [x], kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        elif op == "Second":
            self.node("Add", [x, self.values[1]])
        elif op == "Transpose" and self.shape[-1] == self.shape[-2]:
            self.node(op, [x], perm=[*range(rank - 2), rank - 1, rank - 2])
        elif op == "Full":
            self.node("Add", [x, self.const(self.shape)])
        elif op == "Max":
            self.node(op, [x, self.const(self.channels())])

    def quantized(self):
        """The model with its result quantized to the range that it has."""
        m = self.model
        m.outputs = [self.current]
        real = self.reference(m.proto())[self.current]
        low, high = min(float(real.min()), 0.0), max(float(real.max()), 0.0)
        scale = max((high - low) / (int(self.info.max) - int(self.info.min)), 1e-6)
        zero = int(np.clip(round(int(self.info.min) - low / scale), self.info.min, self.info.max))
        m.outputs = [m.quantized(self.current, "y", scale, zero, self.dtype)]
        return m.proto()

    def reference(self, proto: onnx.ModelProto):
        return with_onnxruntime(proto, self.model.inputs)


@pytest.mark.parametrize("seeds", [range(k, k + 20) for k in range(0, 120, 20)], ids=lambda s: str(s.start))
def test_near_the_float_evaluation(seeds):
    for seed in seeds:
        chain = Chain(seed)
        if chain.current == chain.values[0]:
            continue
        proto = chain.quantized()
        got = evaluate(graph_of(proto), chain.model.inputs)["y"].astype(int)
        want = chain.reference(proto)["y"].astype(int)
        assert np.abs(got - want).mean() <= (1.5 if chain.info.bits == 8 else 16), f"seed {seed}"
