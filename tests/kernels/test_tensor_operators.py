# SPDX-License-Identifier: Apache-2.0
"""Operators on tensors and images: float32 against onnxruntime, the rest against the NumPy evaluation."""

from __future__ import annotations

from typing import Any

import pytest
from tensor_cases import CORES, NUMPY, ORT, model_of, quantized

from support import compile_proto, differences, execute, graph_of, with_numpy, with_onnxruntime

TOLERANCE = 1e-4


def check(group: Any, target: str = "host", sanitize: bool = False) -> None:
    """Both the C and the NumPy evaluation give what is expected."""
    model = model_of(group)
    proto = model.proto()
    compiled = compile_proto(proto, target, plan_effort=0.05)
    evaluated = with_numpy(compiled, model.inputs)
    want = with_onnxruntime(proto, model.inputs) if group in ORT else evaluated
    wrong = differences(execute(compiled, model.inputs, sanitize, ("-O0",) if sanitize else ()), want, TOLERANCE)
    assert not wrong
    assert not differences(evaluated, want, TOLERANCE)


@pytest.mark.parametrize("sanitize", (True, False), ids=("sanitized", "optimized"))
@pytest.mark.parametrize("group", (*ORT, *NUMPY), ids=lambda g: g.__name__)
def test_groups(group: Any, sanitize: bool) -> None:
    check(group, sanitize=sanitize)


@pytest.mark.parametrize("target", ("cortex-m4", "cortex-m55"))
@pytest.mark.parametrize("group", CORES, ids=lambda g: g.__name__)
def test_on_emulated_cores(group: Any, target: str) -> None:
    check(group, target)


def test_quantized_operators_are_integer() -> None:
    graph = graph_of(model_of(quantized).proto())
    assert {n.op for n in graph.nodes()} & {"QuantizeLinear", "DequantizeLinear"} == set()
