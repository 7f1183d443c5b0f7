# SPDX-License-Identifier: Apache-2.0
"""A smaller graph that fails in the same way: a run of nodes cut out, its operands made inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from fuzz_growing import Case
from fuzz_reference import make_model, reads, tensor_info, versions_of
from onnx import helper, numpy_helper

MAX_CHECKS = 120


def cut(case: Case, first: int, last: int) -> Case | None:
    """Nodes first..last - 1 by themselves, on the values that the graph has there."""
    graph = case.model.graph
    nodes = list(graph.node)[first:last]
    made = {o for n in nodes for o in n.output if o}
    read = [i for n in nodes for i in reads(n)]
    needed = [i for i in dict.fromkeys(read) if i not in made]
    held = {t.name for t in graph.initializer} | {
        n.output[0] for n in graph.node if n.op_type == "Constant"}
    outside = {i for k, n in enumerate(graph.node) if not first <= k < last for i in reads(n)}
    wanted = {o.name for o in graph.output}
    computed = [o for n in nodes if n.op_type != "Constant" for o in n.output if o in case.known]
    outputs = [o for o in computed if o not in read or o in wanted or o in outside]
    if not outputs or any(i not in case.known for i in needed):
        return None
    constants = [numpy_helper.from_array(case.known[i], i) for i in needed if i in held]
    inputs = {i: case.known[i] for i in needed if i not in held}
    model = make_model(helper.make_graph(
        nodes, "reduced", [tensor_info(n, a) for n, a in inputs.items()],
        [tensor_info(o, case.known[o]) for o in outputs], constants), versions_of(case.model))
    return replace(case, model=model, inputs=inputs, expected={o: case.known[o] for o in outputs})


def _candidates(case: Case) -> Iterator[Case]:
    count = len(case.model.graph.node)
    lengths = [*range(1, min(count, 9)), *range(9, count, 4)]
    for length in lengths:
        for first in range(count - length + 1):
            found = cut(case, first, first + length)
            if found is not None:
                yield found


def reduced(case: Case, fails: Callable[[Case], bool]) -> Case:
    """The shortest run of nodes that fails; the case itself where none does within the effort."""
    plain = replace(case, options={})
    case = plain if fails(plain) else case
    for checks, candidate in enumerate(_candidates(case)):
        if checks > MAX_CHECKS:
            break
        if fails(candidate):
            return candidate
    return case
