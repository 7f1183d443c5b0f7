# SPDX-License-Identifier: Apache-2.0
"""int8 LayerNormalization and RMSNormalization: C equal to the NumPy evaluation, both near onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest

from support import Const, Model, Q, compile_proto, execute, with_numpy, with_onnxruntime


def cases(m: Model, op: str) -> None:
    def real(*shape: int) -> Const:
        return Const((m.rng.standard_normal(shape) * 1.5).astype(np.float32))

    for k, (shape, axis, zero) in enumerate((((3, 16), -1, 3), ((2, 3, 4, 5), 2, -40), ((1, 7), 1, 127),
                                             ((2, 1), 1, 0), ((2, 300), 1, -128))):
        row = shape[axis:]
        shift = [real(*row)] if op == "LayerNormalization" else []
        m.int8(f"{op}{k}", op, Q(shape, 0.02 * (k + 1), zero), real(*row), *shift, axis=axis, scale=0.04, epsilon=1e-4)
    narrow = Q((2, 8), 0.01, 5, low=7, high=7)  # every element alike: nothing but the epsilon is divided by
    m.int8(f"{op}_same", op, narrow, Const(np.ones(8, np.float32)), axis=-1, scale=0.02)
    m.int8(f"{op}_plain", op, Q((4, 32), 0.3, -9), Const(np.full(32, -0.7, np.float32)), axis=-1, scale=0.03)


@pytest.mark.parametrize("target", ("host", "cortex-m4", "cortex-m55"))
def test_exact(target: str) -> None:
    m = Model("norms", 23)
    cases(m, "LayerNormalization")
    cases(m, "RMSNormalization")
    compiled = compile_proto(m.proto(), target, plan_effort=0.05)
    assert all(n.integer for n in compiled.graph.nodes())
    got, want = execute(compiled, m.inputs), with_numpy(compiled, m.inputs)
    assert all(np.array_equal(got[o], want[o]) for o in want)


def test_near_onnxruntime() -> None:
    m = Model("norm", 21)
    cases(m, "LayerNormalization")
    proto = m.proto()
    want = with_onnxruntime(proto, m.inputs)
    got = with_numpy(compile_proto(proto), m.inputs)
    for name, value in want.items():
        steps = np.abs(got[name].astype(int) - value.astype(int))
        assert steps.max() <= 1, name
        assert steps.mean() <= 0.1, name
