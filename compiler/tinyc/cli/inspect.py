# SPDX-License-Identifier: Apache-2.0
"""`tinyc inspect`: operators, shapes, MACs, parameters, and what is unsupported and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyc.cli.options import JsonOption, _dims, print_json


def inspect(
    model: Annotated[Path, typer.Argument(help="The ONNX model.", metavar="MODEL")],
    dim: Annotated[
        list[str] | None, typer.Option("--dim", help="Fixes a symbolic dimension.", metavar="NAME=SIZE")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Describe a model and say what cannot be compiled."""
    from tinyc.report.inspect import inspect_model

    facts = inspect_model(model, _dims(dim or []))
    if json:
        print_json(facts)
        return
    for kind in ("inputs", "outputs"):
        for port in facts[kind]:
            typer.echo(f"{kind[:-1]:7} {port['name']}: {port['dtype']}{port['shape']}")
    for op, count in facts["operators"].items():
        typer.echo(f"{count:5} {op}")
    for layer in facts["layers"]:
        form = "int8" if layer["integer"] else "float"
        typer.echo(f"  {layer['op']:18} {form:5} {layer['macs']:>12,} MACs  {layer['shape']}  {layer['name']}")
    if facts["macs"] is not None:
        typer.echo(f"{facts['macs']:,} MACs, {facts['parameters']:,} parameters")
    for problem in facts["unsupported"]:
        typer.echo(f"unsupported: {problem['node']}: {problem['reason']}")
