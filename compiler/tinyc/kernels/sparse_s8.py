# SPDX-License-Identifier: Apache-2.0
"""int8 layers whose weights are mostly zero: only the others are stored, with their places."""

from __future__ import annotations

from tinyc.ir.types import Array
from tinyc.kernels.base import KERNELS
from tinyc.kernels.structured_layers import StructuredConv, StructuredFullyConnected, StructuredKernel, Work
from tinyc.kernels.structured_weights import Packed, pack_sparse
from tinyc.quantize.structure import is_sparse


class _Sparse(StructuredKernel):
    kind = "sparse"
    row = {"armv6m": Work(7.4, 121, 25), "scalar": Work(7.0, 65, 15), "dsp": Work(5.2, 66, 14),
           "mve": Work(1.3, 62, 18), "portable": Work(5.2, 66, 14)}
    rows = {"armv6m": Work(23.2, 355, 80), "scalar": Work(21, 168, 50), "dsp": Work(12.0, 119, 48),
            "mve": Work(2.3, 190, 50), "portable": Work(12.0, 168, 48)}

    def pack(self, filters: Array) -> Packed | None:
        return pack_sparse(filters) if is_sparse(filters) else None


@KERNELS.add
class SparseFullyConnectedS8(_Sparse, StructuredFullyConnected):
    """One row by itself; more of them four at a time."""

    name = "tinyc_sparse_row_s8"


@KERNELS.add
class SparseConvS8(_Sparse, StructuredConv):
    """Four pixels are gathered, then multiplied with what is stored of all channels."""

    name = "tinyc_convolve_sparse_s8"
