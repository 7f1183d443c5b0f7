# SPDX-License-Identifier: Apache-2.0
"""int8 layers whose channels have at most 16 different weights each: 4 bits say which of a table it is."""

from __future__ import annotations

from tinyc.ir.types import Array
from tinyc.kernels.base import KERNELS
from tinyc.kernels.structured_layers import StructuredConv, StructuredFullyConnected, StructuredKernel, Work
from tinyc.kernels.structured_weights import Packed, pack_clustered
from tinyc.quantize.structure import is_clustered


class _Clustered(StructuredKernel):
    kind = "clustered"
    row = {"armv6m": Work(9.0, 121), "scalar": Work(8.0, 77), "dsp": Work(6.5, 60), "mve": Work(6.0, 64),
           "portable": Work(6.5, 60)}
    rows = {"armv6m": Work(31, 406), "scalar": Work(18.5, 206), "dsp": Work(14.0, 153), "mve": Work(14.0, 234),
            "portable": Work(14.0, 210)}

    def pack(self, filters: Array) -> Packed | None:
        return pack_clustered(filters) if is_clustered(filters) else None


@KERNELS.add
class ClusteredFullyConnectedS8(_Clustered, StructuredFullyConnected):
    """One row by itself; more of them four at a time."""

    name = "tinyc_clustered_row_s8"


@KERNELS.add
class ClusteredConvS8(_Clustered, StructuredConv):
    """Four pixels are gathered, then multiplied with all channels."""

    name = "tinyc_convolve_clustered_s8"
