# SPDX-License-Identifier: Apache-2.0
"""About how much stack a program needs: what `--ram` adds to the arena before anything is built.

Measured on Cortex-M0+, M4, M7 and M55 with the default optimization; `tinyc profile` measures the program itself.
"""

from __future__ import annotations

from tinyc.backend.program import Program, called_functions

_OWN = 450  # the model's function and any small kernel
_DEEPEST = (("arm_convolve", 1250), ("arm_depthwise_conv", 700), ("tinyc_convolve", 700), ("tinyc_depthwise", 700))


def stack_estimate(program: Program) -> int:
    """Bytes of stack below the model's function, callees included, rounded up."""
    functions = called_functions(program)
    return max([_OWN, *(size for prefix, size in _DEEPEST if any(f.startswith(prefix) for f in functions))])
