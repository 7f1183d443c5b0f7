# SPDX-License-Identifier: Apache-2.0
"""The Typer application, and what becomes of errors: one message, a hint, an exit code."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tinyc.cli import compile as compile_command
from tinyc.cli import inspect as inspect_command
from tinyc.cli import ops, profile, size, targets, verify
from tinyc.errors import CheckFailed, InternalError, TinycError
from tinyc.version import VERSION

app = typer.Typer(
    name="tinyc", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Compiles ONNX models to C for microcontrollers: no interpreter, no heap, RAM known beforehand.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"tinyc {VERSION}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


app.command("compile")(compile_command.compile)
app.command("verify")(verify.verify)
app.command("profile")(profile.profile)
app.command("size")(size.size)
app.command("inspect")(inspect_command.inspect)
app.command("targets")(targets.targets)
app.command("ops")(ops.ops)


def main() -> None:
    """Runs the command line. Exit codes: 0 good, 1 a check failed, 2 unusable input or arguments, 3 a bug."""
    try:
        app()
    except TinycError as error:
        typer.echo(f"error: {error}", err=True)
        if error.hint:
            typer.echo(f"hint: {error.hint}", err=True)
        sys.exit(error.exit_code)
    except CheckFailed as error:
        typer.echo(f"failed: {error}", err=True)
        sys.exit(error.exit_code)
    except InternalError as error:
        typer.echo(f"error: {error}", err=True)
        typer.echo("hint: this is a bug in tinyc; please report it with the model", err=True)
        sys.exit(3)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
