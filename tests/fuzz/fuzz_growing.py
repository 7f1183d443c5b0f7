# SPDX-License-Identifier: Apache-2.0
"""A random graph under construction.

Every value is known: each node is evaluated as soon as it is drawn (fuzz_reference), so that the next node can be given
operands in its domain (no logarithm of a negative number, no integer division by zero, no index out of range), and
the graph's expected outputs are there when it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from fuzz_quantizing import Quantizing
from fuzz_reference import DOMAINS, Dropped, make_model, reads, run_node, tensor_info
from fuzz_source import Source
from fuzz_values import (
    ANY,
    FLOATS,
    INTEGERS,
    LIMITS,
    MAX_ELEMENTS,
    NUMBERS,
    UNOFFICIAL,
    Case,
    Value,
    allowed_types,
    schema,
)
from onnx import helper, numpy_helper


class Growing(Quantizing):
    """A graph that grows node by node; rows of the operator table call `operand`, `constant` and `add`."""

    def __init__(self, source: Source, opset: int, quantized: bool, classical: int = 3) -> None:
        """`classical`: the version of ai.onnx.ml."""
        self.source, self.opset, self.quantized = source, opset, quantized
        self.versions = {**DOMAINS, "": opset, "ai.onnx.ml": classical}
        self.values: list[Value] = []
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}
        self.inputs: dict[str, np.ndarray] = {}
        self.operators: list[tuple[str, str]] = []
        self.known: dict[str, np.ndarray] = {}
        self.inexact: set[str] = set()
        self.stepped: set[str] = set()
        self.preferred: set[str] = set()
        self.count = 0
        self.op, self.domain, self.exact, self.prefer_onnx, self.onnx_since = "", "", False, False, 0

    # -- decisions ---------------------------------------------------------------------------------

    def integer(self, low: int, high: int) -> int:
        return self.source.integer(low, high)

    def chance(self, count: int, of: int) -> bool:
        return self.source.chance(count, of)

    def pick(self, choices: Sequence[Any]) -> Any:
        return self.source.pick(choices)

    def shape(self, low: int = 0, high: int = 5, largest: int = 6) -> tuple[int, ...]:
        """A random shape; axes of extent 1 are as frequent as others."""
        rank = self.pick([r for r in (2, 3, 1, 4, 0, 5) if low <= r <= high] or [low])
        extents = [self.pick([2, 1, 3, 4, 5, largest]) for _ in range(rank)]
        while np.prod(extents, dtype=int) > 600:
            extents[extents.index(max(extents))] = 2
        return tuple(extents)

    def axis(self, rank: int) -> int:
        """An axis, counted from either end."""
        return self.integer(0, rank - 1) - (rank if self.chance(1, 3) else 0)

    def dtype(self, allowed: Sequence[str]) -> str:
        if self.quantized and "float32" in allowed:
            return "float32"
        ordered = [t for t in ANY if t in allowed]
        if not ordered:
            raise Dropped("no element type")
        return ordered[0] if self.chance(1, 2) else self.pick(ordered)

    def types(self, index: int = 0) -> tuple[str, ...]:
        """Element types of the current operator's operand."""
        return allowed_types(self.op, self.versions[self.domain], self.domain, index)

    # -- contents ----------------------------------------------------------------------------------

    def content(self, dtype: str, shape: Sequence[int], low: float | None = None, high: float | None = None,
                special: str = "") -> np.ndarray:
        """Random elements from [low, high]; with `special` ("inf" or "nan") also those of IEEE 754."""
        rng = self.source.numpy()
        shape = tuple(shape)
        if dtype == "bool":
            return rng.integers(0, 2, shape).astype(bool)
        if dtype in FLOATS:
            return self._reals(rng, shape, low, high, special).astype(dtype)
        info = np.iinfo(dtype)
        kind = self.integer(0, 3)
        first = max(info.min, -5 if low is None else int(np.ceil(low)))
        last = min(info.max, 5 if high is None else int(np.floor(high)))
        if kind == 3 and special:
            first, last = info.min, info.max
        array = rng.integers(first, last, shape, dtype, endpoint=True)
        if kind == 2 and special and array.size:
            array = np.where(rng.random(shape) < 0.4, rng.choice(np.array([info.min, info.max], dtype), shape), array)
        return np.asarray(array, dtype)

    def _reals(self, rng: np.random.Generator, shape: tuple[int, ...], low: float | None, high: float | None,
               special: str) -> np.ndarray:
        kind = self.integer(0, 6)
        if low is not None or high is not None:
            first = low if low is not None else (high or 0.0) - 4.0
            last = high if high is not None else first + 4.0
            array = rng.uniform(first, last, shape)
            return np.clip(np.round(array * 2) / 2, first, last) if kind == 1 else np.asarray(array)
        if kind == 1:
            return rng.integers(-6, 7, shape) / 2  # halves: rounding has ties, maxima have equals
        if kind == 2:
            return rng.uniform(-1, 1, shape) * 50
        array = rng.standard_normal(shape)
        if kind == 3:
            array = np.where(rng.random(shape) < 0.5, rng.choice([0.0, -0.0, 1.0, -1.0], shape), array)
        if kind == 6 and special:
            choices = [np.inf, -np.inf, 0.0, -0.0, *([np.nan] if special == "nan" else [])]
            array = np.where(rng.random(shape) < 0.3, rng.choice(choices, shape), array)
        return np.asarray(array)

    # -- values ------------------------------------------------------------------------------------

    def name(self, stem: str) -> str:
        self.count += 1
        return f"{stem}{self.count}"

    def constant(self, array: np.ndarray) -> Value:
        """An initializer, or sometimes a Constant node."""
        array = np.asarray(array)
        value = Value(self.name("c"), array, True)
        self.known[value.name] = array
        if self.chance(1, 6):
            self.nodes.append(helper.make_node("Constant", [], [value.name],
                                               value=numpy_helper.from_array(array, value.name)))
        else:
            self.constants[value.name] = array
        return value

    def integers(self, values: Sequence[int], dtype: str = "int64") -> Value:
        """A constant vector of integers."""
        return self.constant(np.array(values, dtype))

    def fresh(self, array: np.ndarray, constant: bool | None = None) -> Value:
        """A new value: a graph input or a constant; in a quantized graph behind a DequantizeLinear."""
        held = self.chance(1, 3) if constant is None else constant
        if self.quantized and array.dtype == np.float32 and np.isfinite(array).all() and not self.chance(1, 8):
            return self._quantized_fresh(array, held)
        if held:
            value = self.constant(array)
            if self.chance(1, 3):
                self.values.append(value)  # several nodes may read it
            return value
        value = self._input(array)
        self.values.append(value)
        return value

    def _input(self, array: np.ndarray) -> Value:
        array = np.asarray(array)
        value = Value(self.name("x"), array)
        self.inputs[value.name] = self.known[value.name] = array
        return value

    def operand(self, dtypes: Sequence[str], low_rank: int = 0, high_rank: int = 5, *,
                accept: Callable[[np.ndarray], bool] = lambda _: True, low: float | None = None,
                high: float | None = None, special: str = "", shape: Sequence[int] | None = None,
                constant: bool | None = None) -> Value:
        """An existing value that fits, or a new one. `low` and `high` bound its elements, `accept` decides on the
        rest; without `special` it is finite."""

        def fits(v: Value) -> bool:
            return (v.dtype in dtypes and low_rank <= v.rank <= high_rank and v.array.size > 0
                    and (shape is None or v.shape == tuple(shape))
                    and (bool(special) or v.finite)
                    and (special == "nan" or v.dtype not in FLOATS or not np.isnan(v.array).any())
                    and (low is None or bool((v.array >= low).all()))
                    and (high is None or bool((v.array <= high).all()))
                    and accept(v.array))

        known = [] if constant else [v for v in reversed(self.values) if fits(v)]
        if known and not self.chance(1, 5):
            return known[min(self.integer(0, len(known) - 1), self.integer(0, len(known) - 1))]
        where = self.shape(low_rank, high_rank) if shape is None else shape
        value = self.fresh(self.content(self.dtype(dtypes), where, low, high, special), constant)
        if not fits(value):
            raise Dropped("no operand in the operator's domain")
        return value

    def partner(self, x: Value, **wanted: Any) -> Value:
        """A second operand of x's type that broadcasts against it."""
        kind = self.integer(0, 5)
        known = [v for v in self.values if v.dtype == x.dtype and _broadcasts(v.shape, x.shape)
                 and (wanted.get("special") or v.finite)]
        if kind in (0, 1) and known:
            other = self.pick(known)
            if self._within(other.array, wanted):
                return other
        shape = list(x.shape)
        if kind == 2:
            shape = [1 if self.integer(0, 1) else d for d in shape]
        elif kind == 3:
            shape = shape[self.integer(0, len(shape)):]
        elif kind == 4:
            shape = [self.pick([2, 3]) if d == 1 else d for d in shape]
            shape = [self.integer(1, 2)] * int(len(shape) < 4 and self.chance(1, 2)) + shape
        content = {k: v for k, v in wanted.items() if k in ("low", "high", "special")}
        return self.fresh(self.content(x.dtype, shape, **content))

    @staticmethod
    def _within(array: np.ndarray, wanted: dict[str, Any]) -> bool:
        low, high = wanted.get("low"), wanted.get("high")
        accept = wanted.get("accept", lambda _: True)
        return (low is None or bool((array >= low).all())) and (high is None or bool((array <= high).all())) and accept(
            array)

    # -- nodes -------------------------------------------------------------------------------------

    def add(self, operands: Sequence[Value | None], count: int = 1, op: str = "", skip: Sequence[int] = (),
            stepped: bool = False, captured: Sequence[Value] = (), **attributes: Any) -> list[Value]:
        """The operator's node on these operands (None: omitted), evaluated; its results (without those in `skip`,
        which get no name). `captured`: what its subgraphs read from outside. Raises Dropped."""
        op = op or self.op
        names = [v.name if v else "" for v in operands]
        while names and not names[-1]:
            names.pop()
        results = ["" if k in skip else self.name("v") for k in range(count)]
        node = helper.make_node(op, names, results, name=self.name(op), domain=self.domain, **attributes)
        arrays = {v.name: np.asarray(v.array) for v in (*operands, *captured) if v}
        held = {v.name for v in (*operands, *captured) if v and v.constant}
        found = run_node(node, arrays, held, self.versions, self.prefer_onnx, self.opset >= self.onnx_since)
        wild = not all(v.finite for v in (*operands, *captured) if v)
        for array in found:
            if array.size > MAX_ELEMENTS or array.size == 0:
                raise Dropped(f"a result of {array.size} elements")
            if array.dtype.kind == "f" and not wild and array.size:
                largest = float(np.abs(np.where(np.isfinite(array), array, 0)).max())
                if largest > LIMITS.get(array.dtype.name, 1e6):
                    raise Dropped("a result too large")
            if array.dtype.name not in ANY:
                raise Dropped(f"a result of type {array.dtype}")
        self.nodes.append(node)
        self.operators.append((self.domain, op))
        first = next(r for r in results if r)
        if not self.exact:
            self.inexact.add(first)
        if self.prefer_onnx:
            self.preferred.add(first)
        if stepped:
            self.stepped.add(first)
        values = [Value(name, array) for name, array in zip([r for r in results if r], found, strict=True)]
        self.known |= {v.name: v.array for v in values}
        values = [self._requantized(v) for v in values]
        self.values += values
        return values

    def grow(self, row: Any) -> bool:
        """Adds an operator of the table; False where nothing came of it."""
        known = schema(row.op, self.versions[row.domain], row.domain) is not None
        if not known and row.domain != "com.microsoft" and row.op not in UNOFFICIAL:
            return False
        self.op, self.domain, self.exact, self.prefer_onnx = row.op, row.domain, row.exact, bool(row.prefer_onnx)
        self.onnx_since = row.onnx_since
        kept = (len(self.nodes), len(self.values), len(self.operators), dict(self.inputs), dict(self.constants))
        try:
            row.build(self)
        except Dropped as reason:
            del self.nodes[kept[0]:], self.values[kept[1]:], self.operators[kept[2]:]
            self.inputs, self.constants = kept[3], kept[4]
            self.dropped = str(reason)
            return False
        return True

    # -- the finished graph ------------------------------------------------------------------------

    def finished(self) -> Case:
        """Outputs are the values that nothing reads, and now and then others."""
        read = {i for node in self.nodes for i in reads(node)}
        computed = {o for node in self.nodes if node.op_type != "Constant" for o in node.output if o}
        values = {v.name: v for v in self.values}
        outputs = [v for v in values.values() if v.name in computed and (v.name not in read or self.chance(1, 6))]
        if self.chance(1, 12) and self.inputs:
            outputs += [v for v in values.values() if v.name in self.inputs][:1]
        if not outputs:
            raise Dropped("nothing is computed")
        if self.chance(1, 6):
            outputs = self.source.shuffled(outputs)
        inputs = {n: a for n, a in self.inputs.items() if n in read or n in {o.name for o in outputs}}
        held = [numpy_helper.from_array(a, n) for n, a in self.constants.items() if n in read]
        graph = helper.make_graph(self.nodes, "g", [tensor_info(n, a) for n, a in inputs.items()],
                                  [tensor_info(v.name, v.array) for v in outputs], held)
        model = make_model(graph, self.versions)
        options = {"optimize": self.pick(["default"] * 7 + ["speed", "size", "ram"]),
                   "io": self.pick(["arena"] * 4 + ["caller"])}
        return Case(model, inputs, {v.name: v.array for v in outputs}, tuple(self.operators), frozenset(self.inexact),
                    frozenset(self.stepped), frozenset(self.preferred), self.known, self.quantized, options)


def _broadcasts(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    try:
        return int(np.prod(np.broadcast_shapes(a, b), dtype=int)) <= 1000
    except ValueError:
        return False


__all__ = ["ANY", "Case", "FLOATS", "Growing", "INTEGERS", "NUMBERS", "Value"]
