# SPDX-License-Identifier: Apache-2.0
"""`tinyc profile`: instructions and estimated cycles per layer, flash and RAM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tinyc.cli.options import InputsOption, JsonOption, compiled, print_json, takes_built_request
from tinyc.cli.verify import cases_for

if TYPE_CHECKING:
    from tinyc.compiler import Request


@takes_built_request
def profile(
    request: Request,
    inputs: InputsOption = None,
    wait_states: Annotated[
        int | None,
        typer.Option("--wait-states", metavar="N", min=0, help="Estimate cycles with a flash that answers N cycles "
                     "late, behind the cache that the target describes; the target's own number by default."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Count the instructions of one inference per layer, in QEMU, estimate its cycles, and measure flash and RAM."""
    from tinyc.cli.progress import progress
    from tinyc.profiling import profile_compiled
    from tinyc.report.profile import profile_lines
    from tinyc.toolchain.build import require_runnable

    require_runnable(request.target)
    result = compiled(request)
    case = cases_for(result, inputs, 1).inputs[0]
    with progress(f"running on {request.target.name}"):
        report = profile_compiled(result, case, wait_states)
    if json:
        print_json(report)
        return
    for line in profile_lines(report):
        typer.echo(line)
