# SPDX-License-Identifier: Apache-2.0
"""Every operator's kernels: float32 against onnxruntime, everything else exact against the NumPy evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import classical_cases
import pytest
import tensor_cases
from operator_cases import CORES, INT8, NUMPY, ORT, chains, elementwise_int8, model_of, whole_numbers, windows_int8

from support import (
    OPERATORS,
    compile_proto,
    differences,
    execute,
    graph_of,
    with_numpy,
    with_onnxruntime,
)

TOLERANCE = 1e-4
TESTS = Path(__file__).resolve().parents[1]


# Optimized code with sanitizers takes minutes to compile, and so do hundreds of loops for every integer type.
SANITIZED: dict[str, Any] = {"sanitize": True, "flags": ("-O0",)}
OPTIMIZED: dict[str, Any] = {"sanitize": False, "flags": ()}


def check(
    group: Any, against_onnxruntime: bool, target: str = "host", sanitize: bool = False, flags: Sequence[str] = (),
    **options: Any,
) -> None:
    model = model_of(group)
    proto = model.proto()
    compiled = compile_proto(proto, target, plan_effort=0.05, **options)
    want = with_onnxruntime(proto, model.inputs) if against_onnxruntime else with_numpy(compiled, model.inputs)
    assert not differences(execute(compiled, model.inputs, sanitize, flags), want, TOLERANCE)


@pytest.mark.parametrize("how", (SANITIZED, OPTIMIZED), ids=("sanitized", "optimized"))
@pytest.mark.parametrize("group", ORT, ids=lambda g: g.__name__)
def test_against_onnxruntime(group: Any, how: dict[str, Any]) -> None:
    check(group, True, **how)


@pytest.mark.parametrize("how", (SANITIZED, OPTIMIZED), ids=("sanitized", "optimized"))
@pytest.mark.parametrize("group", NUMPY, ids=lambda g: g.__name__)
def test_against_numpy(group: Any, how: dict[str, Any]) -> None:
    if how is OPTIMIZED and group is whole_numbers:
        how = {"flags": ("-O1", "-fno-tree-vectorize")}
    check(group, False, **how)


@pytest.mark.parametrize("group", INT8, ids=lambda g: g.__name__)
def test_integer_operators_are_integer(group: Any) -> None:
    """No case of the int8 groups falls back to float arithmetic."""
    graph = graph_of(model_of(group).proto())
    assert {n.op for n in graph.nodes()} & {"QuantizeLinear", "DequantizeLinear"} == set()


# Operators that have tests of their own: the file's place in tests/, and a word in it.
_RUN_TIME, _SEQUENCES = "whole_path/test_run_time_operands.py", "ops/test_attention.py"
ELSEWHERE = {
    "Attention": (_SEQUENCES, "Attention"), "LayerNormalization": (_SEQUENCES, "LayerNormalization"),
    "RMSNormalization": (_SEQUENCES, "RMSNormalization"), "RotaryEmbedding": (_SEQUENCES, "RotaryEmbedding"),
    "GRU": ("ops/test_recurrent.py", "GRU"), "LSTM": ("ops/test_recurrent.py", "LSTM"),
    "RNN": ("ops/test_recurrent.py", "RNN"), "Loop": ("whole_path/test_control_flow.py", "Loop"),
    "UnidirectionalLSTM": ("ops/test_unidirectional_lstm.py", "UnidirectionalLSTM"),
    "Matches": (_RUN_TIME, "ReduceSum"), "Select": (_RUN_TIME, "ReduceSum"), "PadAny": (_RUN_TIME, "Pad"),
    "Range": (_RUN_TIME, "Range"), "SliceAny": (_RUN_TIME, "Slice"),
    "MelWeights": ("conformance/passing.txt", "node/test_melweightmatrix"),
    "ResizeTaps": ("conformance/passing.txt", "node/test_resize_upsample_scales_linear"),
}


def test_every_operator_has_cases() -> None:
    seen = set()
    for group in (*ORT, *NUMPY):
        seen |= {n.op for n in graph_of(model_of(group).proto()).nodes()}
    for group in (*tensor_cases.ORT, *tensor_cases.NUMPY):
        seen |= {n.op for n in graph_of(tensor_cases.model_of(group).proto()).nodes()}
    for cases in (*classical_cases.OPERATORS, lambda: classical_cases.votes(2, 60)):
        seen |= {n.op for n in graph_of(cases().proto()).nodes()}
    for name, (place, word) in ELSEWHERE.items():
        if word in (TESTS / place).read_text():
            seen.add(name)
    assert set(OPERATORS) == seen


@pytest.mark.parametrize("target", ("cortex-m4", "cortex-m55"))
@pytest.mark.parametrize("group", CORES, ids=lambda g: g.__name__)
def test_on_emulated_cores(group: Any, target: str) -> None:
    check(group, group in ORT, target)


@pytest.mark.parametrize("group", (elementwise_int8, windows_int8), ids=lambda g: g.__name__)
@pytest.mark.parametrize("options", ({"kernels": "reference"}, {"io": "caller"}, {"optimize": "size"}),
                         ids=lambda o: "-".join(map("-".join, o.items())))
def test_options(group: Any, options: dict[str, str]) -> None:
    check(group, False, **SANITIZED, **options)


@pytest.mark.parametrize("flags", (("-O3", "-flto"), ("-Os",)), ids="".join)
def test_optimization_levels(flags: Sequence[str]) -> None:
    check(windows_int8, False, flags=flags)
    check(chains, True, flags=flags)
