# SPDX-License-Identifier: Apache-2.0
"""Rows of operators that slide a window over spatial axes, and of those that resample them."""

from __future__ import annotations

from typing import Any

import numpy as np
from fuzz_growing import Growing, Value
from fuzz_reference import Dropped
from fuzz_row import Row, drawn, flag, float_types


def _image(g: Growing, types: list[str], low: int = 3, high: int = 5) -> Value:
    """[N, C, spatial...], mostly two-dimensional."""
    rank = g.pick([r for r in (4, 3, 4, 5) if low <= r <= high])
    known = [v for v in reversed(g.values) if v.rank == rank and v.dtype in types and v.finite]
    if known and g.chance(3, 4):
        return g.pick(known)
    extents = [g.pick([5, 1, 3, 4, 7, 8]) if rank < 5 else g.integer(1, 4) for _ in range(rank - 2)]
    shape = (g.pick([1, 1, 2]), g.pick([2, 1, 3, 4, 6]), *extents)
    return g.fresh(g.content(g.dtype(types), shape), None if g.chance(1, 8) else False)


def _window(g: Growing, extents: tuple[int, ...], dilations: bool, most: int = 3) -> dict[str, Any]:
    """kernel_shape and some of strides, dilations and padding, for a window that fits."""
    rank = len(extents)
    kernel = [g.integer(1, most) for _ in extents]
    spread = [g.integer(1, 2) for _ in extents] if dilations and g.chance(1, 3) else [1] * rank
    attributes: dict[str, Any] = {"kernel_shape": kernel}
    if spread != [1] * rank:
        attributes["dilations"] = spread
    if g.chance(1, 2):
        attributes["strides"] = [g.integer(1, 3) for _ in extents]
    kind = g.integer(0, 4)
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, spread, strict=True)]
    if kind in (1, 2):
        attributes["pads"] = [g.integer(0, min(2, k - 1)) for _ in range(2) for k in kernel]
    elif kind == 3:
        attributes["auto_pad"] = g.pick(["SAME_UPPER", "SAME_LOWER", "VALID"])
    elif kind == 4:
        attributes["pads"] = [k // 2 for _ in range(2) for k in spans]
    begins = attributes.get("pads", [0] * (2 * rank))
    grown = [e + begins[i] + begins[rank + i] for i, e in enumerate(extents)]
    if not attributes.get("auto_pad", "").startswith("SAME") and any(
            s > e for s, e in zip(spans, grown, strict=True)):
        raise Dropped("a window that does not fit")
    return attributes


def _groups(g: Growing, channels: int) -> int:
    return int(g.pick([1, 1, channels, *(d for d in range(1, channels + 1) if channels % d == 0)]))


def _conv(g: Growing) -> None:
    x = _image(g, float_types(g))
    window = _window(g, x.shape[2:], True)
    group = _groups(g, x.shape[1])
    outputs = group * g.integer(1, 3 if group < 4 else 1)
    shape = (outputs, x.shape[1] // group, *window["kernel_shape"])
    w = g.weights(g.content(x.dtype, shape), 0) if x.dtype == "float32" and not g.chance(1, 10) else g.fresh(
        g.content(x.dtype, shape))
    operands: list[Value | None] = [x, w]
    if g.chance(1, 2):
        operands.append(g.bias(x, w, g.content(x.dtype, (outputs,))))
    if g.chance(1, 2):
        del window["kernel_shape"]
    g.add(operands, **window, **({"group": group} if group > 1 else {}))


def _conv_transpose(g: Growing) -> None:
    x = _image(g, [t for t in float_types(g) if t != "float16"], 3, 4)
    group = _groups(g, x.shape[1])
    kernel = [g.integer(1, 3) for _ in x.shape[2:]]
    strides = [g.integer(1, 3) for _ in kernel]
    attributes: dict[str, Any] = {"strides": strides} if g.chance(2, 3) else {}
    strides = attributes.get("strides", [1] * len(kernel))
    if g.chance(1, 3):
        attributes["dilations"] = [g.integer(1, 2) for _ in kernel]
    if g.chance(1, 2):
        attributes["pads"] = [g.integer(0, (k - 1) // 2) for _ in range(2) for k in kernel]
    elif g.chance(1, 4) and all(k >= s for k, s in zip(kernel, strides, strict=True)):
        # With a stride beyond the kernel onnxruntime's result is smaller than input times stride.
        attributes["auto_pad"] = g.pick(["SAME_UPPER", "SAME_LOWER", "VALID"])
    if g.chance(1, 3):
        attributes["output_padding"] = [g.integer(0, s - 1) for s in strides]
    w = g.weights(g.content(x.dtype, (x.shape[1], g.integer(1, 3), *kernel)), 1) if group == 1 else g.constant(
        g.content(x.dtype, (x.shape[1], g.integer(1, 2), *kernel)))
    operands: list[Value | None] = [x, w]
    if g.chance(1, 2):
        operands.append(g.constant(g.content(x.dtype, (w.shape[1] * group,))))
    g.add(operands, **attributes, **({"group": group} if group > 1 else {}))


def _same_padding(window: dict[str, Any]) -> None:
    """Raises Dropped where onnxruntime's pooling understands auto_pad SAME in another way (KNOWN_DIFFERENCES)."""
    if window.get("auto_pad", "").startswith("SAME"):
        steps = window.get("strides", [1] * len(window["kernel_shape"]))
        if "dilations" in window or any(s > k for s, k in zip(steps, window["kernel_shape"], strict=True)):
            raise Dropped("auto_pad SAME with dilation, or with a stride beyond the kernel")


def _pool(g: Growing) -> None:
    average = g.op == "AveragePool"
    x = _image(g, [t for t in g.types() if t != "float16"])
    window = _window(g, x.shape[2:], g.opset >= (19 if average else 10))
    pads, kernel = window.get("pads", []), window["kernel_shape"]
    if any(p >= k for p, k in zip(pads, kernel * 2, strict=False)):
        raise Dropped("a window that lies in the padding")
    _same_padding(window)
    if g.opset >= 10 and g.chance(1, 4) and "auto_pad" not in window:
        window["ceil_mode"] = 1
    if average and g.chance(1, 2):
        window["count_include_pad"] = 1
    count = 2 if g.op == "MaxPool" and g.opset >= 8 and g.chance(1, 6) else 1
    g.add([x], count=count, skip=(0,) if count == 2 and g.chance(1, 4) else (), **window)


def _lp_pool(g: Growing) -> None:
    x = _image(g, [t for t in float_types(g) if t != "float16"])
    window = _window(g, x.shape[2:], g.opset >= 18)
    _same_padding(window)
    g.add([x], **window, **drawn(g, {"p": lambda g: g.integer(1, 3)}))


def _global_pool(g: Growing) -> None:
    x = _image(g, float_types(g))
    g.add([x], **(drawn(g, {"p": lambda g: g.integer(1, 3)}) if g.op == "GlobalLpPool" else {}))


def _resize(g: Growing) -> None:
    """The forms that exporters write: nearest or linear, by scales or sizes."""
    x = _image(g, [t for t in g.types() if t in ("float32", "float64", "int8", "uint8", "int32")], 3, 4)
    mode = g.pick(["nearest", "linear", "cubic"] if x.rank == 4 else ["nearest", "linear"])
    if x.dtype not in ("float32", "float64"):
        mode = "nearest"
    factors = [1.0, 1.0, *(g.pick([2.0, 1.0, 3.0, 0.5, 1.5]) for _ in x.shape[2:])]
    if any(int(d * f) < 1 for d, f in zip(x.shape, factors, strict=True)):
        raise Dropped("an extent of 0")
    if mode == "cubic" and min(x.shape[2:]) < 4:
        raise Dropped("too small for cubic")
    if g.opset < 11:
        if mode == "cubic":
            raise Dropped("no cubic yet")
        g.add([x, g.constant(np.array(factors, np.float32))], mode=mode)
        return
    forms = ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]
    if any(d * f % 1 for d, f in zip(x.shape, factors, strict=True)):
        # Where scale times extent is no integer, ONNX's tests align to that product, onnxruntime to the extent.
        forms.remove("align_corners")
    attributes: dict[str, Any] = {"mode": mode, "coordinate_transformation_mode": g.pick(forms)}
    if mode == "nearest":
        attributes["nearest_mode"] = g.pick(["round_prefer_floor", "floor", "ceil", "round_prefer_ceil"])
    if mode == "cubic":
        attributes |= drawn(g, {"cubic_coeff_a": lambda _: -0.5, "exclude_outside": flag})
    nothing = None if g.opset >= 13 else g.constant(np.zeros(0, np.float32))
    if g.chance(1, 2):
        g.add([x, nothing, g.constant(np.array(factors, np.float32))], **attributes)
    else:
        sizes = g.integers([int(d * f) for d, f in zip(x.shape, factors, strict=True)])
        empty = None if g.opset >= 13 else g.constant(np.zeros(0, np.float32))
        g.add([x, nothing, empty, sizes], **attributes)


def _upsample(g: Growing) -> None:
    x = _image(g, ["float32"], 4, 4)
    factors = [1.0, 1.0, g.pick([2.0, 1.0, 3.0]), g.pick([2.0, 1.0, 1.5])]
    if g.opset < 9:
        g.add([x], scales=factors, mode=g.pick(["nearest", "linear"]))
    else:
        g.add([x, g.constant(np.array(factors, np.float32))], mode=g.pick(["nearest", "linear"]))


def _grid_sample(g: Growing) -> None:
    x = _image(g, [t for t in float_types(g) if t == "float32"], 4, 4)
    grid = g.content("float32", (x.shape[0], g.integer(1, 3), g.integer(1, 3), 2), -1.25, 1.25)
    modes = ["linear", "nearest", "cubic"] if g.opset >= 20 else ["bilinear", "nearest", "bicubic"]
    g.add([x, g.fresh(grid)], mode=g.pick(modes), **drawn(g, {
        "align_corners": flag, "padding_mode": lambda g: g.pick(["zeros", "border", "reflection"])}))


def _affine_grid(g: Growing) -> None:
    n, size = g.integer(1, 2), (g.integer(1, 4), g.integer(1, 4))
    theta = g.fresh(g.content(g.dtype(["float32", "float64"]), (n, 2, 3)))
    g.add([theta, g.integers([n, 2, *size])],
          **(drawn(g, {"align_corners": flag}) if min(size) > 1 else {}))  # with an extent of 1 it is undefined


def _roi_align(g: Growing) -> None:
    x = _image(g, ["float32"], 4, 4)
    count = g.integer(1, 3)
    rng = g.source.numpy()
    corners = rng.uniform(0, 4, (count, 2))
    rois = np.concatenate([corners, corners + rng.uniform(0.5, 4, (count, 2))], 1).astype(np.float32)
    batches = rng.integers(0, x.shape[0], count)
    mode, half = g.pick(["avg", "max"]), lambda g: g.pick(["half_pixel", "output_half_pixel"])
    # onnxruntime warns that its maximum of several samples is incorrect.
    g.add([x, g.fresh(rois), g.fresh(batches)], output_height=g.integer(1, 3), output_width=g.integer(1, 3),
          sampling_ratio=1 if mode == "max" else g.integer(1, 3), spatial_scale=g.source.real(0.5, 1),
          mode=mode, **(drawn(g, {"coordinate_transformation_mode": half}) if g.opset >= 16 else {}))


def _col_to_im(g: Growing) -> None:
    block, image = (g.integer(1, 2), g.integer(1, 2)), (g.integer(2, 4), g.integer(2, 4))
    blocks = (image[0] - block[0] + 1) * (image[1] - block[1] + 1)
    x = g.fresh(g.content("float32", (1, 2 * block[0] * block[1], blocks)))
    g.add([x, g.integers(image), g.integers(block)])


def _max_unpool(g: Growing) -> None:
    shape = (1, g.integer(1, 2), g.integer(1, 3), g.integer(1, 3))
    size = 4 * shape[1] * shape[2] * shape[3]
    places = g.source.numpy().permutation(size)[:size // 4].reshape(shape)
    g.add([g.fresh(g.content("float32", shape)), g.fresh(places)], kernel_shape=[2, 2], strides=[2, 2])


ROWS = (
    Row("Conv", _conv, weight=8),
    # The ONNX reference adds one group's bias to all.
    Row("ConvTranspose", _conv_transpose, weight=4, onnx_since=99),
    # The ONNX reference reads beyond the ends where onnxruntime rightly refuses.
    Row("AveragePool", _pool, weight=4, onnx_since=99),
    Row("MaxPool", _pool, exact=True, weight=4, onnx_since=99),
    Row("LpPool", _lp_pool, onnx_since=99),
    *(Row(op, _global_pool, exact=op == "GlobalMaxPool") for op in
      ("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")),
    Row("Resize", _resize, weight=4),
    Row("Upsample", _upsample),
    Row("GridSample", _grid_sample),
    Row("AffineGrid", _affine_grid),
    Row("RoiAlign", _roi_align),
    Row("Col2Im", _col_to_im),
    Row("MaxUnpool", _max_unpool, exact=True),
)
