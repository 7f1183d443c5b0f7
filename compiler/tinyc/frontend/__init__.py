# SPDX-License-Identifier: Apache-2.0
"""ONNX in: the only package that imports onnx."""

from tinyc.frontend.lower import Imported, import_model

__all__ = ["Imported", "import_model"]
