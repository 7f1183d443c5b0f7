# SPDX-License-Identifier: Apache-2.0
"""`--quantize auto`: schemes are chosen before the command runs, which then sees a request like any other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer

from tinyc.errors import CheckFailed, TinycError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tinyc.compiler import Request
    from tinyc.explore.search import Exploration


def settled(request: Request, several: bool, json: bool) -> Request:
    """The request with the schemes that were found, where it asks for auto. Raises TinycError, CheckFailed."""
    from tinyc.cli.progress import progress
    from tinyc.explore.search import explore
    from tinyc.explore.workers import processes
    from tinyc.report.exploration import exploration_report

    quantize = request.quantize
    if quantize is None or quantize.budget is None:
        return request
    if several:
        raise TinycError("--quantize auto is about one model", hint="choose schemes for each with tinyc explore")
    with processes() as workers, progress(f"choosing schemes for {request.model.name}"):
        found = explore(request, quantize.budget, workers, False, lambda text: typer.echo(text, err=True))
    report = exploration_report(found)
    if found.best is None:
        show(report, json)
        give_up(report)
    save_best(request, found)
    recipe = found.trials[found.best or 0].recipe
    return replace(request, quantize=replace(quantize, samples=None, save=None, recipe=recipe, budget=None,
                                             explored=report))


def save_best(request: Request, found: Exploration) -> None:
    """The best trial's recipe, where the request asks for that. Raises TinycError."""
    from tinyc.quantize.recipe import save_recipe

    if found.best is not None and request.quantize is not None and request.quantize.save is not None:
        save_recipe(found.trials[found.best].recipe, request.quantize.save)


def show(report: Mapping[str, Any], json: bool) -> None:
    """An exploration on stdout."""
    from tinyc.cli.options import print_json
    from tinyc.report.exploration import exploration_lines

    if json:
        print_json(report)
        return
    for line in exploration_lines(report):
        typer.echo(line)


def give_up(report: Mapping[str, Any]) -> None:
    """Raises CheckFailed: nothing keeps the budget."""
    from tinyc.report.exploration import missed

    raise CheckFailed(missed(report))
