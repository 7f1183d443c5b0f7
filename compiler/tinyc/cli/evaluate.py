# SPDX-License-Identifier: Apache-2.0
"""`tinyc evaluate`: accuracy in float, as integers and on the target, side by side; the noise of each layer."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyc.cli.options import JsonOption, print_json, takes_built_request

if TYPE_CHECKING:
    from tinyc.compiler import Request
    from tinyc.evaluation import Evaluation


@takes_built_request
def evaluate(
    request: Request,
    inputs: Annotated[
        Path, typer.Option("--inputs", metavar="X.npz", help="Cases: arrays 'in:NAME' whose first axis counts them.")
    ],
    labels: Annotated[
        bool, typer.Option("--labels", help="Also count right classes: X.npz has an array 'labels', or expected "
                           "outputs 'out:NAME' whose largest element is the class.")
    ] = False,
    sample: Annotated[
        int, typer.Option("--sample", min=1, help="How many of the cases run on an emulated target.")
    ] = 20,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.svg", help="Draw the noise of each layer.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Measure what quantization costs: float, integers and target side by side, layer by layer."""
    from tinyc.cli.progress import progress
    from tinyc.errors import TinycError
    from tinyc.evaluation import evaluate_model
    from tinyc.report.noise_svg import noise_svg
    from tinyc.toolchain.build import require_runnable

    require_runnable(request.target)
    if report is not None and request.quantize is None:
        raise TinycError("--report shows layers that tinyc quantized, and there are none",
                         hint="--calibrate SAMPLES.npz or --load-ranges FILE")
    with progress(f"evaluating {request.model.name}"):
        found = evaluate_model(request, inputs, labels, sample, lambda text: typer.echo(text, err=True))
    if report is not None:
        try:
            report.write_text(noise_svg(found.layers, f"{request.model.name} on {request.target.name}"),
                              encoding="utf-8")
        except OSError as error:
            raise TinycError(f"cannot write {report} ({error.strerror})",
                             hint="name a file that can be written") from None
    if json:
        print_json({"results": [asdict(r) for r in found.results], "layers": [asdict(n) for n in found.layers]})
    else:
        _show(found)


def _show(found: Evaluation) -> None:
    for r in found.results:
        parts = [f"{r.cases} cases"]
        if r.accuracy is not None:
            parts.append(f"{r.accuracy:.2f} % right")
        if r is not found.results[0]:
            parts += [f"{r.agreement:.2f} % as float", f"{r.decibels:.2f} dB"]
        if r.exact is not None:
            parts.append(f"{r.exact} bit-exact to the host")
        typer.echo(f"{r.name}: {', '.join(parts)}")
    if found.layers:
        worst = min(found.layers, key=lambda n: n.decibels)
        typer.echo("signal-to-noise ratio of each layer, dB:")
        for n in found.layers:
            typer.echo(f"  {n.decibels:7.2f}  {n.scheme:<6} {n.name} ({n.op}){'  <- lowest' if n is worst else ''}")
