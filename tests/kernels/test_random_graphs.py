# SPDX-License-Identifier: Apache-2.0
"""Random graphs of element-wise operators, moves and reductions: results lie on operands where kernels allow it."""

from __future__ import annotations

import numpy as np
import pytest

from support import Model, compile_proto, differences, execute, with_numpy, with_onnxruntime

RANK = 3


class Growing:
    """A model to which random operators are added; `values` maps names to shapes.

    integer: every value goes through int8, at one of a few scales.
    """

    def __init__(self, seed: int, integer: bool) -> None:
        self.model = Model(f"random{seed}", seed=seed)
        self.integer = integer
        self.rng = self.model.rng
        self.values: dict[str, tuple[int, ...]] = {}
        for name in "ab":
            shape = tuple(int(d) for d in self.rng.integers(1, 6, RANK))
            self.values[name] = shape
            if integer:
                self.model.inputs[f"{name}_8"] = self.rng.integers(-128, 128, shape).astype(np.int8)
                self.model.dequantized(f"{name}_8", 0.05, 3, result=name)
            else:
                self.model.inputs[name] = self.rng.standard_normal(shape).astype(np.float32)

    def pick(self) -> str:
        """Mostly one of the latest values, so that older ones die."""
        names = list(self.values)
        return names[max(0, len(names) - 1 - int(self.rng.geometric(0.5)) + 1)]

    def add(self, op: str, inputs: list[str], shape: tuple[int, ...], **attributes: object) -> None:
        name = f"v{len(self.values)}"
        self.values[name] = shape
        if not self.integer:
            self.model.node(op, inputs, [name], **attributes)
            return
        scale, zero = ((0.05, 3), (0.02, -20))[int(self.rng.random() < 0.2)]
        self.model.node(op, inputs, [f"{name}_f"], **attributes)
        self.model.quantized(f"{name}_f", f"{name}_8", scale, zero)
        self.model.dequantized(f"{name}_8", scale, zero, result=name)

    def const(self, values: object) -> str:
        return self.model.const(f"c{len(self.model.initializers)}", np.array(values, np.int64))

    def grow(self) -> None:
        x = self.pick()
        shape, axis = self.values[x], int(self.rng.integers(RANK))
        kind = int(self.rng.integers(10))
        if kind < 2:
            self.add(str(self.rng.choice(["Tanh", "Sigmoid", "Relu", "Abs", "HardSwish", "Neg"])), [x], shape)
        elif kind < 5:
            other = self.pick()
            small = self.values[other]
            if any(d not in (1, e) for d, e in zip(small, shape, strict=True)):
                self.add("ReduceMean", [other, self.const(range(RANK))], (1,) * RANK)
                other = list(self.values)[-1]
            operands = [x, other] if self.rng.random() < 0.5 else [other, x]
            self.add(str(self.rng.choice(["Add", "Sub", "Max", "Min"])), operands, shape)
        elif kind == 5:
            perm = [int(p) for p in self.rng.permutation(RANK)]
            self.add("Transpose", [x], tuple(shape[p] for p in perm), perm=perm)
        elif kind == 6:
            op = str(self.rng.choice(["ReduceMean", "ReduceMax", "ReduceMin"]))
            self.add(op, [x, self.const([axis])], tuple(1 if k == axis else d for k, d in enumerate(shape)))
        elif kind == 7:
            joined = [x] * int(self.rng.integers(1, 3)) if shape[axis] < 12 else [x]
            longer = tuple(d * len(joined) if k == axis else d for k, d in enumerate(shape))
            self.add("Concat", joined, longer, axis=axis)
        elif kind == 8 and shape[axis] > 1:
            kept = shape[axis] // 2 + 1
            bounds = [self.const([v]) for v in (shape[axis] - 1, shape[axis] - kept - 1 - shape[axis], axis, -1)]
            self.add("Slice", [x, *bounds], tuple(kept if k == axis else d for k, d in enumerate(shape)))
        else:
            self.add("Softmax", [x], shape, axis=axis)

    def finished(self) -> Model:
        read = {i for node in self.model.nodes for i in node.input}
        self.model.outputs = [v for v in self.values if v not in read and v not in "ab"]
        if self.integer:
            self.model.nodes = [n for n in self.model.nodes if n.output[0] not in self.model.outputs]
            self.model.outputs = [f"{v}_8" for v in self.model.outputs]
        return self.model


def random_model(seed: int, integer: bool = False, size: int = 30) -> Model:
    growing = Growing(seed, integer)
    while len(growing.values) < size:
        growing.grow()
    return growing.finished()


@pytest.mark.parametrize("seed", range(6))
def test_random_graph(seed: int) -> None:
    model = random_model(seed)
    proto = model.proto()
    compiled = compile_proto(proto, plan_effort=0.05)
    got = execute(compiled, model.inputs, sanitize=seed % 2 == 0, extra_cflags=("-O1",) if seed % 2 == 0 else ())
    assert not differences(got, with_onnxruntime(proto, model.inputs), 1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_random_integer_graph(seed: int) -> None:
    model = random_model(seed, True)
    compiled = compile_proto(model.proto(), plan_effort=0.05)
    got = execute(compiled, model.inputs, sanitize=seed % 2 == 0, extra_cflags=("-O1",) if seed % 2 == 0 else ())
    assert not differences(got, with_numpy(compiled, model.inputs), 0)
