# SPDX-License-Identifier: Apache-2.0
"""ONNX out: graphs of the IR written as models."""
