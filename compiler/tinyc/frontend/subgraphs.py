# SPDX-License-Identifier: Apache-2.0
"""If, Loop and Scan: branches chosen now or in run, bodies unrolled or compiled to loops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import onnx

from tinyc.errors import TinycError
from tinyc.frontend.context import Context
from tinyc.frontend.inputs import declared_shapes, dtype_of
from tinyc.frontend.load import to_array
from tinyc.ir.graph import Editor, NoAttrs
from tinyc.ir.types import DType, TensorType
from tinyc.ops.concat import ConcatAttrs
from tinyc.ops.loop import LoopAttrs
from tinyc.ops.select import SliceAttrs
from tinyc.ops.transpose import TransposeAttrs
from tinyc.ops.view import ReshapeAttrs

if TYPE_CHECKING:
    from tinyc.frontend.scope import Scope

MAX_UNROLLED = 4096  # ONNX nodes that unrolling one loop may make


def lower_if(scope: Scope, node: Context) -> Sequence[str]:
    """The results of a branch; of the one that run-time data names, computed only then."""
    branches = [node.attributes[name] for name in ("then_branch", "else_branch")]
    condition = node.constant_or_none(0)
    if node.type(0).elements != 1:
        raise node.fail(f"a condition of shape {list(node.type(0).shape)}")
    if condition is not None:
        return run_inline(scope, node, branches[0 if condition.reshape(()) else 1], [])
    results = [run_inline(scope, node, branch, []) for branch in branches]
    merged = []
    for a, b in zip(*results, strict=True):
        types = node.type_of(a), node.type_of(b)
        if types[0].shape != types[1].shape or types[0].dtype is not types[1].dtype:
            raise node.fail(f"branches with results of types {types[0]} and {types[1]}",
                            "the branches of an If have to give results of one static shape")
        merged.append(a if a == b else node.emit("Select", NoAttrs(), [node.input(0), a, b])[0])
    return merged


def run_inline(scope: Scope, node: Context, graph: onnx.GraphProto, values: Sequence[str]) -> list[str]:
    """Lowers a subgraph where it stands: its inputs are `values`. The values of its outputs."""
    where = f"{node.name!r}, {node.op_type}"
    inner = scope.inner(node.name.removeprefix(scope.prefix), where, captures=True)
    return _fill(inner, graph, values, where)


def _fill(inner: Scope, graph: onnx.GraphProto, values: Sequence[str], where: str) -> list[str]:
    if graph.sparse_initializer:
        raise TinycError("sparse initializers are not supported", node=where, hint="export with dense weights")
    if len(values) != len(graph.input):
        raise TinycError(f"a subgraph with {len(graph.input)} inputs for {len(values)} values", node=where,
                         hint="check the model with onnx.checker")
    for tensor in graph.initializer:
        dtype_of(tensor.data_type, where)
        array = to_array(tensor)
        inner.names[tensor.name] = inner.lowering.editor.const(
            inner.prefix + tensor.name, array, TensorType(DType.of(array), tuple(array.shape)))
    for info, value in zip(graph.input, values, strict=True):
        inner.names[info.name] = value
    inner.declared = declared_shapes((*graph.value_info, *graph.output), {})
    inner.lower(graph.node)
    results = []
    for info in graph.output:
        value = inner.find(info.name) or ""
        if not value:
            raise TinycError(f"the subgraph does not compute its output {info.name!r}", node=where,
                             hint="check the model with onnx.checker")
        results.append(value)
    return results


@dataclass
class _Repeated:
    """A Loop or Scan: the operands by role. `trips`: how many at most, None where a run-time operand says it."""

    graph: onnx.GraphProto
    counter: bool
    trips: int | None
    limit: str  # the run-time number of trips, or ""
    start: str  # the run-time condition to begin, or ""
    carried: list[str]
    scanned: list[str]
    backwards: tuple[bool, ...]

    @property
    def results(self) -> int:
        return len(self.graph.output) - len(self.carried) - (1 if self.counter else 0)


def lower_loop(scope: Scope, node: Context) -> Sequence[str]:
    """ONNX's Loop: number of trips, condition, carried values."""
    graph = node.attributes["body"]
    count, start = node.constant_or_none(0), node.constant_or_none(1)
    trips = None if count is None else max(0, int(count.reshape(())))
    if start is not None and not start.reshape(()):
        trips = 0
    carried = [node.input(k) for k in range(2, len(node.inputs))]
    results = len(graph.output) - 1 - len(carried)
    loop = _Repeated(graph, True, trips, node.input(0) if count is None else "",
                     node.input(1) if start is None else "", carried, [], (False,) * max(results, 0))
    if results < 0 or len(graph.input) != len(carried) + 2:
        raise node.fail(f"a body with {len(graph.input)} inputs and {len(graph.output)} outputs")
    return _repeat(scope, node, loop)


def lower_scan(scope: Scope, node: Context) -> Sequence[str]:
    """ONNX's Scan: initial states, operands whose slices the body gets one after the other."""
    if node.opset < 9:
        raise node.fail("Scan of opset 8", "export with opset 9 or later")
    graph, count = node.attributes["body"], int(node.attributes["num_scan_inputs"])
    states = len(node.inputs) - count
    results = len(graph.output) - states
    if count < 1 or states < 0 or results < 0:
        raise node.fail(f"{count} scan inputs of {len(node.inputs)}")
    axes = [int(a) for a in node.attributes.get("scan_input_axes", [0] * count)]
    ends = [int(a) for a in node.attributes.get("scan_output_axes", [0] * results)]
    turns = [*node.attributes.get("scan_input_directions", [0] * count),
             *node.attributes.get("scan_output_directions", [0] * results)]
    if len(axes) != count or len(ends) != results or len(turns) != count + results:
        raise node.fail("axes or directions that do not fit the scan inputs and outputs")
    scanned = [_axis_first(node, node.input(states + k), axis) for k, axis in enumerate(axes)]
    trips = {node.type_of(v).shape[0] for v in scanned}
    if len(trips) != 1:
        raise node.fail(f"scan inputs of {sorted(trips)} slices")
    loop = _Repeated(graph, False, trips.pop(), "", "", [node.input(k) for k in range(states)], scanned,
                     tuple(bool(t) for t in turns))
    values = list(_repeat(scope, node, loop))
    return [*values[:states], *(_axis_back(node, v, axis) for v, axis in zip(values[states:], ends, strict=True))]


def _axis_first(node: Context, value: str, axis: int) -> str:
    rank = node.type_of(value).rank
    if not -rank <= axis < rank:
        raise node.fail(f"axis {axis} of a scan input of rank {rank}")
    axis %= rank
    rest = [k for k in range(rank) if k != axis]
    return node.emit("Transpose", TransposeAttrs((axis, *rest)), [value])[0] if axis else value


def _axis_back(node: Context, value: str, axis: int) -> str:
    rank = node.type_of(value).rank
    if not -rank <= axis < rank:
        raise node.fail(f"axis {axis} of a scan output of rank {rank}")
    order = list(range(1, rank))
    order.insert(axis % rank, 0)
    return node.emit("Transpose", TransposeAttrs(tuple(order)), [value])[0] if axis % rank else value


def _repeat(scope: Scope, node: Context, loop: _Repeated) -> Sequence[str]:
    """A loop where the body allows it, else the body as often as it runs. Raises TinycError."""
    size = max(1, len(loop.graph.node))
    few = loop.trips is not None and loop.trips * size <= MAX_UNROLLED
    if loop.trips == 0 and not loop.results:
        return loop.carried
    if loop.trips == 0:
        raise node.fail("a loop that never runs, with results of unknown shape")
    if loop.trips == 1 and not loop.start:
        return _unrolled(scope, node, loop)
    try:
        return _compiled(scope, node, loop)
    except TinycError as refused:
        if not few or loop.start:
            raise
        try:
            return _unrolled(scope, node, loop)
        except TinycError:
            raise refused from None


def _compiled(scope: Scope, node: Context, loop: _Repeated) -> Sequence[str]:
    """The node Loop, whose body is a graph of its own."""
    where = f"{node.name!r}, {node.op_type}"
    inner = scope.inner(node.name.removeprefix(scope.prefix), where, captures=True)
    inner.lowering = replace(scope.lowering, editor=Editor(node.name))
    inner.captured = {}
    number, yes = TensorType(DType.INT64, ()), TensorType(DType.BOOL, ())
    counter = [inner.add_input("trip", number), inner.add_input("go_on", yes)] if loop.counter else []
    states = [inner.add_input("carried", replace(node.type_of(v), quant=None)) for v in loop.carried]
    slices = [inner.add_input("slice", TensorType(t.dtype, t.shape[1:]))
              for t in (node.type_of(v) for v in loop.scanned)]
    if counter:  # the body runs only while it holds
        counter[1] = inner.lowering.editor.const("go_on.true", np.array(True), yes)
    ends = _fill(inner, loop.graph, [*counter, *states, *slices], where)
    editor = inner.lowering.editor
    trips = loop.trips
    if loop.counter:
        known = editor.view().value(ends[0]).data
        stops = known is None
        if known is not None and not known.reshape(()):
            if trips is None or trips > 1:
                raise node.fail("a loop whose body always stops it")
        if loop.results and (stops or loop.start):
            raise node.fail("results of a loop that may stop early", "a loop of constant length has static shapes")
    _make_outputs(inner, ends)
    body = editor.done()
    attrs = LoopAttrs(body, trips, loop.counter, len(loop.carried), len(loop.scanned), loop.results, loop.backwards)
    operands = [loop.limit, loop.start, *loop.carried, *loop.scanned, *inner.captured]
    return node.emit("Loop", attrs, operands, len(loop.carried) + loop.results)


def _make_outputs(inner: Scope, values: Sequence[str]) -> None:
    """The body's outputs: values of their own, none of them an input or a constant."""
    editor = inner.lowering.editor
    for value in values:
        view, own = editor.view(), value
        if value in (*view.inputs, *editor.outputs) or view.value(value).is_const:
            own = editor.temp("result", replace(view.type(value), quant=None))
            editor.copy_to(value, own)
        editor.outputs += (own,)


def _unrolled(scope: Scope, node: Context, loop: _Repeated) -> Sequence[str]:
    """The body, as often as it runs, each time with the trip's number and slices."""
    assert loop.trips is not None
    state = loop.carried
    rows: list[list[str]] = [[] for _ in range(loop.results)]
    for trip in range(loop.trips):
        place = [loop.trips - 1 - trip if back else trip for back in loop.backwards]
        slices = [_slice(node, v, p) for v, p in zip(loop.scanned, place, strict=False)]
        counter = [node.const(np.array(trip, np.int64)), node.const(np.array(True))] if loop.counter else []
        ends = run_inline(scope, node, loop.graph, [*counter, *state, *slices])
        if loop.counter:
            go_on = node.constant_value(ends.pop(0))
            if go_on is None:
                raise node.fail("a loop that may stop early and whose values change their shape")
            if not go_on.reshape(()) and trip + 1 < loop.trips:
                if loop.results:
                    raise node.fail("results of a loop that stops early")
                return ends
        state = ends[:len(state)]
        for row, value in zip(rows, ends[len(state):], strict=True):
            row.append(value)
    for k, row in enumerate(rows):
        if loop.backwards[len(loop.scanned) + k]:
            row.reverse()
    return [*state, *(_joined(node, row) for row in rows)]


def _slice(node: Context, value: str, place: int) -> str:
    shape = node.type_of(value).shape
    starts, ones = (place, *[0] * (len(shape) - 1)), (1,) * len(shape)
    row = node.emit("Slice", SliceAttrs(starts, ones, (1, *shape[1:])), [value])
    return node.emit("Reshape", ReshapeAttrs(shape[1:]), row)[0]


def _joined(node: Context, rows: Sequence[str]) -> str:
    wide = [node.emit("Reshape", ReshapeAttrs((1, *node.type_of(r).shape)), [r])[0] for r in rows]
    return wide[0] if len(wide) == 1 else node.emit("Concat", ConcatAttrs(0), wide)[0]


CONTROL: dict[str, Callable[[Scope, Context], Sequence[str]]] = {"If": lower_if, "Loop": lower_loop, "Scan": lower_scan}
