# SPDX-License-Identifier: Apache-2.0
"""Support vector machines: each vector's kernel once, added to its class's scores; votes; probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyc.backend.program import Affine, Call, Expr, For, Formula, If, Let, Literal, Load, Pointer, Set, Stmt, Store
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.kernels.forest import smallest_integers
from tinyc.ops.svm import SvmAttrs, class_pairs

REAL = DType.FLOAT32


def at(*terms: tuple[str, int], constant: int = 0) -> Affine:
    return Affine(constant, terms)


def _power(degree: float) -> str:
    """C text of t_z to a power."""
    if degree in (1.0, 2.0, 3.0, 4.0):
        return " * ".join(["t_z"] * int(degree))
    return f"powf(t_z, {degree!r}f)"


@KERNELS.add
class SvmLoops(Kernel):
    name = "loops"
    ops = ("SvmScores",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None if all(graph.value(i).is_const for i in node.inputs[1:]) else "the vectors are not constant"

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        vectors = graph.type(node.inputs[1])
        return Cost(graph.type(node.inputs[0]).shape[0] * (5.0 * vectors.elements + 60.0 * vectors.shape[0]))

    def lower(self, build: Builder) -> Lowered:
        a: SvmAttrs = build.node.attrs
        (rows, features), count = build.type(0).shape, build.type(1).shape[0]
        classes, pairs = len(a.vectors), len(class_pairs(len(a.vectors)))
        target = build.output().buffer
        offsets = build.table("rho", build.data(3))
        start = For("t_p", pairs, (Store(target, at(("t_n", pairs), ("t_p", 1)), REAL,
                                         Load(offsets.buffer, at(("t_p", 1)), REAL)),))
        body: list[Stmt] = [start]
        first = 0
        for own, many in enumerate(a.vectors):
            if many:
                body.append(For("t_v", many, self._vector(build, a, features, first, own, classes, count)))
            first += many
        return Lowered((For("t_n", rows, tuple(body)),))

    def _vector(
        self, build: Builder, a: SvmAttrs, features: int, first: int, own: int, classes: int, count: int
    ) -> tuple[Stmt, ...]:
        """Adds what support vector first + t_v, of class `own`, says."""
        vectors, weights = build.table("filter", build.data(1)), build.table("coefficients", build.data(2))
        pairs = class_pairs(classes)
        x = Load(build.input(0).buffer, at(("t_n", features), ("t_f", 1)), REAL)
        s = Load(vectors.buffer, at(("t_v", features), ("t_f", 1), constant=first * features), REAL)
        step = Formula("t_z + {0} * {1}", (x, s))
        if a.kernel == "RBF":
            step = Formula("t_z + t_d * t_d", ())
        loop = (Let("t_d", "float", Formula("{0} - {1}", (x, s))),) if a.kernel == "RBF" else ()
        gamma, shift = Literal(a.gamma, REAL), Literal(a.coef0, REAL)
        finish: dict[str, tuple[Stmt, ...]] = {
            "RBF": (Set("t_z", Formula("expf(-{0} * t_z)", (gamma,))),),
            "SIGMOID": (Set("t_z", Formula("tanhf({0} * t_z + {1})", (gamma, shift))),),
            "POLY": (Set("t_z", Formula("{0} * t_z + {1}", (gamma, shift))),
                     Set("t_z", Formula(_power(a.degree), ()))),
            "LINEAR": (),
        }
        others = [c for c in range(classes) if c != own] or [0]
        places = np.array([pairs.index((min(own, c), max(own, c))) for c in others])
        index: Affine = at(constant=int(places[0]))
        add: tuple[Stmt, ...] = ()
        if len(places) > 1:
            table = build.table(f"pairs{own}", smallest_integers(places))
            pair = Load(table.buffer, at(("t_r", 1)), next(t.dtype for t in build.tables if t.name == table.buffer))
            add, index = (Let("t_p", "int32_t", Formula("(int32_t){0}", (pair,))),), at(("t_p", 1))
        index = index.plus(at(("t_n", len(pairs))))
        weight = Load(weights.buffer, at(("t_v", 1), ("t_r", count), constant=first), REAL)
        target = build.output().buffer
        total: Expr = Formula("{0} + {1} * t_z", (Load(target, index, REAL), weight))
        add = (*add, Store(target, index, REAL, total))
        return (
            Let("t_z", "float", Literal(0.0, REAL), True),
            For("t_f", features, (*loop, Set("t_z", step))),
            *finish[a.kernel],
            For("t_r", len(places), add),
        )


@KERNELS.add
class PairVotesLoops(Kernel):
    name = "loops"
    ops = ("PairVotes",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        return Cost(12.0 * graph.type(node.inputs[0]).elements)

    def lower(self, build: Builder) -> Lowered:
        (rows, pairs), classes = build.type(0).shape, build.output_type().shape[1]
        order = class_pairs(classes)
        votes = build.output().buffer
        tables = [build.table(f"class{k}", smallest_integers(np.array([p[k] for p in order]))) for k in (0, 1)]
        types = [next(t.dtype for t in build.tables if t.name == table.buffer) for table in tables]
        chosen = [Load(table.buffer, at(("t_p", 1)), type_) for table, type_ in zip(tables, types, strict=True)]
        score = Load(build.input(0).buffer, at(("t_n", pairs), ("t_p", 1)), REAL)
        place = at(("t_n", classes), ("t_c", 1))
        body: tuple[Stmt, ...] = (
            For("t_c", classes, (Store(votes, place, DType.INT32, Literal(0, DType.INT32)),)),
            For("t_p", pairs, (
                Let("t_c", "int32_t", Formula("(int32_t){0}", (chosen[1],)), True),
                If(Formula("{0} > 0.0f", (score,)), (Set("t_c", Formula("(int32_t){0}", (chosen[0],))),)),
                Store(votes, place, DType.INT32, Formula("{0} + 1", (Load(votes, place, DType.INT32),))),
            )),
        )
        return Lowered((For("t_n", rows, body),))


@KERNELS.add
class PairProbabilitiesCall(Kernel):
    name = "tinyc_pair_probabilities_f32"
    ops = ("PairProbabilities",)

    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        classes = graph.type(node.outputs[0]).shape[1]
        return Cost(graph.type(node.inputs[0]).shape[0] * 500.0 * classes**2)

    def lower(self, build: Builder) -> Lowered:
        rows, classes = build.output_type().shape
        a, b = (build.table(role, np.array(values, np.float32))
                for role, values in (("prob_a", build.node.attrs.a), ("prob_b", build.node.attrs.b)))
        call = Call(self.name, (build.input(0), a, b, build.output(), Pointer(build.scratch, 0, "float *"), rows,
                                classes))
        return Lowered((call,), 4 * classes * (classes + 1))
