# SPDX-License-Identifier: Apache-2.0
"""Rows of control flow: If, Loop and Scan with short bodies that also read values outside."""

from __future__ import annotations

import numpy as np
import onnx
from fuzz_growing import Growing, Value
from fuzz_reference import Dropped
from fuzz_row import Row, small
from onnx import TensorProto, helper

ONE_OPERAND, TWO_OPERANDS = ("Neg", "Abs", "Tanh"), ("Add", "Sub", "Max")


def _operands(g: Growing) -> tuple[Value, Value]:
    """A value, and another of its shape that bodies read from outside."""
    if g.quantized:
        raise Dropped("bodies have no scales")
    x = g.operand(["float32"], 0, 3, accept=small)
    return x, g.operand(["float32"], shape=x.shape)


def _chain(g: Growing, first: str, outside: str, last: str) -> list[onnx.NodeProto]:
    """Element-wise operators from one name to another."""
    count, nodes = g.integer(1, 3), []
    for k in range(count):
        result = last if k == count - 1 else g.name("b")
        if g.chance(1, 2):
            nodes.append(helper.make_node(g.pick(TWO_OPERANDS), [first, outside], [result]))
        else:
            nodes.append(helper.make_node(g.pick(ONE_OPERAND), [first], [result]))
        first = result
    return nodes


def _real(name: str, shape: tuple[int, ...]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _if(g: Growing) -> None:
    x, y = _operands(g)
    condition = g.operand(["bool"], shape=())
    branches = {}
    for branch in ("then_branch", "else_branch"):
        result = g.name("r")
        nodes = _chain(g, x.name, y.name, result)
        branches[branch] = helper.make_graph(nodes, branch, [], [_real(result, x.shape)])
    g.add([condition], captured=[x, y], **branches)


def _loop(g: Growing) -> None:
    """Carries one value, and stacks another."""
    x, y = _operands(g)
    count = g.integer(1, 4)
    step, goes_on, before, after, again, made = (g.name("l") for _ in range(6))
    nodes = [helper.make_node("Identity", [goes_on], [again]), *_chain(g, before, y.name, after),
             *_chain(g, before, y.name, made)]
    inputs = [helper.make_tensor_value_info(step, TensorProto.INT64, []),
              helper.make_tensor_value_info(goes_on, TensorProto.BOOL, []), _real(before, x.shape)]
    outputs = [helper.make_tensor_value_info(again, TensorProto.BOOL, []), _real(after, x.shape), _real(made, x.shape)]
    body = helper.make_graph(nodes, "body", inputs, outputs)
    trips, true = g.constant(np.array(count, np.int64)), g.constant(np.array(True)) if g.chance(1, 2) else None
    g.add([trips, true, x], count=2, captured=[y], body=body)


def _scan(g: Growing) -> None:
    """One state, one sequence along its first axis, one sequence of results."""
    if g.opset < 9:
        raise Dropped("the first Scan had batches")
    x, y = _operands(g)
    sequence = g.fresh(g.content("float32", (g.integer(1, 4), *x.shape)))
    before, element, after, made = (g.name("s") for _ in range(4))
    nodes = [*_chain(g, before, element, after), *_chain(g, element, y.name, made)]
    body = helper.make_graph(nodes, "body", [_real(before, x.shape), _real(element, x.shape)],
                             [_real(after, x.shape), _real(made, x.shape)])
    attributes = {"scan_input_directions": [1]} if g.chance(1, 3) else {}
    g.add([x, sequence], count=2, captured=[y], num_scan_inputs=1, body=body, **attributes)


ROWS = (
    Row("If", _if),
    Row("Loop", _loop),
    Row("Scan", _scan),
)
