# SPDX-License-Identifier: Apache-2.0
"""What one inference costs: instructions and estimated cycles per layer, flash and RAM, measured on the real code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tinyc.compiler import Compiled
from tinyc.errors import TinycError
from tinyc.execute import build_model, check_status, dependencies, written
from tinyc.ir.types import Array
from tinyc.timing import FlashTiming
from tinyc.toolchain import Elf, Layer, run
from tinyc.toolchain.cycles import Estimator
from tinyc.toolchain.disassembly import disassemble
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


def _estimator(elf: Elf, flash: FlashTiming) -> Estimator | None:
    """None where the target's timings are not described."""
    target = elf.target
    return Estimator(disassemble(elf), target.family, target.timing, flash) if target.timing else None


def _layer_figures(layer: Layer | None, estimator: Estimator | None) -> dict[str, Any]:
    """What report.json does not have of a layer; None where it was not counted."""
    work = estimator.work(layer.blocks, layer.flash) if layer and estimator and layer.blocks else None
    return {
        "instructions": layer.instructions if layer else None,
        "loads": layer.loads if layer else None,
        "stores": layer.stores if layer else None,
        "multiplies": work.multiplies if work else None,
        "cycles": work.total if work else None,
        "cycle_shares": dict(work.cycles) if work else None,
    }


def profile_compiled(
    compiled: Compiled, case: Sequence[Array], wait_states: int | None = None
) -> dict[str, Any]:
    """The profile of one case, as `tinyc profile --json` prints it. wait_states: of the flash, else the target's.

    Raises TinycError for wait states where the target's timings are not described.
    """
    target = compiled.request.target
    emulated = target.family != "host"
    if wait_states is not None and target.timing is None:
        raise TinycError(f"--wait-states: cycles are not estimated for {target.name}",
                         hint="its description has no table [cycles]; `tinyc profile` counts without")
    flash = target.flash if wait_states is None else replace(target.flash, wait_states=wait_states)
    with written(compiled) as folder:
        elf = build_model(compiled, folder, slots=True, profile=True)
        marks = elf.file.marks(rf"{compiled.name}_mark_(\d+)\.\d+") if emulated else []
        result = run(
            elf, [[a.tobytes() for a in case]], count_instructions=emulated, count_memory=emulated,
            count_blocks=emulated, flash=flash if emulated and flash.wait_states else None, marks=marks,
        )
        estimator = _estimator(elf, flash) if result.layers else None
    check_status(compiled, result.status)
    counts = {layer.label: _layer_figures(layer, estimator) for layer in result.layers}
    uncounted = _layer_figures(None, None)
    layers = [{**layer, **counts.get(str(layer["index"]), uncounted)} for layer in compiled.report["layers"]]
    size = linked_size(compiled)
    fast = compiled.arena.fast
    arena = compiled.arena.bytes + (fast.bytes if fast else 0)
    io, stack = io_bytes(compiled), result.stack_bytes
    state = compiled.report["state_bytes"]
    return {
        "target": target.name,
        "instructions": result.instructions,
        "cycles": sum(figures["cycles"] or 0 for figures in counts.values()) if estimator else None,
        "cycles_are": "estimated",
        "wait_states": flash.wait_states,
        "counted_by": result.counted_by,
        "layers": layers,
        "flash": {"weights": size.weights, "code": size.code, "constants": size.constants, "total": size.flash},
        "ram": {"arena": arena, "io": io, "state": state, "static": size.static_ram, "stack": stack,
                "total": arena + io + state + size.static_ram + (stack or 0)},
    }
