# SPDX-License-Identifier: Apache-2.0
"""Rows of reductions, normalizations and products of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from fuzz_growing import FLOATS, Growing, Value
from fuzz_reference import Dropped
from fuzz_row import Build, Row, drawn, flag, float_types, real

_REAL_ENOUGH = ("float32", "float64", "float16", "int32", "int64")


def _no_overflow(array: np.ndarray) -> bool:
    return array.dtype.kind not in "iu" or float(np.abs(array.astype(np.float64)).max(initial=0)) < 1e3


def reduction(since: int, low: float | None = None, high: float | None = None) -> Build:
    """A reduction whose axes are an operand from opset `since` on."""

    def build(g: Growing) -> None:
        types = [t for t in g.types() if t in (*_REAL_ENOUGH, "int8", "uint8", "bool")]
        x = g.operand(types, low=low, high=high, low_rank=int(g.chance(9, 10)), accept=_no_overflow)
        axes = [a - x.rank if g.opset >= 11 and g.chance(1, 4) else a for a in g.source.some(range(x.rank))]
        attributes: dict[str, Any] = drawn(g, {"keepdims": flag})
        operands: list[Value | None] = [x]
        if g.opset < since:
            attributes |= {"axes": axes} if axes else {}
        else:
            attributes |= drawn(g, {"noop_with_empty_axes": flag}) if g.chance(1, 3) else {}
            if axes:
                operands.append(g.integers(axes))
        if x.rank == 0 and g.prefer_onnx:
            raise Dropped("a reduction of a scalar")
        g.add(operands, **attributes)

    return build


def _arg_extremum(g: Growing) -> None:
    x = g.operand(g.types(), 1)
    last = {"select_last_index": flag} if g.opset >= 12 else {}
    g.add([x], **drawn(g, {"axis": lambda g: g.axis(x.rank) if g.opset >= 11 else 0, "keepdims": flag, **last}))


def _top_k(g: Growing) -> None:
    """The order of equal elements is defined: the lower index first."""
    x = g.operand([t for t in g.types() if t in _REAL_ENOUGH], 1)
    axis = g.axis(x.rank) if g.opset >= 11 else g.integer(0, x.rank - 1)
    k = g.integer(1, x.shape[axis])
    attributes: dict[str, Any] = {"axis": axis}
    if g.opset < 10:
        g.add([x], count=2, k=k, **attributes)
        return
    if g.opset >= 11:
        attributes |= drawn(g, {"largest": flag})
    g.add([x, g.integers([k])], count=2, skip=g.pick([(), (), (0,), (1,)]), **attributes)


def _cum_sum(g: Growing) -> None:
    x = g.operand(g.types(), 1)
    axis = np.array(g.axis(x.rank), g.pick(["int64", "int32"]))
    g.add([x, g.constant(axis)], **drawn(g, {"exclusive": flag, "reverse": flag}))


def _cum_prod(g: Growing) -> None:
    x = g.operand([t for t in g.types() if t in _REAL_ENOUGH], 1, low=-3, high=3)
    g.add([x, g.constant(np.array(g.axis(x.rank), np.int64))], **drawn(g, {"exclusive": flag, "reverse": flag}))


def _softmax(g: Growing) -> None:
    x = g.operand(float_types(g), 1, 4)
    g.add([x], **drawn(g, {"axis": lambda g: g.axis(x.rank) if g.opset >= 11 else g.integer(0, x.rank - 1)}))


def _batch_norm(g: Growing) -> None:
    x = g.operand([t for t in float_types(g) if t != "float16"], 2, 5)
    shape = (x.shape[1],)
    parts = [g.content(x.dtype, shape, 0.25, 2), g.content(x.dtype, shape), g.content(x.dtype, shape),
             g.content(x.dtype, shape, 0.25, 3)]
    g.add([x, *(g.constant(p) for p in parts)], **drawn(g, {"epsilon": lambda _: 1e-3}))


def _instance_norm(g: Growing) -> None:
    x = g.operand(float_types(g), 3, 5)
    parts = [g.content(x.dtype, (x.shape[1],)) for _ in range(2)]
    g.add([x, *(g.constant(p) for p in parts)], **drawn(g, {"epsilon": lambda _: 1e-2}, True))


def _layer_norm(g: Growing) -> None:
    x = g.operand([t for t in float_types(g) if t != "float16"], 1, 4)
    axis = g.axis(x.rank)
    shape = x.shape[axis % x.rank:]
    operands: list[Value | None] = [x, g.constant(g.content(x.dtype, shape))]
    if g.op == "LayerNormalization" and g.chance(1, 2):
        operands.append(g.constant(g.content(x.dtype, shape)))
    g.add(operands, axis=axis, epsilon=1e-2)


def _group_norm(g: Growing) -> None:
    x = g.operand(float_types(g), 3, 4)
    groups = g.pick([d for d in range(1, x.shape[1] + 1) if x.shape[1] % d == 0])
    extent = x.shape[1] if g.opset >= 21 else groups
    parts = [g.content(x.dtype, (extent,)) for _ in range(2)]
    g.add([x, *(g.constant(p) for p in parts)], num_groups=groups, epsilon=1e-2)


def _lp_norm(g: Growing) -> None:
    x = g.operand([t for t in float_types(g) if t != "float16"], 1, low=0.125, high=4)
    g.add([x], **drawn(g, {"axis": lambda g: g.axis(x.rank), "p": lambda g: g.integer(1, 2)}))


def _lrn(g: Growing) -> None:
    x = g.operand([t for t in float_types(g) if t != "float16"], 3, 4)
    g.add([x], size=g.pick([3, 1, 5]), **drawn(g, {"alpha": real(0.125, 1), "beta": real(0.5, 1), "bias": real(1, 2)}))


def _mean_variance(g: Growing) -> None:
    x = g.operand([t for t in float_types(g) if t != "float16"], 4, 4,
                  accept=lambda a: bool((a.std((0, 2, 3)) > 0.1).all()))
    g.add([x], **drawn(g, {"axes": lambda _: [0, 2, 3]}))


def _products(g: Growing) -> list[str]:
    return [t for t in g.types() if t in _REAL_ENOUGH or t in ("uint32", "uint64")]


def _matmul(g: Growing) -> None:
    x = g.operand(_products(g), 1, 4)
    kind, inner = g.integer(0, 3), x.shape[-1]
    shape: tuple[int, ...] = (inner, g.pick([2, 1, 3, 5]))
    if kind == 1:
        shape = (inner,)
    elif kind == 2:
        shape = (*(g.pick([d, 1]) for d in x.shape[:-2]), *shape)
    if x.rank > 1 and g.chance(1, 8):
        shape = (g.integer(1, 2), *shape)
    y = g.weights(g.content(x.dtype, shape), len(shape) - 1) if x.dtype == "float32" and g.chance(2, 3) else g.fresh(
        g.content(x.dtype, shape))
    g.add([x, y])


def _gemm(g: Growing) -> None:
    x = g.operand([t for t in _products(g) if g.quantized is False or t == "float32"], 2, 2)
    flags = {"transA": g.integer(0, 1) if g.chance(1, 3) else 0, "transB": g.integer(0, 1)}
    rows, inner = x.shape[::-1] if flags["transA"] else x.shape
    columns = g.pick([3, 1, 2, 6])
    shape = (columns, inner) if flags["transB"] else (inner, columns)
    w = g.weights(g.content(x.dtype, shape), int(not flags["transB"])) if x.dtype == "float32" else g.fresh(
        g.content(x.dtype, shape))
    operands: list[Value | None] = [x, w]
    if g.opset < 11 or g.chance(3, 4):
        form = g.pick([(columns,), (columns,), (1, columns), (rows, columns), (rows, 1), (), (1,)])
        bias = g.content(x.dtype, form)
        operands.append(g.bias(x, w, bias) if form == (columns,) and x.dtype == "float32" else g.fresh(bias))
    scales = {"alpha": real(0.5, 2), "beta": real(0, 2)} if x.dtype in FLOATS and g.chance(1, 3) else {}
    g.add(operands, **{k: v for k, v in flags.items() if v or g.chance(1, 2)}, **drawn(g, scales))


_EQUATIONS = (
    ("ij,jk->ik", ((2, 3), (3, 4))), ("ij,jk", ((2, 3), (3, 4))), ("bij,bjk->bik", ((2, 2, 3), (2, 3, 2))),
    ("bij,bkj->bik", ((2, 2, 3), (2, 4, 3))), ("i,i->", ((5,), (5,))), ("i,j->ij", ((3,), (4,))),
    ("ij->ji", ((2, 3),)), ("ij->", ((2, 3),)), ("ij->j", ((2, 3),)), ("bhid,bhjd->bhij", ((1, 2, 3, 2), (1, 2, 3, 2))),
    ("...ij,...jk->...ik", ((2, 2, 3), (2, 3, 2))), ("ii->i", ((3, 3),)), ("ij,ij->ij", ((2, 3), (2, 3))),
    ("ijk,jil->kl", ((2, 3, 2), (3, 2, 4))), ("bi,ij,bj->b", ((2, 3), (3, 4), (2, 4))),
)


def _einsum(g: Growing) -> None:
    equation, shapes = g.pick(_EQUATIONS)
    dtype = g.dtype([t for t in g.types() if t in ("float32", "float64", "int32", "int64")])
    g.add([g.operand([dtype], shape=s) for s in shapes], equation=equation)


def _det(g: Growing) -> None:
    n = g.integer(1, 4)
    array = g.source.numpy().standard_normal((*g.shape(0, 2, 3), n, n)) + 3 * np.eye(n)
    g.add([g.fresh(array.astype(g.dtype([t for t in g.types() if t in ("float32", "float64")])))])


ROWS = (
    Row("ReduceMean", reduction(18), weight=4),
    Row("ReduceSum", reduction(13), weight=3),
    *(Row(f"Reduce{op}", reduction(18), exact=True, weight=3) for op in ("Max", "Min")),
    *(Row(f"Reduce{op}", reduction(18)) for op in ("L1", "L2", "SumSquare", "LogSumExp")),
    Row("ReduceProd", reduction(18, -2, 2)),
    Row("ReduceLogSum", reduction(18, 0.25, 20)),
    Row("ArgMax", _arg_extremum, exact=True),
    Row("ArgMin", _arg_extremum, exact=True),
    Row("TopK", _top_k, exact=True),
    Row("CumSum", _cum_sum),
    Row("CumProd", _cum_prod),
    *(Row(op, _softmax, exact=op == "Hardmax", weight=3, onnx_since=13) for op in ("Softmax", "LogSoftmax", "Hardmax")),
    Row("BatchNormalization", _batch_norm),
    Row("InstanceNormalization", _instance_norm),
    *(Row(op, _layer_norm) for op in ("LayerNormalization", "RMSNormalization")),
    Row("GroupNormalization", _group_norm),
    Row("LpNormalization", _lp_norm),
    Row("LRN", _lrn, onnx_since=99),  # the ONNX reference takes the number of channels for that of instances
    Row("MeanVarianceNormalization", _mean_variance),
    Row("MatMul", _matmul, weight=4),
    Row("Gemm", _gemm, weight=4),
    Row("Einsum", _einsum),
    Row("Det", _det),
)
