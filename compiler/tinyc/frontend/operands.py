# SPDX-License-Identifier: Apache-2.0
"""Operands that shapes depend on but that are known only at run time: which values the declared shapes leave.

For each such operator a function lists the choices: constants to compute with, and the condition under which a
run-time operand means the same. The generated code checks the conditions (see tinyc.ops.expect).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyc.ir.types import Array, TensorType
from tinyc.ops.expect import Axes, Between, Ratio, Rule, Values

MAX_CHOICES = 12  # results that are compiled for one node
MAX_TRIED = 4096
MAX_SIZE = 1 << 30

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Call:
    """A node with operands that are not constant. `outputs`: the declared shapes, None where there is none."""

    op_type: str
    opset: int
    attributes: Mapping[str, Any]
    types: Sequence[TensorType | None]
    constants: Sequence[Array | None]
    outputs: Sequence[Shape | None]
    unknown: tuple[int, ...]

    def shape(self, index: int) -> Shape:
        type_ = self.types[index]
        assert type_ is not None
        return type_.shape

    def length(self, index: int) -> int:
        """How many elements an operand has."""
        return math.prod(self.shape(index))

    def known(self, index: int) -> list[int] | None:
        """The integers of a constant operand."""
        data = self.constants[index] if index < len(self.constants) else None
        return None if data is None else [int(v) for v in data.reshape(-1)]

    @property
    def out(self) -> Shape:
        found = self.outputs[0]
        assert found is not None
        return found

    @property
    def rank(self) -> int:
        return len(self.shape(0))

    def axis(self, default: int) -> int:
        return int(self.attributes.get("axis", default))


@dataclass(frozen=True)
class Choice:
    """Values of the unknown operands, and the rules (one of `cases`, by operand) that run-time values must keep."""

    values: Mapping[int, Any]
    cases: tuple[Mapping[int, Rule], ...]


def one(values: Mapping[int, Any], rules: Mapping[int, Rule]) -> Choice:
    return Choice(values, (rules,))


def exactly(index: int, values: Sequence[int]) -> Choice:
    """An operand that must have these elements."""
    return one({index: list(values)}, {index: Values(tuple((int(v),) for v in values))})


def _reduce(call: Call) -> Iterator[Choice]:
    shape, keep = call.shape(0), call.attributes.get("keepdims", 1)
    for axes in itertools.combinations(range(call.rank), call.length(1)):
        kept = tuple(1 if k in axes else d for k, d in enumerate(shape) if keep or k not in axes)
        if kept == call.out:
            yield one({1: axes}, {1: Axes(call.rank, frozenset(axes))})


def _reshape(call: Call) -> Iterator[Choice]:
    x, zero_copies = call.shape(0), not call.attributes.get("allowzero", 0)
    if len(call.out) == call.length(1):
        allowed = tuple((d, -1, *([0] if zero_copies and k < len(x) and x[k] == d else []))
                        for k, d in enumerate(call.out))
        yield one({1: call.out}, {1: Values(allowed)})


def _squeeze(call: Call) -> Iterator[Choice]:
    yield from _views(call.shape(0), call.out, call.length(1))


def _unsqueeze(call: Call) -> Iterator[Choice]:
    yield from _views(call.out, call.shape(0), call.length(1))


def _views(wide: Shape, narrow: Shape, count: int) -> Iterator[Choice]:
    """All sets of `count` axes of extent 1 without which `wide` is `narrow`: they all mean the same."""
    found = []
    for axes in itertools.islice(itertools.combinations(range(len(wide)), count), MAX_TRIED):
        if all(wide[a] == 1 for a in axes) and tuple(d for k, d in enumerate(wide) if k not in axes) == narrow:
            found.append(axes)
    if found:
        yield Choice({1: found[0]}, tuple({1: Axes(len(wide), frozenset(axes))} for axes in found))


def _expand(call: Call) -> Iterator[Choice]:
    given, out = call.length(1), call.out
    x = (1,) * (len(out) - call.rank) + call.shape(0)
    if given <= len(out) == len(x) and x[:len(out) - given] == out[:len(out) - given]:
        pairs = list(zip(x, out, strict=True))[len(out) - given:]
        yield one({1: [d for _, d in pairs]}, {1: Values(tuple((d, 1) if s == d else (d,) for s, d in pairs))})


def _tile(call: Call) -> Iterator[Choice]:
    x = call.shape(0)
    if len(x) == len(call.out) == call.length(1) and 0 not in x:
        repeats = [divmod(o, d) for o, d in zip(call.out, x, strict=True)]
        if not any(rest for _, rest in repeats):
            yield exactly(1, [times for times, _ in repeats])


def _whole_shape(index: int) -> Callable[[Call], Iterator[Choice]]:
    def choices(call: Call) -> Iterator[Choice]:
        if call.length(index) == len(call.out):
            yield exactly(index, call.out)
    return choices


def _split(call: Call) -> Iterator[Choice]:
    axis = call.axis(0)
    if all(s is not None and -len(s) <= axis < len(s) for s in call.outputs) and call.length(1) == len(call.outputs):
        yield exactly(1, [s[axis] for s in call.outputs if s is not None])


def _extent(index: int, default_axis: int = -1) -> Callable[[Call], Iterator[Choice]]:
    """An operand that is the result's extent along the axis."""
    def choices(call: Call) -> Iterator[Choice]:
        axis = call.axis(default_axis)
        if call.length(index) == 1 and -len(call.out) <= axis < len(call.out):
            yield exactly(index, [call.out[axis]])
    return choices


def _range(call: Call) -> Iterator[Choice]:
    """A limit, where start and step are integer constants."""
    start, step = call.known(0), call.known(2)
    whole = all(t is not None and t.dtype.is_integer for t in call.types)
    if call.unknown == (1,) and start and step and step[0] and whole and len(call.out) == 1 and call.out[0]:
        last = start[0] + (call.out[0] - 1) * step[0]
        sign = 1 if step[0] > 0 else -1
        low, high = sorted((last + sign, last + step[0]))
        yield one({1: [last + step[0]]}, {1: Between(low, high)})


def _dft(call: Call) -> Iterator[Choice]:
    rank, onesided = call.rank, call.attributes.get("onesided", 0)
    backward = call.attributes.get("inverse", 0)
    axes = call.known(2) if call.opset >= 20 else [call.axis(1)]
    for axis in axes or (range(rank - 1) if 2 in call.unknown else [rank - 2]):
        axis += rank if axis < 0 else 0
        if not 0 <= axis < len(call.out):
            continue
        extent = call.out[axis]
        twice = 1 in call.unknown and onesided and not backward
        for length in (2 * (extent - 1), 2 * extent - 1) if twice else (extent,):
            values: dict[int, Any] = {}
            rules: dict[int, Rule] = {}
            if 1 in call.unknown:
                values[1], rules[1] = [length], Values(((length,),))
            if 2 in call.unknown:
                values[2], rules[2] = [axis], Values(((axis, axis - rank),))
            yield one(values, rules)


def _center_crop_pad(call: Call) -> Iterator[Choice]:
    axes = call.attributes.get("axes", range(len(call.out)))
    if call.length(1) == len(axes):
        yield exactly(1, [call.out[a] for a in axes])


def _affine_grid(call: Call) -> Iterator[Choice]:
    """The number of channels does not matter."""
    batch, *extents = call.out[:-1]
    if call.length(1) == len(extents) + 2:
        yield one({1: [batch, 1, *extents]}, {1: Values(((batch,), None, *((e,) for e in extents)))})


def _col2im(call: Call) -> Iterator[Choice]:
    image = call.out[2:]
    images = [list(image)] if 1 in call.unknown else [call.known(1) or []]
    product = call.shape(0)[1] // max(1, call.out[1])
    blocks = [call.known(2)] if 2 not in call.unknown else list(_factors(product, len(image)))
    for given, block in itertools.product(images, blocks):
        values: dict[int, Any] = {}
        rules: dict[int, Rule] = {}
        for index, found in ((1, given), (2, block)):
            if index in call.unknown and found is not None:
                values[index], rules[index] = found, Values(tuple((v,) for v in found))
        yield one(values, rules)


def _factors(product: int, count: int) -> Iterator[list[int]]:
    """All ways to write a number as a product of `count` factors in order."""
    if count == 1:
        yield [product]
        return
    for first in range(1, product + 1) if count else ():
        if product % first == 0:
            for rest in _factors(product // first, count - 1):
                yield [first, *rest]


def _stft(call: Call) -> Iterator[Choice]:
    """Operands: signal, frame step, window, frame length."""
    if len(call.out) != 4 or call.out[1] < 1:
        return
    _, frames, bins, _ = call.out
    window = call.shape(2) if len(call.types) > 2 and call.types[2] is not None else None
    lengths = call.known(3) if len(call.types) > 3 else None
    if 3 in call.unknown and not lengths:
        lengths = [2 * (bins - 1), 2 * bins - 1] if call.attributes.get("onesided", 1) else [bins]
    length = (lengths or [window[0] if window else 0])
    for frame in length:
        room = call.shape(0)[1] - frame
        steps = range(1, room + 2) if 1 in call.unknown else call.known(1) or []
        for step in itertools.islice((s for s in steps if room >= 0 and room // s + 1 == frames), MAX_CHOICES + 1):
            values: dict[int, Any] = {1: [step], 3: [frame]}
            rules: dict[int, Rule] = {1: Values(((step,),)), 3: Values(((frame,),))}
            yield one({k: v for k, v in values.items() if k in call.unknown},
                      {k: v for k, v in rules.items() if k in call.unknown})


def _sizes(call: Call) -> Iterator[Choice]:
    """Sizes of Resize; where the aspect ratio is kept, any that lead to the same factor."""
    if call.unknown != (3,):
        return
    axes = [a % len(call.out) for a in call.attributes.get("axes", range(len(call.out)))]
    policy = call.attributes.get("keep_aspect_ratio_policy", "stretch")
    out, shape = [call.out[a] for a in axes], [call.shape(0)[a] for a in axes]
    if call.length(3) != len(axes) or 0 in shape:
        return
    if policy == "stretch":
        yield exactly(3, out)
        return
    # The axis that decides on the factor; the others have to follow from it, rounded. What their own sizes are does not
    # matter as long as they do not decide.
    least, tried = policy == "not_larger", set()
    for k, (extent, size) in enumerate(zip(shape, out, strict=True)):
        fits = all(int(size / extent * d + 0.5) == o for d, o in zip(shape, out, strict=True))
        if fits and size / extent not in tried:
            tried.add(size / extent)
            others = [MAX_SIZE if least else 1] * len(out)
            yield one({3: [size if i == k else v for i, v in enumerate(others)]},
                      {3: Ratio(tuple(shape), size, extent, least)})


CHOICES: dict[str, tuple[tuple[int, ...], Callable[[Call], Iterator[Choice]]]] = {
    **{f"Reduce{kind}": ((1,), _reduce) for kind in (
        "L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare")},
    "Reshape": ((1,), _reshape),
    "Squeeze": ((1,), _squeeze),
    "Unsqueeze": ((1,), _unsqueeze),
    "Expand": ((1,), _expand),
    "Tile": ((1,), _tile),
    "ConstantOfShape": ((0,), _whole_shape(0)),
    "MaxUnpool": ((2,), _whole_shape(2)),
    "Split": ((1,), _split),
    "Range": ((1,), _range),
    "TopK": ((1,), _extent(1)),
    "OneHot": ((1,), _extent(1)),
    "DFT": ((1, 2), _dft),
    "CenterCropPad": ((1,), _center_crop_pad),
    "AffineGrid": ((1,), _affine_grid),
    "Col2Im": ((1, 2), _col2im),
    "HannWindow": ((0,), _extent(0)),
    "HammingWindow": ((0,), _extent(0)),
    "BlackmanWindow": ((0,), _extent(0)),
    "STFT": ((1, 3), _stft),
    "Resize": ((3,), _sizes),
}


WITHOUT = frozenset({"Range"})  # operators that also compute with operands of any value


def unknown_operands(op_type: str, constants: Sequence[Array | None], types: Sequence[TensorType | None]) -> tuple[
        int, ...]:
    """Indices of a node's operands that have to be assumed."""
    indices = CHOICES[op_type][0] if op_type in CHOICES else ()
    return tuple(k for k in indices if k < len(types) and types[k] is not None and constants[k] is None)


def choices(call: Call) -> list[Choice]:
    """What the unknown operands can be; at most MAX_CHOICES + 1 of them."""
    if any(shape is None for shape in call.outputs[:1]):
        return []
    return list(itertools.islice(CHOICES[call.op_type][1](call), 4 * MAX_CHOICES))


def as_operand(value: Any, type_: TensorType) -> Array:
    """The value in the shape and type of the operand that it stands for."""
    return np.asarray(value, type_.dtype.numpy).reshape(type_.shape)
