# SPDX-License-Identifier: Apache-2.0
"""Consecutive steps of a Program as one loop over rows: when each row is made, and where images lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tinyc.backend.program import Program, Rows
from tinyc.ir.graph import Graph
from tinyc.kernels.row_code import RowCode
from tinyc.kernels.row_form import AXIS
from tinyc.plan.rows import Chain, Image, Layer, Schedule, overlap_distance, schedule

INSTRUCTIONS_PER_CALL = 150.0  # what a row's call costs beyond its share of the whole image's, roughly
INSTRUCTIONS_PER_BYTE = 0.5  # of memmove


@dataclass(frozen=True)
class Context:
    """What all segments of a program share. codes: by step, where the step can run by rows."""

    graph: Graph[Any]
    program: Program
    storage: Mapping[str, str]
    codes: Mapping[int, RowCode]


@dataclass(frozen=True)
class Segment:
    """Steps first ... last as a loop. home: the buffer in which an image of the chain lies, if not its own."""

    first: int
    last: int
    plan: Schedule
    home: Mapping[str, str]
    rows: Rows

    @property
    def ring_bytes(self) -> int:
        """Bytes of the rows that live side by side."""
        own = (i for i in self.plan.rings if i not in self.home and i not in self.plan.passing)
        return sum(self.plan.ring_bytes(image) for image in own)

    @property
    def cost(self) -> float:
        """Instructions that running by rows adds, roughly."""
        calls = sum(layer.rows for layer in self.plan.chain.layers)
        return INSTRUCTIONS_PER_CALL * calls + INSTRUCTIONS_PER_BYTE * self.rows.moved_bytes


def segment_of(context: Context, first: int, last: int) -> Segment | None:
    """The segment; None where the steps cannot share a loop."""
    chain = _chain(context, first, last)
    plan = None if chain is None else schedule(chain)
    if chain is None or plan is None:
        return None
    home = _homes(context, first, plan)
    own = [image for image in plan.rings if image not in home]
    held = [image for image in chain.images if chain.images[image].whole]
    held += [image for image in own if image not in plan.passing]
    codes = [context.codes[first + k] for k in range(len(chain.layers))]
    held += [code.sums for code in codes if code.sums]
    moved_bytes = sum(plan.moved_bytes(image) for image in own)
    return Segment(first, last, plan, home,
                   Rows(first, last, plan.ticks, tuple(held), _overlaps(plan, home, codes), moved_bytes))


def _chain(context: Context, first: int, last: int) -> Chain | None:
    """The steps as layers over buffers; None where one of them has no form by rows, or reads an image reshaped."""
    graph, storage, program = context.graph, context.storage, context.program
    inside = range(first, last + 1)
    if any(k not in context.codes for k in inside):
        return None
    shapes: dict[str, tuple[int, ...]] = {}
    images: dict[str, Image] = {}
    layers = []
    for k in inside:
        code = context.codes[k]
        reads = {}
        for name in code.node.inputs:
            if not name or graph.value(name).is_const:
                continue
            reads[storage[name]] = code.form.window
            if not _add_image(graph, name, storage[name], images, shapes, True, code.form.interleaves):
                return None
        result = code.node.outputs[0]
        buffer = storage[result]
        if buffer in images:
            return None
        needed = buffer in program.outputs or any(
            access.buffer == buffer for s in program.steps if not first <= s.index <= last for access in s.reads)
        _add_image(graph, result, buffer, images, shapes, needed or code.form.gathers)
        layers.append(Layer(tuple(reads.items()), buffer, code.form.rows, code.form.gathers))
    return Chain(images, tuple(layers))


def _add_image(
    graph: Graph[Any], value: str, buffer: str, images: dict[str, Image], shapes: dict[str, tuple[int, ...]],
    whole: bool, planes: bool = False,
) -> bool:
    """Enters an image; False where the buffer is known as one of another shape, or of other rows."""
    type_ = graph.type(value)
    rows = type_.shape[AXIS + planes]
    if buffer not in images:
        images[buffer] = Image(rows, type_.bytes // rows, whole, planes)
        shapes[buffer] = type_.shape
    return shapes[buffer] == type_.shape and images[buffer].scattered == planes


def _homes(context: Context, first: int, plan: Schedule) -> dict[str, str]:
    """Images whose one row lies where its only reader puts its result: that step works in place."""
    home: dict[str, str] = {}
    chain = plan.chain
    taken: set[int] = set()  # layers that have an operand in the place of their result
    for image in sorted(plan.passing, key=lambda i: (-chain.images[i].row_bytes, i)):
        readers, maker = [k for k, _ in chain.readers[image]], chain.makers[image]
        if len(readers) != 1 or chain.layers[readers[0]].gathers or readers[0] in taken:
            continue
        layer = chain.layers[readers[0]]
        code = context.codes[first + readers[0]]
        own = [v for v in code.in_place if context.storage[v] == image]
        if not own or code.node.inputs.count(own[0]) != 1 or plan.period[maker] != plan.period[readers[0]]:
            continue
        types = [context.graph.type(v) for v in (own[0], code.node.outputs[0])]
        same = types[0].dtype.size in (1, types[1].dtype.size) and chain.layers[maker].rows == layer.rows
        if same and chain.images[image].row_bytes <= chain.images[layer.result].row_bytes:
            home[image] = layer.result
            taken.add(readers[0])
    for image in list(home):
        while home[image] in home:
            home[image] = home[home[image]]
    return home


def _overlaps(plan: Schedule, home: Mapping[str, str], codes: Sequence[RowCode]) -> tuple[tuple[str, str, int], ...]:
    """How far each buffer of the loop may run over the images that the loop reads row by row."""
    chain = plan.chain
    made = {layer.result for layer in chain.layers}
    found: list[tuple[str, str, int]] = []
    for source in chain.images:
        if source in made:
            continue
        for image in chain.images:
            writers = [k for k, layer in enumerate(chain.layers) if home.get(layer.result, layer.result) == image]
            if not writers:
                continue
            row, size = (chain.images[image].row_bytes, 0) if chain.images[image].whole else (0, plan.ring_bytes(image))
            found.append((source, image, min(overlap_distance(plan, source, k, row, size) for k in writers)))
        for k, code in enumerate(codes):
            for extra, size in ((code.scratch, code.scratch_bytes), (code.sums, code.sums_bytes)):
                if size:
                    found.append((source, extra, overlap_distance(plan, source, k, 0, size)))
    return tuple(found)
