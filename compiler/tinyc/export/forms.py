# SPDX-License-Identifier: Apache-2.0
"""How a node of the IR is written in ONNX: a table by operator. The reverse of the imports in tinyc.ops.

Float operators, channels-first, as the graph is where it is quantized. An operator without a row has no ONNX form.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import Array
from tinyc.ops import elementwise, reduce, unary

Operand = str | Array  # the name of a value, or a constant that the IR keeps as an attribute
BEFORE = "\0before"  # as an operand: the result of the form before


@dataclass(frozen=True)
class Form:
    """One ONNX node.

    results: for each output of ONNX's operator the index of the IR node's, None if it has none.
    name: "" for the IR node's own, or one made of it.
    """

    op: str
    inputs: tuple[Operand, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    results: tuple[int | None, ...] = (0,)
    name: str = ""


class NoForm(Exception):
    """A node that cannot be written in ONNX; says what it is."""


Writer = Callable[[Graph[Any], Node], Form | tuple[Form, ...]]


def _plain(op: str | None = None, **attributes: Any) -> Writer:
    return lambda graph, node: Form(op or node.op, node.inputs, attributes)


def _axis(graph: Graph[Any], node: Node) -> Form:
    return Form(node.op, node.inputs, {"axis": node.attrs.axis})


def _unary(graph: Graph[Any], node: Node) -> Form:
    names = unary.TABLE[node.op].parameters
    return Form(node.op, node.inputs, dict(zip(names, node.attrs.parameters, strict=True)))


def _infinite(graph: Graph[Any], node: Node) -> Form:
    negative, positive = (int(p) for p in node.attrs.parameters)
    return Form("IsInf", node.inputs, {"detect_negative": negative, "detect_positive": positive})


def _clip(graph: Graph[Any], node: Node) -> Form:
    return clip(node.inputs[0], (node.attrs.low, node.attrs.high), graph.type(node.inputs[0]).dtype.numpy)


def clip(value: str, clamp: tuple[float, float], dtype: np.dtype[Any]) -> Form:
    """Bounds, infinite ones left out."""
    if clamp == (0.0, math.inf):
        return Form("Relu", (value,))
    low, high = (np.array(b, dtype) if math.isfinite(b) else "" for b in clamp)
    return Form("Clip", (value, low, high) if not isinstance(high, str) else (value, low))


def _conv(graph: Graph[Any], node: Node) -> Form:
    a = node.attrs
    return Form("Conv", node.inputs, {"strides": a.strides, "dilations": a.dilations, "pads": a.pads,
                                      "group": a.group, "kernel_shape": graph.type(node.inputs[1]).shape[2:]})


def _conv_transpose(graph: Graph[Any], node: Node) -> Form:
    """The IR has weights [O,C/g,...], ONNX [C,O/g,...]; a negative end of the pads is ONNX's output_padding."""
    a, weights = node.attrs, graph.value(node.inputs[1]).data
    if weights is None:
        raise NoForm("ConvTranspose with weights that are not constant")
    apart = weights.reshape(a.group, -1, *weights.shape[1:])  # [g, O/g, C/g, ...]
    first = np.ascontiguousarray(apart.swapaxes(1, 2)).reshape(-1, *apart.shape[1:2], *weights.shape[2:])
    rank = len(a.strides)
    begins, ends = a.pads[:rank], a.pads[rank:]
    attributes = {"strides": a.strides, "dilations": a.dilations, "group": a.group, "kernel_shape": weights.shape[2:],
                  "pads": (*begins, *(max(e, 0) for e in ends)), "output_padding": tuple(max(-e, 0) for e in ends)}
    return Form(node.op, (node.inputs[0], first, *node.inputs[2:]), attributes)


def _gemm(graph: Graph[Any], node: Node) -> tuple[Form, ...]:
    """As ONNX's Gemm or as MatMul and Add, whichever the importer names like the node: it makes of a Gemm NAME with
    transB a Transpose NAME and a product NAME.1."""
    x, w, *bias = node.inputs
    stem = node.name.removesuffix(".1")
    if graph.type(x).rank == 2 and stem != node.name and ("op", stem) not in graph.nx:
        return (Form("Gemm", node.inputs, {"transB": 1}, name=stem),)
    forms = (Form("Transpose", (w,), {"perm": (1, 0)}, name=f"{node.name}.Transpose"), Form("MatMul", (x, BEFORE)))
    return (*forms, Form("Add", (BEFORE, bias[0]), name=f"{node.name}.Add")) if bias and bias[0] else forms


def _cast(graph: Graph[Any], node: Node) -> Form:
    return Form("Cast", node.inputs, {"to": node.attrs.dtype})


def _pool(graph: Graph[Any], node: Node) -> Form:
    a = node.attrs
    attributes = {"kernel_shape": a.kernel, "strides": a.strides, "pads": a.pads, "ceil_mode": int(a.ceil_mode),
                  "dilations": a.dilations}
    if node.op == "AveragePool":
        attributes["count_include_pad"] = int(a.count_include_pad)
    if node.op == "LpPool":
        attributes["p"] = a.p
    return Form(node.op, node.inputs, attributes)


def _integers(values: tuple[int, ...]) -> Array:
    return np.array(values, np.int64)


def _shape(graph: Graph[Any], node: Node) -> Form:
    attributes = {"allowzero": 1} if node.op == "Reshape" else {}
    return Form(node.op, (node.inputs[0], _integers(node.attrs.shape)), attributes)


def _transpose(graph: Graph[Any], node: Node) -> Form:
    return Form("Transpose", node.inputs, {"perm": node.attrs.perm})


def _slice(graph: Graph[Any], node: Node) -> Form:
    a, extents = node.attrs, graph.type(node.inputs[0]).shape
    ends = [s + k * n for s, k, n in zip(a.starts, a.steps, a.counts, strict=True)]
    ends = [e if e >= 0 else -d - 1 for e, d in zip(ends, extents, strict=True)]
    axes = tuple(range(len(extents)))
    return Form("Slice", (node.inputs[0], *map(_integers, (a.starts, tuple(ends), axes, a.steps))))


def _pad(graph: Graph[Any], node: Node) -> Form:
    a, dtype = node.attrs, graph.type(node.inputs[0]).dtype.numpy
    value: tuple[Operand, ...] = (np.array(a.value, dtype),) if a.mode == "constant" else ()
    return Form("Pad", (node.inputs[0], _integers(a.pads), *value), {"mode": a.mode})


def _reduce(graph: Graph[Any], node: Node) -> Form:
    a = node.attrs
    return Form(node.op, (node.inputs[0], _integers(a.axes)),
                {"keepdims": int(a.keepdims), "noop_with_empty_axes": 1})


def _extremum(graph: Graph[Any], node: Node) -> Form:
    a = node.attrs
    return Form(node.op, node.inputs, {"axis": a.axis, "keepdims": int(a.keepdims), "select_last_index": int(a.last)})


def _row_norm(graph: Graph[Any], node: Node) -> Form:
    a, x = node.attrs, graph.type(node.inputs[0])
    rows = x.shape[a.axis:]
    given = [i for i in node.inputs[1:] if i]
    if a.results != ("Y",) or len(rows) != 1 or len(given) < len(node.inputs[1:]):
        raise NoForm(f"{node.op} with statistics, or over several axes")
    scale: tuple[Operand, ...] = (np.ones(rows, x.dtype.numpy),) if not given else ()
    return Form(node.op, (*node.inputs, *scale), {"axis": a.axis, "epsilon": a.epsilon})


def _instance_norm(graph: Graph[Any], node: Node) -> Form:
    if node.attrs.axis != 1 or len([i for i in node.inputs if i]) != 3:
        raise NoForm("this InstanceNormalization")
    return Form(node.op, node.inputs, {"epsilon": node.attrs.epsilon})


def _lrn(graph: Graph[Any], node: Node) -> Form:
    a = node.attrs
    return Form("LRN", node.inputs, {"size": a.size, "alpha": a.alpha, "beta": a.beta, "bias": a.bias})


def _recurrent(graph: Graph[Any], node: Node) -> Form:
    a, names = node.attrs, {"LSTM": ("Y", "Y_h", "Y_c")}.get(node.op, ("Y", "Y_h"))
    inputs: list[Operand] = [*node.inputs]
    if len(inputs) > 3 and node.inputs[3]:
        inputs[3] = _two_biases(graph.data(node.inputs[3]), a.hidden, node.op == "GRU" and a.variant)
    kinds = [f.kind for f in a.activations]
    if any((f.alpha, f.beta) != (0.0, 0.0) for f in a.activations):
        raise NoForm("activations with parameters")
    attributes = {"hidden_size": a.hidden, "direction": a.direction, "activations": kinds, "layout": int(a.batch_first)}
    if a.clip is not None:
        attributes["clip"] = a.clip
    if a.variant:
        attributes["linear_before_reset" if node.op == "GRU" else "input_forget"] = 1
    results = tuple(a.results.index(n) if n in a.results else None for n in names)
    return Form(node.op, tuple(inputs), attributes, results)


def _two_biases(bias: Array, hidden: int, apart: bool) -> Array:
    """ONNX's biases of W and R, [D, 2 * gates * H]; the IR has their sum, but for the last gate where it is `apart`."""
    if not apart:
        return np.concatenate([bias, np.zeros_like(bias)], axis=1)
    mine, last = bias[:, :3 * hidden], bias[:, 3 * hidden:]
    return np.concatenate([mine, np.zeros_like(bias[:, :2 * hidden]), last], axis=1)


def _top_k(graph: Graph[Any], node: Node) -> Form:
    a = node.attrs
    return Form("TopK", (node.inputs[0], _integers((a.k,))), {"axis": a.axis, "largest": int(a.largest)}, (0, 1))


def _depth(graph: Graph[Any], node: Node) -> Form:
    a = node.attrs
    if a.to_depth and not a.depth_first:
        raise NoForm("SpaceToDepth with the block as the inner part")
    if a.to_depth:
        return Form("SpaceToDepth", node.inputs, {"blocksize": a.block})
    return Form("DepthToSpace", node.inputs, {"blocksize": a.block, "mode": "DCR" if a.depth_first else "CRD"})


WRITERS: dict[str, Writer] = {
    **{name: _plain() for name in elementwise.TABLE},
    **{name: _unary for name in unary.TABLE},
    **{name: _reduce for name in reduce.TABLE},
    **dict.fromkeys(("AveragePool", "MaxPool", "LpPool"), _pool),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), _recurrent),
    **dict.fromkeys(("LayerNormalization", "RMSNormalization"), _row_norm),
    **dict.fromkeys(("ArgMax", "ArgMin"), _extremum),
    **dict.fromkeys(("Reshape", "Expand"), _shape),
    **dict.fromkeys(("Softmax", "Concat", "Gather"), _axis),
    **dict.fromkeys(("Identity", "MatMul", "Where"), _plain()),
    "Cast": _cast, "Clip": _clip, "Conv": _conv, "ConvTranspose": _conv_transpose, "DepthToSpace": _depth,
    "Gemm": _gemm, "GeluTanh": _plain("Gelu", approximate="tanh"),
    "InstanceNormalization": _instance_norm, "IsInf": _infinite, "LRN": _lrn, "Pad": _pad, "Slice": _slice,
    "TopK": _top_k, "Transpose": _transpose, "Fmod": _plain("Mod", fmod=1),
    "ShiftLeft": _plain("BitShift", direction="LEFT"), "ShiftRight": _plain("BitShift", direction="RIGHT"),
}
for _name in ("Probit", "Swish"):  # not in the opset that is written
    del WRITERS[_name]


def forms_of(graph: Graph[Any], node: Node) -> tuple[Form, ...]:
    """ONNX nodes, each reading the one before. Raises NoForm."""
    if node.op not in WRITERS or node.integer or getattr(node.attrs, "channels_last", False):
        raise NoForm(node.op)
    written = WRITERS[node.op](graph, node)
    forms = written if isinstance(written, tuple) else (written,)
    clamp = getattr(node.attrs, "clamp", None)
    if clamp is None:
        return forms
    bounds = clip(BEFORE, clamp, graph.output_types(node)[0].dtype.numpy)
    return (*forms, replace(bounds, name=f"{node.name}.{bounds.op}"))
