# SPDX-License-Identifier: Apache-2.0
"""Choosing kernels together, against all choices; and the code sizes by which they are compared."""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkout import ROOT
from tinyc.backend.runtime import code_sizes, manifest, needed_functions
from tinyc.cases import random_cases
from tinyc.compiler import Request, compile_model
from tinyc.kernels.base import Cost, Kernel
from tinyc.kernels.choose import Candidate, Price, cheapest
from tinyc.profiling import profile_compiled
from tinyc.targets import load_target

FUNCTIONS = "abcde"


def candidate(order: int, instructions: int, flash: int, functions: str) -> Candidate:
    return Candidate(Kernel(), Cost(instructions, flash), order, frozenset(functions))


NODES = st.lists(
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 300), st.text(FUNCTIONS, max_size=3)),
             min_size=1, max_size=3),
    min_size=1, max_size=5)


def price_of(picked, sizes, price):
    functions = set().union(*(c.functions for c in picked))
    return sum(price.of(c.cost) for c in picked) + price.flash * sum(sizes[f] for f in functions)


@given(NODES, st.lists(st.integers(1, 400), min_size=5, max_size=5), st.sampled_from([1.0, 10.0, 3000.0]))
def test_the_search_finds_what_all_choices_give(nodes, bytes_, flash):
    sizes = dict(zip(FUNCTIONS, bytes_, strict=True))
    price = Price(flash, 1.0)
    found = {str(k): [candidate(order, *few) for order, few in enumerate(some)] for k, some in enumerate(nodes)}
    best = min(price_of(picked, sizes, price) for picked in itertools.product(*found.values()))
    got = price_of(cheapest(found, sizes, price).picked.values(), sizes, price)
    assert got <= 1.1 * best + 1e-9  # a local search: the best, or near it


def test_code_that_is_shared_is_paid_for_once():
    found = {str(k): [candidate(0, 1000, 50, ""), candidate(1, 100, 50, "a")] for k in range(3)}
    assert {c.order for c in cheapest(found, {"a": 200}, Price(10.0, 0.0)).picked.values()} == {1}
    assert {c.order for c in cheapest(found, {"a": 300}, Price(10.0, 0.0)).picked.values()} == {0}


@pytest.mark.slow
def test_code_sizes_are_those_of_the_sources():
    path = Path(__file__).resolve().parents[2] / "scripts" / "code_sizes.py"
    spec = importlib.util.spec_from_file_location("code_sizes", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    for name, variants in script.measure().items():
        stated = code_sizes().get(name, {})
        assert set(stated) == set(variants), f"{name}: make code-sizes"
        for variant, size in variants.items():  # other compilers give somewhat other code
            assert abs(stated[variant] - size) <= 64 + size // 3, f"{name}, {variant}: make code-sizes"


def test_every_function_has_a_size():
    assert set(code_sizes()) == set(manifest()["functions"])
    assert needed_functions(["arm_convolve_s8"], ("dsp", "portable"))["mat_mult_s8"] == "dsp"


@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m0plus", "cortex-m55"])
def test_speed_builds_are_not_slower(target):
    """Than default builds, for an example whose first layer has one channel: there stated costs are easily wrong."""
    counts = []
    for optimize in ("speed", "default"):
        request = Request(ROOT / "examples" / "digits" / "digits_int8.onnx", load_target(target), optimize=optimize)
        compiled = compile_model(request, lambda text: None)
        case = random_cases(compiled.emitted.inputs, 1).inputs[0]
        counts.append(profile_compiled(compiled, case)["instructions"])
    assert counts[0] <= 1.01 * counts[1]  # stated costs are estimates
