# SPDX-License-Identifier: Apache-2.0
"""`tinyc compile`: writes the C, the runtime files that it needs and report.json."""

from __future__ import annotations

import dataclasses
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
    more: Annotated[
        list[Path] | None, typer.Argument(help="More models, for one folder and one arena.", metavar="MODEL")
    ] = None,
    concurrent: Annotated[
        list[str] | None, typer.Option("--concurrent", metavar="A,B", help="Of several models: those that may run at "
                                       "the same time. The others run in turn and share the arena.")
    ] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Also draw the arena over time: N_arena.html and N_arena.svg.")
    ] = False,
    emit_onnx: Annotated[
        Path | None, typer.Option("--emit-onnx", metavar="FILE", help="With --calibrate, --load-ranges or "
                                  "--quantize weights: also write the quantized model as ONNX, with QuantizeLinear "
                                  "and DequantizeLinear.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Compile a model to C, or several with one arena."""
    from tinyc.cli.auto import show
    from tinyc.compiler import with_picture, write
    from tinyc.errors import TinycError

    if emit_onnx is not None and (more or request.quantize is None):
        raise TinycError("--emit-onnx writes what tinyc quantized", hint="one model, with --calibrate SAMPLES.npz")
    if more:
        _compile_several(request, more, concurrent or [], output, report, json)
        return
    if concurrent:
        raise TinycError("--concurrent is about several models", hint="tinyc compile A.onnx B.onnx --concurrent a,b")
    result = compiled(request)
    if report:
        result = with_picture(result)
    folder = output if output is not None else Path(result.name)
    if emit_onnx is not None:
        from tinyc.export.quantized import write_quantized

        write_quantized(result, emit_onnx)
    files = write(result, folder)
    if json:
        print_json(result.report)
        return
    if "exploration" in result.report:
        show(result.report["exploration"], False)
    arena = result.report["arena"]
    optimal = "proven optimal" if arena["proven_optimal"] else "not proven optimal"
    typer.echo(f"{folder}: {len(files)} files, entry {result.report['entry']} in {result.report['header']}")
    fast = arena.get("fast")
    if fast:
        typer.echo(f"fast arena {fast['bytes']:,} bytes in {fast['memory']}: {len(fast['buffers'])} buffers")
    typer.echo(f"arena {arena['bytes']:,} bytes ({optimal}; live-set bound {arena['live_set_bound']:,}), "
               f"weights {result.report['weights_bytes']:,} bytes, {result.report['model']['macs']:,} MACs")
    for rows in result.report["row_by_row"]:
        typer.echo(f"layers {rows['first']} to {rows['last']} run row by row: {rows['ticks']} turns, "
                   f"{rows['moved_bytes']:,} bytes moved along, nothing computed twice")


def _compile_several(
    request: Request, more: list[Path], concurrent: list[str], output: Path | None, report: bool, json: bool
) -> None:
    """`--name` names the whole; each model has the name of its file."""
    from tinyc.compiler import with_picture
    from tinyc.errors import TinycError
    from tinyc.several import combine, write_several
    from tinyc.state import shared_out

    paths = [request.model, *more]
    alone = [dataclasses.replace(request, model=path, name=None, stateful=state)
             for path, state in zip(paths, shared_out(paths, request.stateful), strict=True)]
    if request.placement is not None:
        raise TinycError("--memories and --weights are about one model", hint="compile the models one by one")
    models = [compiled(r) for r in alone]
    several = combine([with_picture(m) for m in models] if report else models, request.name, concurrent)
    folder = output if output is not None else Path(several.name)
    files = write_several(several, folder)
    if json:
        print_json(several.report)
        return
    typer.echo(f"{folder}: {len(files)} files, header {several.report['header']}")
    typer.echo(f"arena {several.bytes:,} bytes for all models")
    for row in several.report["arena"]["models"]:
        beside = f", at the same time as {', '.join(row['concurrent'])}" if row["concurrent"] else ""
        typer.echo(f"{row['name']}: {row['bytes']:,} bytes at {row['offset']:,}{beside}")
