# SPDX-License-Identifier: Apache-2.0
"""The Typer application, and what becomes of errors: one message, a hint, an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from tinyc.cli import compile as compile_command
from tinyc.cli import evaluate, explore, ops, profile, size, targets, verify
from tinyc.cli import inspect as inspect_command
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
app.command("evaluate")(evaluate.evaluate)
app.command("explore")(explore.explore)
app.command("profile")(profile.profile)
app.command("size")(size.size)
app.command("inspect")(inspect_command.inspect)
app.command("targets")(targets.targets)
app.command("ops")(ops.ops)


# Typer's public base of all usage errors differs from version to version; this is it in each.
_UsageError = cast(type[Exception], typer.BadParameter.__mro__[1])
_BUG = "this is a bug in tinyc; please report it with the model (TINYC_TRACEBACK=1 shows where)"


def main() -> None:
    """Runs the command line and exits."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Runs a command. Returns 0 good, 1 a check failed, 2 unusable input or arguments, 3 a bug in tinyc."""
    try:
        result = app(args=list(arguments), prog_name="tinyc", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except _UsageError as error:
        return _usage_error(error)
    except TinycError as error:
        return _failed(str(error), error.hint, error.exit_code)
    except CheckFailed as error:
        typer.echo(f"failed: {error}", err=True)
        return error.exit_code
    except InternalError as error:
        return _failed(str(error), _BUG, 3)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        if os.environ.get("TINYC_TRACEBACK"):
            raise
        where = traceback.extract_tb(error.__traceback__)[-1]
        text = " ".join(str(error).split()) or "no message"
        return _failed(f"{type(error).__name__}: {text} ({Path(where.filename).name}:{where.lineno})", _BUG, 3)


def _failed(what: str, hint: str | None, code: int) -> int:
    typer.echo(f"error: {what}", err=True)
    if hint:
        typer.echo(f"hint: {hint}", err=True)
    return code


def _usage_error(error: Any) -> int:
    """Arguments that the command does not take, in the form of all errors."""
    if type(error).__name__ == "NoArgsIsHelpError":
        return 2  # the help was printed
    command = error.ctx.command_path if error.ctx is not None else "tinyc"
    text = " ".join(error.format_message().split()).replace("Value error, ", "").rstrip(".")
    return _failed(text, f"`{command} --help` lists what it takes", 2)
