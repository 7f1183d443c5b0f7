# SPDX-License-Identifier: Apache-2.0
"""What tinyc made of a float model, written as a QDQ model for other tools."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyc.errors import TinycError
from tinyc.export.model import to_model
from tinyc.ir.graph import Editor, Graph

if TYPE_CHECKING:
    from tinyc.compiler import Compiled


def write_quantized(compiled: Compiled, path: Path) -> None:
    """Writes the file whole or not at all. Raises TinycError where an operator has no ONNX form, or it cannot be."""
    assert compiled.quantized is not None
    ports = dict(zip(compiled.quantized.inputs, compiled.imported.input_names, strict=True))
    ports |= dict(zip(compiled.quantized.outputs, compiled.imported.output_names, strict=True))
    data = to_model(_renamed(compiled.quantized, ports)).SerializeToString(deterministic=True)
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_bytes(data)
        os.replace(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise TinycError(f"cannot write {path} ({error.strerror})", hint="name a file that can be written") from None


def _renamed(graph: Graph[Any], names: dict[str, str]) -> Graph[Any]:
    """Inputs and outputs named as in the model, where the names are free."""
    changed = {old: new for old, new in names.items() if old != new and not graph.has_value(new)}
    if not changed:
        return graph
    editor = Editor(graph)
    editor.rename_values(changed)
    return editor.done()
