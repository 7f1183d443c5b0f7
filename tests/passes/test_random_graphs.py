# SPDX-License-Identifier: Apache-2.0
"""Random networks compute the same before and after the pipeline."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onnx_models import TARGET, Model, imported, random, run
from tinyc.passes.pipeline import PIPELINE, run_passes

SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
UNARY = ["Relu", "Sigmoid", "Tanh", "HardSwish", "LeakyRelu", "Neg", "Abs", "Softplus"]
STEPS = ["conv", "depthwise", "unary", "pool", "add", "mul", "batch_norm", "concat", "pad", "transpose", "slice",
         "softmax", "reduce", "clip", "gather", "scale"]  # fmt: skip


class Network:
    """Grows a network of 4-D values; remembers values so that branches can meet again."""

    def __init__(self, draw, quantized):
        self.draw, self.quantized, self.model, self.seed = draw, quantized, Model(opset=17), 0
        shape = (1, draw(st.integers(1, 3)), draw(st.integers(3, 6)), draw(st.integers(3, 6)))
        self.array = random(shape, draw(st.integers(0, 9)))
        self.values = [(self.observed(self.model.input("x", self.array)), shape)]

    def weights(self, shape):
        self.seed += 1
        if self.quantized:
            array = np.random.default_rng(self.seed).integers(-127, 128, shape).astype(np.int8)
            return self.model.stored(array, 0.01)
        return self.model.const(random(shape, self.seed))

    def constant(self, shape):
        self.seed += 1
        return self.model.const(random(shape, self.seed, 0.5, 1.5))

    def observed(self, value):
        """Quantized nodes have QuantizeLinear and DequantizeLinear around each result."""
        if not self.quantized:
            return value
        unsigned = self.draw(st.booleans())
        scale = self.draw(st.sampled_from([0.02, 0.05, 1 / 256]))
        zero = self.draw(st.integers(-128, 127)) + (128 if unsigned else 0)
        return self.model.quantize(value, scale, zero, np.uint8 if unsigned else np.int8)

    def step(self):
        kind = self.draw(st.sampled_from(STEPS))
        x, shape = self.draw(st.sampled_from(self.values[-3:]))
        result = getattr(self, kind)(x, shape)
        if result is not None:
            value, shape = result
            if self.draw(st.integers(0, 9)):  # now and then a result is not quantized
                value = self.observed(value)
            self.values.append((value, shape))

    def conv(self, x, shape):
        c, k = self.draw(st.integers(1, 4)), self.draw(st.sampled_from([1, 3]))
        bias = [self.constant((c,))] if self.draw(st.booleans()) else []
        if k > min(shape[2:]) + 2:
            return None
        y = self.model.add("Conv", [x, self.weights((c, shape[1], k, k)), *bias], pads=[k // 2] * 4)
        return y, (shape[0], c, *shape[2:])

    def depthwise(self, x, shape):
        return self.model.add("Conv", [x, self.weights((shape[1], 1, 1, 1))], group=shape[1]), shape

    def unary(self, x, shape):
        return self.model.add(self.draw(st.sampled_from(UNARY)), [x]), shape

    def clip(self, x, shape):
        return self.model.add("Clip", [x, self.model.const(np.float32(-0.5)), self.model.const(np.float32(0.8))]), shape

    def pool(self, x, shape):
        if min(shape[2:]) < 2:
            return None
        op = self.draw(st.sampled_from(["MaxPool", "AveragePool"]))
        return self.model.add(op, [x], kernel_shape=[2, 2]), (*shape[:2], shape[2] - 1, shape[3] - 1)

    def _partner(self, shape):
        same = [v for v, s in self.values if s == shape]
        return self.draw(st.sampled_from(same))

    def add(self, x, shape):
        return self.model.add("Add", [x, self._partner(shape)]), shape

    def mul(self, x, shape):
        return self.model.add(self.draw(st.sampled_from(["Mul", "Max", "Sub"])), [x, self._partner(shape)]), shape

    def scale(self, x, shape):
        form = self.draw(st.sampled_from([(), (1,), (shape[1], 1, 1), (1, shape[1], 1, 1), shape[2:], shape]))
        return self.model.add(self.draw(st.sampled_from(["Mul", "Add"])), [x, self.constant(form)]), shape

    def batch_norm(self, x, shape):
        return self.model.add("BatchNormalization", [x, *(self.constant((shape[1],)) for _ in range(4))]), shape

    def concat(self, x, shape):
        axis = self.draw(st.integers(1, 3))
        grown = tuple(2 * d if i == axis else d for i, d in enumerate(shape))
        if grown[axis] > 12:
            return None
        return self.model.add("Concat", [x, self._partner(shape)], axis=axis), grown

    def pad(self, x, shape):
        pads = [
            0,
            0,
            *(self.draw(st.integers(0, 1)) for _ in range(2)),
            0,
            0,
            *(self.draw(st.integers(0, 1)) for _ in range(2)),
        ]
        value = self.model.const(np.float32(self.draw(st.sampled_from([0, 0, 0.5]))))
        y = self.model.add("Pad", [x, self.model.const(np.array(pads)), value])
        return y, tuple(d + pads[i] + pads[4 + i] for i, d in enumerate(shape))

    def transpose(self, x, shape):
        perm = self.draw(st.sampled_from([[0, 2, 3, 1], [0, 3, 1, 2], [0, 1, 3, 2]]))
        return self.model.add("Transpose", [x], perm=perm), tuple(shape[p] for p in perm)

    def slice(self, x, shape):
        axis = self.draw(st.integers(1, 3))
        if shape[axis] < 2:
            return None
        operands = [self.model.const(np.array([v])) for v in (1, 99, axis)]
        return self.model.add("Slice", [x, *operands]), tuple(d - (i == axis) for i, d in enumerate(shape))

    def gather(self, x, shape):
        y = self.model.add("Gather", [x, self.model.const(np.array([0, shape[1] - 1]))], axis=1)
        return y, (shape[0], 2, *shape[2:])

    def softmax(self, x, shape):
        return self.model.add("Softmax", [x], axis=self.draw(st.integers(1, 3))), shape

    def reduce(self, x, shape):
        op = self.draw(st.sampled_from(["ReduceMean", "ReduceMax"]))
        y = self.model.add(op, [x], axes=[2, 3], keepdims=1)
        return y, (*shape[:2], 1, 1)

    def classifier(self):
        x, shape = self.values[-1]
        width = int(np.prod(shape[1:]))
        flat = self.observed(self.model.add("Flatten", [x]))
        y = self.model.add("Gemm", [flat, self.weights((width, 3)), self.constant((3,))])
        return self.observed(y)


@st.composite
def networks(draw, quantized):
    network = Network(draw, quantized)
    for _ in range(draw(st.integers(1, 9))):
        network.step()
    outputs = [network.values[-1][0]]
    if draw(st.booleans()):
        outputs.append(network.classifier())
    if draw(st.booleans()):
        outputs.append(draw(st.sampled_from(network.values))[0])
    return network.model.proto(outputs), network.array


@SETTINGS
@given(networks(quantized=False))
def test_float_networks(case):
    proto, array = case
    graph = imported(proto)
    before, after = run(graph, {"x": array}), run(run_passes(graph, TARGET), {"x": array})
    for want, have in zip(before, after, strict=True):
        np.testing.assert_allclose(have, want, 1e-4, 1e-4 * max(1.0, float(np.abs(want).max())))


@SETTINGS
@given(networks(quantized=True))
def test_quantized_networks(case):
    """Passes behind the change to integers keep every bit.

    Up to there, results are on average close to the model's QuantizeLinear and DequantizeLinear in
    floating point: each layer may round another way by a step of at most 0.05, which weights amplify.
    """
    proto, array = case
    graph = imported(proto)
    real = run(graph, {"x": array})
    names = [step.name for step in PIPELINE]
    cut = names.index("fold-dequantize") + 1
    for step in PIPELINE[:cut]:
        graph = step.run(graph, TARGET)
    before = run(graph, {"x": array})
    for want, have in zip(real, before, strict=True):
        assert np.abs(have - want).mean() <= 0.25
    for step in PIPELINE[cut:]:
        graph = step.run(graph, TARGET)
    for want, have in zip(before, run(graph, {"x": array}), strict=True):
        np.testing.assert_allclose(have, want, 1e-5, 1e-5)
