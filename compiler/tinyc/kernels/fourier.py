# SPDX-License-Identifier: Apache-2.0
"""DFT and STFT: float32 transforms by tinyc_fft_f32 and its kin where the length has small factors, else plain sums."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyc.backend.program import Affine, Call, Expr, For, Literal, Pointer, Stmt
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.loops import computed, let, load, store
from tinyc.kernels.writing import at, formula, put, real, when, whole
from tinyc.ops.fourier import DftAttrs, StftAttrs


@dataclass(frozen=True)
class Lines:
    """Many transforms alike. `around`: loops, with what each adds to the place in the input and in the result.

    Element j of a line lies at j * `step`; number k of its result at k * `result_step`; both count numbers, of
    `parts` and `result_parts` elements. Only the first `given` elements exist.
    """

    around: tuple[tuple[str, int, int, int], ...]
    length: int
    given: int
    results: int
    step: int
    result_step: int
    parts: int
    result_parts: int
    inverse: bool
    onesided: bool

    def source(self, index: str, part: int) -> Affine:
        return Affine(part, (*((v, s) for v, _, s, _ in self.around if s), (index, self.step * self.parts)))

    def target(self, index: str, part: int) -> Affine:
        step = self.result_step * self.result_parts
        return Affine(part, (*((v, s) for v, _, _, s in self.around if s), (index, step)))

    def wrap(self, body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        for name, count, _, _ in reversed(self.around):
            body = (For(name, count, body),)
        return body


def lines_of(graph: Graph[Any], node: Node) -> Lines:
    x, y = graph.type(node.inputs[0]), graph.type(node.outputs[0])
    parts, result_parts = x.shape[-1], y.shape[-1]
    if node.op == "STFT":
        s: StftAttrs = node.attrs
        around = (("t_b", x.shape[0], x.shape[1] * parts, math.prod(y.shape[1:])),
                  ("t_f", y.shape[1], s.step * parts, math.prod(y.shape[2:])))
        return Lines(around, s.length, s.length, y.shape[2], 1, 1, parts, result_parts, False, s.onesided)
    a: DftAttrs = node.attrs
    inner = math.prod(x.shape[a.axis + 1:-1])
    n, m = x.shape[a.axis], y.shape[a.axis]
    around = (("t_o", math.prod(x.shape[:a.axis]), n * inner * parts, m * inner * result_parts),
              ("t_i", inner, parts, result_parts))
    return Lines(around, a.length, min(n, a.length), m, inner, inner, parts, result_parts, a.inverse, a.onesided)


class _Fourier(Kernel):
    ops = ("DFT", "STFT")


def _windowed(build: Builder, index: str, value: Expr) -> Expr:
    """An element times its place in the window, where there is one."""
    if build.node.op != "STFT" or not build.has(1):
        return value
    own = build.type(0).dtype
    return formula("{0} * {1}", own, value, load(build.input(1).buffer, at(**{index: 1}), own))


def _is_power(n: int) -> bool:
    return n >= 4 and n & (n - 1) == 0


@KERNELS.add
class FourierF32(_Fourier):
    """The line is copied to scratch memory and transformed there; in the result itself where that is one run."""

    name = "tinyc_fft_f32"

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        if graph.type(node.inputs[0]).dtype is not DType.FLOAT32 or not _is_power(lines_of(graph, node).length):
            return "not a power of two of float32"
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        a = lines_of(graph, node)
        count = math.prod(n for _, n, _, _ in a.around)
        return Cost(12.0 * count * a.length * math.log2(a.length), 4.0 * a.length, 0.0)

    def lower(self, build: Builder) -> Lowered:
        a = lines_of(build.graph, build.node)
        n = a.length
        sine = build.table("sine", np.sin(2 * np.pi * np.arange(n) / n).astype(np.float32), "constants")
        if a.parts == 1 and not a.inverse:
            return _real(build, a, lambda place, _: Call("tinyc_rfft_f32", (place, sine, n)))
        work = build.scratch
        body: tuple[Stmt, ...]
        if a.inverse and a.onesided:
            body = _mirrored_input(build, a, work)
        else:
            body = _complex_input(build, a, work)
        # Real and imaginary parts change places for the inverse.
        places = (Pointer(work, 4, "float *"), Pointer(work, 0, "float *"))
        if not a.inverse:
            places = (places[1], places[0])
        body += (Call("tinyc_fft_f32", (*places, sine, n, 1)),)
        factor = f"{{0}} * {1.0 / n!r}f" if a.inverse else "{0}"
        moves = tuple(store(build.output().buffer, a.target("t_k", part), DType.FLOAT32,
                            formula(factor, DType.FLOAT32, load(work, Affine(part, (("t_k", 2),)), DType.FLOAT32)))
                      for part in range(a.result_parts))
        body += (For("t_k", a.results, moves),)
        return Lowered(a.wrap(body), 8 * n)


def _real(build: Builder, a: Lines, transform: Callable[[Pointer, int], Call], spare: int = 0) -> Lowered:
    """Transforms of real numbers in place: transform(where, place of `spare` bytes of scratch memory)."""
    n, half = a.length, a.length // 2
    direct = a.onesided and a.result_step == 1
    result = build.output().buffer
    base = Affine(0, tuple((v, s) for v, _, _, s in a.around if s)) if direct else Affine()
    work = result if direct else build.scratch
    value = _windowed(build, "t_j", load(build.input(0).buffer, a.source("t_j", 0), DType.FLOAT32))
    body: tuple[Stmt, ...] = (For("t_j", a.given, (store(work, base.plus(at(t_j=1)), DType.FLOAT32, value),)),)
    if a.given < n:
        zero = store(work, base.plus(Affine(a.given, (("t_j", 1),))), DType.FLOAT32, Literal(0, DType.FLOAT32))
        body += (For("t_j", n - a.given, (zero,)),)
    where = Pointer(work, 0, "float *", tuple((v, 4 * s) for v, s in base.terms))
    body += (transform(where, 0 if direct else 4 * (n + 2)),)
    if direct:
        return Lowered(a.wrap(body), spare)
    number = tuple(load(work, Affine(part, (("t_k", 2),)), DType.FLOAT32) for part in (0, 1))
    body += (For("t_k", min(half + 1, a.results), tuple(
        store(result, a.target("t_k", part), DType.FLOAT32, number[part]) for part in (0, 1))),)
    if a.results > half + 1:  # the other half is the conjugate of this one
        mirror = tuple(load(work, Affine(part, (("t_m", 2),)), DType.FLOAT32) for part in (0, 1))
        body += (For("t_q", a.results - half - 1, (
            whole("t_k", f"t_q + {half + 1}"), whole("t_m", f"{n} - t_k"),
            store(result, a.target("t_k", 0), DType.FLOAT32, mirror[0]),
            store(result, a.target("t_k", 1), DType.FLOAT32, formula("-{0}", DType.FLOAT32, mirror[1])))),)
    return Lowered(a.wrap(body), 4 * (n + 2) + spare)


def _complex_input(build: Builder, a: Lines, work: str, exchanged: bool = False) -> tuple[Stmt, ...]:
    """A line as complex numbers, or with real and imaginary parts exchanged."""
    moves = []
    for part in (0, 1):
        value: Expr = Literal(0, DType.FLOAT32)
        if part < a.parts:
            value = _windowed(build, "t_j", load(build.input(0).buffer, a.source("t_j", part), DType.FLOAT32))
        moves.append(store(work, Affine(part ^ int(exchanged), (("t_j", 2),)), DType.FLOAT32, value))
    body: tuple[Stmt, ...] = (For("t_j", a.given, tuple(moves)),)
    if a.given < a.length:
        zero = store(work, Affine(2 * a.given, (("t_j", 1),)), DType.FLOAT32, Literal(0, DType.FLOAT32))
        body += (For("t_j", 2 * (a.length - a.given), (zero,)),)
    return body


def _mirrored_input(build: Builder, a: Lines, work: str, exchanged: bool = False) -> tuple[Stmt, ...]:
    """A half that stands for a real signal, completed: the middle and the first number are taken as real."""
    n, half = a.length, a.length // 2
    given = min(a.given, half + 1)
    zero = Literal(0, DType.FLOAT32)
    clear = For("t_j", 2 * n, (store(work, at(t_j=1), DType.FLOAT32, zero),))
    number = [load(build.input(0).buffer, a.source("t_j", part), DType.FLOAT32) for part in (0, 1)]
    body: list[Stmt] = [let("t_re", DType.FLOAT32, number[0]),
                        real("t_im", DType.FLOAT32, f"t_j == 0 || t_j == {half} ? 0.0f : {{0}}", number[1]),
                        whole("t_m", f"({n} - t_j) % {n}")]
    for index, sign in (("t_m", "-"), ("t_j", "")):
        for part, text in enumerate(("t_re", f"{sign}t_im")):
            body.append(store(work, Affine(part ^ int(exchanged), ((index, 2),)), DType.FLOAT32, formula(text)))
    return (clear, For("t_j", given, tuple(body)))


def _is_smooth(n: int) -> bool:
    """Whether the length is a product of 2, 3 and 5."""
    for factor in (2, 3, 5):
        while n % factor == 0:
            n //= factor
    return n == 1


@KERNELS.add
class FourierMixedF32(_Fourier):
    """Copied to scratch memory and transformed there."""

    name = "tinyc_fft_mixed_f32"

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        a = lines_of(graph, node)
        if graph.type(node.inputs[0]).dtype is not DType.FLOAT32 or a.length < 6 or not _is_smooth(a.length):
            return "not a product of 2, 3 and 5 of float32"
        return "the inverse of a half of odd length" if a.inverse and a.onesided and a.length % 2 else None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        a = lines_of(graph, node)
        count = math.prod(n for _, n, _, _ in a.around)
        return Cost(30.0 * count * a.length * math.log2(a.length), 8.0 * a.length, 0.0)

    def lower(self, build: Builder) -> Lowered:
        a = lines_of(build.graph, build.node)
        n, work = a.length, build.scratch
        angle = 2 * np.pi * np.arange(n) / n
        turns = build.table("turns", np.stack([np.cos(angle), np.sin(angle)], -1).astype(np.float32), "constants")
        if a.parts == 1 and not a.inverse and n % 2 == 0:
            return _real(build, a, lambda place, spare: Call("tinyc_rfft_mixed_f32", (
                place, Pointer(work, spare, "float *"), turns, n)), 4 * n)
        fill = _mirrored_input if a.inverse and a.onesided else _complex_input
        places = (Pointer(work, 0, "float *"), Pointer(work, 8 * n, "float *"))
        # Real and imaginary parts change places for the inverse.
        body = (*fill(build, a, work, a.inverse), Call(self.name, (*places, turns, n, 1)))
        factor = f"{{0}} * {1.0 / n!r}f" if a.inverse else "{0}"
        moves = tuple(store(build.output().buffer, a.target("t_k", part), DType.FLOAT32,
                            formula(factor, DType.FLOAT32,
                                    load(work, Affine(part ^ int(a.inverse), (("t_k", 2),)), DType.FLOAT32)))
                      for part in range(a.result_parts))
        return Lowered(a.wrap((*body, For("t_k", a.results, moves))), 16 * n)


@KERNELS.add
class FourierLoops(_Fourier):
    """Each number of the result as a sum of products with a table of sines."""

    name = "loops"

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        a = lines_of(graph, node)
        count = math.prod(n for _, n, _, _ in a.around)
        return Cost(20.0 * count * a.results * a.given, 8.0 * a.length)

    def lower(self, build: Builder) -> Lowered:
        a = lines_of(build.graph, build.node)
        own, dtype = computed(build.type(0).dtype), build.type(0).dtype
        n = a.length
        angle = 2 * np.pi * np.arange(n) / n
        tables = [build.table(name, f(angle).astype(own.numpy), "constants").buffer
                  for name, f in (("cosine", np.cos), ("sine", np.sin))]
        turn = at(t_p=1)
        sign = "" if a.inverse else "-"
        steps: list[Stmt] = [let("t_c", own, load(tables[0], turn, own)),
                             real("t_s", own, f"{sign}{{0}}", load(tables[1], turn, own))]
        for part in range(a.parts):
            value = _windowed(build, "t_j", load(build.input(0).buffer, a.source("t_j", part), dtype))
            steps.append(let(f"t_x{part}", own, value))
        half = a.inverse and a.onesided
        given = min(a.given, n // 2 + 1) if half else a.given
        if half:  # numbers that stand for themselves and their conjugates count twice
            steps.append(real("t_w", own, f"t_j == 0 || 2 * t_j == {n} ? 1.0f : 2.0f"))
            steps.append(put("t_re", "t_re + t_w * (t_x0 * t_c - t_x1 * t_s)", own))
        else:
            rest = (" - t_x1 * t_s", " + t_x1 * t_c") if a.parts == 2 else ("", "")
            steps += [put("t_re", f"t_re + t_x0 * t_c{rest[0]}", own), put("t_im", f"t_im + t_x0 * t_s{rest[1]}", own)]
        steps += [put("t_p", "t_p + t_k"), when(f"t_p >= {n}", (put("t_p", f"t_p - {n}"),))]
        factor = f" * {1.0 / n!r}f" if a.inverse else ""
        names = ("t_re",) if half else ("t_re", "t_im")
        body: tuple[Stmt, ...] = (
            *(real(name, own, "0.0f", mutable=True) for name in names),
            whole("t_p", "0", mutable=True),
            For("t_j", given, tuple(steps)),
            *(store(build.output().buffer, a.target("t_k", part), dtype, formula(f"{name}{factor}", own))
              for part, name in enumerate(names)),
        )
        return Lowered(a.wrap((For("t_k", a.results, body),)))
