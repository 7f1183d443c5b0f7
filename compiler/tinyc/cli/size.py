# SPDX-License-Identifier: Apache-2.0
"""`tinyc size`: the linked size against a budget and a saved baseline, for CI."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyc.cli.options import JsonOption, compiled, print_json, takes_built_request

if TYPE_CHECKING:
    from tinyc.compiler import Request


@takes_built_request
def size(
    request: Request,
    budget: Annotated[
        str | None, typer.Option("--budget", help="Limits in bytes, K or M; exit code 1 when one is exceeded. With "
                                 "--quantize auto also the bounds of the search, as `tinyc explore` takes them.",
                                 metavar="flash=64K,ram=20K")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", help="Compare with the sizes saved in this file.", metavar="size.json")
    ] = None,
    update: Annotated[bool, typer.Option("--update", help="Save the sizes as the new baseline.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a pull-request comment.")] = False,
    json: JsonOption = False,
) -> None:
    """Measure flash and RAM by linking; compare with a budget and a baseline."""
    from tinyc.budget import SIZES, WORDS, parse_budget
    from tinyc.cli.progress import progress
    from tinyc.errors import CheckFailed, TinycError
    from tinyc.report import size as report

    searched = request.quantize is not None and request.quantize.explored is not None
    bounds = parse_budget(budget, WORDS if searched else SIZES) if budget is not None else {}
    limits = {what: int(bounds[what]) for what in SIZES if what in bounds}
    if update and baseline is None:
        raise TinycError("--update without --baseline", hint="--baseline size.json names the file to update")
    saved = report.read_baseline(baseline, must_exist=not update) if baseline else {}
    result = compiled(request)
    with progress("linking"):
        sizes = report.measure(result)
    key = report.baseline_key(result)
    changes = report.compare(sizes, saved[key]) if key in saved else None
    over = report.over_budget(sizes, limits)
    if update and baseline is not None:
        report.write_baseline(baseline, {**saved, key: sizes})
    if json:
        print_json({**sizes, "budget": limits, "over_budget": over, "baseline": changes})
    elif markdown:
        typer.echo(report.as_markdown(sizes, limits, changes))
    else:
        typer.echo(report.as_text(sizes, limits, changes))
    if baseline is not None and key not in saved and not update:
        typer.echo(f"note: {baseline} has no entry for {key}; --update adds it", err=True)
    if over:
        raise CheckFailed("; ".join(f"{o['what']} {o['bytes']:,} bytes is {o['excess']:,} over its budget of "
                                    f"{o['limit']:,}" for o in over))
