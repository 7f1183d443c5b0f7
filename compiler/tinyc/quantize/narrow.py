# SPDX-License-Identifier: Apache-2.0
"""Which layers keep 8 bits where a network's weights get 4.

The smallest ones: first convolutions and depthwise ones, where a weight takes part in many results and few weights
share a scale. They cost next to nothing. Measured on MLPerf Tiny, calibrated on the even cases, by the signal-to-noise
ratio of the odd ones: the keyword spotter gains 1.1 dB, the anomaly detector 1.5 dB. First and last layers as such do
not stand out (the keyword spotter does not gain with both in 8 bits), so they get no rule of their own.
"""

from __future__ import annotations

from typing import Any

from tinyc.ir.graph import Graph
from tinyc.quantize.schemes import INT8, Scheme

SHARE = 0.09  # of all weights: what has 8 bits in place of 4 makes the filters at most so much larger


def small_layers(graph: Graph[Any]) -> dict[str, Scheme]:
    """int8 for the smallest Conv and Gemm nodes that have at most SHARE of all weights together."""
    counts = sorted((graph.type(node.inputs[1]).elements, node.name) for node in graph.nodes()
                    if node.op in ("Conv", "Gemm") and graph.value(node.inputs[1]).is_const)
    left = SHARE * sum(count for count, _ in counts)
    found: dict[str, Scheme] = {}
    for count, name in counts:
        left -= count
        if left < 0:
            break
        found[name] = INT8
    return found
