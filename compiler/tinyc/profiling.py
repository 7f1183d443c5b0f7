# SPDX-License-Identifier: Apache-2.0
"""What one inference costs: instructions per layer, flash and RAM, measured on the real code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tinyc.compiler import Compiled
from tinyc.execute import build_model, check_status, dependencies, written
from tinyc.ir.types import Array
from tinyc.toolchain import run
from tinyc.toolchain.size import SizeReport, flash_size


def linked_size(compiled: Compiled, extra_cflags: Sequence[str] = ()) -> SizeReport:
    """Flash and static RAM of the model by the linker (see tinyc.toolchain.size)."""
    pattern = "|".join(re.escape(s) for s in compiled.emitted.weight_symbols) or "(?!)"
    with written(compiled) as folder:
        include_dirs, libraries = dependencies(compiled, folder)
        return flash_size(
            compiled.request.target, [folder / s for s in compiled.emitted.sources], include_dirs,
            entry=f"{compiled.name}_run", weights_pattern=pattern, optimize=compiled.request.optimize,
            cflags=list(extra_cflags), libraries=libraries,
        )


def io_bytes(compiled: Compiled) -> int:
    """Inputs and outputs that lie outside the arena."""
    return sum(p.bytes for p in (*compiled.emitted.inputs, *compiled.emitted.outputs)
               if not compiled.arena.holds(p.buffer))


def profile_compiled(compiled: Compiled, case: Sequence[Array]) -> dict[str, Any]:
    """The profile of one case, as `tinyc profile --json` prints it."""
    emulated = compiled.request.target.family != "host"
    with written(compiled) as folder:
        elf = build_model(compiled, folder, slots=True, profile=True)
        marks = elf.file.marks(rf"{compiled.name}_mark_(\d+)\.\d+") if emulated else []
        result = run(elf, [[a.tobytes() for a in case]], count_instructions=emulated, count_memory=emulated,
                     marks=marks)
    check_status(compiled, result.status)
    counts = {layer.label: layer for layer in result.layers}
    layers = []
    for layer in compiled.report["layers"]:
        own = counts.get(str(layer["index"]))
        layers.append({**layer, "instructions": own.instructions if own else None,
                       "loads": own.loads if own else None, "stores": own.stores if own else None, "cycles": None})
    size = linked_size(compiled)
    fast = compiled.arena.fast
    arena = compiled.arena.bytes + (fast.bytes if fast else 0)
    io, stack = io_bytes(compiled), result.stack_bytes
    state = compiled.report["state_bytes"]
    return {
        "target": compiled.request.target.name,
        "instructions": result.instructions,
        "cycles": None,
        "counted_by": result.counted_by,
        "layers": layers,
        "flash": {"weights": size.weights, "code": size.code, "constants": size.constants, "total": size.flash},
        "ram": {"arena": arena, "io": io, "state": state, "static": size.static_ram, "stack": stack,
                "total": arena + io + state + size.static_ram + (stack or 0)},
    }
