# SPDX-License-Identifier: Apache-2.0
"""`tinyc profile`: instructions per layer, flash and RAM."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from tinyc.cli.options import InputsOption, JsonOption, compiled, print_json, takes_built_request
from tinyc.cli.verify import cases_for

if TYPE_CHECKING:
    from tinyc.compiler import Request


@takes_built_request
def profile(request: Request, inputs: InputsOption = None, json: JsonOption = False) -> None:
    """Count the instructions of one inference per layer, in QEMU, and measure flash and RAM."""
    from tinyc.cli.progress import progress
    from tinyc.profiling import profile_compiled
    from tinyc.toolchain.build import require_runnable

    require_runnable(request.target)
    result = compiled(request)
    case = cases_for(result, inputs, 1).inputs[0]
    with progress(f"running on {request.target.name}"):
        report = profile_compiled(result, case)
    if json:
        print_json(report)
        return
    for layer in report["layers"]:
        count = "" if layer["instructions"] is None else f"{layer['instructions']:,}"
        per_mac = f"{layer['instructions'] / layer['macs']:.2f}/MAC" if count and layer["macs"] else ""
        typer.echo(f"{layer['index']:3} {layer['op']:16} {layer['kernel']:28} {count:>13} {per_mac:>10}  "
                   f"{layer['name'][:60]}")
    if report["instructions"] is not None:
        typer.echo(f"instructions {report['instructions']:,} (exact, counted in QEMU)")
    typer.echo("flash " + ", ".join(f"{k} {v:,}" for k, v in report["flash"].items()))
    typer.echo("ram   " + ", ".join(f"{k} {'?' if v is None else format(v, ',')}" for k, v in report["ram"].items()))
