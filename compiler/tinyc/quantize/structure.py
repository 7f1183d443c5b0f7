# SPDX-License-Identifier: Apache-2.0
"""Structure of a layer's weights that kernels can save flash by: most are zero, or each channel has few values.

Rounding keeps it: zeros stay zero (`tinyc.quantize.rounding`, `kept`), and equal weights of a channel become equal
integers, where each is rounded by itself.
"""

from __future__ import annotations

import numpy as np

from tinyc.ir.types import Array

LEAST_ZEROS = 0.5  # of all weights, from which storing the others alone is smaller
MOST_CLUSTERS = 16  # values that 4 bits can tell apart
LEAST_DEPTH = 33  # weights of a channel, from which half bytes and a table of 16 are smaller


def is_sparse(weights: Array) -> bool:
    """Whether more than half of the weights are exactly zero."""
    return bool((weights == 0).mean() > LEAST_ZEROS) if weights.size else False


def is_clustered(rows: Array) -> bool:
    """Whether no channel has more than 16 different weights. rows: [..., channels, depth]."""
    flat = rows.reshape(-1, rows.shape[-1])
    if flat.shape[1] < LEAST_DEPTH:
        return False
    return bool((np.diff(np.sort(flat, axis=1), axis=1) != 0).sum(axis=1).max() < MOST_CLUSTERS)
