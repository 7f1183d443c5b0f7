# SPDX-License-Identifier: Apache-2.0
"""Slice and Pad with run-time operands: functions that check them against the static shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyc.backend.program import Argument, Call, Null, Struct
from tinyc.ir.graph import Graph, Node
from tinyc.ir.types import DType
from tinyc.kernels.base import KERNELS, Builder, Cost, Kernel, Lowered, Options
from tinyc.ops.pad import MODES


class _RunTime(Kernel):
    def obstacle(self, graph: Graph[Any], node: Node, options: Options) -> str | None:
        return None

    def cost(self, graph: Graph[Any], node: Node, options: Options) -> Cost:
        type_ = graph.type(node.outputs[0])
        return Cost(10.0 * type_.elements * (type_.rank + 2))


def _shapes(build: Builder) -> Struct:
    x, y = build.type(0), build.output_type()
    extents = [build.table(role, np.array(t.shape or (1,), np.int32), "constants")
               for role, t in (("in_shape", x), ("out_shape", y))]
    return Struct("tinyc_dynamic_shapes", (("rank", x.rank), ("element", x.dtype.size), ("in", extents[0]),
                                           ("out", extents[1])))


def _optional(build: Builder, index: int) -> Argument:
    return build.input(index) if build.has(index) else Null()


def _wide(build: Builder, index: int) -> int:
    return int(build.has(index) and build.type(index).dtype is DType.INT64)


@KERNELS.add
class SliceAnyCall(_RunTime):
    name = "tinyc_slice_any"
    ops = ("SliceAny",)

    def lower(self, build: Builder) -> Lowered:
        operands = [_optional(build, k) for k in (1, 2, 3, 4)]
        return Lowered((Call(self.name, (_shapes(build), build.input(0), build.output(), *operands,
                                         build.type(1).elements, _wide(build, 1)), "SHAPE"),))


@KERNELS.add
class PadAnyCall(_RunTime):
    name = "tinyc_pad_any"
    ops = ("PadAny",)

    def lower(self, build: Builder) -> Lowered:
        operands = [_optional(build, k) for k in (1, 2, 3)]
        count, mode = build.type(1).elements // 2, MODES.index(build.node.attrs.mode)
        return Lowered((Call(self.name, (_shapes(build), build.input(0), build.output(), *operands, count,
                                         _wide(build, 3), mode), "SHAPE"),))
