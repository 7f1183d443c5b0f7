# SPDX-License-Identifier: Apache-2.0
"""`tinyc ops`: the ONNX operators that can be compiled."""

from __future__ import annotations

import typer

from tinyc.cli.options import JsonOption, print_json


def ops(json: JsonOption = False) -> None:
    """List the supported ONNX operators."""
    import tinyc.ops  # noqa: F401  (registers the operators)
    from tinyc.frontend.lower import MAX_OPSET, MIN_OPSET
    from tinyc.frontend.subgraphs import CONTROL
    from tinyc.ops.registry import IMPORTERS

    names = sorted({("" if domain == "" else f"{domain}.") + op for domain, op in IMPORTERS} | {"Constant", *CONTROL})
    if json:
        print_json({"operators": names, "opsets": [MIN_OPSET, MAX_OPSET]})
        return
    typer.echo("\n".join(names))
    typer.echo(f"{len(names)} operators, opsets {MIN_OPSET} to {MAX_OPSET}", err=True)
