# SPDX-License-Identifier: Apache-2.0
"""Which kernel computes each node, over a whole graph: code that several nodes share is paid for once.

That is uncapacitated facility location (nodes are the customers, runtime functions the facilities), solved by local
search: from several beginnings, functions are taken or left out for as long as that pays. A graph has about a dozen
of them. Source of the method: Kuehn and Hamburger, "A heuristic program for locating warehouses",
Management Science 9 (1963).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

from tinyc.backend.runtime import code_sizes, needed_functions
from tinyc.errors import TinycError
from tinyc.ir.graph import Graph, Node
from tinyc.kernels.base import KERNELS, Cost, Kernel, Options

# What a byte costs in instructions of one run.
FLASH = {"speed": 0.1, "size": 1000.0, "ram": 10.0, "default": 10.0}
RAM = {"speed": 1.0, "size": 10.0, "ram": 200.0, "default": 10.0}

# The default build is the fastest whose flash is at most so many times the smallest, as long as a byte saved costs no
# more than so many instructions: in a small model, code is most of the flash.
BALANCE, DEAREST = 1.2, 80.0

MOST_SETS = 8  # of functions, up to which a search begins with each pair of them


@dataclass(frozen=True)
class Candidate:
    """A kernel that applies to a node. order: its place among kernels of equal cost."""

    kernel: Kernel
    cost: Cost
    order: int
    functions: frozenset[str]


@dataclass(frozen=True)
class Price:
    """What a byte of flash and one of RAM are worth, in instructions."""

    flash: float
    ram: float

    def of(self, cost: Cost) -> float:
        return cost.instructions + self.flash * cost.flash + self.ram * cost.ram


@dataclass(frozen=True)
class Choice:
    """A kernel for each node, by the node's name."""

    picked: Mapping[str, Candidate]
    sizes: Mapping[str, int]

    @cached_property
    def flash(self) -> float:
        """Bytes of all nodes' tables and of the code that they share."""
        functions = frozenset[str]().union(*(c.functions for c in self.picked.values()))
        return sum(c.cost.flash for c in self.picked.values()) + sum(self.sizes[f] for f in functions)


def candidates(graph: Graph[Any], node: Node, options: Options) -> list[Candidate]:
    """The kernels that apply to a node. Raises TinycError with each one's obstacle where there is none."""
    found: list[Candidate] = []
    obstacles = []
    for order, kernel in enumerate(KERNELS.candidates(node.op)):
        obstacle = kernel.obstacle(graph, node, options)
        if obstacle is None:
            cost = kernel.cost(graph, node, options)
            found.append(Candidate(kernel, cost, order, frozenset(needed_functions(cost.calls, options.variants))))
        else:
            obstacles.append(f"{kernel.name}: {obstacle}")
    if not found:
        types = ", ".join(str(graph.type(i)) for i in node.inputs if i)
        raise TinycError(f"no kernel for these operands ({types})", node=f"{node.name!r}, {node.op}",
                         hint="; ".join(obstacles) or "tinyc ops lists what is supported")
    return found


def select(graph: Graph[Any], node: Node, options: Options) -> Kernel:
    """The kernel for a node by itself. Raises TinycError where there is none."""
    return _choose({node.name: candidates(graph, node, options)}, options).picked[node.name].kernel


def choose(graph: Graph[Any], names: Sequence[str], options: Options) -> dict[str, Kernel]:
    """The kernel for each of these nodes, by name. Raises TinycError where there is none for one."""
    found = {name: candidates(graph, graph.node(name), options) for name in names}
    return {name: c.kernel for name, c in _choose(found, options).picked.items()}


def _choose(found: Mapping[str, Sequence[Candidate]], options: Options) -> Choice:
    functions = frozenset[str]().union(*(c.functions for few in found.values() for c in few))
    variants = needed_functions(sorted(functions), options.variants)
    sizes = {f: code_sizes()[f][variants[f]] for f in functions}
    price = Price(FLASH[options.optimize], RAM[options.optimize])
    choice = cheapest(found, sizes, price)
    if options.optimize == "default":
        limit = BALANCE * cheapest(found, sizes, Price(FLASH["size"], RAM["size"])).flash
        while choice.flash > limit and price.flash < DEAREST:
            price = Price(2 * price.flash, price.ram)
            choice = cheapest(found, sizes, price)
    return choice


def cheapest(found: Mapping[str, Sequence[Candidate]], sizes: Mapping[str, int], price: Price) -> Choice:
    sets = {c.functions for few in found.values() for c in few}
    pairs = {a | b for a, b in combinations(sorted(sets, key=sorted), 2)} if len(sets) <= MOST_SETS else set()
    starts = sorted({frozenset(sizes), frozenset[str](), *sets, *pairs}, key=sorted)
    improved = [_improve(start, found, sizes, price) for start in starts]
    best = min((taken for taken in improved if taken is not None), key=lambda taken: taken[0])
    return Choice(best[1], sizes)


Taken = tuple[float, dict[str, Candidate]]


def _improve(
    functions: frozenset[str], found: Mapping[str, Sequence[Candidate]], sizes: Mapping[str, int], price: Price
) -> Taken | None:
    """The choice with these functions, then with one more or one less for as long as that is cheaper."""
    best = _with(functions, found, sizes, price)
    while True:
        tries = [functions ^ needed for needed in _moves(functions, found)]
        better = [(t, taken) for t in tries if (taken := _with(t, found, sizes, price)) is not None
                  and (best is None or taken[0] < best[0])]
        if not better:
            return best
        functions, best = min(better, key=lambda t: t[1][0])


def _moves(functions: frozenset[str], found: Mapping[str, Sequence[Candidate]]) -> list[frozenset[str]]:
    """Sets of functions to take or to leave out: each by itself, and what a candidate lacks, together."""
    singles = {frozenset((f,)) for f in functions}
    lacking = {c.functions - functions for few in found.values() for c in few} - {frozenset()}
    return sorted(singles | lacking, key=sorted)


def _with(
    functions: frozenset[str], found: Mapping[str, Sequence[Candidate]], sizes: Mapping[str, int], price: Price
) -> Taken | None:
    """The choice that calls only these functions, with its price; None where a node cannot do with them."""
    picked: dict[str, Candidate] = {}
    total = 0.0
    for name, few in found.items():
        able = [(price.of(c.cost), c.order, c) for c in few if c.functions <= functions]
        if not able:
            return None
        own, _, picked[name] = min(able, key=lambda a: a[:2])
        total += own
    used = frozenset[str]().union(*(c.functions for c in picked.values()))
    return total + price.flash * sum(sizes[f] for f in sorted(used)), picked
