# SPDX-License-Identifier: Apache-2.0
"""docs/operators.md: what the backend tests show of each operator."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import onnx
from check import Outcome, operators
from suite import BackendTest

HEADING = """# Operators

Written by `make conformance` from ONNX's own backend tests: each is compiled by tinyc for the host, run, and compared
by the test's own tolerance. An operator's tests are those whose model uses it. Opsets and element types are those of
the models that passed; a test that does not pass is refused with an error that names the operator.

| operator | opsets | element types | passed | tests |
|---|---|---|---:|---:|
"""


def operators_page(tests: Sequence[BackendTest], outcomes: Mapping[str, Outcome]) -> str:
    """The page as Markdown."""
    total: dict[str, int] = defaultdict(int)
    passed: dict[str, int] = defaultdict(int)
    opsets: dict[str, set[int]] = defaultdict(set)
    types: dict[str, set[str]] = defaultdict(set)
    for test in tests:
        good = outcomes[test.name].status == "passed"
        versions = {o.domain: o.version for o in test.model.opset_import}
        for name in operators(test.model):
            total[name] += 1
            if not good:
                continue
            passed[name] += 1
            domain = name.rpartition(".")[0]
            opsets[name].add(versions.get(domain, versions.get("ai.onnx", 1)))
            for port in (*test.model.graph.input, *test.model.graph.output):
                if port.type.HasField("tensor_type"):
                    types[name].add(onnx.TensorProto.DataType.Name(port.type.tensor_type.elem_type).lower())
    rows = [f"| {name} | {_span(opsets[name])} | {', '.join(sorted(types[name]))} | {passed[name]} | {total[name]} |\n"
            for name in sorted(total, key=lambda n: ("." in n, n.lower())) if passed[name]]
    missing = sorted((n for n in total if not passed[n]), key=str.lower)
    text = HEADING + "".join(rows)
    text += f"\n{sum(o.status == 'passed' for o in outcomes.values())} of {len(outcomes)} tests pass.\n"
    text += "\nOperators of the suite that are not supported: " + ", ".join(missing) + ".\n"
    text += "\n## Tests that are refused\n\n"
    for name, outcome in outcomes.items():
        if outcome.status != "passed":
            text += f"- `{name}`: {outcome.reason}\n"
    return text


def _span(versions: set[int]) -> str:
    low, high = min(versions), max(versions)
    return str(low) if low == high else f"{low} to {high}"
