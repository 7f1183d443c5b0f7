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

from tinyc.backend.runtime import CMSIS_PREFIX, code_sizes, needed_functions
from tinyc.errors import TinycError
from tinyc.ir.graph import Graph, Node
from tinyc.kernels.base import KERNELS, Cost, Kernel, Options

# What a byte costs in instructions of one run.
FLASH = {"speed": 0.1, "size": 1000.0, "ram": 10.0, "default": 10.0}
RAM = {"speed": 1.0, "size": 10.0, "ram": 200.0, "default": 10.0}

# These builds are the fastest whose flash is at most so many times the smallest, or so many bytes more, as long as a
# byte saved costs no more than so many instructions: in a small model, code is most of the flash.
LIMITS = {"default": (1.2, 0, 80.0), "speed": (1.5, 32 << 10, 10.0)}

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

    @property
    def instructions(self) -> float:
        return sum(c.cost.instructions for c in self.picked.values())


def candidates(graph: Graph[Any], node: Node, options: Options) -> list[Candidate]:
    """The kernels that apply to a node. Raises TinycError with each one's obstacle where there is none."""
    found: list[Candidate] = []
    obstacles = []
    for order, kernel in enumerate(KERNELS.candidates(node.op)):
        obstacle = kernel.obstacle(graph, node, options)
        if obstacle is None:
            cost = kernel.cost(graph, node, options)
            found.append(Candidate(kernel, cost, order, _functions(cost, options)))
        else:
            obstacles.append(f"{kernel.name}: {obstacle}")
    if not found:
        types = ", ".join(str(graph.type(i)) for i in node.inputs if i)
        raise TinycError(f"no kernel for these operands ({types})", node=f"{node.name!r}, {node.op}",
                         hint="; ".join(obstacles) or "tinyc ops lists what is supported")
    return found


def _functions(cost: Cost, options: Options) -> frozenset[str]:
    """The functions whose code the program pays for; that of a library outside is in the firmware anyway."""
    outside = options.kernels == "cmsis-nn"
    own = [f for f in cost.calls if not (outside and f.startswith(CMSIS_PREFIX))]
    return frozenset(needed_functions(own, options.variants))


def select(graph: Graph[Any], node: Node, options: Options) -> Kernel:
    """The kernel for a node by itself. Raises TinycError where there is none."""
    return _choose({node.name: candidates(graph, node, options)}, options).picked[node.name].kernel


def choice_for(graph: Graph[Any], names: Sequence[str], options: Options) -> Choice:
    """The kernel for each of these nodes. Raises TinycError where there is none for one."""
    return _choose({name: candidates(graph, graph.node(name), options) for name in names}, options)


def choose(graph: Graph[Any], names: Sequence[str], options: Options) -> dict[str, Kernel]:
    """As `choice_for`: the kernels by name."""
    return {name: c.kernel for name, c in choice_for(graph, names, options).picked.items()}


def _choose(found: Mapping[str, Sequence[Candidate]], options: Options) -> Choice:
    functions = frozenset[str]().union(*(c.functions for few in found.values() for c in few))
    variants = needed_functions(sorted(functions), options.variants)
    sizes = {f: code_sizes()[f][variants[f]] for f in functions}
    price = Price(FLASH[options.optimize], RAM[options.optimize])
    choice = cheapest(found, sizes, price)
    if options.optimize in LIMITS:
        times, more, dearest = LIMITS[options.optimize]
        smallest = cheapest(found, sizes, Price(FLASH["size"], RAM["size"])).flash
        limit = max(times * smallest, smallest + more)
        while choice.flash > limit and price.flash < dearest:
            price = Price(2 * price.flash, price.ram)
            choice = cheapest(found, sizes, price)
    return choice


def cheapest(found: Mapping[str, Sequence[Candidate]], sizes: Mapping[str, int], price: Price) -> Choice:
    """The best that the search finds from all its beginnings."""
    sets = {c.functions for few in found.values() for c in few}
    pairs = {a | b for a, b in combinations(sorted(sets, key=sorted), 2)} if len(sets) <= MOST_SETS else set()
    starts = sorted({frozenset(sizes), frozenset[str](), *sets, *pairs}, key=sorted)
    search = _Search(found, sizes, price)
    improved = [taken for taken in map(search.improve, starts) if taken is not None]
    return Choice(min(improved, key=lambda taken: taken[0])[1], sizes)


Taken = tuple[float, dict[str, Candidate]]


class _Search:
    """What calls only some functions, for one price. Beginnings meet on their ways, so results are kept."""

    def __init__(self, found: Mapping[str, Sequence[Candidate]], sizes: Mapping[str, int], price: Price) -> None:
        self.sets = {c.functions for few in found.values() for c in few}
        self.ranked = {name: sorted(((price.of(c.cost), c.order, c) for c in few), key=lambda c: c[:2])
                       for name, few in found.items()}
        self.code = {f: price.flash * size for f, size in sizes.items()}
        self.known: dict[frozenset[str], Taken | None] = {}

    def improve(self, functions: frozenset[str]) -> Taken | None:
        """The choice with these functions, then with some more or less for as long as that is cheaper."""
        best = self.taken(functions)
        while True:
            better = [(t, taken) for t in (functions ^ move for move in self._moves(functions))
                      if (taken := self.taken(t)) is not None and (best is None or taken[0] < best[0])]
            if not better:
                return best
            functions, best = min(better, key=lambda t: t[1][0])

    def _moves(self, functions: frozenset[str]) -> list[frozenset[str]]:
        """Sets of functions to take or to leave out: each by itself, and what a candidate lacks, together."""
        lacking = {needed - functions for needed in self.sets} - {frozenset()}
        return sorted({frozenset((f,)) for f in functions} | lacking, key=sorted)

    def taken(self, functions: frozenset[str]) -> Taken | None:
        """The choice that calls only these functions, with its price; None where a node cannot do with them."""
        if functions not in self.known:
            self.known[functions] = self._taken(functions)
        return self.known[functions]

    def _taken(self, functions: frozenset[str]) -> Taken | None:
        picked: dict[str, Candidate] = {}
        total = 0.0
        for name, few in self.ranked.items():
            first = next((c for c in few if c[2].functions <= functions), None)
            if first is None:
                return None
            picked[name] = first[2]
            total += first[0]
        used = frozenset[str]().union(*(c.functions for c in picked.values()))
        return total + sum(self.code[f] for f in sorted(used)), picked
