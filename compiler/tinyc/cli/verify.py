# SPDX-License-Identifier: Apache-2.0
"""`tinyc verify`: runs the generated C on the target and compares its outputs."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinyc.cli.options import InputsOption, JsonOption, compiled, print_json, takes_built_request

if TYPE_CHECKING:
    from tinyc.cases import Cases
    from tinyc.compiler import Compiled, Request
    from tinyc.shadow import ShadowReport


@takes_built_request
def verify(
    request: Request,
    inputs: InputsOption = None,
    layers: Annotated[
        bool, typer.Option("--layers", help="Name the first layer that differs between NumPy, host C and target.")
    ] = False,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Also watch every access to the arena, and fail where a byte is read that "
                           "another buffer has overwritten: natively for host, on the target's instructions in QEMU.")
    ] = False,
    tolerance: Annotated[
        float, typer.Option("--tolerance", min=0.0,
                            help="For real outputs: the error allowed, as a part of the output's range.")
    ] = 1e-4,
    json: JsonOption = False,
) -> None:
    """Check the generated C on the target (QEMU, or natively for host)."""
    from tinyc.cli.progress import progress
    from tinyc.errors import CheckFailed
    from tinyc.toolchain.build import require_runnable
    from tinyc.verification import verify_compiled

    require_runnable(request.target)
    result = compiled(request)
    cases = cases_for(result, inputs)
    with progress(f"running on {request.target.name}"):
        outcome = verify_compiled(result, cases, tolerance)
    layer = _first_layer(request, cases, tolerance) if layers else None
    watched = _shadow(result, cases) if shadow else None
    passed = outcome.passed and layer is None and (watched is None or watched.passed)
    if json:
        report: dict[str, Any] = {"passed": passed, "cases": outcome.cases, "reference": outcome.reference,
                                  "outputs": [_plain(asdict(o)) for o in outcome.outputs],
                                  "unaligned": outcome.unaligned}
        if layers:
            report["first_difference"] = layer
        if watched is not None:
            report["shadow"] = asdict(watched)
        print_json(report)
    else:
        for o in outcome.outputs:
            typer.echo(f"{o.name}: {o.bit_exact_cases} of {outcome.cases} cases bit-exact, {o.mismatched_elements} of "
                       f"{o.elements} elements outside the tolerance, largest error {o.max_abs_error:.6g}")
        typer.echo(f"compared with {outcome.reference} on {request.target.name}: {'passed' if passed else 'FAILED'}")
        if layers:
            typer.echo("no layer differs" if layer is None else
                       f"first layer that differs: {layer['name']} ({layer['op']}) on {layer['target']}")
        if watched is not None:
            verdict = f"{watched.violations:,} wrong; the first: {watched.first}" if watched.first else "all sound"
            typer.echo(f"shadow run: {watched.read:,} bytes read, {watched.written:,} written, {verdict}")
    if not passed:
        found = outcome.unaligned or (watched.first if watched is not None else None)
        raise CheckFailed(found or (f"layer {layer['name']} differs" if layer else "outputs differ"))


def cases_for(result: Compiled, inputs: Any, count: int = 4) -> Cases:
    """The user's cases, or seeded random ones."""
    from tinyc.cases import load_cases, random_cases

    if inputs is None:
        return random_cases(result.emitted.inputs, count)
    return load_cases(inputs, result.emitted.inputs, result.emitted.outputs)


def _first_layer(request: Request, cases: Cases, tolerance: float) -> dict[str, Any] | None:
    from tinyc.compiler import compile_model
    from tinyc.targets import load_target
    from tinyc.verification import first_difference

    for target in (load_target("host"), request.target):
        exposed = compile_model(replace(request, target=target, dump_after=None), expose=True)
        found = first_difference(exposed, cases, tolerance)
        if found is not None:
            return found
    return None


def _shadow(result: Compiled, cases: Cases) -> ShadowReport:
    from tinyc.cases import Cases
    from tinyc.cli.progress import progress
    from tinyc.shadow import shadow_run

    # Addresses do not depend on the data: one case says it all.
    with progress("watching accesses to the arena"):
        return shadow_run(result, Cases(cases.inputs[:1], None))


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """JSON has no infinity."""
    return {k: (None if isinstance(v, float) and not math.isfinite(v) else v) for k, v in values.items()}
