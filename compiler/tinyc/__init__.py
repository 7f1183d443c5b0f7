# SPDX-License-Identifier: Apache-2.0
"""tinyc: an ahead-of-time compiler from ONNX to C for microcontrollers."""

from tinyc.version import VERSION as __version__

__all__ = ["__version__"]
