# SPDX-License-Identifier: Apache-2.0
"""Memory planning as a pure library: order of steps and placement of buffers, on plain numbers."""

from tinyc.plan.check import check
from tinyc.plan.problem import (
    Buffer,
    Overlap,
    PlacementError,
    Plan,
    Problem,
    live_set_bound,
    lower_bound,
)
from tinyc.plan.schedule import Order, Sharing, StepGraph, Tensor, best_order, peak_of
from tinyc.plan.solve import DEFAULT_EFFORT, solve

__all__ = [
    "DEFAULT_EFFORT",
    "Buffer",
    "Order",
    "Overlap",
    "PlacementError",
    "Plan",
    "Problem",
    "Sharing",
    "StepGraph",
    "Tensor",
    "best_order",
    "check",
    "live_set_bound",
    "lower_bound",
    "peak_of",
    "solve",
]
