# SPDX-License-Identifier: Apache-2.0
"""Rows of operators that move, select or count elements."""

from __future__ import annotations

from typing import Any

import numpy as np
from fuzz_growing import ANY, Growing, Value
from fuzz_reference import Dropped
from fuzz_row import Row, drawn, flag, small, unary, vector_or_attribute
from onnx import numpy_helper


def _factors(g: Growing, count: int) -> list[int]:
    """A shape with so many elements."""
    shape: list[int] = []
    for prime in (2, 3, 5, 7):
        while count % prime == 0 and len(shape) < 4:
            count //= prime
            if shape and g.chance(1, 2):
                shape[-1] *= prime
            else:
                shape.append(prime)
    return g.source.shuffled([*shape, count]) if count > 1 or g.chance(1, 3) else shape


def _reshape(g: Growing) -> None:
    x = g.operand(ANY, special="nan")
    shape = _factors(g, x.array.size)
    if shape and g.chance(1, 3):
        shape[g.integer(0, len(shape) - 1)] = -1
    for axis, extent in enumerate(shape):
        if axis < x.rank and extent == x.shape[axis] and g.chance(1, 3):
            shape[axis] = 0
    if shape.count(-1) > 1:
        raise Dropped("two unknown extents")
    g.add([x, g.integers(shape)])


def _flatten(g: Growing) -> None:
    x = g.operand(g.types())
    low = -x.rank if g.opset >= 11 else 0
    g.add([x], **drawn(g, {"axis": lambda g: g.integer(low, x.rank)}) if x.rank else {"axis": 0})


def _squeeze(g: Growing) -> None:
    x = g.operand(g.types())
    ones = [a for a, d in enumerate(x.shape) if d == 1]
    operands: list[Value | None] = [x]
    axes = g.source.some(ones)
    axes = [a - x.rank if g.opset >= 11 and g.chance(1, 3) else a for a in axes]
    attributes = vector_or_attribute(g, 13, "axes", axes, operands) if axes else {}
    g.add(operands, **attributes)


def _unsqueeze(g: Growing) -> None:
    x = g.operand(g.types(), 0, 3)
    count = g.integer(1, 2)
    axes = g.source.shuffled(range(x.rank + count))[:count]
    axes = [a - x.rank - count if g.opset >= 11 and g.chance(1, 3) else a for a in axes]
    if g.opset < 11:
        axes = sorted(axes)
    operands: list[Value | None] = [x]
    g.add(operands, **vector_or_attribute(g, 13, "axes", axes, operands))


def _transpose(g: Growing) -> None:
    x = g.operand(g.types(), special="nan")
    g.add([x], **drawn(g, {"perm": lambda g: g.source.shuffled(range(x.rank))}) if x.rank else {})


def _concat(g: Growing) -> None:
    x = g.operand(g.types(), 1, 4)
    axis = g.axis(x.rank) if g.opset >= 11 else g.integer(0, x.rank - 1)
    parts = [x]
    for _ in range(g.integer(0, 3)):
        known = [v for v in g.values if v.dtype == x.dtype and v.rank == x.rank
                 and np.delete(v.shape, axis).tolist() == np.delete(x.shape, axis).tolist()]
        shape = list(x.shape)
        shape[axis] = g.integer(1, 3)
        parts.append(g.pick(known) if known and g.chance(2, 3) else g.fresh(g.content(x.dtype, shape)))
    g.add(parts, axis=axis)


def _slice(g: Growing) -> None:
    x = g.operand(g.types(), 1, special="nan")
    starts, ends, axes, steps = [], [], [], []
    for axis in g.source.some(range(x.rank)) or [0]:
        d = x.shape[axis]
        step = g.pick([1, 2, -1, -2, 3]) if g.opset >= 10 else 1
        start, end = g.integer(-d - 1, d + 1), g.pick([d, (1 << 31) - 1, -1, -(1 << 31), g.integer(-d, d)])
        if not len(range(*slice(start, end, step).indices(d))):
            start, end = (0, d) if step > 0 else (d, -(1 << 31))
        if g.chance(1, 8):
            end = (1 << 63) - 1 if step > 0 else -(1 << 63)
        starts.append(start)
        ends.append(end)
        axes.append(axis - x.rank if g.opset >= 10 and g.chance(1, 4) else axis)
        steps.append(step)
    if g.opset < 10:
        g.add([x], starts=starts, ends=ends, **drawn(g, {"axes": lambda _: axes}) if axes == list(range(len(axes)))
              else {"axes": axes})
        return
    kind = "int32" if g.chance(1, 4) and max(map(abs, ends)) < 1 << 31 else "int64"
    operands: list[Value | None] = [x, *(g.integers(v, kind) for v in (starts, ends))]
    if axes != list(range(len(axes))) or steps != [1] * len(steps) or g.chance(1, 2):
        operands.append(g.integers(axes, kind))
        if steps != [1] * len(steps) or g.chance(1, 2):
            operands.append(g.integers(steps, kind))
    g.add(operands)


def _split(g: Growing) -> None:
    x = g.operand(g.types(), 1)
    axis = g.axis(x.rank) if g.opset >= 11 else g.integer(0, x.rank - 1)
    extent = x.shape[axis]
    count = g.integer(1, min(extent, 4))
    attributes: dict[str, Any] = {"axis": axis} if axis or g.chance(1, 2) else {}
    operands: list[Value | None] = [x]
    if g.chance(1, 2) or (g.opset < 18 and extent % count):
        cuts = sorted(g.source.shuffled(range(1, extent))[:count - 1])
        sizes = np.diff([0, *cuts, extent]).tolist()
        attributes |= vector_or_attribute(g, 13, "split", sizes, operands)
    elif g.opset >= 18:
        attributes["num_outputs"] = count
        if (count - 1) * -(-extent // count) >= extent:
            raise Dropped("an empty part")
    g.add(operands, count=count, **attributes)


def _indices(g: Growing, extent: int, shape: tuple[int, ...], types: tuple[str, ...] = ("int64", "int32")) -> Value:
    """Indices below `extent`, sometimes counted from the end; constant or computed."""
    negative = -extent if g.opset >= 11 else 0
    rng = g.source.numpy()
    array = rng.integers(negative if g.chance(1, 2) else 0, extent, shape).astype(g.pick(types))
    return g.constant(array) if g.chance(1, 2) else g.fresh(array, False)


def _gather(g: Growing) -> None:
    x = g.operand(g.types(), 1, 4, special="nan")
    axis = g.axis(x.rank)
    g.add([x, _indices(g, x.shape[axis], g.shape(0, 2, 4))], **({"axis": axis} if axis or g.chance(1, 2) else {}))


def _gather_elements(g: Growing) -> None:
    x = g.operand(g.types(), 1, 4)
    axis = g.axis(x.rank)
    shape = tuple(g.integer(1, d) if k != axis % x.rank else g.integer(1, 4) for k, d in enumerate(x.shape))
    g.add([x, _indices(g, x.shape[axis], shape)], axis=axis)


def _nd_indices(g: Growing, x: Value, low: int, batch: int = 0) -> tuple[np.ndarray, int]:
    depth = g.integer(1, x.rank - batch)
    lead = (*x.shape[:batch], *g.shape(low, 2, 3))
    rng = g.source.numpy()
    parts = [rng.integers(-d if g.opset >= 11 and g.chance(1, 3) else 0, d, lead) for d in x.shape[batch:batch + depth]]
    return np.stack(parts, -1).astype(np.int64), depth


def _gather_nd(g: Growing) -> None:
    x = g.operand(g.types(), 1, 4)
    batch = g.integer(0, min(1, x.rank - 1)) if g.opset >= 12 else 0
    indices, _ = _nd_indices(g, x, 1, batch)
    g.add([x, g.constant(indices) if g.chance(1, 2) else g.fresh(indices, False)],
          **({"batch_dims": batch} if batch else {}))


def _reductions(g: Growing, x: Value) -> dict[str, Any]:
    """A reduction where several updates meet."""
    if g.opset < 16 or g.chance(1, 2):
        return {}
    names = ["none", "add", "mul"] + (["max", "min"] if g.opset >= 18 else [])
    return {"reduction": g.pick(names)}


def _scatter_elements(g: Growing) -> None:
    x = g.operand([t for t in g.types() if t != "bool"], 1, 4)
    axis = g.axis(x.rank)
    attributes = _reductions(g, x)
    shape = [g.integer(1, d) for d in x.shape]
    rng = g.source.numpy()
    extent = x.shape[axis]
    if attributes.get("reduction", "none") == "none":  # the last of several updates of an element is undefined
        indices = np.argsort(rng.random([extent if k == axis % x.rank else d for k, d in enumerate(shape)]), axis)
        indices = np.take(indices, range(shape[axis]), axis)
    else:
        indices = rng.integers(0, extent, shape)
    if g.opset >= 11 and g.chance(1, 3):
        indices = indices - extent * rng.integers(0, 2, indices.shape)
    operands = [x, g.fresh(indices.astype(g.pick(["int64", "int32"]))), g.fresh(g.content(x.dtype, indices.shape))]
    g.add(operands, axis=axis, **attributes)


def _scatter_nd(g: Growing) -> None:
    x = g.operand([t for t in g.types() if t != "bool"], 1, 4)
    attributes = _reductions(g, x)
    indices, depth = _nd_indices(g, x, 1)
    if attributes.get("reduction", "none") == "none":
        flat = indices.reshape(-1, depth) % np.array(x.shape[:depth])
        if len({tuple(row) for row in flat.tolist()}) != len(flat):
            raise Dropped("two updates of one element")
    updates = g.content(x.dtype, (*indices.shape[:-1], *x.shape[depth:]))
    g.add([x, g.fresh(indices), g.fresh(updates)], **attributes)


def _expand(g: Growing) -> None:
    x = g.operand(g.types(), 0, 4, accept=small)
    shape = [g.integer(1, 3) if d == 1 else g.pick([d, 1]) for d in x.shape]
    shape = [g.integer(1, 3)] * g.integer(0, 1) + shape[g.integer(0, len(shape)) if g.chance(1, 4) else 0:]
    g.add([x, g.integers(shape)])


def _tile(g: Growing) -> None:
    x = g.operand(g.types(), 1, 4, accept=small)
    g.add([x, g.integers([g.pick([1, 2, 3]) for _ in x.shape])])


def _pad(g: Growing) -> None:
    x = g.operand(g.types(), 1, 4)
    modes = ["constant", "reflect", "edge"] + (["wrap"] if g.opset >= 19 else [])
    mode = g.pick(modes)
    axes = g.source.some(range(x.rank)) if g.opset >= 18 and g.chance(1, 3) else list(range(x.rank))
    pads = []
    for _side in range(2):
        for axis in axes:
            most = x.shape[axis] - 1 if mode in ("reflect", "wrap") else 3
            least = -1 if x.shape[axis] > 3 and mode == "constant" else 0
            pads.append(g.integer(0, max(0, min(2, most))) if not least or g.chance(1, 2) else least)
    attributes: dict[str, Any] = {"mode": mode} if mode != "constant" or g.chance(1, 2) else {}
    if g.opset < 11:
        g.add([x], pads=pads, **attributes, **drawn(g, {"value": lambda g: g.source.real(-2, 2)}))
        return
    operands: list[Value | None] = [x, g.integers(pads)]
    if g.chance(1, 2):
        operands.append(g.constant(g.content(x.dtype, ())))
    if len(axes) != x.rank or (g.opset >= 18 and g.chance(1, 4)):
        operands += [None] * (3 - len(operands))
        operands.append(g.integers([a - x.rank if g.chance(1, 3) else a for a in axes]))
    if not axes:
        raise Dropped("no axes to pad")
    g.add(operands, **attributes)


def _shape_of(g: Growing) -> None:
    x = g.operand(g.types(), 1)
    names = {"start": lambda g: g.integer(-x.rank, x.rank - 1)} if g.opset >= 15 else {}
    g.add([x], **drawn(g, names))


def _constant_of_shape(g: Growing) -> None:
    value = numpy_helper.from_array(g.content(g.dtype(ANY), (1,)))
    g.add([g.integers(g.shape(1, 3))], **drawn(g, {"value": lambda _: value}))


def _range(g: Growing) -> None:
    dtype = g.dtype(["int64", "int32", "float32", "float64"])
    start, step = g.integer(-5, 5), g.pick([1, 2, -1, -3])
    limit = start + step * g.integer(1, 6) - (0 if step in (1, -1) else step // abs(step))
    values = np.array([start, limit, step], dtype) / (2 if dtype in ("float32", "float64") else 1)
    g.add([g.constant(v) for v in values.astype(dtype)])


def _depth_to_space(g: Growing) -> None:
    block = g.pick([2, 1, 3])
    shape = (g.integer(1, 2), block * block * g.integer(1, 2), g.integer(1, 3), g.integer(1, 3))
    attributes = drawn(g, {"mode": lambda g: g.pick(["DCR", "CRD"])}) if g.opset >= 11 else {}
    g.add([g.fresh(g.content(g.dtype(g.types()), shape))], blocksize=block, **attributes)


def _space_to_depth(g: Growing) -> None:
    block = g.pick([2, 1, 3])
    shape = (g.integer(1, 2), g.integer(1, 3), block * g.integer(1, 2), block * g.integer(1, 3))
    g.add([g.fresh(g.content(g.dtype(g.types()), shape))], blocksize=block)


def _trilu(g: Growing) -> None:
    x = g.operand(g.types(), 2)
    operands: list[Value | None] = [x]
    if g.chance(1, 2):
        operands.append(g.constant(np.array(g.integer(-4, 4), np.int64)))
    g.add(operands, **drawn(g, {"upper": flag}))


def _eye_like(g: Growing) -> None:
    g.add([g.operand(g.types(), 2, 2)], **drawn(g, {"k": lambda g: g.integer(-3, 3)}))


def _one_hot(g: Growing) -> None:
    depth = g.integer(1, 5)
    shape = g.shape(0, 3, 4)
    indices = g.source.numpy().integers(-depth, depth, shape)
    values = g.content(g.dtype(["float32", "int64", "int32"]), (2,))
    g.add([g.fresh(indices), g.constant(np.array(depth, np.int64)), g.constant(values)],
          **drawn(g, {"axis": lambda g: g.integer(-1, len(shape))}))


def _reverse_sequence(g: Growing) -> None:
    x = g.operand(g.types(), 2, 4)
    batch = g.integer(0, 1)
    lengths = g.source.numpy().integers(1, x.shape[1 - batch], x.shape[batch], endpoint=True)
    g.add([x, g.fresh(lengths)], batch_axis=batch, time_axis=1 - batch)


def _center_crop_pad(g: Growing) -> None:
    x = g.operand(g.types(), 1, 4)
    axes = g.source.some(range(x.rank)) or [0]
    shape = [g.integer(1, x.shape[a] + 2) for a in axes]
    g.add([x, g.integers(shape)], axes=axes)


ROWS = (
    Row("Reshape", _reshape, exact=True, weight=4),
    Row("Flatten", _flatten, exact=True),
    Row("Squeeze", _squeeze, exact=True),
    Row("Unsqueeze", _unsqueeze, exact=True),
    Row("Transpose", _transpose, exact=True, weight=4),
    Row("Concat", _concat, exact=True, weight=4),
    Row("Slice", _slice, exact=True, weight=3),
    Row("Split", _split, exact=True),
    Row("Gather", _gather, exact=True),
    Row("GatherElements", _gather_elements, exact=True),
    Row("GatherND", _gather_nd, exact=True),
    Row("ScatterElements", _scatter_elements),
    Row("Scatter", _scatter_elements),
    Row("ScatterND", _scatter_nd),
    Row("Expand", _expand, exact=True),
    Row("Tile", _tile, exact=True),
    Row("Pad", _pad, exact=True),
    Row("Shape", _shape_of, exact=True, weight=1),
    Row("Size", unary(), exact=True, weight=1),
    Row("ConstantOfShape", _constant_of_shape, exact=True, weight=1),
    Row("Range", _range, exact=True, weight=1),
    Row("DepthToSpace", _depth_to_space, exact=True),
    Row("SpaceToDepth", _space_to_depth, exact=True),
    Row("Trilu", _trilu, exact=True),
    Row("EyeLike", _eye_like, exact=True),
    Row("OneHot", _one_hot, exact=True),
    Row("ReverseSequence", _reverse_sequence, exact=True),
    Row("CenterCropPad", _center_crop_pad, exact=True),
)
