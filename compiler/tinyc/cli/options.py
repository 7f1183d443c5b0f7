# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share. `takes_request` gives a command every option of `compile`."""

from __future__ import annotations

import dataclasses
import enum
import functools
import inspect
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinyc.errors import TinycError

if TYPE_CHECKING:
    from tinyc.compiler import CmsisNn, Compiled, Request
    from tinyc.quantization import QuantizeRequest


BUDGET_HELP = (
    "Limits: flash and ram in bytes, K or M; cycles (estimated) or instructions of an inference, K or M; drop, the "
    "points of accuracy that may be lost; snr, the least dB. With drop or snr, the cheapest model by what is "
    "limited (else by flash) is taken; without, the most accurate. Exit code 1 where none keeps them."
)


class Optimize(enum.StrEnum):
    """What code generation minimises."""

    default = "default"
    speed = "speed"
    size = "size"
    ram = "ram"


class Kernels(enum.StrEnum):
    """Where kernels come from."""

    auto = "auto"
    cmsis_nn = "cmsis-nn"
    reference = "reference"


class Io(enum.StrEnum):
    """Where inputs and outputs live."""

    arena = "arena"
    caller = "caller"


class Quantize(enum.StrEnum):
    """What a float model becomes."""

    none = "none"
    int8 = "int8"
    int16x8 = "int16x8"
    int4w = "int4w"
    auto = "auto"
    weights = "weights"


class IoDtype(enum.StrEnum):
    """Element types of inputs and outputs."""

    model = "model"
    int8 = "int8"
    float32 = "float32"


def _request(
    model: Annotated[Path, typer.Argument(help="The ONNX model.", metavar="MODEL")],
    target: Annotated[
        str, typer.Option("--target", "-t", help="A target's name (see `tinyc targets`) or a TOML file of your own.")
    ],
    name: Annotated[
        str | None, typer.Option("--name", help="Prefix of all generated names; the model file's name by default.")
    ] = None,
    optimize: Annotated[Optimize, typer.Option("--optimize", help="What to favour.")] = Optimize.default,
    kernels: Annotated[
        Kernels,
        typer.Option("--kernels", help="auto: the cheapest of the bundled ones. cmsis-nn: call the CMSIS-NN library "
                     "that your firmware links. reference: bundled, portable C only."),
    ] = Kernels.auto,
    io: Annotated[
        Io, typer.Option("--io", help="arena: inputs and outputs have slots that share memory with activations. "
                         "caller: the caller's buffers are used directly.")
    ] = Io.arena,
    io_dtype: Annotated[
        IoDtype, typer.Option("--io-dtype", help="model: as in the ONNX file. int8: quantized at the edges. "
                              "float32: real numbers, quantized inside.")
    ] = IoDtype.model,
    dim: Annotated[
        list[str] | None, typer.Option("--dim", help="Fixes a symbolic dimension.", metavar="NAME=SIZE")
    ] = None,
    require_integer: Annotated[
        bool, typer.Option("--require-integer", help="Fail, naming the node, where a float operator would remain.")
    ] = False,
    dump_after: Annotated[
        str | None, typer.Option("--dump-after", help="Print the graph after this pass, to stderr.", metavar="PASS")
    ] = None,
    plan_effort: Annotated[
        float, typer.Option("--plan-effort", help="Bound on the work of the memory planner, in deterministic units.",
                            min=0.0)
    ] = 4.0,
    strict_memory: Annotated[
        bool, typer.Option("--strict-memory", help="Fail when the model exceeds the target's memories.")
    ] = False,
    stateful: Annotated[
        list[str] | None,
        typer.Option("--stateful", metavar="INPUT=OUTPUT", help="An output that is an input of the next run, kept in "
                     "NAME_state_t; at first zero, or the input's constant in the model.")
    ] = None,
    calibrate: Annotated[
        Path | None,
        typer.Option("--calibrate", metavar="SAMPLES", help="Quantize a float model by typical inputs: an .npz "
                     "with an array 'in:NAME' for each input, an .npy, or a folder of .npy files.")
    ] = None,
    quantize: Annotated[
        Quantize | None, typer.Option("--quantize", help="What a float model becomes. int8: activations and weights "
                     "of 8 bits, the default where there are samples. int16x8: activations of 16, weights of 8. int4w: "
                     "activations of 8, weights of 4. weights: those of Conv, Gemm and MatMul as int8, all else "
                     "float; needs no samples. auto: for each layer one of these or float, by trials "
                     "on --budget.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option("--budget", metavar="flash=64K,drop=0.5%", help=f"With --quantize auto. {BUDGET_HELP}")
    ] = None,
    save_ranges: Annotated[
        Path | None, typer.Option("--save-ranges", metavar="FILE", help="Write what calibration decided.")
    ] = None,
    load_ranges: Annotated[
        Path | None,
        typer.Option("--load-ranges", metavar="FILE", help="Quantize by what --save-ranges wrote: the same bytes on "
                     "every machine, without samples.")
    ] = None,
    keep_float: Annotated[
        list[str] | None, typer.Option("--keep-float", metavar="NODE", help="Do not quantize this node.")
    ] = None,
    ram: Annotated[
        str | None, typer.Option("--ram", metavar="SIZE", help="The fastest program that needs at most so many bytes "
                                 "(24000, 24K) of RAM: arena, inputs and outputs outside it, about the stack.")
    ] = None,
    memories: Annotated[
        str | None, typer.Option("--memories", metavar="FAST[=SIZE],SLOW", help="Two of the target's RAMs: the "
                                 "buffers that are accessed most get an arena of their own in the faster one.")
    ] = None,
    weights: Annotated[
        str | None, typer.Option("--weights", metavar="MEMORY", help="One of the target's memories for the weights: a "
                                 "flash, or a RAM that start-up code copies them to.")
    ] = None,
) -> Request:
    """Collects the options into a Request. Raises TinycError."""
    from tinyc.compiler import Request
    from tinyc.memories import parse_placement
    from tinyc.state import pair_of
    from tinyc.targets import load_target

    place = load_target(target)
    return Request(
        model=model, target=place, name=name, optimize=optimize.value, kernels=kernels.value,
        io=io.value, io_dtype=io_dtype.value, dims=_dims(dim or []), require_integer=require_integer,
        dump_after=dump_after, plan_effort=plan_effort, strict_memory=strict_memory,
        stateful=tuple(pair_of(text) for text in stateful or []),
        ram=_bytes(ram) if ram is not None else None,
        placement=parse_placement(place, memories, weights, lambda text: _bytes(text, "--memories")),
        quantize=_quantize(quantize, calibrate, save_ranges, load_ranges, keep_float or [], budget),
    )


def _quantize(
    quantize: Quantize | None, calibrate: Path | None, save: Path | None, load: Path | None, keep_float: list[str],
    budget: str | None,
) -> QuantizeRequest | None:
    """What the options say together. Raises TinycError."""
    from tinyc.budget import WORDS, parse_budget
    from tinyc.quantization import QuantizeRequest

    if calibrate is not None and load is not None:
        raise TinycError("--calibrate and --load-ranges exclude each other", hint="give one of them")
    given = calibrate is not None or load is not None
    if quantize is Quantize.weights:
        for name, path in (("--calibrate", calibrate), ("--save-ranges", save), ("--load-ranges", load)):
            if path is not None:
                raise TinycError(f"{name} with --quantize weights, which needs neither samples nor ranges",
                                 hint=f"leave {name} out, or choose another --quantize")
        return QuantizeRequest(None, None, None, tuple(keep_float), quantize.value)
    if quantize not in (None, Quantize.none) and not given:
        raise TinycError(f"--quantize {quantize} needs samples", hint="--calibrate SAMPLES.npz with typical inputs, or "
                         "--load-ranges FILE; --quantize weights needs none")
    if not given:
        for name, value in (("--save-ranges", save), ("--keep-float", keep_float)):
            if value:
                other = ", or --quantize weights" if name == "--keep-float" else ""
                raise TinycError(f"{name} without --calibrate or --load-ranges", hint=f"--calibrate SAMPLES.npz{other}")
        return None
    if quantize is Quantize.none:
        raise TinycError("--quantize none with --calibrate or --load-ranges", hint="leave one of them out")
    scheme = quantize.value if quantize is not None else None
    if quantize is not Quantize.auto:
        return QuantizeRequest(calibrate, load, save, tuple(keep_float), scheme)
    if load is not None:
        raise TinycError("--quantize auto with --load-ranges", hint="leave --quantize out: the file names schemes")
    if budget is None:
        raise TinycError("--quantize auto without --budget", hint="for example --budget drop=0.5%")
    return QuantizeRequest(calibrate, save=save, keep_float=tuple(keep_float), scheme=scheme,
                           budget=parse_budget(budget, WORDS))


def _cmsis_nn(
    cmsis_nn_include: Annotated[
        Path | None, typer.Option("--cmsis-nn-include", metavar="DIR", exists=True, file_okay=False,
                                  help="With --kernels cmsis-nn: the folder Include of your CMSIS-NN.")
    ] = None,
    cmsis_nn_lib: Annotated[
        Path | None, typer.Option("--cmsis-nn-lib", metavar="FILE.a", exists=True, dir_okay=False,
                                  help="With --kernels cmsis-nn: your CMSIS-NN, built for the target.")
    ] = None,
) -> CmsisNn | None:
    """Where the firmware's CMSIS-NN is. Raises TinycError."""
    from tinyc.compiler import CmsisNn

    if cmsis_nn_include is None and cmsis_nn_lib is None:
        return None
    if cmsis_nn_include is None or cmsis_nn_lib is None:
        raise TinycError("--cmsis-nn-include and --cmsis-nn-lib belong together", hint="give both")
    return CmsisNn(cmsis_nn_include.resolve(), cmsis_nn_lib.resolve())


def _bytes(text: str, option: str = "--ram") -> int:
    """24000 of "24000", 24576 of "24K". Raises TinycError."""
    match = re.fullmatch(r"\s*(\d{1,12})\s*([KkMm]?)[Bb]?\s*", text)
    if not match:
        raise TinycError(f"{option}: {text!r} is no size", hint="for example 24000 or 24K")
    return int(match.group(1)) * {"": 1, "K": 1 << 10, "M": 1 << 20}[match.group(2).upper()]


def _dims(texts: list[str]) -> dict[str, int]:
    dims: dict[str, int] = {}
    for text in texts:
        name, _, size = text.partition("=")
        if not name or not size.isdigit() or int(size) == 0:
            raise TinycError(f"--dim {text!r} is not NAME=SIZE", hint="for example --dim time=49")
        dims[name] = int(size)
    return dims


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters with their annotations evaluated where that can be done: a Request exists in name only."""
    evaluated = []
    for parameter in inspect.signature(function).parameters.values():
        annotation = parameter.annotation
        if isinstance(annotation, str) and "Request" not in annotation:
            annotation = eval(annotation, vars(sys.modules[function.__module__]))
        evaluated.append(parameter.replace(annotation=annotation))
    return evaluated


def takes_request(command: Callable[..., None]) -> Callable[..., None]:
    """Replaces the command's first parameter, a Request, by all options of `compile`."""
    return _taking(command, built=False, settle=True)


def takes_built_request(command: Callable[..., None]) -> Callable[..., None]:
    """As `takes_request`, for commands that also build the generated C."""
    return _taking(command, built=True, settle=True)


def takes_open_request(command: Callable[..., None]) -> Callable[..., None]:
    """As `takes_built_request`, for a command that chooses schemes itself."""
    return _taking(command, built=True, settle=False)


def _taking(command: Callable[..., None], built: bool, settle: bool) -> Callable[..., None]:
    """settle: with --quantize auto, schemes are chosen first. An option of the command's own takes the place of the
    shared one of the same name, and both get its value."""
    own = _parameters(command)[1:]
    names = {p.name for p in own}
    shared = _parameters(_request)
    library = _parameters(_cmsis_nn) if built else []

    @functools.wraps(command)
    def wrapper(**values: Any) -> None:
        from tinyc.cli.auto import settled

        if values["budget"] is not None and values["quantize"] is not Quantize.auto and "budget" not in names:
            raise TinycError("--budget without --quantize auto", hint="tinyc size compares with a budget")
        request = _request(**_taken(values, shared))
        if built:
            request = dataclasses.replace(request, cmsis_nn=_cmsis_nn(**_taken(values, library)))
        if settle:
            request = settled(request, bool(values.get("more")), bool(values.get("json")))
        command(request, **_taken(values, own))

    return _with_parameters(wrapper, [*(p for p in shared if p.name not in names), *library, *own])


def _taken(values: dict[str, Any], parameters: list[inspect.Parameter]) -> dict[str, Any]:
    return {p.name: values[p.name] for p in parameters}


def _with_parameters(wrapper: Callable[..., None], found: list[inspect.Parameter]) -> Callable[..., None]:
    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in found]
    vars(wrapper)["__signature__"] = inspect.Signature(parameters)
    wrapper.__annotations__ = {p.name: p.annotation for p in parameters}
    return wrapper


JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
InputsOption = Annotated[
    Path | None,
    typer.Option("--inputs", help="Inputs, and outputs to compare with, in an .npz: arrays 'in:NAME' and 'out:NAME' "
                 "whose first axis counts the cases.", metavar="X.npz"),
]


def print_json(value: Any) -> None:
    """The result of a command, on stdout."""
    sys.stdout.write(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def compiled(request: Request) -> Compiled:
    """Compiles with notes, warnings and progress on stderr."""
    from tinyc.cli.progress import progress
    from tinyc.compiler import compile_model

    with progress(f"compiling {request.model.name}"):
        result = compile_model(request, lambda text: typer.echo(text, err=True))
    for note in result.imported.notes:
        typer.echo(f"note: {note}", err=True)
    for warning in result.warnings:
        typer.echo(f"warning: {warning}", err=True)
    return result
