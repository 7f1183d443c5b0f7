# SPDX-License-Identifier: Apache-2.0
"""The intermediate representation: a typed, bipartite networkx graph of operators and values."""

from tinyc.ir.graph import Editor, Graph, Node, Value
from tinyc.ir.types import DType, Quant, TensorType

__all__ = ["DType", "Editor", "Graph", "Node", "Quant", "TensorType", "Value"]
