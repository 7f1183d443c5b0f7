# SPDX-License-Identifier: Apache-2.0
"""Loops over the elements that a sliding window covers, for any number of axes and either layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyc.backend.program import Affine, For, Formula, If, Index, Let, Stmt
from tinyc.kernels.loops import row_strides

Terms = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Window:
    """A window of `kernel` elements on an input [N, C, extents...] or, channels last, [N, extents..., C].

    In the loops, t_y<axis> is the place in the output, t_k<axis> in the window, t_p<axis> in the input.
    """

    extents: tuple[int, ...]
    out: tuple[int, ...]
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[int, ...]
    channels_last: bool
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]

    @staticmethod
    def of(
        x: Sequence[int], y: Sequence[int], kernel: Sequence[int], strides: Sequence[int],
        dilations: Sequence[int], pads: Sequence[int], channels_last: bool,
    ) -> Window:
        """From the shapes of input and output."""
        where = slice(1, -1) if channels_last else slice(2, None)
        return Window(tuple(x[where]), tuple(y[where]), tuple(kernel), tuple(strides), tuple(dilations),
                      tuple(pads), channels_last, tuple(x), tuple(y))

    @property
    def rank(self) -> int:
        return len(self.kernel)

    def output_axes(self) -> list[tuple[str, int]]:
        """(variable, count) of the loops over the output's pixels."""
        return [(f"t_y{k}", n) for k, n in enumerate(self.out)]

    def input_index(self, batch: str, channel: Terms) -> Affine:
        return self._index(self.input_shape, batch, channel, "t_p")

    def output_index(self, batch: str, channel: Terms) -> Affine:
        return self._index(self.output_shape, batch, channel, "t_y")

    def weight_index(self, shape: Sequence[int], output: Affine, channel: str) -> Affine:
        """Weights [O, C, kernel...] or, channels last, [O, kernel..., C]."""
        strides = row_strides(shape)
        first, inner = self._places()
        terms = [(name, c * strides[0]) for name, c in output.terms]
        terms += [(f"t_k{k}", strides[first + k]) for k in range(self.rank)]
        return Affine(0, (*terms, (channel, strides[inner])))

    def _places(self) -> tuple[int, int]:
        """The first spatial axis, and the axis of channels."""
        return (1, self.rank + 1) if self.channels_last else (2, 1)

    def _index(self, shape: Sequence[int], batch: str, channel: Terms, prefix: str) -> Affine:
        strides = row_strides(shape)
        first, inner = self._places()
        terms = [(batch, strides[0]), *((name, c * strides[inner]) for name, c in channel)]
        return Affine(0, (*terms, *((f"{prefix}{k}", strides[first + k]) for k in range(self.rank))))


def loops_over(axes: Sequence[tuple[str, int]], body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    """`body` inside loops, outermost first."""
    for name, count in reversed(axes):
        body = (For(name, count, body),)
    return body


def window_loops(window: Window, body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    """`body` for each element of a window that lies inside the input."""
    for k in range(window.rank - 1, -1, -1):
        n, s, d, pad = window.kernel[k], window.strides[k], window.dilations[k], window.pads[k]
        name = f"t_p{k}"
        last = (window.out[k] - 1) * s + (n - 1) * d - pad
        tests = [f"{name} >= 0"] if pad else []
        if last >= window.extents[k]:
            tests.append(f"{name} < {window.extents[k]}")
        if tests:
            body = (If(Formula(" && ".join(tests), ()), body),)
        place = Index(Affine(-pad, ((f"t_y{k}", s), (f"t_k{k}", d))))
        body = (For(f"t_k{k}", n, (Let(name, "int32_t", place), *body)),)
    return body
