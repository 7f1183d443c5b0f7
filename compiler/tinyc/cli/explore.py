# SPDX-License-Identifier: Apache-2.0
"""`tinyc explore`: what other schemes for a model's layers would cost and lose, and the best ones on a budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tinyc.cli.options import BUDGET_HELP, JsonOption, takes_open_request

if TYPE_CHECKING:
    from tinyc.compiler import Request


@takes_open_request
def explore(
    request: Request,
    budget: Annotated[str | None, typer.Option("--budget", metavar="flash=64K,drop=0.5%", help=BUDGET_HELP)] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Processes that run trials; one for each core by default.")
    ] = None,
    dask: Annotated[
        str | None, typer.Option("--dask", metavar="ADDRESS", help="Run trials on the workers of this Dask scheduler, "
                                 "which have the same tinyc and the target's tools.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Try schemes for each layer (int4 weights, int8, int16 activations, float) and show what they cost and lose."""
    from tinyc.budget import WORDS, parse_budget
    from tinyc.cli.auto import give_up, save_best, show
    from tinyc.cli.progress import progress
    from tinyc.errors import TinycError
    from tinyc.explore import workers
    from tinyc.explore.search import explore as search
    from tinyc.report.exploration import exploration_report

    limits = parse_budget(budget, WORDS) if budget is not None else {}
    if request.quantize is None or request.quantize.samples is None:
        raise TinycError("tinyc explore needs samples", hint="--calibrate SAMPLES.npz with typical inputs")
    if request.quantize.scheme not in (None, "auto"):
        raise TinycError("tinyc explore chooses schemes itself", hint="leave --quantize out")
    if request.quantize.save is not None and not limits:
        raise TinycError("--save-ranges without --budget: there is no best one to save",
                         hint="for example --budget drop=0.5%")
    if dask is not None and jobs is not None:
        raise TinycError("--jobs and --dask exclude each other", hint="give one of them")
    place = workers.dask(dask) if dask is not None else workers.processes(jobs)
    counted = request.target.can_run and request.target.family != "host"
    with place as team, progress(f"trying schemes for {request.model.name}"):
        found = search(request, limits, team, counted, lambda text: typer.echo(text, err=True))
    save_best(request, found)
    report = exploration_report(found)
    show(report, json)
    if limits and found.best is None:
        give_up(report)
