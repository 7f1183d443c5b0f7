# SPDX-License-Identifier: Apache-2.0
"""`tinyc compile`: writes the C, the runtime files that it needs and report.json."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyc.cli.options import JsonOption, compiled, print_json, takes_request

if TYPE_CHECKING:
    from tinyc.compiler import Request


@takes_request
def compile(
    request: Request,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the files; ./NAME by default.", metavar="DIR")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Compile a model to C."""
    from tinyc.compiler import write

    result = compiled(request)
    folder = output if output is not None else Path(result.name)
    files = write(result, folder)
    if json:
        print_json(result.report)
        return
    arena = result.report["arena"]
    optimal = "proven optimal" if arena["proven_optimal"] else "not proven optimal"
    typer.echo(f"{folder}: {len(files)} files, entry {result.report['entry']} in {result.report['header']}")
    typer.echo(f"arena {arena['bytes']:,} bytes ({optimal}; live-set bound {arena['live_set_bound']:,}), "
               f"weights {result.report['weights_bytes']:,} bytes, {result.report['model']['macs']:,} MACs")
